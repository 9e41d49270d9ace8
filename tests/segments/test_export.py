from datetime import date

import pandas as pd
import pytest

from clientela.exceptions import ConfigurationError
from clientela.features import segment_columns
from clientela.features.segment_columns import ColumnLayout, Rubro, order_export_columns
from clientela.models.segment_model import customer_segments
from clientela.models.segmentation import SegmentIdentity

RUBROS = [
    Rubro(slug=slug, label=label, members=(slug,))
    for slug, label in [
        ("supermercado", "Supermercado"),
        ("farmacia", "Farmacia"),
        ("restaurante", "Restaurantes y delivery"),
        ("otros", "Otros"),
    ]
]
IDENTITY = SegmentIdentity(
    fecha_modelo=date(2024, 8, 7),
    layout=ColumnLayout(fecha_modelo=date(2024, 8, 7), rubros=tuple(RUBROS)),
    columns=(),
    transformed=True,
    centers=((), ()),
    ids=(1, 0),
    names={0: "Supermercado", 1: "Farmacia"},
    name_reasons={},
)
FEATURES = pd.DataFrame(
    {
        "id_cliente": ["70457247", "00000123", "0"],
        "rubro_top": ["Farmacia", "Supermercado", None],
        "score_supermercado": [0.22, 1.0, 0.0],
        "score_farmacia": [0.85, 0.123456, 0.0],
        "score_restaurante": [0.45, 0.0, 0.0],
        "score_otros": [0.1, 0.2, 0.0],
    }
)
MEMBERS = pd.DataFrame({"id_cliente": ["0", "00000123", "70457247"], "cluster_id": [-1, 0, 1]})


def test_the_csv_is_the_required_one_to_the_letter():
    table = customer_segments(FEATURES, MEMBERS, IDENTITY)

    assert table.to_csv(index=False, lineterminator="\n") == (
        "dni,cluster_id,cluster_nombre,rubro_top,score_supermercado,score_farmacia,"
        "score_restaurante,fecha_modelo\n"
        "0,-1,Sin actividad,,0.0,0.0,0.0,2024-08-07\n"
        "00000123,0,Supermercado,Supermercado,1.0,0.1235,0.0,2024-08-07\n"
        "70457247,1,Farmacia,Farmacia,0.22,0.85,0.45,2024-08-07\n"
    )


def test_types_are_text_integer_and_float():
    table = customer_segments(FEATURES, MEMBERS, IDENTITY)

    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "dni": "str",
        "cluster_id": "int64",
        "cluster_nombre": "str",
        "rubro_top": "str",
        "score_supermercado": "float64",
        "score_farmacia": "float64",
        "score_restaurante": "float64",
        "fecha_modelo": "str",
    }


def test_probabilities_stand_before_the_date_row_by_row():
    chances = pd.DataFrame({"prob_1": [0.9, 0.25, None], "prob_0": [0.1, 0.75, None]})

    table = customer_segments(FEATURES, MEMBERS, IDENTITY, chances)

    assert list(table.columns)[-3:] == ["prob_1", "prob_0", "fecha_modelo"]
    expected = pd.Series([None, 0.25, 0.9], name="prob_1", dtype="float64")
    pd.testing.assert_series_equal(table["prob_1"], expected)


def test_a_column_that_the_export_does_not_list_is_an_error(monkeypatch):
    listed = [name for name in segment_columns.EXPORT_COLUMNS if name != "rubro_top"]
    monkeypatch.setattr(segment_columns, "EXPORT_COLUMNS", tuple(listed))
    with pytest.raises(ConfigurationError, match="rubro_top"):
        customer_segments(FEATURES, MEMBERS, IDENTITY)


def test_every_column_of_the_export_is_one_that_its_readers_know():
    chances = pd.DataFrame({"prob_0": [0.1, 0.75, None], "prob_1": [0.9, 0.25, None]})

    for probabilities in (None, chances):
        table = customer_segments(FEATURES, MEMBERS, IDENTITY, probabilities)
        assert order_export_columns([*table.columns, "correo"]) == list(table.columns)
