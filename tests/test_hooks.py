from kedro.io import DataCatalog, MemoryDataset
from kedro_datasets.json import JSONDataset

from clientela.hooks import RunSummary


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
