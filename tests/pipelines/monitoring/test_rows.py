import pandas as pd
import pytest

from clientela.exceptions import IncompatibleDataError
from clientela.models.stored_model import StoredModel
from clientela.models.training_data import FeatureSchema
from clientela.pipelines.monitoring.inputs import (
    TrainingArtifacts,
    build_scored_input,
    select_monitored_columns,
)
from clientela.pipelines.monitoring.settings import MonitoringSettings

SCHEMA = FeatureSchema.model_validate(
    {
        "key": "id", "target": "paga", "required": ["salario"], "extra": ["log_salario", "mes"],
        "classes": ["no", "si"], "values": [0.0, 1.0], "time": "fecha", "inputs": ["salario"],
        "sources": {"salario": ["salario"], "log_salario": ["salario"], "mes": ["fecha"]},
        "needed": ["salario"],
    }
)  # fmt: skip
NAMES = ["id", "salario", "log_salario", "mes", "fecha"]
FEATURES = pd.DataFrame(
    [["a", 10.0, 2.3, 1.0, "2024-01-05"], ["b", 20.0, 3.0, 2.0, "2024-02-05"]], columns=NAMES
).astype({"fecha": "datetime64[us]"})
SCORES = pd.DataFrame(
    {"id": ["b", "a"], "clase": ["si", "no"], "probabilidad": [0.9, 0.4], "p_no": [0.1, 0.6]}
)
ARTIFACTS = {
    "champion": StoredModel(None, {"task": "binary"}),
    "schema": SCHEMA,
    "training": FEATURES[:1],
    "test": FEATURES[:0],
    "grades": {"models": {"champion": {"roc_auc": {"value": 0.7}}}},
    "explanations": {"champion": [{"feature": "salario", "mean_abs": 0.5}]},
}


def build(features, scores, labelled=None):
    return build_scored_input(
        features, scores, MonitoringSettings(), labelled=labelled, **ARTIFACTS
    )


def test_what_is_made_of_the_date_alone_and_what_is_left_out_is_not_watched():
    chosen = MonitoringSettings(leave_out=("log_*",))
    assert select_monitored_columns(TrainingArtifacts(**ARTIFACTS), chosen) == (
        "salario",
        "clase",
        "probabilidad",
    )


def test_each_case_meets_its_own_score_and_label_and_loses_its_key():
    labels = pd.DataFrame({"id": ["b"], "paga": ["si"]})
    rows = build(FEATURES, SCORES, labels)
    assert "id" not in rows.current
    assert rows.current["probabilidad"].tolist() == [0.4, 0.9]
    assert rows.current["paga"].isna().tolist() == [True, False]
    assert rows.importance == {"salario": 0.5}


def test_a_date_without_a_time_is_a_moment_too():
    days = FEATURES.assign(fecha=FEATURES["fecha"].dt.date)
    assert build(days, SCORES).current["fecha"].tolist() == FEATURES["fecha"].tolist()


def test_a_row_that_the_model_was_trained_on_is_known_by_key_and_values():
    rows = build(FEATURES, SCORES)
    assert rows.unseen.tolist() == [False, True]
    changed = FEATURES.assign(salario=11.0)
    assert build(changed, SCORES).unseen.all()


def test_scores_of_other_cases_are_refused_without_naming_one():
    with pytest.raises(
        IncompatibleDataError, match="same cases; 1 are in one of them only"
    ) as refused:
        build(FEATURES, SCORES[:1])
    assert "'a'" not in str(refused.value)
