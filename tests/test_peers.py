"""The comparison with peers: what it computes is right, and what it prints is what was measured."""

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import __main__ as command
from benchmarks.peers import catalogue, conditions, crossing, figures, goals, own, page, pictures, report, worker
from benchmarks.peers.agreement import disagreements, largest_difference
from benchmarks.peers.figures import Row, Table
from benchmarks.peers.reasons import REASONS
from benchmarks.peers.timing import interleaved
from benchmarks.peers.workload import Peer, Workload, lines_of_code
from benchmarks.peers.workloads import adbench, black_scholes, chain, fits, heston, matrices, per_sample
from benchmarks.workloads import Case

ROOT = Path(__file__).parent.parent
WORKLOADS = catalogue.all_workloads()
OWN = ("tapediff", "numba", "numpy")  # what this package and this comparison wrote, and so have to answer for


def central(function, x, step=1e-6):
    """The derivative of `function` at the vector x by central differences: an array (..., len(x))."""
    columns = []
    for k in range(len(x)):
        shift = np.zeros(len(x))
        shift[k] = step * max(1.0, abs(x[k]))
        columns.append((np.asarray(function(x + shift)) - np.asarray(function(x - shift))) / (2 * shift[k]))
    return np.stack(columns, axis=-1)


def own_results(name, size, only=None):
    """(peer, numbers) of tapediff's ways and the derivatives by hand, where they can run here."""
    workload = catalogue.workload_named(name)
    inputs = workload.inputs(size)
    for peer in workload.peers:
        if peer.library in OWN and (only is None or only in peer.name):
            yield peer.name, peer.make(inputs).result()


def assert_close(found, wanted, tolerance, what):
    assert largest_difference([np.asarray(found)], [np.asarray(wanted)]) < tolerance, what


def quiet_paths(z):
    """Paths that stay away from the floor of the variance and from the strike, where the payoff has kinks."""
    _, v0, kappa, theta, xi, rho, _, _ = heston.POINT
    dt = heston.MATURITY / z.shape[1]
    v, lowest = np.full(len(z), v0), np.full(len(z), v0)
    for t in range(z.shape[1]):
        root = np.sqrt(np.maximum(v, 0) * dt)
        v = v + kappa * (theta - np.maximum(v, 0)) * dt + xi * root * (rho * z[:, t, 0] + math.sqrt(1 - rho * rho) * z[:, t, 1])
        lowest = np.minimum(lowest, v)
    payoff = heston.payoffs_in_numpy(heston.POINT, z)
    return (lowest > 1e-3) & (payoff > 1e-2)


@pytest.mark.slow
def test_heston_sensitivities_agree_with_finite_differences():
    z = heston.normals(50, 400)
    quiet = quiet_paths(z)
    assert 20 < quiet.sum() < 400
    wanted = central(lambda point: heston.payoffs_in_numpy(point, z), np.array(heston.POINT))
    for name, (values, *columns) in own_results("heston", 400):
        assert_close(values, heston.payoffs_in_numpy(heston.POINT, z), 1e-12, name)
        for k, column in enumerate(columns):
            assert_close(column[quiet], wanted[quiet, k], 1e-5, f"{name}, {heston.NAMES[k]}")


@pytest.mark.slow
def test_heston_by_hand_agrees_with_tapediff_on_paths_that_touch_the_floor():
    (_, wanted), *others = own_results("heston", 300)
    for name, found in others:
        assert largest_difference(found, wanted) < 1e-8, name


def test_black_scholes_greeks_agree_with_finite_differences():
    from scipy.special import ndtr

    def price(columns):
        spot, strike, sigma, rate, maturity = columns
        d1 = (np.log(spot / strike) + (rate + sigma**2 / 2) * maturity) / (sigma * np.sqrt(maturity))
        return spot * ndtr(d1) - strike * np.exp(-rate * maturity) * ndtr(d1 - sigma * np.sqrt(maturity))

    columns = black_scholes.market(100)
    for name, (values, *greeks) in own_results("black-scholes", 100):
        assert_close(values, price(columns), 1e-12, name)
        for k, greek in enumerate(greeks):
            up, down = [c + 1e-6 * (j == k) for j, c in enumerate(columns)], [c - 1e-6 * (j == k) for j, c in enumerate(columns)]
            assert_close(greek, (price(up) - price(down)) / 2e-6, 1e-7, f"{name}, {black_scholes.NAMES[k]}")


def test_the_chain_agrees_with_finite_differences():
    def value(x):
        return chain.chain(math.sin, x, 100)

    for name, (found, gradient) in own_results("chain-300", 300):
        assert_close(found, value(chain.START), 1e-13, name)
        assert_close(gradient, (value(chain.START + 1e-6) - value(chain.START - 1e-6)) / 2e-6, 1e-7, name)


def test_the_irregular_program_agrees_with_finite_differences():
    plan = chain.irregular_plan(400)

    def value(x):
        return chain.irregular(math.sin, list(x), plan)

    for name, (found, gradient) in own_results("straight-line", 400):
        assert_close(found, value(chain.IRREGULAR_START), 1e-12, name)
        assert_close(gradient, central(value, np.array(chain.IRREGULAR_START)), 1e-6, name)


def test_the_irregular_program_has_as_many_instructions_as_its_size():
    calls = []

    class Counted(float):
        def __mul__(self, other):
            calls.append("mul")
            return Counted(float(self) * float(other))

        def __add__(self, other):
            calls.append("add")
            return Counted(float(self) + float(other))

        __radd__ = __add__

    def sin(x):
        calls.append("sin")
        return Counted(math.sin(x))

    chain.irregular(sin, [Counted(x) for x in chain.IRREGULAR_START], chain.irregular_plan(400))
    assert len(calls) == 400


def test_per_sample_gradients_agree_with_finite_differences():
    parameters, x, labels = per_sample.samples(5)
    flat = np.concatenate([p.ravel().astype(np.float64) for p in parameters])
    shapes = [p.shape for p in parameters]
    ends = np.cumsum([p.size for p in parameters])[:-1]

    def losses(flat):
        w1, b1, w2, b2 = (part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True))
        logits = np.tanh(x @ w1.T + b1) @ w2.T + b2
        return np.log(np.exp(logits).sum(1)) - logits[np.arange(5), labels]

    wanted = central(losses, flat)
    for name, found in own_results("per-sample", 5):
        assert_close(np.concatenate([part.reshape(5, -1) for part in found], axis=1), wanted, 1e-5, name)


def test_the_jacobian_agrees_with_finite_differences():
    coupling, x = matrices.coupled_system(20)

    def reaction(x):
        return np.roll(x, 1) - 2 * x + np.roll(x, -1) + x - x**3 + np.tanh(coupling @ x)

    for name, (found,) in own_results("jacobian", 20):
        assert_close(found, central(reaction, x), 1e-8, name)


def test_the_hessian_agrees_with_finite_differences_of_the_gradient():
    x = matrices.rosenbrock_point(12)

    def gradient(x):
        inner = x[1:] - x[:-1] ** 2
        return np.append(-400 * x[:-1] * inner - 2 * (1 - x[:-1]), 0) + np.insert(200 * inner, 0, 0)

    for name, (found,) in own_results("hessian", 12):
        assert_close(found, central(gradient, x), 1e-7, name)


def test_the_mixture_agrees_with_finite_differences():
    parameters, x, _ = adbench.mixture(6)
    shapes, ends = [p.shape for p in parameters], np.cumsum([p.size for p in parameters])[:-1]

    def posterior(flat):
        weights, means, factors = (part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True))
        d, total = adbench.DIMENSION, 0.0
        inner = np.empty((len(x), len(weights)))
        for k, factor in enumerate(factors):
            lower = np.diag(np.exp(factor[:d]))
            position = d
            for column in range(d):
                for row in range(column + 1, d):
                    lower[row, column] = factor[position]
                    position += 1
            total -= 0.5 * adbench.WISHART_GAMMA**2 * (lower**2).sum()
            total += adbench.WISHART_M * factor[:d].sum()
            inner[:, k] = weights[k] + factor[:d].sum() - 0.5 * (((x - means[k]) @ lower.T) ** 2).sum(1)
        return total + np.log(np.exp(inner).sum(1)).sum() - len(x) * np.log(np.exp(weights).sum())

    flat = np.concatenate([p.ravel() for p in parameters])
    wanted = central(posterior, flat)
    for name, (value, *gradients) in own_results("gmm", 6):
        assert_close(value, posterior(flat), 1e-12, name)
        assert_close(np.concatenate([g.ravel() for g in gradients]), wanted, 1e-6, name)


def test_reprojection_turns_points_as_the_rotation_matrix_does():
    from scipy.spatial.transform import Rotation

    camera, point, weight, feature = (array[0] for array in adbench.observations(1))
    turned = Rotation.from_rotvec(camera[:3]).apply(point - camera[3:6])
    u, v = turned[:2] / turned[2]
    stretch = camera[6] * (1 + camera[9] * (u * u + v * v) + camera[10] * (u * u + v * v) ** 2)
    wanted = weight * (stretch * np.array([u, v]) + camera[7:9] - feature)
    assert_close(adbench.reprojection_in_numpy(camera, point, weight, feature), wanted, 1e-12, "reprojection")


def test_bundle_adjustment_agrees_with_finite_differences():
    cameras, points, weights, features = adbench.observations(4)

    def residuals(flat, feature):
        return adbench.reprojection_in_numpy(flat[:11], flat[11:14], flat[14], feature)

    for name, (values, jacobians) in own_results("bundle", 4):
        for row in range(4):
            flat = np.concatenate([cameras[row], points[row], weights[row : row + 1]])
            assert_close(values[row], residuals(flat, features[row]), 1e-12, name)
            assert_close(jacobians[row], central(lambda x, row=row: residuals(x, features[row]), flat), 1e-7, name)


def test_the_fit_agrees_with_finite_differences():
    observed, steps = fits.observations(40)

    def misfit(rates):
        return fits.misfit(rates, observed, steps)

    for name, (value, gradient) in own_results("ode-fit", 40):
        assert_close(value, misfit(fits.RATES), 1e-12, name)
        assert_close(gradient, central(misfit, np.array(fits.RATES)), 1e-6, name)


def test_the_trajectory_solves_the_differential_equation():
    from scipy.integrate import solve_ivp

    x, y = fits.START
    for _ in range(400):
        x, y = fits.trajectory_step(fits.TRUE_RATES, x, y, fits.DURATION / 400)
    a, b, c, d = fits.TRUE_RATES
    exact = solve_ivp(
        lambda t, s: (a * s[0] - b * s[0] * s[1], c * s[0] * s[1] - d * s[1]),
        (0, fits.DURATION),
        fits.START,
        rtol=1e-10,
        atol=1e-12,
    )
    assert_close([x, y], exact.y[:, -1], 1e-5, "Runge-Kutta")


def test_the_leapfrog_step_agrees_with_finite_differences():
    signed, q, p = fits.posterior(30)

    def gradient(q):
        return central(lambda q: np.log1p(np.exp(-(signed @ q))).sum() + 0.5 * q @ q, q)

    for name, found in own_results("hmc", 30):
        assert largest_difference(found, fits.leapfrog(gradient, q, p)) < 1e-8, name


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_workload_is_described(workload):
    names = [peer.name for peer in workload.peers]
    assert names[0] == "tapediff", "ratios are taken to the first peer"
    assert len(set(names)) == len(names)
    assert list(workload.sizes) == sorted(workload.sizes)
    assert set(REASONS.get(workload.name, {})) <= {*names, *(peer.library for peer in workload.peers)}
    assert all(peer.lines > 3 for peer in workload.peers)
    assert all(peer.too_large for peer in workload.peers if peer.largest < math.inf)


def test_workload_names_are_unique():
    assert len({workload.name for workload in WORKLOADS}) == len(WORKLOADS)


def test_reasons_are_those_of_workloads():
    assert set(REASONS) <= {workload.name for workload in WORKLOADS}


@pytest.mark.parametrize("goal", goals.GOALS, ids=str)
def test_goals_are_about_what_is_measured(goal):
    if isinstance(goal, goals.Alone):
        assert goal.name in own.FIGURES
        return
    workload = catalogue.workload_named(goal.workload)
    assert goal.size in workload.sizes
    if isinstance(goal, goals.Ahead):
        assert {goal.peer, goal.ours} <= {peer.name for peer in workload.peers}
        assert goal.ours.startswith("tapediff")
        assert goal.quantity == "best" or goal.size == workload.sizes[-1], "first calls are measured for the last size"
        assert workload.uses_threads or goal.threads == goal.peer_threads == 1


def test_every_figure_of_tapediff_alone_has_a_goal():
    assert {goal.name for goal in goals.GOALS if isinstance(goal, goals.Alone)} == set(own.FIGURES)


def test_a_library_that_differs_is_outvoted_even_if_it_is_tapediff():
    right, wrong = [np.array([1.0, 2.0])], [np.array([1.0, 2.1])]
    assert disagreements({"tapediff": right, "torch": right}, 1e-9) == {}
    assert list(disagreements({"tapediff": right, "torch": wrong, "jax": right}, 1e-9)) == ["torch"]
    assert list(disagreements({"tapediff": wrong, "torch": right, "jax": right}, 1e-9)) == ["tapediff"]


@pytest.mark.parametrize(
    "other", [[np.array([1.0, np.nan])], [np.array([1.0])], [np.array([1.0, 2.0])] * 2], ids=["nan", "shape", "count"]
)
def test_nan_and_other_shapes_never_agree(other):
    assert largest_difference([np.array([1.0, 2.0])], other) == math.inf
    assert largest_difference(other, [np.array([1.0, 2.0])]) == math.inf


def test_interleaved_runs_every_step_in_turn():
    calls = []
    steps = {name: (lambda name=name: calls.append(name)) for name in ("a", "b")}
    seconds = interleaved(steps, 4, 1e-9)
    assert "".join(calls[-8:]) == "abababab"
    assert all(0 < taken.best <= taken.median and taken.repeats == 4 for taken in seconds.values())


def test_processor_time_does_not_count_waiting():
    taken = interleaved({"waits": lambda: time.sleep(0.05)}, 3, 0.0005, "cpu")
    assert taken["waits"].median < 0.025


def test_what_takes_seconds_is_repeated_three_times(monkeypatch):
    monkeypatch.setattr("benchmarks.peers.timing.PATIENCE", 1e-9)
    assert interleaved({"slow": lambda: sum(range(1000))}, 10, 1e-9)["slow"].repeats == 3


def peer(name, step, **more):
    return Peer(name, lambda inputs: Case(step, lambda result: [result]), (interleaved,), **more)


def missing(inputs):
    raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")


SMALL = Workload(
    "small",
    "a small workload",
    lambda size: size,
    (
        peer("tapediff", lambda: 2.0),
        peer("numpy, again", lambda: 2.0),
        peer("numpy, wrong", lambda: 3.0),
        peer("numpy, late", lambda: 2.0, largest=5, too_large="it would take all night"),
        Peer("numpy, absent", missing, (missing,)),
        peer("numpy, broken", lambda: 1 / 0),
        peer("library_that_nobody_has", lambda: 2.0),
    ),
    sizes=(3, 10),
    size_name="n",
)


def test_missing_failing_and_differing_peers_are_named_and_not_timed():
    rows = {row["peer"]: row for row in worker.timed_workload(SMALL, 10, 1, 2, 1e-6, "wall")["rows"]}
    assert rows["tapediff"]["best"] > 0
    assert rows["numpy, again"]["best"] > 0
    assert rows["numpy, wrong"]["problem"].startswith("differs from tapediff by 5.0e-01")
    assert rows["numpy, absent"]["problem"] == "not installed (nowhere)"
    assert rows["numpy, broken"]["problem"] == "ZeroDivisionError: division by zero"
    assert rows["library_that_nobody_has"]["problem"] == "not installed (library_that_nobody_has)"
    assert rows["numpy, late"] | {"lines": 0} == {
        "peer": "numpy, late", "lines": 0, "problem": "it would take all night", "is_left_out": True}  # fmt: skip


def test_a_peer_is_only_left_out_above_its_largest_size():
    rows = {row["peer"]: row for row in worker.timed_workload(SMALL, 3, 1, 2, 1e-6, "wall")["rows"]}
    assert rows["numpy, late"]["best"] > 0


ROWS = (
    Row("tapediff", 9, 2e-6, 3e-6, 15, 0.5, 2_000_000),
    Row("numpy, again", 12, 1e-6, 1.5e-6, 15, 0.001, 0),
    Row("numpy, wrong", 12, problem="differs from tapediff by 5.0e-01 (tolerance 1e-09)"),
    Row("numpy, late", 12, problem="it would take all night", is_left_out=True),
)
TABLE = Table("small", 10, 1, ROWS)


def test_the_table_shows_times_ratios_memory_lines_and_what_is_not_met(monkeypatch):
    asked = [goals.Ahead("small", size, "numpy, again", wanted) for size, wanted in ((10, 2), (3, 1e-9))]
    monkeypatch.setattr(goals, "GOALS", asked)
    title, _, ours, again, wrong, late = report.table_text(SMALL, TABLE).splitlines()
    assert title == "a small workload [small]; n = 10; 1 thread"
    assert " ".join(ours.split()) == "tapediff 2.00 us 3.00 us 1.00 - 500 ms 2.0 MB 9"
    assert " ".join(again.split()) == "numpy, again 1.00 us 1.50 us 0.50 >= 2 1.00 ms 0.0 MB 12 NOT MET"
    assert wrong.split(maxsplit=2)[2] == "PROBLEM: differs from tapediff by 5.0e-01 (tolerance 1e-09)"
    assert late.split(maxsplit=2)[2] == "left out: it would take all night"


def test_without_tapediff_there_are_no_ratios():
    table = Table("small", 10, 1, (Row("tapediff", 9, problem="it fails"), ROWS[1]))
    assert table.ratio(ROWS[1]) is None
    assert goals.verdict(table, ROWS[1]) is None
    assert table.ahead() == []
    assert report.table_text(SMALL, table).splitlines()[3].split()[6] == "-"


def test_peers_ahead_of_tapediff_are_those_of_other_libraries_and_the_fastest_first():
    rows = (
        *ROWS[:1],
        Row("tapediff, eager", 9, 1e-6),
        Row("a", 1, 1e-6),
        Row("b", 1, 5e-7),
        Row("c", 1, 1.97e-6),
        Row("d", 1, 3e-6),
    )
    assert [row.peer for row in Table("small", 10, 1, rows).ahead()] == ["b", "a"]


def test_lines_of_code_leave_out_comments_docstrings_and_blank_lines():
    source = (
        'def f(x):\n    """One.\n\n    Two.\n    """\n\n    # three\n    y = (\n        x\n        + 1\n    )\n    return y\n'
    )
    assert lines_of_code(source) == 5


def run_of(name, rows, size, threads=1):
    sizes = [{"size": size, "rows": [{"peer": row.peer, "lines": row.lines, "best": row.best} for row in rows]}]
    return {"workload": name, "threads": threads, "repeats": 15, "clock": "wall", **figures.environment(), "sizes": sizes}


HMC_ROWS = (Row("tapediff", 9, 2e-6), Row("jax", 12, 1e-6), Row("torch, eager", 12, 4e-6))


def test_the_page_keeps_what_stands_around_its_printed_part(tmp_path):
    path = tmp_path / "performance.md"
    path.write_text(f"# Title\n\nbefore\n\n{page.START}\nstale figures\n{page.END}\n\nafter\n")
    page.renew(path, {"runs": [run_of("hmc", HMC_ROWS, 10_000)]})
    once = path.read_text()
    page.renew(path, {"runs": [run_of("hmc", HMC_ROWS, 10_000)]})
    assert path.read_text() == once
    assert once.startswith("# Title\n\nbefore\n\n")
    assert once.endswith(f"{page.END}\n\nafter\n")
    assert "stale" not in once


def test_the_page_says_why_a_peer_is_ahead():
    text = page.section({"runs": [run_of("hmc", HMC_ROWS, 10_000)]})
    assert "| jax | 1.00 us | - | 0.50 | - | - | 12 |" in text
    reason = page.reason(catalogue.workload_named("hmc"), "jax")
    assert f"* jax (10,000: 0.50): {reason}." in text.replace("\n  ", " ")
    assert "torch, eager (" not in text


def test_new_figures_replace_those_of_the_same_workload_and_threads():
    old = {"runs": [run_of("hmc", HMC_ROWS, 100), run_of("gmm", HMC_ROWS, 100), run_of("gmm", HMC_ROWS, 100, threads=2)]}
    new = {"runs": [run_of("gmm", HMC_ROWS, 1_000)]}
    kept = [(run["workload"], run["threads"], run["sizes"][0]["size"]) for run in figures.merged(old, new)["runs"]]
    assert kept == [("hmc", 1, 100), ("gmm", 2, 100), ("gmm", 1, 1_000)]


def test_pictures_are_drawn_where_there_are_three_sizes(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib")
    runs = [run_of("hmc", HMC_ROWS, 100), run_of("ode-fit", HMC_ROWS, 200)]
    runs[0]["sizes"] += run_of("hmc", HMC_ROWS, 1_000)["sizes"]
    assert pictures.draw_all({"runs": runs}, tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["peers-hmc.png", "peers-hmc.svg"]


def outcome(goal, *runs, **more):
    document = {"runs": list(runs), **more}
    (found,) = [found for found, known in zip(goals.outcomes(document), goals.GOALS, strict=True) if known is goal]
    return found


def first_goal(kind, **facts):
    return next(goal for goal in goals.GOALS if isinstance(goal, kind) and all(getattr(goal, k) == v for k, v in facts.items()))


def test_a_goal_is_met_by_the_ratio_that_was_seen():
    goal = first_goal(goals.Ahead, workload="mlp-step", peer="torch")
    rows = (Row("tapediff", 9, 1e-3), Row("torch", 9, 1.9e-3))
    assert outcome(goal, run_of("mlp-step", rows, 64)).is_met is False
    assert outcome(goal, run_of("mlp-step", rows, 64)).seen == "x 1.90"
    assert outcome(goal, run_of("mlp-step", (rows[0], Row("torch", 9, 2e-3)), 64)).is_met is True
    assert outcome(goal, run_of("mlp-step", rows, 32)).is_met is None
    assert outcome(goal, run_of("mlp-step", rows[:1], 64)).is_met is None


def test_a_goal_of_all_threads_takes_the_largest_number_and_never_one():
    goal = first_goal(goals.Ahead, workload="heston", peer="tapediff, interpreter", peer_threads=1)
    slow, fast = ((Row("tapediff, interpreter", 9, seconds),) for seconds in (2.0, 1.0))
    one, two = run_of("heston", slow, 100_000, 1), run_of("heston", fast, 100_000, 2)
    assert outcome(goal, one, two).seen == "x 2.00"
    assert outcome(goal, one, two).is_met is True
    assert outcome(goal, one).is_met is None


def test_a_goal_for_each_instruction_divides_by_the_size():
    goal = first_goal(goals.Each, quantity="best")
    run = run_of("straight-line", (Row("tapediff", 9, 0.026),), 1_000_000)
    assert (outcome(goal, run).seen, outcome(goal, run).is_met) == ("26.0 ns", False)


def test_goals_of_tapediff_alone_are_upper_bounds():
    goal = first_goal(goals.Alone, name="guards")
    assert outcome(goal, own={"figures": {"guards": 0.049}}).is_met is True
    assert outcome(goal, own={"figures": {"guards": 0.051}}).seen == "5.1 %"
    assert outcome(goal, own={"figures": {"guards": 0.051}}).is_met is False
    assert outcome(goal).is_met is None


def test_the_goals_are_printed_for_a_terminal_and_on_the_page(tmp_path, capsys):
    figures.write(tmp_path / "performance.json", {"runs": [run_of("hmc", HMC_ROWS, 10_000)]})
    assert command.main(["--goals", "--output", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert f"{len(goals.GOALS)} not measured" in printed
    alone = {**figures.environment(), "figures": {"guards": 0.01}}
    text = page.section({"runs": [run_of("hmc", HMC_ROWS, 10_000)], "own": alone})
    assert "| what a guard in each of Heston's steps adds to value and gradient, compiled | <= 5.0 % | 1.0 % | met |" in text


def test_figures_of_tapediff_alone_stay_when_a_workload_is_measured_again():
    old = {"runs": [run_of("hmc", HMC_ROWS, 100)], "own": {"figures": {"guards": 0.01}}}
    assert figures.merged(old, {"runs": []})["own"] == old["own"]
    assert figures.merged(old, {"own": {}})["runs"] == old["runs"]


def test_figures_of_tapediff_alone_are_measured_in_processes_of_their_own(monkeypatch):
    monkeypatch.setattr(own, "FIGURES", {"import": own.FIGURES["import"], "not there": own.FIGURES["import"]})
    told = {}
    found = own.measured(told.__setitem__)
    assert found["figures"].keys() == {"import"}
    assert 0.5 < told["import"] < 50
    assert told["not there"] is None


CURVES = {"workload": "heston", "size": 100, "curves": {
    crossing.INTERPRETER: [(1, 1.1), (2, 1.2), (4, 1.4)], "tapediff": [(1, 2.05), (4, 2.2)]}}  # fmt: skip


def test_curves_cross_where_what_compiling_takes_is_made_up_for():
    assert crossing.crossing(CURVES) == pytest.approx(2000)
    assert "from 2,000 paths on" in crossing.sentence(CURVES, "paths")
    slower = {**CURVES, "curves": {crossing.INTERPRETER: [(1, 1.1), (4, 1.4)], "tapediff": [(1, 2.1), (4, 2.4)]}}
    assert crossing.crossing(slower) is None
    assert "never ahead" in crossing.sentence(slower, "paths")


def test_crossings_are_drawn_and_stand_on_the_page(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures are drawn with matplotlib")
    document = {"runs": [run_of("ode-fit", HMC_ROWS, 200)], "crossings": [CURVES]}
    assert pictures.draw_all(document, tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crossing-heston.png", "crossing-heston.svg"]
    assert "ahead from 2,000 paths on" in page.section(document)


@pytest.mark.slow
def test_a_curve_is_measured_call_by_call(monkeypatch):
    monkeypatch.setattr(worker, "CURVE_SECONDS", 1e-6)
    workload = catalogue.workload_named("chain-300")
    assert worker.measure_curve(workload, workload.peers[1], 30, 1, "wall")[0][0] == 1
    monkeypatch.setattr(worker, "CURVE_SECONDS", 0.5)
    curve = worker.measure_curve(workload, workload.peers[1], 30, 1, "wall")
    assert [calls for calls, _ in curve] == [2**k for k in range(len(curve))]
    assert sorted(seconds for _, seconds in curve) == [seconds for _, seconds in curve]


DOCUMENT = ROOT / "docs" / "performance.json"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="no figures are kept")
def test_the_printed_part_of_the_performance_page_is_current():
    text = (ROOT / "docs" / "performance.md").read_text()
    printed = text.partition(page.START)[2].partition(page.END)[0].strip()
    current = printed == page.section(json.loads(DOCUMENT.read_text())).strip()
    assert current, "python -m benchmarks.peers --page-only --output docs"


@pytest.mark.skipif(not DOCUMENT.exists(), reason="no figures are kept")
def test_the_page_gives_a_reason_for_every_loss():
    assert page.NO_REASON not in page.section(json.loads(DOCUMENT.read_text()))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workloads", "heston,nothing"],
        ["--only", "nothing"],
        ["--page-only", "--output", "/nonexistent"],
        ["--clock", "cpu", "--threads", "2"],
    ],
    ids=str,
)
def test_wrong_usage_ends_with_2(arguments, capsys):
    assert command.main(arguments) == 2
    said = capsys.readouterr().err
    assert any(word in said for word in ("nothing", "does not exist", "--threads 1"))


@pytest.mark.parametrize("threads", ["0", "1,99999", "many"])
def test_threads_must_be_there(threads, capsys):
    with pytest.raises(SystemExit) as end:
        command.main(["--threads", threads])
    assert end.value.code == 2
    assert "--threads" in capsys.readouterr().err


@pytest.mark.slow
def test_a_quick_run_prints_a_table_and_writes_figures_and_page(tmp_path):
    arguments = ["--workloads", "hmc", "--quick", "--sample", "0.001", "--output", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.peers", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert "numpy, by hand" in done.stdout, done.stderr
    (run,) = json.loads((tmp_path / "performance.json").read_text())["runs"]
    rows = {row["peer"]: row for row in run["sizes"][0]["rows"]}
    assert rows["tapediff, eager"]["best"] > 0
    assert done.returncode == any("problem" in row for row in rows.values())
    assert "### leapfrog step" in (tmp_path / "performance.md").read_text()


def test_every_library_gets_the_same_threads_and_openblas_its_own_kernels(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    found = conditions.environment(2)
    assert "OPENBLAS_CORETYPE" not in found
    assert {found[name] for name in conditions.VARIABLES} == {"2"}
    assert "intra_op_parallelism_threads=2" in found["XLA_FLAGS"]
    code = (
        "from benchmarks.peers import conditions; import os, numba, torch; "
        "conditions.keep_to(1); conditions.tell_loaded_libraries(1); "
        "print(numba.config.NUMBA_NUM_THREADS, torch.get_num_threads(), len(os.sched_getaffinity(0)))"
    )
    pytest.importorskip("torch", reason="one of the libraries")
    pytest.importorskip("numba", reason="one of the libraries")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=conditions.environment(1), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "1", "1"]


def test_a_first_call_is_measured_with_its_memory():
    workload = catalogue.workload_named("hmc")
    by_hand = next(peer for peer in workload.peers if peer.name == "numpy, by hand")
    found = worker.measure_first(workload, by_hand, 100, 1, "wall")
    assert 0 < found["first"] < 5
    assert 0 <= found["peak_bytes"] < 1e9
