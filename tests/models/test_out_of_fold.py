import numpy as np
import pytest

from clientela.models.ordinal_decision import compute_out_of_fold_scores

CODES = np.array([0] * 12 + [1] * 6 + [2] * 4 + [3])
ROWS = np.arange(len(CODES))[:, None]


def test_no_row_is_scored_by_a_model_that_learned_from_it():
    def share_of_own_rows(learned, codes, held_out):
        assert len(learned) == len(codes)
        return np.isin(held_out[:, 0], learned[:, 0]).astype(float)

    scores = compute_out_of_fold_scores(share_of_own_rows, ROWS, CODES, folds=5, seed=1)
    assert scores.tolist() == [0.0] * len(CODES)


def test_scores_come_back_in_the_order_of_the_rows():
    scores = compute_out_of_fold_scores(
        lambda _x, _y, held_out: held_out[:, 0], ROWS, CODES, folds=5, seed=1
    )
    assert scores.tolist() == ROWS[:, 0].tolist()


@pytest.mark.parametrize(("codes", "expected"), [([0] * 9 + [1] * 9, 5), ([0, 0, 0, 1, 1, 2], 3)])
def test_folds_shrink_to_the_commonest_class(codes, expected):
    fits = []

    def count_fits(_learned, _codes, held_out):
        fits.append(len(held_out))
        return np.zeros(len(held_out))

    compute_out_of_fold_scores(
        count_fits, np.zeros((len(codes), 1)), np.array(codes), folds=5, seed=1
    )
    assert len(fits) == expected


def test_the_seed_decides_the_folds():
    def mean_of_learned(learned, _codes, held_out):
        return np.full(len(held_out), learned.mean())

    def scores(seed):
        return compute_out_of_fold_scores(mean_of_learned, ROWS, CODES, folds=4, seed=seed).tolist()

    assert scores(1) == scores(1)
    assert scores(1) != scores(2)
