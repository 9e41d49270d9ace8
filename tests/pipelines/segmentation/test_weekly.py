"""The weekly retrain: ids are kept, what moved is told, and no date disturbs another."""

import pandas as pd
import pytest
from tests.pipelines.segmentation import retailer
from tests.pipelines.segmentation.retailer import digests

THIS, NEXT = str(retailer.MODEL_DAY), str(retailer.NEXT_WEEK)
LATER = {"features.fecha_modelo": NEXT}
IDENTITIES = "06_models/customer_segments/identities"
EXPORTS = "07_model_output/clientes_segmentados.parquet"


def segments_on(data, day):
    file = data / EXPORTS / f"fecha_modelo={day}/clientes.parquet"
    return pd.read_parquet(file).set_index("dni")["cluster_id"]


def test_next_week_keeps_ids_and_names_and_tells_who_moved(data_next_week, stored):
    before, after = (load() for load in stored("identities").values())
    assert (after["previous"], before["previous"]) == (THIS, None)
    assert (after["ids"], after["names"]) == (before["ids"], before["names"])
    was, now = (segments_on(data_next_week, day) for day in (THIS, NEXT))
    placed = (was >= 0) | (now >= 0)
    told = stored("migration")
    assert (told["previous"], told["current"]) == (THIS, NEXT)
    assert (told["births"], told["deaths"], told["renamed"]) == ([], [], [])
    assert told["changed_customers"] == (was != now).sum()
    assert told["same_segment_share"] == pytest.approx((was == now)[placed].mean())
    assert told["same_segment_share"] > 0.95
    assert stored("migration_matrix")["customers"].sum() == len(was)
    for said in (stored("segment_report"), stored("headline")["sentence"]):
        assert f"desde el modelo del {THIS}" in said


def test_next_week_adds_its_date_beside_the_first(first_model, data_next_week, stored):
    before, after = (digests(root, IDENTITIES, EXPORTS) for root in (first_model, data_next_week))
    assert before.items() <= after.items()
    assert sorted(after.keys() - before.keys()) == [
        f"{IDENTITIES}/{NEXT}.json",
        f"{EXPORTS}/fecha_modelo={NEXT}/clientes.parquet",
    ]
    assert set(stored("segments_history")["fecha_modelo"]) == {THIS, NEXT}
    assert set(stored("segments_current")["fecha_modelo"]) == {NEXT}


def test_a_rerun_of_the_first_date_reproduces_it_and_leaves_the_newer_one(
    first_model, next_model, data_next_week, run, stored
):
    current, history = stored("segments_current"), stored("segments_history")
    run()
    by_date = (IDENTITIES, EXPORTS)
    assert digests(data_next_week, *by_date) == digests(next_model, *by_date)
    pd.testing.assert_frame_equal(stored("segments_current"), current)
    pd.testing.assert_frame_equal(stored("segments_history"), history)
    made, first = (
        digests(root, "04_feature", "06_models", "08_reporting")
        for root in (data_next_week, first_model)
    )
    assert {name: made[name] for name in first} == first


def test_a_rerun_of_the_newer_date_continues_the_same_model(next_model, data_next_week, run):
    run(settings=LATER)
    assert digests(data_next_week) == digests(next_model)


def test_a_model_that_was_never_exported_is_continued_by_its_centres(data, run, stored, caplog):
    run("feature_engineering", "segmentation", settings=LATER)
    run("feature_engineering", "segmentation", settings={"features.fecha_modelo": "2024-08-21"})
    assert f"The model of {NEXT} was never exported" in caplog.text
    before, _, after = (load() for load in stored("identities").values())
    assert (after["ids"], after["names"]) == (before["ids"], before["names"])
