"""The digits example: every image's gradient against the closed form of a softmax regression."""

import numpy as np
import pytest
from guide import run_guide

pytest.importorskip("sklearn", reason="the images come with scikit-learn")
pytest.importorskip("matplotlib", reason="the picture is drawn with matplotlib")


@pytest.mark.slow
def test_the_guide_gives_the_closed_form_s_gradient_of_every_image(tmp_path):
    out, printed = run_guide("digits", tmp_path)
    inputs = out / "inputs"
    pixels, labels = np.load(inputs / "data.npy"), np.load(inputs / "labels.npy")
    weights = np.load(inputs / "weights.npz")
    logits = pixels @ weights["weight"].T + weights["bias"]
    chance = np.exp(logits - logits.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    expected = (chance - np.eye(10)[labels]) @ weights["weight"]
    np.testing.assert_allclose(np.load(out / "grad_pixels.npy"), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.load(out / "value.npy"), -np.log(chance[np.arange(len(labels)), labels]), rtol=1e-9, atol=1e-12)
    assert not np.load(out / "status.npy").any()
    assert "5 rows against central finite differences" in printed
    assert (out / "digits.png").read_bytes().startswith(b"\x89PNG")
