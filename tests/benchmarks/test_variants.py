"""Every variant answers alike, at the edges where libraries tend to differ."""

import importlib
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.features.tables import BIRTHS, EDGES, Person, Tx, arrow_customers, arrow_transactions

ALIKE = [
    "clientela_features_200mb",
    "duckdb_sql",
    "polars_lazy",
    "pandas_careful",
    "pandas_notebook",
]


def drawn(rng: np.random.Generator, customer: str) -> list[Tx]:
    """Month ends and leap days, refunds beyond purchases, missing points; now and then one row."""
    hours = (time(0), time(12, 30), time(23, 59, 59))
    return [
        Tx(
            customer,
            datetime.combine(EDGES[rng.integers(len(EDGES))], hours[rng.integers(3)])
            + timedelta(days=int(rng.integers(-1, 2))),
            ("tecnologia", "ropa", "hogar")[rng.integers(3)],
            Decimal(int(rng.integers(-300_00, 900_00))) / 100,
            None if rng.random() < 0.1 else int(rng.integers(-50, 80)),
        )
        for _ in range(rng.integers(1, 16))
    ]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    rng = np.random.default_rng(7)
    names = [f"{number:04d}" for number in rng.permutation(60)]
    rows = [row for name in names for row in drawn(rng, name)]
    births = [*BIRTHS, date(2025, 1, 1)]
    # the last ones are unknown, and one known customer never bought
    people = [
        Person(name, births[place % len(births)], place % 7 or None, int(rng.integers(900)))
        for place, name in enumerate([*names[:50], "silent"])
    ]
    folder = tmp_path_factory.mktemp("sample")
    transactions, customers = folder / "transactions.parquet", folder / "customers.parquet"
    pq.write_table(arrow_transactions(sorted(rows, key=lambda row: row.fecha)), transactions)
    known = arrow_customers(people)
    pq.write_table(known.append_column("genero", pa.nulls(len(known), pa.string())), customers)
    return transactions, customers


def result(variant: str, places: tuple[Path, Path], folder: Path) -> Path:
    output = folder / variant
    importlib.import_module(f"variants.{variant}").save(*places, output)
    return output


@pytest.fixture(scope="module")
def ours(places: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return result("clientela_features", places, tmp_path_factory.mktemp("ours"))


@pytest.mark.parametrize("variant", ALIKE)
def test_variant_gives_our_features(
    variant: str, places: tuple[Path, Path], ours: Path, tmp_path: Path
) -> None:
    from agreement import differences

    assert differences(ours, result(variant, places, tmp_path)) == []


def test_every_variant_with_features_as_its_answer_is_compared() -> None:
    from registry import OURS, VARIANTS

    answering = [variant.name for variant in VARIANTS if variant.answer == "features"]
    assert sorted(answering) == sorted([OURS, *ALIKE])


def test_features_are_the_required_ones(ours: Path) -> None:
    from clientela.features.transactions import required_columns
    from variants.clientela_features import PARAMS

    columns = list(pd.read_parquet(ours).columns)
    assert columns == ["id_cliente", *required_columns(PARAMS)]


def test_one_date_for_everybody_is_another_answer(
    places: tuple[Path, Path], ours: Path, tmp_path: Path
) -> None:
    from agreement import differences

    found = differences(ours, result("clientela_features_calendar", places, tmp_path))
    assert any(sentence.startswith("recencia_dias: ") for sentence in found)


def test_group_by_counts_and_sums_per_customer(places: tuple[Path, Path], tmp_path: Path) -> None:
    rows = pd.read_parquet(places[0])
    expected = rows.groupby("id_cliente")["valor_transaccion"].agg(["size", "sum"])
    found = pd.read_parquet(result("group_by", places, tmp_path))
    assert list(found["id_cliente"]) == list(expected.index)
    assert list(found["num_tx"]) == list(expected["size"])
    assert list(found["gasto"]) == list(expected["sum"])
