"""Heston's model: the price of a European call as an integral over its characteristic function, in real arithmetic.

With k = log(spot / strike) + rate maturity and the characteristic function phi of the logarithm of the discounted spot,

    price = spot - sqrt(spot strike) exp(-rate maturity / 2) / pi  *  integral over u > 0 of
            Re[exp(i u k) phi(u - i / 2)] / (u^2 + 1/4)

Lewis, "A simple option formula for general jump-diffusion and other exponential Levy processes" (2001). phi is taken in the form
whose logarithm has no jumps: Albrecher, Mayer, Schoutens and Tistaert, "The little Heston trap" (2007).
"""

import math

import tapediff as td

PARAMETERS = ("variance", "reversion", "level", "volatility", "correlation")


def call_price(spot, strike, maturity, rate, parameters, nodes, weights):
    """The price of one call, a tensor without dimensions.

    parameters  (5,): today's variance, its speed of reversion and its level, the volatility of the variance, the correlation
    nodes, weights  of a quadrature over u > 0
    """
    moneyness = (spot / strike).log() + rate * maturity
    real, imaginary = characteristic(nodes, maturity, parameters)
    angle = nodes * moneyness
    integrand = (angle.cos() * real - angle.sin() * imaginary) / (nodes * nodes + 0.25)
    return spot - (spot * strike).sqrt() * (-0.5 * rate * maturity).exp() / math.pi * (weights * integrand).sum()


def characteristic(u, maturity, parameters):
    """Real and imaginary part of phi(u - i / 2), for every u."""
    variance, reversion, level, volatility, correlation = parameters.unbind()
    squared = volatility * volatility
    beta = reversion - 0.5 * correlation * volatility, -(correlation * volatility) * u
    square = multiply(beta, beta)
    d = square_root((square[0] + squared * (u * u + 0.25), square[1]))
    below, above = (beta[0] - d[0], beta[1] - d[1]), (beta[0] + d[0], beta[1] + d[1])
    g = divide(below, above)
    decay = exponential((-d[0] * maturity, -d[1] * maturity))
    damped = multiply(g, decay)
    rest = 1 - damped[0], -damped[1]
    slope = divide(multiply(below, (1 - decay[0], -decay[1])), rest)
    ratio = logarithm(divide(rest, (1 - g[0], -g[1])))
    scale = reversion * level / squared
    return exponential(tuple(
        scale * (below[k] * maturity - 2 * ratio[k]) + slope[k] * (variance / squared) for k in (0, 1)
    ))


# Complex numbers are pairs of tensors: a tape has real numbers only.


def multiply(a, b):
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def divide(a, b):
    size = b[0] * b[0] + b[1] * b[1]
    return (a[0] * b[0] + a[1] * b[1]) / size, (a[1] * b[0] - a[0] * b[1]) / size


def square_root(a):
    """The root whose real part is positive; `a` is not on the negative real axis."""
    real = (0.5 * ((a[0] * a[0] + a[1] * a[1]).sqrt() + a[0])).sqrt()
    return real, 0.5 * a[1] / real


def exponential(a):
    size = a[0].exp()
    return size * a[1].cos(), size * a[1].sin()


def logarithm(a):
    return 0.5 * (a[0] * a[0] + a[1] * a[1]).log(), td.atan2(a[1], a[0])
