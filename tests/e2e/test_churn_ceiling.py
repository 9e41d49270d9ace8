"""On simulated visitors the best possible model is known: ours comes near it and not beyond."""

import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

from clientela.models.binary_decision import ONE_EACH, validate_costs
from clientela.models.metrics import BINARY_METRICS, bootstrap_metrics


@pytest.mark.slow
def test_the_champion_reaches_the_ceiling_and_never_passes_it(run_kedro, data_root, project_root):
    shipped = project_root / "conf/base/parameters/customer_churn.yml"
    churn = yaml.safe_load(shipped.read_text("utf-8"))["customer_churn"]
    churn["data_generation"]["rows"] = 25_000
    churn["training"] |= {"folds": 2, "bootstrap": 100}
    candidates = churn["training"]["candidates"]
    del candidates["bosque"]
    for candidate in candidates.values():
        candidate.pop("search", None)
    stages = ("data_generation", "ingestion", "feature_engineering", "training")
    catalog = run_kedro(
        *stages,
        conf={"base/parameters/customer_churn.yml": {"customer_churn": churn}},
        namespaces=["customer_churn"],
    )

    # what the data follow is linear in three columns: the simplest candidate must win
    assert catalog.load("customer_churn.choice")["champion"]["candidate"] == "logistica"
    said = catalog.load("customer_churn.test_predictions").query("model == 'champion'")
    known = pd.read_csv(data_root / "08_reporting/customer_churn/sample_truth.csv")
    rows = said.merge(known, on="user_id", validate="one_to_one")
    assert len(rows) == len(said) > 4_500

    happened, best = rows["true"].to_numpy(), rows["churn_probability"].to_numpy()
    reached = roc_auc_score(happened, rows["p_se_va"])
    ceiling = roc_auc_score(happened, best)
    assert reached == pytest.approx(ceiling, abs=0.003)
    sampled = bootstrap_metrics(
        BINARY_METRICS,
        happened,
        (best >= 0.5).astype(int),
        best,
        validate_costs(ONE_EACH),
        replicates=100,
        seed=1,
    )
    assert reached <= sampled["roc_auc"].quantile(0.975)
