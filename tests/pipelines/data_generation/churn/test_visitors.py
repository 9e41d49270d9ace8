import pandas as pd
import pytest

from clientela.pipelines.data_generation.churn import DEVICES, GENDERS, MALLS


def test_habits_stay_in_their_ranges(visitors):
    assert visitors["visits"].between(1, 30).all()
    assert visitors["avg_session"].between(5, 300).all()
    assert set(visitors["complaints"]) == set(range(11))
    assert visitors["age"].dropna().between(18, 80).all()
    assert (visitors["megabytes"] >= 0).all()


def test_many_come_rarely_and_few_complain_often(visitors):
    assert visitors["visits"].median() == pytest.approx(12, abs=1)
    assert visitors["avg_session"].median() == pytest.approx(55, abs=1)
    assert visitors["complaints"].mean() == pytest.approx(3.0, abs=0.05)
    assert (visitors["complaints"] <= 2).mean() > 0.5


def test_ids_are_unique(visitors):
    assert visitors["user_id"].is_unique
    assert visitors["user_id"].str.fullmatch(r"U\d{8}").all()


def test_a_few_ages_and_genders_are_missing(visitors):
    assert visitors["age"].isna().mean() == pytest.approx(0.03, abs=0.003)
    assert visitors["gender"].isna().mean() == pytest.approx(0.02, abs=0.003)
    rest = visitors.drop(columns=["age", "age_group", "gender"])
    assert not rest.isna().any(axis=None)


def test_categories_are_the_known_ones(visitors):
    assert set(visitors["gender"].dropna()) == set(GENDERS)
    assert set(visitors["mall"]) == set(MALLS)
    assert set(visitors["device"]) == set(DEVICES)
    assert set(visitors["churn"]) == {"No", "Yes"}


def test_visits_lie_before_the_export_and_in_order(visitors):
    first, last = (pd.to_datetime(visitors[name]) for name in ("first_visit", "last_visit"))
    assert last.max() == pd.Timestamp("2024-06-29")
    assert last.min() >= pd.Timestamp("2024-05-31")
    assert ((last - first).dt.days >= 30).all()


def test_dates_tell_nothing_beyond_the_visits(visitors):
    often = visitors[visitors["visits"].between(10, 14)]
    age = (pd.Timestamp("2024-06-30") - pd.to_datetime(often["last_visit"])).dt.days
    assert age.corr(often["churn"].eq("Yes").astype(float)) == pytest.approx(0, abs=0.03)
