"""Credit pre-authorisation as a person runs it, from a raw file to scores."""

import json

import pandas as pd
import pytest
from tests.small_project import TRAINING

APPLICATIONS = "01_raw/credit_preauth/credit_data.csv"
NINE = "Age,Sex,Job,Housing,Savings account,Checking account,Credit amount,Duration,Purpose"


@pytest.fixture
def run_preauth(run_kedro, data_root):
    """Runs credit_preauth on lines of a raw file, and gives the catalog."""

    def run(lines, stages="ingestion,labelling,feature_engineering", **options):
        path = data_root / APPLICATIONS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, ""]), "utf-8")
        return run_kedro(*stages.split(","), namespaces=["credit_preauth"], **options)

    return run


def test_a_missing_account_is_unknown_whether_it_is_empty_or_written_as_na(run_preauth):
    lines = [
        f",{NINE},Risk",  # with the row numbers that pandas exports
        "0,35,male,2,own,little,NA,2500,12,car,good risk",
        "1,22,female,1,rent,,Moderate,5951,48,radio/TV,bad risk",
        "2,49,male,1,free,n/a,rich,2096,12,education,",
    ]
    catalog = run_preauth(lines)
    accepted = catalog.load("credit_preauth.accepted_applications").execute()
    assert accepted["Checking account"].isna().sum() == 1
    assert sorted(accepted["Unnamed: 0"]) == ["0", "1", "2"]
    rows = catalog.load("credit_preauth.scoring_features").sort_values("Age")
    assert list(rows["Savings account"]) == ["unknown", "little", "unknown"]
    assert list(rows["Checking account"]) == ["moderate", "unknown", "rich"]
    assert rows["monto_por_mes"].round(2).tolist() == [123.98, 208.33, 174.67]
    # whoever labels reads what a model reads
    described = catalog.load("credit_preauth.labels")["description"]
    assert described.str.contains("Checking account: unknown").sum() == 1
    assert described.str.contains("Savings account: unknown").sum() == 2
    learned = catalog.load("credit_preauth.model_input")
    assert set(learned["target"]) <= {"bad risk", "good risk"}


def test_the_nine_columns_alone_are_labelled_and_not_judged(run_preauth):
    good, bad = "35,male,2,own,rich,rich,2500,12,car", "22,female,1,rent,,little,5951,48,radio/TV"
    catalog = run_preauth([NINE, good, bad])
    accepted = catalog.load("credit_preauth.accepted_applications").execute()
    assert accepted["Risk"].isna().all()
    labels = catalog.load("credit_preauth.labels")
    assert labels["truth"].isna().all()
    assert sorted(labels["label"]) == ["bad risk", "good risk"]


@pytest.mark.slow
def test_applications_become_scores_by_the_tuned_model_of_the_form(finished):
    data = finished / "data"
    required = data / "06_models/credit_preauth/required/metadata/metadata.json"
    manifest = json.loads(required.read_text("utf-8"))
    assert manifest["candidate"] == "xgboost"
    assert sorted(manifest["features"]) == sorted(NINE.split(","))
    tuned = json.loads((data / "06_models/credit_preauth/tuned.json").read_text("utf-8"))["xgboost"]
    assert tuned["trials"] == TRAINING["tuning"]["trials"]
    assert manifest["params"] == tuned["params"]
    scores = pd.read_csv(data / "07_model_output/credit_preauth/scores.csv")
    accepted = pd.read_parquet(data / "03_primary/applications.parquet")
    assert sorted(scores["id_solicitud"]) == sorted(accepted["id_solicitud"])
    assert not scores["imputadas"].astype(str).str.contains("account").any()
