"""Logistic regression: the log-likelihood of one observation, whose gradient by the coefficients is its score."""

import tapediff as td


def log_likelihood(features, outcome, coefficients):
    """log P(outcome | features): `features` and `coefficients` (p,), `outcome` 0.0 or 1.0."""
    logit = (features * coefficients).sum()
    return outcome * logit + td.nn.functional.logsigmoid(-logit)
