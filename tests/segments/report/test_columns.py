import pytest

from clientela.segments.matrix import matrix_columns
from clientela.segments.params import ClusteringParams
from clientela.segments.report.columns import column_words, made_from

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
    assert column_words(column, LABELS) == words


def test_every_column_of_a_matrix_has_words_of_its_own(make_report):
    layout = make_report().identity.layout
    groups = ("participacion", "frecuencia", "monto_promedio", "recencia", "score", "totales")
    columns = matrix_columns(layout, groups)
    words = [column_words(column, layout.labels) for column in columns]
    assert len(set(words)) == len(columns)
    assert not any("_" in text for text in words)


def test_what_clusters_were_made_from_is_said_with_its_transformations():
    assert made_from(ClusteringParams(transformed=False)) == (
        "Se agrupó por la parte del gasto que va a cada rubro: tal cual, estandarizado."
    )
    both = made_from(ClusteringParams(columns=("participacion", "totales", "score")))
    assert "raíz cuadrada" in both
    assert "logaritmo" in both
    assert "logaritmo" not in made_from(ClusteringParams(columns=("participacion",)))
