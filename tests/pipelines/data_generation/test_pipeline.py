import hashlib

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from clientela.datasets.files import GeneratedFileDataset
from clientela.exceptions import ConfigurationError
from clientela.pipelines.data_generation.pipeline import create_pipeline
from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.use_cases import Table, UseCase

RETAIL = UseCase(
    name="retail",
    kind="transactions",
    stages=("data_generation",),
    tables={"customers": Table(), "transactions": Table(references={"id_cliente": "customers"})},
    tags=("purchase_intensity",),
    shared_tables=("customers", "transactions"),
)
LATER = (
    "quiet_transactions", "quiet_customers", "shifted_transactions", "shifted_customers"
)  # fmt: skip
SIMULATION = TransactionSimulation(customers=30, transactions=900)


def run(folder, simulation):
    catalog = DataCatalog(
        {
            "params:retail.data_generation": MemoryDataset(simulation),
            "retail.raw_transactions@sample": GeneratedFileDataset(
                filepath=str(folder / "transacciones.csv")
            ),
            "retail.raw_customers@sample": GeneratedFileDataset(
                filepath=str(folder / "customers.csv")
            ),
            "retail.generation_report": MemoryDataset(),
            **{name: MemoryDataset() for name in LATER},
        }
    )
    SequentialRunner().run(create_pipeline(RETAIL), catalog)
    return catalog.load("retail.generation_report")


def test_the_stage_writes_both_files_counts_their_rows_and_writes_equal_bytes_again(tmp_path):
    digests = []
    for name in ("first", "second"):
        report = run(tmp_path / name, SIMULATION)
        files = sorted((tmp_path / name).iterdir())
        digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4
    lines = (tmp_path / "first/transacciones.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (
        "id_transaccion,id_cliente,fecha,categoria,valor_transaccion,puntos,tipo_transaccion,"
        "canal,ciudad"
    )
    assert len(lines) - 1 == report["transactions"]
    people = (tmp_path / "first/customers.csv").read_text(encoding="utf-8").splitlines()
    assert people[0] == "id_cliente,fecha_nacimiento,genero,estrato_social,saldo_puntos"
    assert len(people) - 1 == report["customers"] == 30


def lender(**table):
    return UseCase(
        name="credit",
        kind="table",
        task="binary",
        stages=("data_generation",),
        tables={"loans": Table(**table)},
        tags=("credit",),
    )


@pytest.mark.parametrize(
    ("generator", "outputs"),
    [
        ("credit", {"raw_loans@sample", "generation_report"}),
        ("wifi_churn", {"raw_loans@sample", "sample_truth", "generation_report"}),
        ("credit_applications", {"raw_loans@sample", "sample_truth", "generation_report"}),
    ],
)
def test_a_table_is_drawn_by_the_generator_that_the_switchboard_names(generator, outputs):
    stage = create_pipeline(lender(generator=generator))
    assert stage.inputs() == {"params:credit.data_generation"}
    later = {"quiet_loans", "shifted_loans"}
    assert stage.outputs() == {f"credit.{name}" for name in outputs | later}
    assert all(node.tags == {"credit"} for node in stage.nodes)


def test_a_table_without_a_generator_is_told_to_name_one_or_drop_the_stage():
    with pytest.raises(ConfigurationError, match=r"'credit' lists the stage.*remove the stage"):
        create_pipeline(lender())


def test_a_generator_that_does_not_exist_is_answered_with_the_nearest():
    with pytest.raises(ConfigurationError, match=r"'credits'.*Did you mean 'credit'"):
        create_pipeline(lender(generator="credits"))
