from dataclasses import replace

import pandas as pd
import pytest

from clientela.features.segment_columns import Rubro
from clientela.pipelines.segmentation.report_figures import (
    FIRST_RUN,
    NO_CUSTOMERS,
    plot_migration,
    plot_scores,
)

LABELS = {"farmacia": "Farmacia", "ropa": "Ropa"}
NAMES = {0: "Farmacia", 4: "Ropa", -1: "Sin actividad"}


@pytest.fixture
def report(make_report):
    report = make_report(2, 3)
    rubros = tuple(Rubro(slug=slug, label=label, members=()) for slug, label in LABELS.items())
    layout = report.identity.layout.model_copy(update={"rubros": rubros})
    return replace(
        report, identity=report.identity.model_copy(update={"layout": layout, "names": NAMES})
    )


@pytest.fixture
def rubros():
    return pd.DataFrame(
        [(4, "ropa", 0.9), (0, "farmacia", 0.75), (4, "farmacia", 0.1), (-1, "ropa", 0.3)],
        columns=["cluster_id", "slug", "score_medio"],
    )


@pytest.fixture
def moves():
    rows = [
        (0, "Farmacia", 0, "Farmacias", 30),
        (0, "Farmacia", -1, "Sin actividad", 10),
        (-1, "Sin actividad", 0, "Farmacias", 4),
        (None, "Clientes nuevos", 4, "Ropa", 5),
        (4, "Ropa", None, "Ya no aparecen", 2),
    ]
    names = ["previous_id", "previous_name", "current_id", "current_name", "customers"]
    ids = {"previous_id": "Int64", "current_id": "Int64"}
    return pd.DataFrame(rows, columns=names).astype(ids)


def read(figure):
    """A heat map as a table of what is written in its cells."""
    (panel,) = figure.axes
    rows = [tick.get_text() for tick in panel.get_yticklabels()]
    columns = [tick.get_text() for tick in panel.get_xticklabels()]
    cells = iter(text.get_text() for text in panel.texts)
    return {row: {column: next(cells) for column in columns} for row in rows}


def test_scores_stand_by_segment_and_rubro_without_inactive_customers(report, rubros):
    assert read(plot_scores(replace(report, profile={"rubros": rubros}))) == {
        "Farmacia": {"Farmacia": "0,75", "Ropa": "0,00"},
        "Ropa": {"Farmacia": "0,10", "Ropa": "0,90"},
    }


def test_without_active_customers_the_scores_say_so(report, rubros):
    figure = plot_scores(replace(report, profile={"rubros": rubros[rubros["cluster_id"] < 0]}))
    assert figure.axes[0].texts[0].get_text() == NO_CUSTOMERS


def test_migration_reads_by_previous_segment_with_who_is_new_and_who_left(report, moves):
    nothing = dict.fromkeys(["Farmacias", "Ropa", "Sin actividad", "Ya no aparecen"], "")
    expected = {
        "Farmacia": nothing | {"Farmacias": "75,0 %", "Sin actividad": "25,0 %"},
        "Ropa": nothing | {"Ya no aparecen": "100,0 %"},
        "Sin actividad": nothing | {"Farmacias": "100,0 %"},
        "Clientes nuevos": nothing | {"Ropa": "100,0 %"},
    }
    assert read(plot_migration(replace(report, migration_matrix=moves))) == expected
    shuffled = moves.sample(frac=1, random_state=3)
    assert read(plot_migration(replace(report, migration_matrix=shuffled))) == expected


def test_ids_stored_as_floats_read_the_same(report, moves):
    floats = moves.astype({"previous_id": "float64", "current_id": "float64"})
    assert read(plot_migration(replace(report, migration_matrix=floats))) == read(
        plot_migration(replace(report, migration_matrix=moves))
    )


def test_a_first_run_says_that_there_is_nothing_to_compare_with(report, moves):
    figure = plot_migration(replace(report, migration_matrix=moves.head(0)))
    assert figure.axes[0].texts[0].get_text() == FIRST_RUN
