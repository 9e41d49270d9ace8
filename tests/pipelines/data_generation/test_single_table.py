import csv
import hashlib
import io

import pyarrow as pa
import pytest
from pydantic import ValidationError

from clientela.pipelines.data_generation.applications import (
    ApplicationDirtShares,
    ApplicationSimulation,
    simulate_application_truth,
    simulate_applications,
)
from clientela.pipelines.data_generation.churn import (
    ChurnDirtShares,
    ChurnSimulation,
    simulate_churn_truth,
    simulate_visitors,
)
from clientela.pipelines.data_generation.credit import (
    CreditDirtShares,
    CreditSimulation,
    simulate_loans,
)

VISITORS = ChurnSimulation(rows=2_500, chunk_rows=1_000, dirt=ChurnDirtShares())
LOANS = CreditSimulation(rows=2_500, chunk_rows=1_000, dirt=CreditDirtShares())
APPLICATIONS = ApplicationSimulation(rows=2_500, chunk_rows=1_000, dirt=ApplicationDirtShares())
SOURCES = [
    (simulate_visitors, VISITORS),
    (simulate_churn_truth, VISITORS),
    (simulate_loans, LOANS),
    (simulate_applications, APPLICATIONS),
    (simulate_application_truth, APPLICATIONS),
]


def text(source):
    return b"".join(map(bytes, source.csv_blocks()))


def digest(source):
    return hashlib.sha256(text(source)).hexdigest()


@pytest.mark.parametrize(("table", "simulation"), SOURCES)
def test_equal_parameters_give_equal_bytes(table, simulation):
    assert digest(table(simulation)) == digest(table(simulation.model_copy()))


@pytest.mark.parametrize(("table", "simulation"), SOURCES)
def test_another_seed_gives_other_bytes(table, simulation):
    assert digest(table(simulation)) != digest(table(simulation.model_copy(update={"seed": 99})))


@pytest.mark.parametrize(("table", "simulation"), SOURCES)
def test_length_is_the_number_of_batches(table, simulation):
    source = table(simulation)
    assert len(source) == len(list(source.csv_blocks())) == len(list(source.tables())) == 3


@pytest.mark.parametrize(("table", "simulation"), SOURCES)
def test_tables_have_the_promised_columns_in_order(table, simulation):
    source = table(simulation)
    assert {tuple(part.column_names) for part in source.tables()} == {source.columns}


@pytest.mark.parametrize(("table", "simulation"), SOURCES)
def test_a_clean_sample_is_as_large_as_asked_for(table, simulation):
    clean = table(simulation.model_copy(update={"dirt": None}))
    assert sum(map(len, clean.tables())) == simulation.rows
    rows = list(csv.reader(io.StringIO(text(clean).decode())))
    assert len(rows) == simulation.rows
    assert {len(row) for row in rows} == {len(clean.columns)}


@pytest.mark.parametrize(
    ("table", "simulation"),
    [
        (simulate_visitors, VISITORS),
        (simulate_loans, LOANS),
        (simulate_applications, APPLICATIONS),
    ],
)
def test_every_kind_of_dirt_works_and_leaves_the_other_rows_alone(table, simulation):
    source = table(simulation)
    assert source.dirt.shares.keys() == type(simulation.dirt).model_fields.keys()
    clean = text(table(simulation.model_copy(update={"dirt": None}))).splitlines()
    dirty = text(source).splitlines()
    counts = simulation.count_dirty_rows()
    assert len(dirty) == simulation.lines() == simulation.rows + counts["exact_duplicate"]
    spoiled = sum(counts.values()) - counts["exact_duplicate"]
    assert len(set(clean) - set(dirty)) == spoiled
    assert len(set(dirty) - set(clean)) == spoiled


def test_dirt_turns_columns_into_text():
    dirty = pa.concat_tables(simulate_loans(LOANS).tables())
    assert set(dirty.schema.types) == {pa.string()}
    assert dirty["Pago_atiempo"].null_count == LOANS.count_dirty_rows()["missing_target"]


def test_the_origin_is_the_parameters_as_json_holds_them():
    assert CreditSimulation(**simulate_loans(LOANS).origin) == LOANS


@pytest.mark.parametrize("simulation", [ChurnSimulation, CreditSimulation, ApplicationSimulation])
@pytest.mark.parametrize("wrong", [{"rows": 3}, {"seed": -1}, {"filas": 9}, {"chunk_rows": 1}])
def test_wrong_parameters_are_refused_by_name(simulation, wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        simulation(**wrong)
