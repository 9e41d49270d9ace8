import itertools
from dataclasses import dataclass
from typing import Any

import ibis
import pytest
import yaml
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from clientela.column_rules import IntakeRules
from clientela.datasets.raw_table import RawTableDataset
from clientela.datasets.table import SmallTablesDataset, TableDataset
from clientela.pipelines.ingestion.pipeline import create_pipeline
from clientela.use_cases import Table, UseCase

RETAIL = UseCase(
    name="retail",
    kind="transactions",
    stages=("ingestion",),
    tables={"customers": Table(), "transactions": Table(references={"id_cliente": "customers"})},
    tags=("purchase_intensity", "customer_segments"),
    shared_tables=("customers", "transactions"),
)
PEOPLE = ["id_cliente", "fecha_nacimiento", "genero", "estrato_social", "saldo_puntos"]


@dataclass(frozen=True)
class Ingested:
    """What the stage wrote."""

    catalog: DataCatalog

    def rows(self, name: str, key: str) -> list[dict[str, Any]]:
        return self.catalog.load(name).order_by(key).to_pyarrow().to_pylist()

    @property
    def transactions(self) -> list[dict[str, Any]]:
        return self.rows("transactions", "id_transaccion")

    @property
    def customers(self) -> list[dict[str, Any]]:
        return self.rows("customers", "id_cliente")

    @property
    def quarantine(self) -> list[dict[str, Any]]:
        table = self.catalog.load("retail.quarantine_transactions")
        return table.order_by("_file", "_line").to_pyarrow().to_pylist()

    @property
    def account(self) -> dict[str, Any]:
        return self.catalog.load("retail.row_accounting")


@pytest.fixture(scope="session")
def shipped_rules(project_root) -> dict[str, Any]:
    """The rules as they stand in the project's configuration."""
    text = (project_root / "conf/base/parameters/retail.yml").read_text("utf-8")
    return yaml.safe_load(text)["retail"]["ingestion"]


@pytest.fixture
def ingest(tmp_path, shipped_rules):
    """Runs the stage on files: `ingest({"tx.csv": text}, customers=text, max_bad_share=1)`."""
    runs = itertools.count()

    def catalog_of(folder, rules, text):
        tables = {
            "transactions": "id_transaccion",
            "customers": "id_cliente",
        }
        entries = {
            "params:retail.ingestion": MemoryDataset(rules),
            "retail.raw_transactions@text": RawTableDataset(filepath=f"{folder}/raw/*", text=text),
            "retail.raw_customers@text": RawTableDataset(
                filepath=f"{folder}/customers.csv", optional_columns=PEOPLE
            ),
            "retail.row_accounting": MemoryDataset(),
        }
        for table, key in tables.items():
            entries[table] = TableDataset(filepath=f"{folder}/{table}.parquet", order_by=key)
            for part in ("checked", "quarantine"):
                entries[f"retail.{part}_{table}"] = TableDataset(
                    filepath=f"{folder}/{part}_{table}.parquet", order_by=["_file", "_line"]
                )
            for part in ("date_counts", "reason_counts", "row_counts"):
                entries[f"retail.{part}_{table}"] = SmallTablesDataset(
                    path=f"{folder}/{part}_{table}"
                )
        return DataCatalog(entries)

    def ingest(files, customers=None, *, text=None, catalog_kept=None, **changes):
        folder = tmp_path / f"run-{next(runs)}"
        (folder / "raw").mkdir(parents=True)
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / "raw" / name).write_bytes(data)
        if customers is not None:
            (folder / "customers.csv").write_text(customers, encoding="utf-8")
        tables = shipped_rules["tables"]
        of_transactions = {k: v for k, v in changes.items() if k != "max_bad_share"}
        rules = IntakeRules.model_validate(
            {
                "max_bad_share": changes.get("max_bad_share", 1),
                "tables": tables | {"transactions": tables["transactions"] | of_transactions},
            }
        )
        catalog = catalog_of(folder, rules, text)
        if catalog_kept is not None:
            catalog_kept.append(catalog)
        SequentialRunner().run(create_pipeline(RETAIL), catalog)
        return Ingested(catalog)

    return ingest


LINEAGE = {"_file": "string", "_line": "int64", "_raw": "string", "_problem": "string"}


@pytest.fixture(scope="session")
def raw_table():
    """A table as the reader delivers it: text columns, and where each row stands."""

    def raw_table(columns, rows, *, file="tx.csv", first_line=2, problems=None):
        records = [
            {
                **dict(zip(columns, row, strict=True)),
                "_file": file,
                "_line": first_line + place,
                "_raw": ",".join("" if value is None else value for value in row),
                "_problem": (problems or {}).get(place),
            }
            for place, row in enumerate(rows)
        ]
        return ibis.memtable(records, schema=dict.fromkeys(columns, "string") | LINEAGE)

    return raw_table
