import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from clientela.features.leakage import compute_concordance, compute_feature_concordances

values = st.integers(-3, 3).map(float)


def pairs_in_order(feature: list[float], codes: list[int]) -> float:
    """The definition, pair by pair."""
    wins = pairs = 0.0
    for low, low_code in zip(feature, codes, strict=True):
        for high, high_code in zip(feature, codes, strict=True):
            if low_code < high_code:
                pairs += 1
                wins += (low < high) + (low == high) / 2
    share = wins / pairs if pairs else 0.5
    return max(share, 1 - share)


@given(st.lists(st.tuples(values, st.integers(0, 3)), min_size=1, max_size=30))
def test_concordance_agrees_with_the_double_loop(rows: list[tuple[float, int]]) -> None:
    feature, codes = [value for value, _ in rows], [code for _, code in rows]
    assert compute_concordance(feature, codes) == pytest.approx(pairs_in_order(feature, codes))


@given(st.lists(st.tuples(values, st.booleans()), min_size=2, max_size=40))
def test_two_classes_give_the_area_under_the_roc_curve(rows: list[tuple[float, bool]]) -> None:
    feature, codes = [value for value, _ in rows], [int(code) for _, code in rows]
    assume(len(set(codes)) == 2)
    area = roc_auc_score(codes, feature)
    assert compute_concordance(feature, codes) == pytest.approx(max(area, 1 - area))


@given(st.lists(st.tuples(values, st.integers(0, 3)), min_size=1, max_size=30))
def test_a_feature_turned_round_is_as_telling(rows: list[tuple[float, int]]) -> None:
    feature, codes = np.array([value for value, _ in rows]), [code for _, code in rows]
    assert compute_concordance(-feature, codes) == pytest.approx(
        compute_concordance(feature, codes)
    )


def test_the_target_itself_orders_perfectly_and_a_constant_not_at_all() -> None:
    codes = [0, 1, 2, 3, 1, 0]
    assert compute_concordance(codes, codes) == 1.0
    assert compute_concordance([7] * 6, codes) == 0.5


def test_one_class_has_no_order_to_predict() -> None:
    assert compute_concordance([1.0, 2.0, 3.0], [2, 2, 2]) == 0.5


def test_the_most_telling_feature_comes_first_and_ties_go_by_name() -> None:
    frame = pd.DataFrame({"z": [5, 5, 5], "b": [0, 1, 2], "a": [2, 1, 0], "m": [0, 2, 1]})
    found = compute_feature_concordances(frame, [0, 1, 2])
    expected = pd.Series({"a": 1.0, "b": 1.0, "m": 2 / 3, "z": 0.5})
    pd.testing.assert_series_equal(found, expected)


def test_no_feature_gives_no_concordance() -> None:
    assert compute_feature_concordances(pd.DataFrame(index=[0, 1]), [0, 1]).to_dict() == {}
