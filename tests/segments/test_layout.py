from datetime import date
from typing import Any

import pandas as pd
import pytest
from tests.features.tables import at

from clientela.exceptions import ConfigurationError, TrainingDataError
from clientela.features.segment_columns import (
    ColumnLayout,
    Rubro,
    SegmentFeatureParams,
    build_column_layout,
    resolve_model_date,
)

DAY = date(2024, 6, 30)
SEEN = [
    ("supermercado", "SUPERMERCADO", 90, 900),
    ("farmacia", "FARMACIA", 40, 300),
    ("farmacia", "farmacia", 20, 400),
    ("tecnologia", "TECNOLOGÍA", 50, 80),
    ("ropa", "Ropa", 10, 20),
]
VALUES = [("canal", "APP", 5), ("canal", "TIENDA", 9), ("canal", "App", 4), ("ciudad", "Cali", 3)]


def layout(
    params: SegmentFeatureParams | None = None,
    previous: ColumnLayout | None = None,
    rubros: list[tuple[str, str, int, int]] = SEEN,
    values: list[tuple[str, str, int]] = VALUES,
) -> ColumnLayout:
    observed = {
        "rubros": pd.DataFrame(rubros, columns=["rubro", "categoria", "customers", "rows"]),
        "values": pd.DataFrame(values, columns=["column", "value", "rows"]),
    }
    return build_column_layout(observed, params or SegmentFeatureParams(), DAY, previous)


def params(**settings: Any) -> SegmentFeatureParams:
    return SegmentFeatureParams(**settings)


def before(*slugs: str, **categoricals: dict[str, str]) -> ColumnLayout:
    made = tuple(Rubro(slug=slug, label=f"{slug} de antes", members=(slug,)) for slug in slugs)
    return ColumnLayout(fecha_modelo=date(2024, 6, 23), rubros=made, categoricals=categoricals)


def test_the_first_model_takes_the_rubros_with_the_most_customers_and_pools_the_rest() -> None:
    assert layout(params(top_rubros=2)) == ColumnLayout(
        fecha_modelo=DAY,
        rubros=(
            Rubro(slug="supermercado", label="Supermercado", members=("supermercado",)),
            Rubro(slug="farmacia", label="Farmacia", members=("farmacia",)),
            Rubro(slug="otros", label="Otros", members=("ropa", "tecnologia")),
        ),
    )


def test_without_pooling_other_rubros_have_no_columns() -> None:
    assert layout(params(top_rubros=2, pool_rest=False)).slugs == ["supermercado", "farmacia"]


def test_where_every_rubro_has_columns_there_is_no_rest() -> None:
    assert layout().slugs == ["supermercado", "farmacia", "tecnologia", "ropa"]


def test_rubros_of_as_many_customers_come_by_name() -> None:
    tied = [("ropa", "ROPA", 5, 9), ("cine", "CINE", 5, 1), ("hogar", "HOGAR", 6, 1)]
    assert layout(rubros=tied).slugs == ["hogar", "cine", "ropa"]


def test_rubros_that_nobody_bought_in_the_window_are_pooled() -> None:
    resting = [*SEEN, ("viajes", "VIAJES", 0, 0)]
    assert layout(rubros=resting).slugs == [
        "supermercado",
        "farmacia",
        "tecnologia",
        "ropa",
        "otros",
    ]


def test_configured_rubros_keep_their_order_and_are_compared_without_accents_and_case() -> None:
    found = layout(params(rubros=("Tecnología", "ROPA", "tecnologia"), pool_rest=False))
    assert found.labels == {"tecnologia": "Tecnología", "ropa": "Ropa"}


def test_a_configured_rubro_may_rest_in_the_window() -> None:
    resting = [*SEEN, ("viajes", "VIAJES", 0, 0)]
    assert layout(params(rubros=("viajes",)), rubros=resting).slugs == ["viajes", "otros"]


def test_a_configured_rubro_that_does_not_occur_is_refused_with_the_nearest_name() -> None:
    message = r"features.rubros names 'Farmasia', which does not occur .* Did you mean 'farmacia'\?"
    with pytest.raises(ConfigurationError, match=message):
        layout(params(rubros=("Farmasia",)))


def test_the_rubros_of_the_previous_model_are_kept_with_their_labels() -> None:
    found = layout(previous=before("ropa", "viajes"))
    assert found.rubros == (
        Rubro(slug="ropa", label="ropa de antes", members=("ropa",)),
        Rubro(slug="viajes", label="viajes de antes", members=()),
        Rubro(slug="otros", label="Otros", members=("farmacia", "supermercado", "tecnologia")),
    )


def test_configured_rubros_replace_those_of_the_previous_model() -> None:
    found = layout(params(rubros=("farmacia",), pool_rest=False), before("ropa"))
    assert found.slugs == ["farmacia"]


def test_the_rest_of_the_previous_model_stays_even_without_members() -> None:
    kept = before("supermercado", "farmacia", "tecnologia", "ropa", "otros")
    assert layout(previous=kept).rubros[-1] == Rubro(
        slug="otros", label="otros de antes", members=()
    )


@pytest.mark.parametrize("pools", [True, False])
def test_a_rubro_called_otros_is_told_apart_from_the_pooled_rest(pools: bool) -> None:
    rubros = [("otros", "OTROS", 99, 99), ("farmacia", "FARMACIA", 9, 9), ("cine", "CINE", 1, 1)]
    found = layout(params(top_rubros=1, pool_rest=pools), rubros=rubros)
    own = Rubro(slug="rubro_otros", label="Otros", members=("otros",))
    rest = Rubro(slug="otros", label="Los demás rubros", members=("cine", "farmacia"))
    assert found.rubros == ((own, rest) if pools else (own,))
    assert found.score_columns == ["score_rubro_otros"]


def test_a_label_of_the_pooled_rest_is_its_own_where_no_rubro_is_called_so() -> None:
    found = layout(params(top_rubros=1, labels={"otros": "Lo demás"}))
    assert found.labels["otros"] == "Lo demás"


def test_rubros_that_share_a_slug_share_columns() -> None:
    rubros = [("drug gm", "DRUG GM", 5, 50), ("drug-gm", "DRUG-GM", 7, 10), ("???", "???", 1, 1)]
    assert layout(rubros=rubros).rubros == (
        Rubro(slug="drug_gm", label="Drug gm", members=("drug-gm", "drug gm")),
        Rubro(slug="sin_nombre", label="???", members=("???",)),
    )


def test_a_rubro_called_total_does_not_share_a_column_with_the_total() -> None:
    rubros = [("total", "TOTAL", 5, 50)]
    assert layout(params(rubros=("Total",)), rubros=rubros).labels == {"rubro_total": "Total"}


def test_labels_are_the_most_frequent_spelling_unless_configured() -> None:
    found = layout(params(labels={"Restaurantes": "x", "ROPA": "Ropa y moda"}))
    assert found.labels == {
        "supermercado": "Supermercado",
        "farmacia": "Farmacia",
        "tecnologia": "Tecnología",
        "ropa": "Ropa y moda",
    }


def test_configured_labels_go_before_those_of_the_previous_model() -> None:
    wanted = params(labels={"ropa": "Moda", "otros": "Todo lo demás"})
    assert layout(wanted, before("ropa")).labels == {"ropa": "Moda", "otros": "Todo lo demás"}


def test_the_most_frequent_values_of_configured_categoricals_get_shares() -> None:
    found = layout(params(categoricals={"canal": 1, "ciudad": 5, "tienda": 2}))
    assert found.categoricals == {"canal": {"TIENDA": "tienda"}, "ciudad": {"Cali": "cali"}}


def test_spellings_of_a_value_share_a_column_and_count_as_one() -> None:
    found = layout(params(categoricals={"canal": 2}))
    assert found.categoricals == {"canal": {"TIENDA": "tienda", "APP": "app", "App": "app"}}
    assert found.value_slugs == {"canal": ["tienda", "app"]}


def test_values_of_the_previous_model_are_kept_column_by_column() -> None:
    kept = before("ropa", canal={"app": "app", "FAX": "fax"})
    found = layout(params(categoricals={"canal": 1, "ciudad": 1}), kept)
    assert found.value_slugs == {"canal": ["app", "fax"], "ciudad": ["cali"]}
    assert found.categoricals["canal"] == {"app": "app", "FAX": "fax", "APP": "app", "App": "app"}


def test_values_of_the_previous_model_stay_when_the_data_lack_the_column() -> None:
    kept = before("ropa", canal={"APP": "app"})
    found = layout(params(categoricals={"canal": 3}), kept, values=[])
    assert found.categoricals == {"canal": {"APP": "app"}}


def test_a_rubro_and_a_value_that_would_share_a_column_are_refused() -> None:
    rubros = [("canal app", "Canal APP", 5, 5)]
    message = "The rubro 'Canal app' and a value of 'canal' .* column participacion_canal_app"
    with pytest.raises(ConfigurationError, match=message):
        layout(params(categoricals={"canal": 3}), rubros=rubros)


def test_a_layout_comes_back_from_its_stored_form() -> None:
    made = layout(params(top_rubros=2, categoricals={"canal": 2}))
    assert ColumnLayout.model_validate_json(made.model_dump_json()) == made


def period(first: str | None, last: str | None) -> pd.DataFrame:
    return pd.DataFrame({"first": [first and at(first)], "last": [last and at(last)]})


def test_the_date_of_the_model_is_the_last_one_in_the_data() -> None:
    found = resolve_model_date(period("2023-01-01", "2024-06-30 23:00"), params())
    assert found == DAY


@pytest.mark.parametrize("day", [date(2023, 1, 1), date(2024, 1, 31), date(2024, 7, 15)])
def test_a_configured_date_is_taken(day: date) -> None:
    assert (
        resolve_model_date(period("2023-01-01 09:00", "2024-06-30"), params(fecha_modelo=day))
        == day
    )


def test_a_date_before_the_first_transaction_is_refused_with_the_dates_that_would_do() -> None:
    message = "features.fecha_modelo is 2022-12-31, before the first transaction .2023-01-01."
    with pytest.raises(ConfigurationError, match=message):
        resolve_model_date(
            period("2023-01-01", "2024-06-30"), params(fecha_modelo=date(2022, 12, 31))
        )


def test_an_empty_table_of_transactions_is_refused() -> None:
    with pytest.raises(TrainingDataError, match="at least one accepted row was expected"):
        resolve_model_date(period(None, None), params())


def test_each_odd_name_gets_a_column_or_a_sentence_that_names_it(caplog) -> None:
    long = "electrodomesticos de linea blanca y pequenos aparatos del hogar y del jardin " * 2
    rubros = [(name, name, 5, 9) for name in (long, long + "y taller", "..", "%")]
    found = layout(rubros=rubros)
    assert len(found.slugs) == 3
    assert all(len(name) <= 63 for name in found.score_columns)
    assert "'..'" in caplog.text
    assert "features.labels" in caplog.text
    caplog.clear()
    assert {"porcentaje", "sin_nombre"} < {
        *layout(params(labels={"%": "Porcentaje"}), rubros=rubros).slugs
    }
    assert not caplog.text
