"""What a person can decide: how many segments, what they are called, how sure they are."""

import pytest


def test_a_fixed_number_of_segments_is_taken_and_explained(data, run):
    catalog = run("segmentation", "scoring", settings={"segmentation.clustering.k": 4})
    choice = catalog.load("customer_segments.k_choice")
    assert (choice["k"], choice["basis"]) == (4, "fixed")
    assert set(catalog.load("customer_segments.export_csv")["cluster_id"]) == {-1, 0, 1, 2, 3}
    report = catalog.load("customer_segments.segment_report")
    assert "Son 4 segmentos porque la configuración lo fija" in report


def test_exported_membership_adds_a_probability_per_segment(data, run):
    settings = {"segmentation.membership.mode": "export"}
    catalog = run("segmentation", "scoring", settings=settings)
    export = catalog.load("customer_segments.export_csv")
    assert list(export.columns)[-4:] == ["prob_0", "prob_1", "prob_2", "fecha_modelo"]
    chances, active = export.filter(like="prob_"), export["cluster_id"] >= 0
    assert chances[active].sum(axis=1).to_numpy() == pytest.approx(1, abs=3e-4)  # four decimals
    assert chances[~active].isna().all(axis=None)
    likeliest = chances[active].to_numpy().argmax(axis=1)
    assert (likeliest == export.loc[active, "cluster_id"]).mean() > 0.9
    in_database = catalog.load("customer_segments.segments_current")
    assert in_database["prob_0"].notna().sum() == active.sum()


def test_a_name_that_a_person_gave_stands_in_export_and_report_with_its_reason(data, run):
    given = {1: {"name": "Salud", "reason": "Así la llama mercadeo"}}
    settings = {"segmentation.naming.overrides": given}
    catalog = run("segmentation", "scoring", settings=settings)
    export = catalog.load("customer_segments.export_csv")
    assert set(export.loc[export["cluster_id"] == 1, "cluster_nombre"]) == {"Salud"}
    report = catalog.load("customer_segments.segment_report")
    assert "Salud" in report
    assert "Así la llama mercadeo" in report


@pytest.mark.usefixtures("data")
def test_customers_without_activity_stand_last_in_profile_and_report(stored):
    last = stored("segment_profile")["segments"].iloc[-1]
    assert last[["cluster_id", "cluster_nombre", "clientes"]].tolist() == [-1, "Sin actividad", 4]
    assert "Sin actividad" in stored("segment_report")


@pytest.mark.usefixtures("data")
def test_no_customer_stands_in_the_report(stored):
    assert "00012" not in stored("segment_report")
