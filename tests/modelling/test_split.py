import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from clientela.models.training_data import make_repeated_folds, split_stratified

FRAME = pd.DataFrame(
    {"id": [f"{i:03d}" for i in range(80)], "y": np.repeat(["a", "b"], [60, 20]), "x": range(80)}
)


def parts(frame):
    return split_stratified(frame, key="id", target="y", test_share=0.25, seed=7)


@given(order=st.permutations(range(80)))
def test_the_order_of_the_rows_changes_nothing(order):
    for expected, found in zip(parts(FRAME), parts(FRAME.iloc[order]), strict=True):
        pd.testing.assert_frame_equal(expected, found)


def test_parts_are_whole_disjoint_sorted_and_stratified():
    train, test = parts(FRAME)
    assert sorted([*train["id"], *test["id"]]) == FRAME["id"].tolist()
    assert train["id"].is_monotonic_increasing
    assert test["id"].is_monotonic_increasing
    assert test["y"].value_counts().to_dict() == {"a": 15, "b": 5}


def test_another_seed_draws_other_rows():
    other = split_stratified(FRAME, key="id", target="y", test_share=0.25, seed=8)[1]
    assert not parts(FRAME)[1].equals(other)


def test_each_repeat_holds_every_row_out_once():
    codes = np.repeat([0, 1, 2], [30, 20, 10])
    folds = make_repeated_folds(codes, folds=5, repeats=2, seed=1)
    assert [(f.repeat, f.fold) for f in folds] == [(r, f) for r in range(2) for f in range(5)]
    for repeat in range(2):
        held_out = np.concatenate([f.held_out for f in folds if f.repeat == repeat])
        assert sorted(held_out) == list(range(60))
    for fold in folds:
        assert not set(fold.learn) & set(fold.held_out)
        assert np.bincount(codes[fold.held_out]).tolist() == [6, 4, 2]
