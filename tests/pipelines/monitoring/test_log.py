import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.pipelines.monitoring.decision_cases import CRITICAL, judged_rows

from clientela.exceptions import MonitoringLogError
from clientela.reporting.model_health import PastPeriod, StateRules, evaluate_model_state
from clientela.reporting.monitoring_log import (
    LogRow,
    PerformanceRecord,
    PeriodRun,
    build_log_row,
    build_log_table,
    list_past_periods,
    parse_log,
    update_log,
)

TABLE = judged_rows(
    ("promedio_ingresos_datacredito", 1 / 3, "ROJO", "distribution_shifted"),
    ("plazo_meses", 0.2, "AMARILLO", "distribution_shifted"),
    ("huella_consulta", float("nan"), "INSUFICIENTE", "few_rows"),
)


def row(period="2024-05", baseline="b1", n=120, **performance):
    run = PeriodRun(period=period, mode="month", baseline=baseline, n=n)
    state = evaluate_model_state(CRITICAL, baseline, [], StateRules())
    return build_log_row(run, TABLE, CRITICAL, state, PerformanceRecord(**performance))


def format_log(log):
    return build_log_table(log).to_csv(index=False, lineterminator="\n")


LOG = update_log([], [row("2024-06"), row("2024-05", measure="roc_auc", estimated=2 / 3)])
TEXT = format_log(LOG)


def test_the_file_begins_as_required_and_tells_what_was_decided():
    header, may, june = TEXT.splitlines()
    assert header == (
        "period,avg_psi,pct_red,mode,baseline,n,red,yellow,insufficient,red_features,weighted_psi,"
        "red_share,measure,estimated,realised,n_realised,estimated_change,realised_change,level,"
        "state,recommendation,reasons"
    )
    assert may == (
        "2024-05,0.266667,33.333333,month,b1,120,1,1,1,promedio_ingresos_datacredito,0.01,0.4,"
        "roc_auc,0.666667,,0,unknown,unknown,critical,watch,watch,"
        "important_columns_moved;population_changed"
    )
    assert june.startswith("2024-06,")


def test_a_rerun_leaves_the_same_bytes():
    assert format_log(update_log(parse_log(TEXT), [row("2024-06")])) == TEXT


def test_a_rerun_with_other_data_replaces_its_own_row_alone():
    again = update_log(LOG, [row("2024-06", n=7)])
    assert [(each.period, each.n) for each in again] == [("2024-05", 120), ("2024-06", 7)]


def test_another_baseline_has_rows_of_its_own():
    both = update_log(LOG, [row("2024-05", baseline="b0")])
    keys = [(each.period, each.baseline) for each in both]
    assert keys == [("2024-05", "b0"), ("2024-05", "b1"), ("2024-06", "b1")]


@given(st.lists(st.tuples(st.integers(1, 12), st.sampled_from(["b1", "b2"])), max_size=12))
def test_periods_stand_in_the_order_of_time_whenever_they_arrive(arrivals):
    log = []
    for month, baseline in arrivals:
        log = update_log(parse_log(format_log(log)), [row(f"2024-{month:02}", baseline)])
    assert [(each.period, each.baseline) for each in log] == sorted(
        {(f"2024-{month:02}", baseline) for month, baseline in arrivals}
    )


@pytest.mark.parametrize("drift", [None, 0.0, 1e-6, 0.1 + 0.2, 123456.789])
def test_figures_are_written_back_to_the_last_digit(drift):
    log = [row(measure="roc_auc", estimated=drift)]
    assert parse_log(format_log(log)) == log


def test_before_the_first_period_there_are_no_rows():
    assert parse_log("") == []


def test_only_earlier_periods_are_history():
    expected = PastPeriod(baseline="b1", level="critical", state="watch", recommendation="watch")
    assert list_past_periods(LOG, "2024-06") == [expected]
    assert list_past_periods(LOG, "2024-05") == []


@given(st.integers(1, len(TEXT) - 1))
def test_a_log_that_was_cut_short_is_refused_wherever_it_was_cut(length):
    cut = TEXT[:length]
    if cut.endswith("\n"):  # whole lines are a whole log of fewer periods
        assert format_log(parse_log(cut)) == cut
        return
    with pytest.raises(MonitoringLogError, match=r"can't be continued: expected .* left as it is"):
        parse_log(cut)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fecha,psi\n2024-05,0.1\n", "expected the columns period,avg_psi.* but got fecha,psi"),
        ("period,avg_psi,pct_red,mode\n", "got only the beginning of them"),
        (TEXT.replace(",critical,", ",terrible,"), "others in line 2: level"),
        (TEXT.replace("2024-05", "mayo"), "others in line 2: period"),
        (TEXT + "\n", "expected 22 cells in each line, but got 0 in line 4"),
        (TEXT + TEXT.splitlines()[1] + "\n", "order of time, but got 2024-05 after 2024-06"),
        ("\x00\x01", "expected the columns"),
    ],
)
def test_a_log_that_is_not_ours_is_refused(text, message):
    with pytest.raises(MonitoringLogError, match=message):
        parse_log(text)


@pytest.mark.parametrize("period", ["mayo", "2024-5", "2024-Q5", "05-2024", ""])
def test_periods_whose_names_do_not_sort_by_time_are_refused(period):
    with pytest.raises(ValidationError, match="period"):
        row(period)


@pytest.mark.parametrize("period", ["2024", "2024-05", "2024-05-31", "2024-Q2", "2024-W07"])
def test_iso_periods_are_taken(period):
    assert LogRow.model_validate(row(period).model_dump()).period == period
