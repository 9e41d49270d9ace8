from datetime import date

import pandas as pd
import pytest
from tests.features.tables import at
from tests.segments.tables import Data, Person, Shop, Tx

from clientela.exceptions import TrainingDataError
from clientela.features.segment_columns import ColumnLayout, SegmentFeatureParams
from clientela.models.segmentation import SegmentIdentity
from clientela.pipelines.feature_engineering import nodes

PARAMS = SegmentFeatureParams(categoricals={"canal": 2})
ROWS = [
    Tx("ana", at("2024-02-10"), "ropa", categoria="Ropa", canal="APP"),
    Tx("ana", at("2024-02-11"), "farmacia", canal="APP"),
    Tx("beto", at("2024-02-20"), "farmacia", canal="TIENDA"),
    Tx("beto", at("2024-02-29 18:00"), "farmacia", canal="APP"),
]
PEOPLE = [Person("ana", date(1990, 2, 28), "F", 3), Person("celia", estrato_social=5)]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop()


def observed(shop: Shop, rows: list[Tx]) -> dict[str, pd.DataFrame]:
    tables = nodes.summarize_rubros(Shop.transactions, Shop.customers, PARAMS)
    data = Data(rows, [])
    return {
        name: pd.DataFrame(shop.rows(table, data), columns=list(table.columns))
        for name, table in tables.items()
    }


def model_of(layout: ColumnLayout) -> SegmentIdentity:
    return SegmentIdentity(
        fecha_modelo=layout.fecha_modelo,
        layout=layout,
        columns=(),
        transformed=True,
        centers=(),
        ids=(),
        names={},
        name_reasons={},
    )


def test_what_was_observed_is_in_order_whatever_the_order_of_rows(shop: Shop) -> None:
    there, back = observed(shop, ROWS), observed(shop, ROWS[::-1])
    assert there["rubros"]["rubro"].tolist() == ["farmacia", "ropa"]
    assert there["values"]["value"].tolist() == ["APP", "TIENDA"]
    for name, table in there.items():
        pd.testing.assert_frame_equal(table, back[name])


def test_the_first_layout_takes_the_date_and_the_rubros_of_the_data(shop: Shop) -> None:
    made = ColumnLayout.model_validate(nodes.create_column_layout(observed(shop, ROWS), {}, PARAMS))
    assert made.fecha_modelo == date(2024, 2, 29)
    assert made.slugs == ["farmacia", "ropa"]
    assert made.value_slugs == {"canal": ["app", "tienda"]}


def test_the_rubros_of_the_model_before_are_kept_and_a_later_model_is_not_read(
    shop: Shop,
) -> None:
    seen = observed(shop, ROWS)
    first = ColumnLayout.model_validate(nodes.create_column_layout(seen, {}, PARAMS))
    turned = first.model_copy(
        update={"fecha_modelo": date(2024, 2, 22), "rubros": first.rubros[::-1]}
    )
    identities = {
        "2024-02-22": lambda: model_of(turned).model_dump(mode="json"),
        "2024-02-29": lambda: pytest.fail("a model of the same date was read"),
    }
    made = ColumnLayout.model_validate(nodes.create_column_layout(seen, identities, PARAMS))
    assert made.slugs == ["ropa", "farmacia"]


def test_without_rows_there_is_no_layout(shop: Shop) -> None:
    with pytest.raises(TrainingDataError, match=r"transactions is empty.*--pipelines=ingestion"):
        nodes.create_column_layout(observed(shop, []), {}, PARAMS)


def test_features_hold_buyers_and_known_customers_in_the_columns_of_the_layout(shop: Shop) -> None:
    layout = nodes.create_column_layout(observed(shop, ROWS), {}, PARAMS)
    table = nodes.compute_rubro_features(Shop.transactions, Shop.customers, layout, PARAMS)
    found = shop.by_customer(table, Data(ROWS, PEOPLE))
    assert {key: row["num_tx"] for key, row in found.items()} == {"ana": 2, "beto": 2, "celia": 0}
    assert {key: row["participacion_farmacia"] for key, row in found.items()} == {
        "ana": 0.5,
        "beto": 1.0,
        "celia": 0.0,
    }
    assert {key: row["estrato_social"] for key, row in found.items()} == {
        "ana": 3.0,
        "beto": None,
        "celia": 5.0,
    }
