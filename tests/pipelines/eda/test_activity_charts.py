import pandas as pd
import pytest

from clientela.pipelines.eda.activity import (
    format_step_names,
    plot_customer_distribution,
    plot_hourly_activity,
    plot_monthly_activity,
)
from clientela.text import NumberFormat

NUMBERS = NumberFormat()


def test_steps_of_counts_are_named_by_their_ends():
    assert format_step_names([1, 2, 3, 6, 101]) == ["1", "2", "3-5", "6-100", "101+"]
    assert format_step_names([]) == []


def test_many_months_are_not_all_named():
    months = pd.DataFrame(
        {
            "month": pd.date_range("2020-01-01", periods=30, freq="MS"),
            "bought": 1.0,
            "rows": 1,
            "customers": 1,
        }
    )
    labels = plot_monthly_activity(months, NUMBERS).axes[-1].get_xticklabels()
    assert [label.get_text() for label in labels][:2] == ["ene\n2020", "abr\n2020"]


@pytest.mark.parametrize(("hours", "bars"), [([0, 0], 7), ([0, 13], 0)])
def test_data_without_times_of_day_shows_weekdays_alone(hours, bars):
    frame = pd.DataFrame({"weekday": [0, 6], "hour": hours, "rows": [1, 3]})
    assert len(plot_hourly_activity(frame, NUMBERS).axes[0].patches) == bars


def test_no_transactions_is_said():
    empty = pd.DataFrame({"at_least": [], "customers": [], "rows": []})
    figure = plot_customer_distribution(empty, empty, NUMBERS)
    assert figure.axes[0].texts[0].get_text() == "No hay transacciones."
