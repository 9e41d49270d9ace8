"""What a person reads when data, settings or database are not as needed."""

import pandas as pd
import pytest
from kedro.io import DatasetError
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests

from clientela.exceptions import ConfigurationError, ModelFileError, TrainingDataError
from clientela.hooks import format_error_message

NOBODY_LISTENS = "postgresql://clientela:secreta@127.0.0.1:9/tienda"
PREPARING = ("ingestion", "feature_engineering")
LATER = {"features.fecha_modelo": str(retailer.NEXT_WEEK)}
SUPERMARKET = ["SUPERMERCADO"]


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("k", 80, r"80 segments need at least 80 customers.*; 72 active customers.*clustering\.k"),
        ("minimum_transactions", 500, r"0 active customers.*Lower .*minimum_transactions \(500\)"),
    ],
)
def test_too_few_active_customers_are_counted(run, setting, value, message):
    with pytest.raises(TrainingDataError, match=message):
        run("segmentation", settings={f"segmentation.clustering.{setting}": value})


def test_shares_of_a_single_rubro_tell_nobody_apart(write_purchases, run):
    write_purchases(retailer.purchases(rubros=SUPERMARKET))
    message = r"72 active customers.*1 of them different.*if everybody is alike"
    with pytest.raises(TrainingDataError, match=message):
        run(settings={"features.rubros": SUPERMARKET})


def test_a_single_rubro_is_segmented_by_how_often_people_buy(write_purchases, run):
    write_purchases(retailer.purchases(rubros=SUPERMARKET))
    by_count = {"segmentation.clustering.columns": ["frecuencia", "monto_promedio"]}
    catalog = run(settings={"features.rubros": SUPERMARKET, **by_count})
    names = catalog.load("customer_segments.identity")["names"]
    assert len(set(names.values())) == len(names) >= 2
    export = catalog.load("customer_segments.export_csv")
    assert list(export.filter(like="score_")) == ["score_supermercado"]


def test_a_rubro_that_nobody_bought_lately_is_a_column_without_effect(write_purchases, run):
    long_ago = retailer.purchases(tastes=(0, 0, 0)).head(1)
    old = long_ago.assign(id_transaccion="x", categoria="HOGAR", fecha="2024-05-20 10:00:00")
    write_purchases(pd.concat([retailer.purchases(), old]))
    catalog = run(
        settings={"features.rubros": [*retailer.RUBROS, "HOGAR"], "features.window_months": 2}
    )
    export = catalog.load("customer_segments.export_csv")
    assert set(export["score_hogar"]) == {0.0}
    assert set(export["cluster_id"]) == {-1, 0, 1, 2}


def test_no_transaction_at_all_is_told_where_rows_went(write_purchases, run):
    write_purchases(retailer.purchases()[:0])
    with pytest.raises(TrainingDataError, match=r"transactions is empty.*--pipelines=ingestion"):
        run(*PREPARING)


def test_a_rubro_that_does_not_occur_is_answered_with_the_nearest(write_purchases, run):
    write_purchases(retailer.purchases())
    with pytest.raises(ConfigurationError, match=r"'FARMACIAS'.*Did you mean 'farmacia'\?"):
        run(*PREPARING, settings={"features.rubros": ["FARMACIAS"]})


def test_other_rubros_than_before_begin_anew_and_keep_ids_and_names(data, run, stored, caplog):
    run(settings={**LATER, "features.rubros": ["SUPERMERCADO", "FARMACIA"]})
    assert "made from other columns (participacion_otros, participacion_restaurante)" in caplog.text
    before, after = (load() for load in stored("identities").values())
    assert after["names"] == before["names"]
    assert stored("migration")["same_segment_share"] > 0.95


def test_a_model_of_other_rubros_places_nobody_and_names_the_next_step(data, run):
    before = digests(data, "06_models", "07_model_output")
    run("feature_engineering", settings={"features.rubros": SUPERMARKET})
    message = r"no longer have.*_farmacia.*--pipelines=feature_engineering,segmentation"
    with pytest.raises(ModelFileError, match=message):
        run("scoring")
    assert digests(data, "06_models", "07_model_output") == before


def test_an_unreachable_database_leaves_every_file_whole_and_hides_the_password(
    data, first_model, run
):
    files = "07_model_output/clientes_segmentados.parquet"
    (data / files / "fecha_modelo=2024-08-07/clientes.parquet").unlink()
    with pytest.raises(DatasetError) as caught:
        run(conf={"test/globals.yml": {"database": NOBODY_LISTENS}})
    said = format_error_message(caught.value)
    assert "no connection to postgresql+psycopg://clientela:***@127.0.0.1:9/tienda" in said
    assert "the files that the run wrote stay whole" in said
    assert "Then run kedro run --pipelines=scoring again" in said
    assert "secreta" not in said
    assert digests(data) == digests(first_model)
