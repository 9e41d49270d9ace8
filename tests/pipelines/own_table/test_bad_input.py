"""What a person reads when a file of their own is not as needed.

Dates that do not parse, a target of one class and a table without a key are held by
tests/pipelines/test_table_use_cases.py; what single rules refuse by tests of their stages.
"""

import shutil
from pathlib import Path

import pytest
from kedro.io import DatasetError
from tests.pipelines.own_table.conftest import LEARNING, PREPARING, SMALL
from tests.pipelines.own_table.orders import TARGET, orders

from clientela.exceptions import ConfigurationError, TooManyBadRowsError, TrainingDataError
from clientela.hooks import format_error_message

ONE_MODEL = {
    "clase_mayor": {"kind": "majority", "role": "rule"},
    "logistica": {"kind": "logistic_regression", "role": "required"},
}


@pytest.mark.parametrize(
    "frame",
    [orders().drop(columns=TARGET), orders().assign(**{TARGET: ""})],
    ids=["absent", "empty"],
)
def test_a_target_that_is_nowhere_known_is_named_with_what_was_expected(run, frame, data_root):
    message = r"unlabelled 300\. The target 'devuelto' is empty or absent .*'No' or 'Yes' was exp"
    with pytest.raises(TrainingDataError, match=message):
        run(frame)
    assert not (data_root / "05_model_input/returns/model_input.parquet").exists()


def test_a_key_that_is_always_the_same_is_told_as_duplicates_with_an_example(run):
    message = r"299 of 300 rows of 'orders' .*299 x duplicate_key \(e\.g\. orders\.csv line \d+"
    with pytest.raises(TooManyBadRowsError, match=message):
        run(orders().assign(id_pedido="P1"))


@pytest.mark.slow
def test_columns_without_any_value_are_named_and_everything_is_scored(run, caplog):
    changes = {"training": SMALL | {"candidates": ONE_MODEL}}
    nothing = orders().assign(talla="", dias_entrega="")
    catalog = run(nothing, LEARNING, changes=changes)
    for column in ("talla", "dias_entrega"):
        assert f"{column} has no believable value in any of 300 rows" in caplog.text
    scores = catalog.load("returns.scores")
    assert scores["probabilidad"].notna().all()
    assert scores["imputadas"].eq("dias_entrega").all()  # talla did not earn its place


def test_a_missing_file_is_told_with_its_place_what_lies_there_and_how_to_go_on(
    run_in, data_root: Path
):
    folder = data_root / "01_raw/returns"
    folder.mkdir(parents=True)
    (folder / "pedidos.csv").write_text("id_pedido\n", "utf-8")
    with pytest.raises(DatasetError) as caught:
        run_in(data_root, PREPARING)
    said = format_error_message(caught.value)
    assert f"{folder}/orders.csv" in said
    assert "pedidos.csv" in said
    assert "raw_files.returns in conf/local/globals.yml" in said


@pytest.mark.parametrize("block", ["scoring"])
def test_a_block_of_parameters_that_is_absent_is_named(
    run_in, own_conf: Path, tmp_path: Path, data_root: Path, block: str
):
    path = Path(shutil.copytree(own_conf, tmp_path / "conf")) / "base/parameters/returns.yml"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(x for x in lines if f"  {block}: " not in x), "utf-8")
    with pytest.raises(ConfigurationError, match=rf"given for returns\.{block}\. Write each"):
        run_in(data_root, (), conf=tmp_path / "conf")
