"""What earlier stages would have left for monitoring, written by hand where the catalog looks."""

import json

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from clientela.datasets.model_packages import EstimatorDataset
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import ProportionalOddsClassifier
from clientela.models.scoring import predict_scores
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel, get_library_versions

GRADES = {"models": {"champion": {
    name: {"value": value} for name, value in
    {"roc_auc": 0.55, "qwk": 0.4, "calibration_error": 0.01}.items()
}}}  # fmt: skip


def cases(rows, features, seed=0, **more):
    """One row per case: a key, and one number per feature."""
    random = np.random.default_rng(seed)
    keys = [f"{seed:02d}-{place:05d}" for place in range(rows)]
    numbers = {name: random.gamma(2.0, 10.0, rows) for name in features}
    return pd.DataFrame({"id": keys, **numbers, **more})


def table_schema(key, target, features, classes, time=None):
    """The schema of a use case on a table, whose features are all numbers."""
    return {
        "key": key, "target": target, "required": list(features), "extra": [],
        "classes": list(classes), "values": [0.0, 1.0], "numeric": list(features),
        "sources": {name: [name] for name in features}, "inputs": list(features),
        "needed": list(features), "time": time,
    }  # fmt: skip


def binary_champion(training, schema):
    """A champion on two classes, fitted on a training part."""
    features = schema["required"]
    codes = (training[schema["target"]] == schema["classes"][1]).astype("int64").to_numpy()
    model = BinaryDecisionClassifier(LogisticRegression(), decision="half")
    return StoredModel(
        model.fit(training[features], codes), _manifest(schema, "binary", "half", schema)
    )


def ordinal_champion(training, schema):
    """A champion on ordered classes, fitted on a training part."""
    codes = pd.Index(schema["classes"]).get_indexer(training[schema["target"]])
    model = OrdinalDecisionClassifier(ProportionalOddsClassifier(), values=tuple(schema["values"]))
    return StoredModel(
        model.fit(training[schema["required"]], codes), _manifest(schema, "ordinal", "argmax")
    )


def _manifest(schema, task, decision, tabular=None):
    manifest = {
        "key": schema["key"], "task": task, "decision": decision, "classes": schema["classes"],
        "features": schema["required"], "versions": get_library_versions(),
    }  # fmt: skip
    return manifest if tabular is None else manifest | {"tabular": tabular}


def write_training(root, use_case, champion, schema, training, test):
    """The files of the training stage."""
    models = root / "06_models" / use_case
    EstimatorDataset(filepath=f"{models}/champion.skops").save(champion)
    _json(models / "test_grades.json", GRADES)
    rows = [{"feature": name, "mean_abs": 1.0} for name in schema["required"]]
    _json(root / "08_reporting" / use_case / "explanations.json", {"champion": rows})
    _json(root / "05_model_input" / use_case / "feature_schema.json", schema)
    parts = {"training_part": training, "test_part": test, "model_input": [training, test]}
    parts |= {"learning_part": training, "backtest_part": test}  # where scores look ahead
    for name, part in parts.items():
        frame = pd.concat(part, ignore_index=True) if isinstance(part, list) else part
        _parquet(root / "05_model_input" / use_case / f"{name}.parquet", frame)


def write_scoring(root, use_case, champion, features, place=None):
    """The files of feature_engineering and scoring."""
    _parquet(root / "04_feature" / (place or use_case) / "scoring_features.parquet", features)
    scores = predict_scores(champion, features, ScoringSettings(reasons=0))
    _parquet(root / "07_model_output" / use_case / "scores.parquet", scores)


def write_segments(root, customers, day):
    """The files of segmentation and scoring, for customers in segments."""
    shares = [name for name in customers if name.startswith("participacion_")]
    manifest = {"key": "id_cliente", "features": shares, "versions": get_library_versions()}
    models = root / "06_models/customer_segments"
    EstimatorDataset(filepath=f"{models}/segmentation.skops").save(
        StoredModel(LogisticRegression(), manifest)
    )
    output = root / "07_model_output"
    inputs = customers[["id_cliente", "num_tx", *shares]]
    _parquet(output / "customer_segments/export_input.parquet", inputs)
    named = customers.rename(columns={"id_cliente": "dni"}).assign(fecha_modelo=day)
    export = named[["dni", "cluster_nombre", "fecha_modelo"]]
    export.to_csv(output / "clientes_segmentados.csv", index=False)


def _json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), "utf-8")


def _parquet(path, frame):
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False)
