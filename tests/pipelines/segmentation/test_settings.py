"""What a person can decide: how many segments, what they are called, how sure they are."""

import pytest


def test_number_names_and_probabilities_are_taken_from_the_settings_and_explained(data, run):
    settings = {
        "segmentation.clustering.k": 4,
        "segmentation.membership.mode": "export",
        "segmentation.naming.overrides": {1: {"name": "Salud", "reason": "Lo pide mercadeo"}},
    }
    catalog = run("segmentation", "scoring", settings=settings)
    choice = catalog.load("customer_segments.k_choice")
    assert (choice["k"], choice["basis"]) == (4, "fixed")

    export = catalog.load("customer_segments.export_csv")
    assert set(export["cluster_id"]) == {-1, 0, 1, 2, 3}
    assert set(export.loc[export["cluster_id"] == 1, "cluster_nombre"]) == {"Salud"}
    assert list(export.columns)[-5:] == ["prob_0", "prob_1", "prob_2", "prob_3", "fecha_modelo"]
    chances, active = export.filter(like="prob_"), export["cluster_id"] >= 0
    assert chances[active].sum(axis=1).to_numpy() == pytest.approx(1, abs=3e-4)  # four decimals
    assert chances[~active].isna().all(axis=None)
    likeliest = chances[active].to_numpy().argmax(axis=1)
    assert (likeliest == export.loc[active, "cluster_id"]).mean() > 0.9
    in_database = catalog.load("customer_segments.segments_current")
    assert in_database["prob_0"].notna().sum() == active.sum()

    report = catalog.load("customer_segments.segment_report")
    for words in ("Son 4 segmentos porque la configuración lo fija", "Salud", "Lo pide mercadeo"):
        assert words in report


@pytest.mark.usefixtures("data")
def test_customers_without_activity_stand_last_and_no_customer_stands_in_the_report(stored):
    last = stored("segment_profile")["segments"].iloc[-1]
    assert last[["cluster_id", "cluster_nombre", "clientes"]].tolist() == [-1, "Sin actividad", 4]
    assert "Sin actividad" in stored("segment_report")
    assert "00012" not in stored("segment_report")
