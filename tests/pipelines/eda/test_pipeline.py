import hashlib
import json
import re


def file_hashes(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_tables_become_findings_plots_and_a_page_that_shows_no_customer(retail, explored):
    folder = explored(retail)
    plots = {path.stem for path in folder.glob("*.png")}
    assert plots == {
        "months", "hours", "categories", "customers", "transactions_numbers",
        "transactions_categories", "customers_numbers", "customers_categories",
    }  # fmt: skip
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    assert found["tables"]["transactions"]["rows"] == 600
    assert found["activity"]["categories"]["tecnologia"]["spellings"] == 2
    page = (folder / "report.html").read_text("utf-8")
    assert page.count("data:image/png") == len(plots)
    for text in (page, json.dumps(found)):
        assert not re.search(r"CLIENTE-\d|T-\d{5}", text)


def test_a_model_input_becomes_findings_and_again_the_same_bytes(purchase_intensity, explored):
    folder = explored(purchase_intensity)
    found = json.loads((folder / "findings.json").read_text("utf-8"))
    assert sum(found["target"]["counts"].values()) == 60
    assert found["persistence"]["category"] == "TECNOLOGÍA"
    assert 0 < found["persistence"]["binary_rule"]["accuracy"] <= 1
    assert len(found["summary"]) == 3
    page = (folder / "report.html").read_text("utf-8")
    assert "CLIENTE-" not in page
    second = file_hashes(explored(purchase_intensity, "second"))
    assert file_hashes(folder) == second
    assert len(second) > 10
