import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.dashboard.pages.distributions import (
    EXPLAINED,
    distribution_bins,
    format_distinct_numbers,
)
from clientela.dashboard.texts import LANGUAGES

ES, EN = LANGUAGES["es"], LANGUAGES["en"]
NAN = float("nan")
KINDS = ("bin", "value", "bin", "bin", "missing")


def bins(**changes):
    """Five cells of a number: below 0, 0 itself, two above, and the missing."""
    frame = pd.DataFrame(
        {
            "feature": "salario",
            "type": "numeric",
            "kind": KINDS,
            "lower": [NAN, NAN, 0.0, 1_500_000.0, NAN],
            "upper": [0.0, NAN, 1_500_000.0, NAN, NAN],
            "value": [None, "0.0", None, None, None],
            "baseline_share": [0.1, 0.3, 0.3, 0.3, 0.0],
            "current_share": [0.1, 0.1, 0.3, 0.5, 0.0],
            "contribution": [0.0, 0.22, 0.0, 0.1, 0.0],
        }
    )
    return frame.assign(**changes)


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        (ES, ["< 0", "0", "0 a 1,5 M", "> 1,5 M"]),
        (EN, ["< 0", "0", "0 to 1.5 M", "> 1.5 M"]),
    ],
)
def test_cells_are_named_as_the_reader_writes_numbers(language, labels):
    assert list(distribution_bins(bins(), "salario", True, language)["label"]) == labels


def test_the_missing_are_shown_as_soon_as_there_are_any():
    shown = distribution_bins(bins(current_share=[0.1, 0.1, 0.3, 0.4, 0.1]), "salario", True, ES)
    assert shown["label"].iloc[-1] == "sin dato"


def test_the_fewest_cells_that_explain_most_of_the_psi_have_moved():
    shown = distribution_bins(bins(contribution=[0.01, 0.2, 0.02, 0.07, 0.0]), "salario", True, ES)
    assert list(shown["moved"]) == [False, True, False, True]
    assert shown.loc[shown["moved"], "contribution"].sum() >= EXPLAINED * 0.3


def test_no_cell_of_a_column_without_drift_has_moved():
    assert not distribution_bins(bins(), "salario", False, ES)["moved"].any()


def test_categories_keep_their_names_and_two_alike_are_told_apart():
    frame = bins(
        type="categorical", kind="value", lower=NAN, upper=NAN,
        value=["1.0", "sin dato", "x", "x", "y"],
        current_share=0.2,
    )  # fmt: skip
    labels = list(distribution_bins(frame, "salario", True, ES)["label"])
    assert labels == ["1.0", "sin dato", "x (3)", "x (4)", "y"]


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=12, unique=True))
def test_two_numbers_are_never_written_alike(numbers):
    # -0.0 and 0.0 are one number
    numbers = sorted(set(np.array(numbers) + 0.0))
    for language in (ES, EN):
        assert len(set(format_distinct_numbers(numbers, language))) == len(numbers)
