import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.pipelines.monitoring.loans import WATCHED, dated, from_month, loans, undated

from clientela.exceptions import (
    ConfigurationError,
    IncompatibleDataError,
    InvalidProfileError,
    MonitoringLogError,
)
from clientela.pipelines.monitoring.nodes import PreviousOutputs, run_monitoring
from clientela.pipelines.monitoring.settings import MonitoringSettings
from clientela.reporting.monitoring_log import parse_log

QUICK = {"draws": 50, "groups": 20}
SETTINGS = MonitoringSettings(performance=QUICK)


def left(made):
    """What a run leaves for the next one."""
    texts = {name: made[name].to_csv(index=False) for name in ("log", "by_period", "by_segment")}
    return PreviousOutputs(
        profile=json.dumps(made["profile"]), parts=json.dumps(made["parts"]), **texts
    )


def run(rows, former=None, settings=SETTINGS):
    return run_monitoring(rows, former or PreviousOutputs(), settings, "creditos")


def test_the_first_run_freezes_the_oldest_rows_and_measures_each_month_after_them():
    made = run(dated(loans()))
    log = parse_log(made["log"].to_csv(index=False))
    assert made["profile"]["rows"] == 3500
    assert [row.period for row in log] == ["2024-09", "2024-10", "2024-11", "2024-12"]
    assert {row.recommendation for row in log} == {"nothing"}
    assert made["findings"].alert is None
    assert list(made["latest"])[:7] == [
        "feature", "type", "psi", "ks", "js", "cramers_v", "severity",
    ]  # fmt: skip
    assert set(made["latest"]["feature"]) == {*WATCHED, "Pago_atiempo"}


def test_a_second_run_on_the_same_rows_changes_no_byte():
    first = run(dated(loans()))
    second = run(dated(loans()), left(first))
    for name in ("latest", "by_period", "by_segment", "bins", "log"):
        assert second[name].to_csv(index=False) == first[name].to_csv(index=False)
    assert (second["profile"], second["parts"]) == (first["profile"], first["parts"])


def test_the_order_of_rows_changes_nothing():
    frame = loans()
    shuffled = frame.sample(frac=1, random_state=3, ignore_index=True)
    straight, turned = run(dated(frame)), run(dated(shuffled))
    for name in ("latest", "by_period", "bins", "log"):
        pd.testing.assert_frame_equal(turned[name], straight[name])


def test_the_frozen_baseline_needs_no_raw_row_again():
    frame = loans()
    first = run(dated(frame))
    later = frame[frame["fecha"] >= "2024-09-09"].reset_index(drop=True)
    again = run(dated(later), left(first))
    assert again["profile"] == first["profile"]
    # rows of early September are gone, the months after it are as they were
    ours = [
        made["log"].query("period > '2024-10'").reset_index(drop=True) for made in (first, again)
    ]
    columns = ["period", "avg_psi", "n", "red", "weighted_psi"]
    pd.testing.assert_frame_equal(ours[1][columns], ours[0][columns])


def test_a_salary_that_doubles_is_alarmed_and_retraining_waits_for_the_second_month():
    frame = from_month(loans(), "2024-10-01", salario=lambda salary: salary * 2)
    made = run(dated(frame))
    log = parse_log(made["log"].to_csv(index=False))
    assert [row.recommendation for row in log] == [
        "nothing",
        "watch",
        "retrain",
        "investigate",
    ]
    assert made["latest"]["feature"].iloc[0] == "salario"
    assert made["findings"].alert.text == (
        "ALERTA: Drift crítico detectado en salario. Recomendación: investigar la causa antes de "
        "decidir."
    )


def test_labels_that_are_not_known_yet_are_no_drift_of_the_target():
    frame = loans()
    frame.loc[frame["fecha"] >= "2024-11-01", "Pago_atiempo"] = None
    made = run(dated(frame))
    assert "Pago_atiempo" not in set(made["latest"]["feature"])
    assert "Pago_atiempo" not in set(made["bins"]["feature"])
    october = made["by_period"].query("period == '2024-10' and feature == 'Pago_atiempo'")
    assert october["severity"].tolist() == ["VERDE"]
    assert made["findings"].alert is None


def test_a_target_that_changes_is_seen_among_the_rows_that_have_it():
    frame = from_month(loans(), "2024-11-01", Pago_atiempo=lambda _: "no_paga")
    frame.loc[frame.index[-40:], "Pago_atiempo"] = None
    latest = run(dated(frame))["latest"].set_index("feature")
    assert latest.loc["Pago_atiempo", "severity"] == "ROJO"
    assert latest.loc["Pago_atiempo", "missing_rate"] == 0


def test_performance_is_that_of_rows_the_model_never_saw():
    frame = loans()
    unseen = np.arange(len(frame)) % 2 == 0
    found = run(dated(frame, unseen=unseen))["findings"].latest.performance
    assert (
        found.figures["n"].tolist()
        == [int(unseen[(frame["fecha"] >= "2024-12-01").to_numpy()].sum())] * 2
    )


def test_without_calibrated_probabilities_nothing_is_estimated():
    rows = dated(loans())
    raw = replace(rows, model=replace(rows.model, graded={"roc_auc": 0.75}))
    figures = run(raw)["findings"].latest.performance.figures
    assert figures.loc["estimated", "note"] == "uncalibrated"
    assert figures.loc["realised", "note"] == ""


def test_each_season_is_compared_with_its_own():
    frame = loans(rows=9000, days=720)
    december = frame["fecha"].dt.month == 12
    frame.loc[december, "salario"] *= 3
    settings = MonitoringSettings(
        performance=QUICK,
        baseline={"first": "2024-01-01", "last": "2024-12-31"},
        same_season=True,
        pooled_rows=0,
    )
    made = run(dated(frame), settings=settings)
    assert made["findings"].alert is None
    assert made["log"]["mode"].iloc[-1] == "season 12"
    plain = run(dated(frame), settings=settings.model_copy(update={"same_season": False}))
    assert plain["findings"].alert.columns[0].feature == "salario"


def test_drift_within_one_part_is_shown_where_the_whole_hides_it():
    frame = loans(rows=12_000)
    ours = (frame["fecha"] >= "2024-11-01") & (frame["tipo"] == "Empleado")
    frame.loc[ours, "salario"] *= 2
    settings = MonitoringSettings(
        performance=QUICK, segments={"columns": ["tipo"], "features": ["salario"]}
    )
    table = run(dated(frame), settings=settings)["by_segment"]
    latest = table[table["period"] == "2024-12"].set_index("segment")["severity"]
    assert latest.to_dict() == {"Empleado": "ROJO", "Independiente": "VERDE"}


def test_a_segment_of_an_unknown_column_is_answered_with_the_nearest():
    settings = MonitoringSettings(segments={"columns": ["tipos"], "features": ["salario"]})
    with pytest.raises(ConfigurationError, match=r"names tipos.*Did you mean 'tipo'"):
        run(dated(loans()), settings=settings)


def test_a_file_that_is_the_baseline_itself_is_no_current_data():
    made = run(undated(loans(), baseline=loans()[:4000], new=False))
    assert made["findings"].latest is None
    assert made["latest"].empty
    assert made["log"].empty


def test_a_newer_file_is_compared_and_keeps_the_number_it_first_got():
    training = loans()[:4000]
    first = run(undated(loans(), baseline=training, new=False))
    newer = undated(loans(seed=9).assign(plazo=24.0), baseline=training)
    second = run(newer, left(first))
    assert second["findings"].alert.columns[0].feature == "plazo"
    third = run(newer, left(second))
    assert third["log"].to_csv() == second["log"].to_csv()
    other = run(undated(loans(seed=10), baseline=training), left(third))
    assert other["log"]["period"].tolist() == ["0001", "0002"]
    assert set(other["by_period"]["period"]) == {"0001", "0002"}


def test_a_retrained_model_on_the_newer_file_is_still_compared_with_the_frozen_baseline():
    first = run(undated(loans(), baseline=loans()[:4000], new=False))
    newer = loans(seed=9)
    made = run(undated(newer, baseline=newer[:4000], new=False), left(first))
    assert made["findings"].latest is not None
    assert made["profile"] == first["profile"]


def test_without_a_training_part_the_first_run_is_the_baseline():
    rows = undated(loans(), period="2024-06-30")
    first = run(rows)
    assert first["findings"].latest is None
    later = run(undated(loans(seed=5), period="2024-07-31"), left(first))
    assert later["log"]["period"].tolist() == ["2024-07-31"]


def test_a_new_baseline_forgets_the_frozen_one_and_the_log_keeps_what_was():
    first = run(dated(loans()))
    anew = SETTINGS.model_copy(update={"new_baseline": True})
    second = run(dated(loans(seed=4)), left(first), anew)
    assert second["profile"]["data_hash"] != first["profile"]["data_hash"]
    assert len(second["log"]) == 2 * len(first["log"])
    assert len(second["by_period"]) == len(first["by_period"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[: len(text) // 2], "can't be read"),
        (lambda text: text.replace('"version": 1', '"version": 7'), "version 1; got 7"),
        (lambda text: text.replace('"creditos"', '"churn"'), "of creditos; it is of churn"),
        (lambda text: text.replace('"rows": 3500', '"rows": 3501'), "contradicts itself"),
    ],
)
def test_a_damaged_or_foreign_profile_is_refused(change, message):
    former = left(run(dated(loans())))
    broken = PreviousOutputs(profile=change(former.profile), log=former.log)
    with pytest.raises(InvalidProfileError, match=message):
        run(dated(loans()), broken)


def test_parts_of_another_baseline_are_refused():
    settings = MonitoringSettings(segments={"columns": ["tipo"], "features": ["salario"]})
    one = left(run(dated(loans()), settings=settings))
    other = left(run(dated(loans(seed=8)), settings=settings))
    with pytest.raises(InvalidProfileError, match="made with another one"):
        run(dated(loans()), PreviousOutputs(profile=one.profile, parts=other.parts))
    with pytest.raises(InvalidProfileError, match="can't be read"):
        run(dated(loans()), PreviousOutputs(profile=one.profile, parts=one.parts[:-9]))


def test_a_baseline_without_dates_is_refused_for_rows_that_have_them():
    former = left(run(undated(loans())))
    with pytest.raises(InvalidProfileError, match=r"The rows have dates.*made otherwise"):
        run(dated(loans()), former)


def test_a_column_that_is_gone_is_named():
    former = left(run(dated(loans())))
    with pytest.raises(IncompatibleDataError, match=r"\['salario'\] are missing"):
        run(dated(loans().drop(columns="salario")), former)


def test_a_column_that_changed_its_type_is_named():
    former = left(run(dated(loans())))
    with pytest.raises(
        IncompatibleDataError, match="plazo is numeric in the baseline and categorical"
    ):
        run(dated(loans().astype({"plazo": "str"})), former)


def test_a_new_column_is_not_watched_and_named(caplog):
    former = left(run(dated(loans())))
    rows = dated(loans().assign(edad=30.0), columns=(*WATCHED, "edad"))
    assert "edad" not in set(run(rows, former)["latest"]["feature"])
    assert "Not in the frozen baseline, so not watched: edad" in caplog.text


@pytest.mark.parametrize("name", ["log", "by_period"])
def test_a_truncated_table_over_time_is_refused(name):
    former = left(run(dated(loans())))
    cut = replace(former, **{name: getattr(former, name)[:-7]})
    with pytest.raises(MonitoringLogError, match=r"can't be continued"):
        run(dated(loans()), cut)


def test_no_rows_after_the_baseline_are_no_current_data():
    former = left(run(dated(loans())))
    old = loans()[:100]
    assert run(dated(old, unseen=np.ones(100, dtype=bool)), former)["findings"].latest is None


def test_one_new_row_says_that_it_is_too_few():
    former = left(run(dated(loans())))
    one = loans()[-1:].assign(fecha=pd.Timestamp("2025-03-01")).reset_index(drop=True)
    found = run(dated(one, unseen=np.ones(1, dtype=bool)), former)
    assert set(found["latest"]["severity"]) == {"INSUFICIENTE"}
    assert found["findings"].latest.state.recommendation == "watch"


def test_a_month_without_rows_is_named(caplog):
    frame = loans()
    gap = frame["fecha"].dt.month != 11
    made = run(dated(frame[gap], unseen=np.ones(int(gap.sum()), dtype=bool)))
    assert list(made["findings"].gaps) == ["2024-11"]
    assert "No rows in 2024-11" in caplog.text


def test_the_classic_figures_stand_beside_ours_on_request():
    latest = run(dated(loans()), settings=SETTINGS.model_copy(update={"compat": True}))["latest"]
    assert list(latest)[-3:] == ["psi_classic", "ks_classic", "js_classic"]
    numbers = latest[latest["type"] == "numeric"]
    assert np.isfinite(numbers["psi_classic"]).all()
    assert latest.loc[latest["type"] == "categorical", "ks_classic"].isna().all()


def test_rows_without_a_date_are_counted_and_belong_to_no_period(caplog):
    frame = loans()
    frame.loc[frame.index[-5:], "fecha"] = pd.NaT
    made = run(dated(frame))
    assert "5 rows without fecha belong to no period" in caplog.text
    assert made["profile"]["rows"] == int(4995 * 0.7)
    assert made["log"]["n"].astype(int).sum() == 4995 - int(4995 * 0.7)
