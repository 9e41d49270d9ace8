"""A file of new cases, scored with the stored model by the command of docs/adding-a-use-case.md."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog
from tests.docs.markdown import commands
from tests.pipelines.own_table.conftest import NAME, NEW_CASES, PAGE
from tests.pipelines.own_table.orders import TARGET, orders

from clientela.exceptions import (
    ConfigurationError,
    InvalidColumnsError,
    MissingStageInputError,
    ScoringDataError,
)

pytestmark = pytest.mark.slow  # one run that learns, for all of them
OUTPUTS = (f"{NAME}.row_accounting", f"{NAME}.scores")
FEATURES = Path("04_feature") / NAME / "scoring_features.parquet"
NEW = orders(40, seed=8).drop(columns=TARGET)


@pytest.fixture
def score(run: Callable[..., DataCatalog], data_root: Path) -> Callable[..., pd.DataFrame]:
    """Scores a file of orders with whatever model lies there."""

    def scored(frame: pd.DataFrame, **options) -> pd.DataFrame:
        run(frame, NEW_CASES, to_outputs=OUTPUTS, **options)
        return pd.read_parquet(data_root / "07_model_output/returns/scores.parquet")

    return scored


def test_the_page_gives_the_command_that_these_tests_run():
    (command,) = [c for c in commands(PAGE) if "--to-outputs" in c and NAME in c]
    options = dict(word.split("=", 1) for word in shlex.split(command)[2:])
    assert options == {
        "--pipelines": ",".join(NEW_CASES),
        "--tags": NAME,
        "--to-outputs": ",".join(OUTPUTS),
    }


def test_new_cases_are_scored_without_labels_in_any_order_and_nothing_is_learned(
    learned: Path, score
):
    kept = {
        path: path.read_bytes()
        for layer in ("05_model_input", "06_models", "08_reporting")
        for path in (learned / layer).rglob("*.*")
    }
    scores = score(NEW)
    assert scores["id_pedido"].tolist() == NEW["id_pedido"].tolist()
    assert scores["probabilidad"].between(0, 1).all()
    assert {path: path.read_bytes() for path in kept} == kept
    account = learned / "02_intermediate/returns/row_accounting.json"
    assert json.loads(account.read_text("utf-8"))["orders"]["read"] == len(NEW)
    turned = score(NEW[::-1][[*reversed(NEW.columns)]])
    pd.testing.assert_frame_equal(turned, scores, check_exact=True)


def test_training_and_inference_make_the_same_of_the_same_row(learned: Path, score):
    """Features byte by byte, and the score of a row that comes alone, without its label."""
    features = pd.read_parquet(learned / FEATURES).set_index("id_pedido")
    model_input = pd.read_parquet(learned / "05_model_input/returns/model_input.parquet")
    trained_on = model_input.set_index("id_pedido").drop(columns=TARGET)
    pd.testing.assert_frame_equal(features.loc[trained_on.index], trained_on, check_exact=True)
    before = pd.read_parquet(learned / "07_model_output/returns/scores.parquet")
    alone = orders().iloc[[17]].drop(columns=TARGET)
    after = score(alone)
    made = pd.read_parquet(learned / FEATURES).set_index("id_pedido")
    pd.testing.assert_frame_equal(made, features.loc[["P0017"]], check_exact=True)
    same = before[before["id_pedido"] == "P0017"].reset_index(drop=True)
    pd.testing.assert_frame_equal(after, same, check_exact=True)


def test_a_category_that_training_did_not_see_is_none_of_the_known_ones(learned: Path, score):
    first = NEW.iloc[[0]]
    variants = ("app", "tienda", "web", "telepatía", "fax")
    rows = [first.assign(id_pedido=canal, canal=canal) for canal in variants]
    found = score(pd.concat(rows)).set_index("id_pedido")["probabilidad"]
    assert found["telepatía"] == found["fax"]
    assert not found.drop("telepatía").drop("fax").eq(found["fax"]).any()


def test_a_column_that_may_be_absent_is_absent_like_an_empty_one(learned: Path, score):
    absent = score(NEW.drop(columns="talla"))
    made = pd.read_parquet(learned / FEATURES)
    assert made["talla"].isna().all()
    pd.testing.assert_frame_equal(absent, score(NEW.assign(talla="")))


def test_a_missing_required_column_is_named_and_no_score_is_written(learned: Path, score):
    before = (learned / "07_model_output/returns/scores.csv").read_bytes()
    with pytest.raises(
        InvalidColumnsError, match=r"'orders' lacks the column canal\. Found: .*Rename the column"
    ):
        score(NEW.drop(columns="canal"))
    assert (learned / "07_model_output/returns/scores.csv").read_bytes() == before


def test_rules_that_disagree_on_what_a_file_must_bring_are_refused(learned: Path, score):
    """Else a file without the column would be scored with typical values in its place."""
    columns = {"canal": {"required": False}}
    lenient = {"ingestion": {"tables": {"orders": {"columns": columns}}}}
    with pytest.raises(ConfigurationError, match=r"without canal .*Remove required: false there"):
        score(NEW.drop(columns="canal"), changes=lenient)


def test_a_required_column_without_a_rule_is_named_by_the_features(
    learned: Path, score, own_conf, tmp_path
):
    path = shutil.copytree(own_conf, tmp_path / "conf") / "base/parameters/returns.yml"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(x for x in lines if "canal: {type" not in x), "utf-8")
    with pytest.raises(ScoringDataError, match=r"need the column\(s\) canal, which are absent"):
        score(NEW.drop(columns="canal"), conf=tmp_path / "conf")


def test_without_a_model_the_training_command_is_named(score):
    with pytest.raises(
        MissingStageInputError, match=r"returns\.champion.*kedro run --pipelines=training"
    ):
        score(NEW)
