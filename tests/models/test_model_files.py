import hashlib
import importlib
import io
import os
import subprocess
import sys
import textwrap
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer
from xgboost import XGBClassifier, XGBRegressor

from clientela.exceptions import ModelFileError
from clientela.models.binary_decision import BinaryDecisionClassifier, ThresholdRule
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import (
    CumulativeBinaryClassifier,
    LastQuarterRule,
    OrdinalRegressor,
    ProportionalOddsClassifier,
)
from clientela.models.scorecard import WoeScorecard
from clientela.models.stored_model import TRUSTED_TYPES, decode_estimator, encode_estimator

VALUES = (0.0, 1.0, 2.0, 4.0)
SMALL = {"n_estimators": 4, "max_depth": 2, "n_jobs": 1, "random_state": 0}
X = pd.DataFrame(
    np.random.default_rng(5).normal(size=(60, 3)).round(3), columns=["gasto_3m", "edad", "saldo"]
)
CODES = np.tile([0, 0, 0, 1, 2, 3], 10)

ESTIMATORS = {
    "required": OrdinalRegressor(XGBRegressor(**SMALL), values=VALUES),
    "thresholds": OrdinalRegressor(Ridge(), values=VALUES, decision="thresholds"),
    "cumulative": OrdinalDecisionClassifier(
        CumulativeBinaryClassifier(XGBClassifier(**SMALL)), decision="thresholds", values=VALUES
    ),
    "linear": OrdinalDecisionClassifier(
        make_pipeline(
            SimpleImputer(), QuantileTransformer(n_quantiles=10), ProportionalOddsClassifier()
        ),
        values=VALUES,
        decision="median",
    ),
    "rule": LastQuarterRule("saldo", values=VALUES),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_stored_estimator_predicts_exactly_as_before_and_is_stored_alike_again(name):
    estimator = ESTIMATORS[name].fit(X, CODES)
    content = encode_estimator(estimator)
    loaded = decode_estimator(content)
    assert type(loaded) is type(estimator)
    assert loaded.predict_proba(X).tobytes() == estimator.predict_proba(X).tobytes()
    assert loaded.predict(X).tolist() == estimator.predict(X).tolist()
    assert loaded.expected_value(X).tobytes() == estimator.expected_value(X).tobytes()
    assert encode_estimator(loaded) == content


def test_another_process_writes_the_same_bytes():
    X = np.arange(24.0).reshape(12, 2) ** 1.5
    model = OrdinalRegressor(Ridge(), values=(0, 1, 4)).fit(X, np.tile([0, 1, 2, 2], 3))
    script = """
        import hashlib
        import numpy as np
        from sklearn.linear_model import Ridge
        from clientela.models.stored_model import encode_estimator
        from clientela.models.ordinal_estimators import OrdinalRegressor

        X = np.arange(24.0).reshape(12, 2) ** 1.5
        model = OrdinalRegressor(Ridge(), values=(0, 1, 4)).fit(X, np.tile([0, 1, 2, 2], 3))
        print(hashlib.sha256(encode_estimator(model)).hexdigest(), end="")
    """
    printed = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout
    assert printed == hashlib.sha256(encode_estimator(model)).hexdigest()


def test_the_file_holds_no_date_and_no_address():
    estimator = ESTIMATORS["thresholds"].fit(X, CODES)
    with ZipFile(io.BytesIO(encode_estimator(estimator))) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert str(id(estimator)) not in archive.read("schema.json").decode()


@pytest.mark.parametrize("name", TRUSTED_TYPES)
def test_every_trusted_name_is_a_class_or_a_function_of_ours(name):
    module, _, kind = name.rpartition(".")
    found = getattr(importlib.import_module(module), kind)
    assert isinstance(found, type) or (module.startswith("clientela.") and callable(found))


def test_forests_are_stored_as_the_same_bytes_whatever_the_memory_held():
    forest = RandomForestClassifier(20, random_state=0).fit(X, CODES)
    stored = encode_estimator(forest)
    kept = [decode_estimator(stored) for _ in range(5)]
    assert {encode_estimator(one) for one in kept} == {stored}


def test_an_estimator_with_a_foreign_part_is_not_written():
    foreign = make_pipeline(FunctionTransformer(textwrap.dedent), Ridge())
    with pytest.raises(ModelFileError, match=r"holds textwrap\.dedent\. Build the model"):
        encode_estimator(foreign)


def test_a_file_with_a_foreign_part_is_not_opened():
    foreign = skops.io.dumps(FunctionTransformer(textwrap.dedent))
    with pytest.raises(ModelFileError, match=r"holds textwrap\.dedent\. Load only"):
        decode_estimator(foreign)


def truncated(content):
    return content[: len(content) // 2]


def without_schema(content):
    del content
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("otro.txt", "nada")
    return buffer.getvalue()


@pytest.mark.parametrize("damage", [truncated, without_schema, lambda _: b"", lambda _: b"PK"])
def test_a_damaged_file_says_what_to_do(damage):
    content = encode_estimator(ESTIMATORS["rule"].fit(X, CODES))
    with pytest.raises(ModelFileError, match="Run the training stage again"):
        decode_estimator(damage(content))


OURS = "clientela.models.binary_decision.BinaryDecisionClassifier"
CARD = "clientela.models.scorecard.WoeScorecard"
RULE = "clientela.models.binary_decision.ThresholdRule"
BOOSTER = {"numpy.dtype", "xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"}


@pytest.mark.parametrize(
    ("model", "trusted"),
    [
        (LogisticRegression(), {"numpy.dtype"}),
        (RandomForestClassifier(3, random_state=0), {"numpy.dtype", "sklearn.tree._tree.Tree"}),
        (XGBClassifier(n_estimators=3, n_jobs=1), BOOSTER),
        (
            HistGradientBoostingClassifier(max_iter=2),
            {"numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"},
        ),
    ],
)
@pytest.mark.parametrize("calibrate", ["none", "sigmoid", "isotonic"])
def test_a_stored_classifier_predicts_the_same_and_needs_few_types(
    borrowers, model, trusted, calibrate
):
    X, codes = borrowers
    X = X[["ingresos", "deudas"]]
    estimator = BinaryDecisionClassifier(
        make_pipeline(SimpleImputer(), model),
        decision="share",
        share=0.5,
        calibrate=calibrate,
        folds=2,
    ).fit(X, codes)
    stored = skops.io.dumps(estimator)
    assert set(skops.io.get_untrusted_types(data=stored)) == trusted | {OURS}
    loaded = skops.io.loads(stored, trusted=sorted(trusted | {OURS}))
    assert (loaded.predict_proba(X) == estimator.predict_proba(X)).all()
    assert (loaded.predict(X) == estimator.predict(X)).all()


def test_a_stored_scorecard_needs_its_own_type_only(borrowers):
    X, codes = borrowers
    card = WoeScorecard().fit(X, codes)
    stored = skops.io.dumps(card)
    assert set(skops.io.get_untrusted_types(data=stored)) == {CARD}
    loaded = skops.io.loads(stored, trusted=[CARD])
    assert (loaded.predict_proba(X) == card.predict_proba(X)).all()


def test_a_stored_rule_needs_its_own_type_only():
    rule = ThresholdRule(limit=2).fit(np.arange(6.0)[:, None], [0, 1, 0, 1, 1, 1])
    stored = skops.io.dumps(rule)
    assert skops.io.get_untrusted_types(data=stored) == [RULE]
    assert skops.io.loads(stored, trusted=[RULE]).predict([[1.0], [2.0]]).tolist() == [0, 1]
