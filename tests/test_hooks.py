from kedro.io import DataCatalog, MemoryDataset
from kedro_datasets.json import JSONDataset

from clientela.hooks import DriftAlerts, RunSummary


def summary_of(capsys, saved: dict[str, object]) -> str:
    catalog = DataCatalog(saved)
    summary = RunSummary()
    summary.before_pipeline_run()
    for name in saved:
        summary.after_dataset_saved(name)
    summary.after_pipeline_run(catalog)
    return capsys.readouterr().out


def listed(filepath: str) -> JSONDataset:
    return JSONDataset(filepath=filepath, metadata={"clientela": {"summary": "scores"}})


def test_a_long_path_stays_in_one_piece(capsys, tmp_path):
    path = f"{tmp_path}/{'folder/' * 30}scores.json"
    assert path in summary_of(capsys, {"scores": listed(path)})


def test_an_object_store_is_named_with_its_protocol(capsys):
    address = "s3://bucket/scores.json"
    assert address in summary_of(capsys, {"scores": listed(address)})


def test_only_what_the_catalog_marks_is_listed_and_headlines_follow(capsys):
    headline = MemoryDataset({"sentence": "El campeón supera a la regla."})
    shown = summary_of(capsys, {"aside": MemoryDataset(1), "use_case.headline": headline})
    assert "aside" not in shown
    assert "El campeón supera a la regla." in shown


def test_a_run_that_makes_nothing_to_show_ends_in_silence(capsys):
    assert summary_of(capsys, {"aside": MemoryDataset(1)}) == ""


def test_every_name_that_ends_in_headline_gives_a_sentence(capsys):
    sentence = MemoryDataset({"sentence": "No hay que hacer nada."})
    assert "No hay que hacer nada." in summary_of(capsys, {"use_case.drift_headline": sentence})


def test_alerts_of_a_run_are_remembered_until_the_next_one():
    alerts = DriftAlerts()
    alerts.after_dataset_saved("churn.drift_state", {"alert": None})
    for use_case, simulated in (("credit", False), ("wifi", True)):
        state = {"alert": {"sentence": "ALERTA"}, "current": {"simulated": simulated}}
        alerts.after_dataset_saved(f"{use_case}.drift_state", state)
    alerts.after_dataset_saved("credit.choice", {"champion": "arbol"})
    assert alerts.raised == ["credit"]
    alerts.before_pipeline_run()
    assert alerts.raised == []
