import pytest

from clientela.features.segment_columns import ClusteringParams, list_matrix_columns
from clientela.pipelines.segmentation.report_data import describe_clustering_input, describe_column

LABELS = {"farmacia": "Farmacia", "farmacia_natural": "Farmacia natural"}


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("participacion_farmacia", "Farmacia: parte del gasto"),
        ("recencia_farmacia_natural_dias", "Farmacia natural: días desde la última compra"),
        ("frecuencia_farmacia_natural", "Farmacia natural: compras"),
        ("num_tx", "compras"),
        ("participacion_canal_app", "canal app: parte de las compras"),
    ],
)
def test_columns_are_put_into_words(column, words):
    assert describe_column(column, LABELS) == words


def test_every_column_of_a_matrix_has_words_of_its_own(make_report):
    layout = make_report().identity.layout
    groups = ("participacion", "frecuencia", "monto_promedio", "recencia", "score", "totales")
    columns = list_matrix_columns(layout, groups)
    words = [describe_column(column, layout.labels) for column in columns]
    assert len(set(words)) == len(columns)
    assert not any("_" in text for text in words)


def test_what_clusters_were_made_from_is_said_with_its_transformations():
    assert describe_clustering_input(ClusteringParams(transformed=False)) == (
        "Se agrupó por la parte del gasto que va a cada rubro: tal cual, estandarizado."
    )
    both = describe_clustering_input(
        ClusteringParams(columns=("participacion", "totales", "score"))
    )
    assert "raíz cuadrada" in both
    assert "logaritmo" in both
    assert "logaritmo" not in describe_clustering_input(
        ClusteringParams(columns=("participacion",))
    )
