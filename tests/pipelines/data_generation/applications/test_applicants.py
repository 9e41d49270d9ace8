"""The sample looks like the data that the requirement names, by its own laws."""

import pytest

WORDS = {
    "Sex": {"male", "female"},
    "Housing": {"own", "rent", "free"},
    "Savings account": {"little", "moderate", "quite rich", "rich"},
    "Checking account": {"little", "moderate", "rich"},
}


@pytest.mark.parametrize(("column", "words"), WORDS.items())
def test_words_are_those_of_the_form(applications, column, words):
    assert set(applications[column].dropna()) == words


@pytest.mark.parametrize(
    ("column", "missing"), [("Savings account", 0.18), ("Checking account", 0.39), ("Purpose", 0)]
)
def test_accounts_alone_are_missing_as_often_as_stated(applications, column, missing):
    assert applications[column].isna().mean() == pytest.approx(missing, abs=0.02)


@pytest.mark.parametrize(
    ("column", "least", "median", "most"),
    [
        ("Age", 19, 34, 75),
        ("Job", 0, 2, 3),
        ("Credit amount", 250, 2_400, 20_000),
        ("Duration", 4, 18, 72),
    ],
)
def test_numbers_lie_in_their_ranges(applications, column, least, median, most):
    numbers = applications[column]
    assert (numbers.min(), numbers.max()) == (least, most)
    assert numbers.median() == pytest.approx(median, rel=0.05)


def test_columns_are_related_as_people_are(applications):
    ranks = applications[["Credit amount", "Duration", "Job"]].rank().corr()
    assert ranks.loc["Credit amount", "Duration"] == pytest.approx(0.62, abs=0.03)
    assert ranks.loc["Credit amount", "Job"] == pytest.approx(0.33, abs=0.04)
    renting = applications.groupby("Housing")["Age"].median()
    assert renting["rent"] < renting["own"] < renting["free"]


def test_the_default_sample_has_hardly_a_repeated_row(applications):
    form = applications.drop(columns="Risk").head(2_000)
    assert not form.duplicated().any()
