"""The Fisher example: scores and information against the closed forms of logistic regression."""

import numpy as np
import pytest
from guide import run_guide

pytest.importorskip("sklearn", reason="the data set comes with scikit-learn")


@pytest.mark.slow
def test_scores_and_standard_errors_are_those_of_the_closed_form(tmp_path):
    out, printed = run_guide("fisher", tmp_path)
    inputs = out / "inputs"
    observed = np.load(inputs / "observations.npz")
    features, outcome = observed["features"], observed["outcome"]
    coefficients = np.load(inputs / "coefficients.npz")["coefficients"]
    chance = 1 / (1 + np.exp(-features @ coefficients))
    scores = (outcome - chance)[:, None] * features
    assert features.shape == (569, 5)
    np.testing.assert_allclose(np.load(out / "grad_coefficients.npy"), scores, rtol=1e-12, atol=1e-14)
    likelihood = outcome * np.log(chance) + (1 - outcome) * np.log1p(-chance)
    np.testing.assert_allclose(np.load(out / "value.npy"), likelihood, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scores.sum(axis=0), 0, atol=1e-11)  # the coefficients are those of highest likelihood

    errors = np.sqrt(np.diag(np.linalg.inv(scores.T @ scores)))
    lines = printed.splitlines()
    start = next(number for number, line in enumerate(lines) if "std. error" in line) + 1
    shown = [line.split() for line in lines[start : start + 5]]
    np.testing.assert_allclose([float(words[-3]) for words in shown], errors, atol=5e-5)
    np.testing.assert_allclose([float(words[-4]) for words in shown], coefficients, atol=5e-5)
    expected = np.sqrt(np.diag(np.linalg.inv(features.T @ (features * (chance * (1 - chance))[:, None]))))
    np.testing.assert_allclose(errors, expected, rtol=0.3)  # the two estimates of the information agree for many observations
