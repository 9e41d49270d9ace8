"""Both stages that end in a model input, run on a dozen customers with the datasets they have."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import ibis
import pyarrow as pa
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner
from tests.features.tables import Person, Tx, arrow_customers, arrow_transactions, at

from clientela.datasets.table import SmallTablesDataset, TableDataset
from clientela.exceptions import LeakageError
from clientela.features.leakage import LeakageRules, require_no_leak
from clientela.features.settings import FeatureParams
from clientela.features.transactions import OrdinalTarget
from clientela.pipelines.feature_engineering.pipeline import create_pipeline as features_stage
from clientela.pipelines.ordinal_target.pipeline import create_pipeline as target_stage
from clientela.use_cases import UseCase

INTENSITY = UseCase(
    name="purchase_intensity",
    kind="transactions",
    task="ordinal",
    shares="retail",
    stages=("feature_engineering", "ordinal_target"),
    tags=("purchase_intensity",),
    shared_tables=("customers", "transactions"),
)
RULE = {
    "classes": [
        {"name": "sin_compra", "at_least": 0, "value": 0},
        {"name": "baja", "at_least": 1, "value": 1},
        {"name": "media", "at_least": 2, "value": 2},
        {"name": "alta", "at_least": 4, "value": 4},
    ]
}
PAST_AND_FUTURE = [(3, 0), (0, 0), (1, 1), (4, 1), (0, 2), (2, 3), (1, 4), (4, 6)]
PEOPLE = [Person(f"c{i}", None, i % 4, 100 * i) for i in range(6)] + [Person("celia")]
AS_IBIS = ("customer_features", "scrambled_features", "customer_target")
AS_PANDAS = ("scoring_features", "model_input", "cutoff_rows")


def transactions() -> list[Tx]:
    """Each customer with some purchases in the past and some in the target window."""
    rows = []
    for i, (past, future) in enumerate(PAST_AND_FUTURE):
        rows += [Tx(f"c{i}", at(day), "hogar") for day in ("2023-08-01", "2024-06-30")]
        rows += [Tx(f"c{i}", at("2024-02-01"), puntos=4, valor_transaccion=Decimal(9))] * past
        rows += [Tx(f"c{i}", at("2024-05-01"), puntos=-3, valor_transaccion=Decimal(5))] * future
    return rows


def run(folder: Path, rows: list[Tx], **features: Any) -> DataCatalog:
    def table(name: str, load_as: Literal["ibis", "pandas"]) -> TableDataset:
        path = str(folder / f"{name}.parquet")
        key = ["id_cliente", *(("modo", "corte") if name == "cutoff_rows" else ())]
        return TableDataset(filepath=path, order_by=key, load_as=load_as)

    prepared: Mapping[str, pa.Table] = {
        "transactions": arrow_transactions(rows),
        "customers": arrow_customers(PEOPLE),
    }
    datasets: dict[str, Any] = {
        f"purchase_intensity.{name}": table(name, "ibis") for name in AS_IBIS
    }
    for name, content in prepared.items():
        datasets[name] = table(name, "ibis")
        datasets[name].save(ibis.memtable(content))
    datasets |= {f"purchase_intensity.{name}": table(name, "pandas") for name in AS_PANDAS}
    datasets |= {
        f"purchase_intensity.{name}": SmallTablesDataset(path=str(folder / name))
        for name in ("observed_period", "changed_features")
    }
    datasets |= {
        f"params:purchase_intensity.{name}": MemoryDataset(value)
        for name, value in {
            "features": FeatureParams(category="Tecnología", **features),
            "target": OrdinalTarget.model_validate(RULE),
            "leakage": LeakageRules(),
        }.items()
    }
    catalog = DataCatalog(datasets)
    SequentialRunner().run(features_stage(INTENSITY) + target_stage(INTENSITY), catalog)
    return catalog


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def catalog(folder: Path) -> DataCatalog:
    return run(folder, transactions())


def assert_ready_to_train(catalog: DataCatalog) -> None:
    supervised = catalog.load("purchase_intensity.features_supervised")
    assert list(supervised["id_cliente"]) == [f"c{i}" for i in range(8)]
    assert list(supervised["num_tx_total"]) == [past + 1 for past, _ in PAST_AND_FUTURE]
    assert list(supervised["target_compra_tecnologia"]) == [
        *["sin_compra"] * 2,
        *["baja"] * 2,
        *["media"] * 2,
        *["alta"] * 2,
    ]
    assert not supervised.isna().any(axis=None)
    report = catalog.load("purchase_intensity.leakage_report")
    assert (report["refused"], report["sees_the_future"], report["rows"]) == ([], {}, 8)
    shares = catalog.load("purchase_intensity.class_shares")
    assert (shares["customers"], shares["trained_on"], shares["left_out"]) == (9, 8, 1)


def test_from_transactions_to_a_model_input_that_leaks_nothing(catalog: DataCatalog) -> None:
    assert_ready_to_train(catalog)


def test_the_same_with_one_cutoff_for_everybody(tmp_path: Path) -> None:
    assert_ready_to_train(run(tmp_path, transactions(), cutoff_mode="calendar"))


def test_the_schema_names_columns_of_the_model_input(catalog: DataCatalog) -> None:
    schema = catalog.load("purchase_intensity.feature_schema")
    columns = [schema["key"], *schema["required"], *schema["extra"], schema["target"]]
    assert list(catalog.load("purchase_intensity.model_input").columns) == columns


def test_each_past_day_knows_what_came_before_it_and_the_classes_that_followed(
    catalog: DataCatalog,
) -> None:
    rows = catalog.load("purchase_intensity.cutoff_rows").query("modo == 'calendar'")
    latest, before = (rows[rows["corte"] == day] for day in ("2024-04-01", "2024-01-01"))
    assert list(latest["num_tx_total"]) == [past + 1 for past, _ in PAST_AND_FUTURE]
    assert list(latest["target_compra_tecnologia"][:3]) == ["sin_compra", "sin_compra", "baja"]
    assert list(before["num_tx_total"]) == [1] * 8
    classes = [RULE["classes"][i]["name"] for i in (2, 0, 1, 3, 0, 2, 1, 3)]
    assert list(before["target_compra_tecnologia"]) == classes


def test_rows_as_of_a_past_day_do_not_change_when_what_followed_is_scrambled(
    tmp_path: Path, catalog: DataCatalog
) -> None:
    rows = [
        tx._replace(valor_transaccion=Decimal(777), fecha=at("2024-05-20"))
        if tx.fecha == at("2024-05-01")
        else tx
        for tx in transactions()
    ]
    scrambled = run(tmp_path, rows).load("purchase_intensity.cutoff_rows")
    honest = catalog.load("purchase_intensity.cutoff_rows")
    wanted = "corte < '2024-01-02' or (modo == 'required' and corte == '2024-04-01')"
    known = [table.query(wanted).reset_index(drop=True) for table in (honest, scrambled)]
    assert len(known[0]) > 3 * 8
    assert known[0].equals(known[1])
    features = [
        table.query("modo == 'calendar' and corte == '2024-04-01'")
        .drop(columns="target_compra_tecnologia")
        .reset_index(drop=True)
        for table in (honest, scrambled)
    ]
    assert features[0].equals(features[1])


def test_another_run_on_rows_in_another_order_writes_equal_bytes(
    catalog: DataCatalog, folder: Path, tmp_path: Path
) -> None:
    assert "purchase_intensity.model_input" in catalog
    run(tmp_path, transactions()[::-1])
    for name in (*AS_IBIS, *AS_PANDAS):
        file = f"{name}.parquet"
        assert (tmp_path / file).read_bytes() == (folder / file).read_bytes(), name


def test_the_balance_as_extracted_is_refused(tmp_path: Path) -> None:
    catalog = run(tmp_path, transactions(), points_balance="snapshot")
    report = catalog.load("purchase_intensity.leakage_report")
    # customers without a known balance have none that could change
    assert report["sees_the_future"] == {"saldo_puntos": 6}
    with pytest.raises(LeakageError, match=r"saldo_puntos \(changed for 6 customers"):
        require_no_leak(report)
