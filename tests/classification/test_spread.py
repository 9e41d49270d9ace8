import numpy as np
import pandas as pd
import pytest

from clientela.models.grading import summarize_replicates


def test_spread_of_a_share_agrees_with_the_binomial_formula():
    draws = np.random.default_rng(3).binomial(8, 0.5, size=4000) / 8
    row = summarize_replicates(pd.DataFrame({"accuracy": draws})).loc["accuracy"]
    assert row["std"] == pytest.approx(np.sqrt(0.5 * 0.5 / 8), rel=0.05)
    assert row["lower"] == pytest.approx(0.125)
    assert row["upper"] == pytest.approx(0.875)


def test_spread_has_one_row_per_metric():
    replicates = pd.DataFrame({"qwk": [0.1, 0.3], "rps": [0.5, 0.5]})
    frame = summarize_replicates(replicates)
    assert frame.index.tolist() == ["qwk", "rps"]
    assert frame.loc["rps"].tolist() == [0.0, 0.5, 0.5]
