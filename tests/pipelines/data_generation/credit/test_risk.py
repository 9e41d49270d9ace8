import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer

from clientela.pipelines.data_generation.credit import (
    CreditSimulation,
    compute_late_probability,
    draw_late_payments,
    draw_leaky_score,
)
from clientela.pipelines.data_generation.simulation import RowBlock, expected_roc_auc


def test_exactly_the_stated_share_is_late(loans):
    assert (loans["Pago_atiempo"] == 0).sum() == 511


def test_puntaje_is_the_answer_in_disguise(loans):
    late = loans.loc[loans["Pago_atiempo"] == 0, "puntaje"]
    on_time = loans.loc[loans["Pago_atiempo"] == 1, "puntaje"]
    assert late.max() == pytest.approx(62.67, abs=0.5)
    assert late.min() == pytest.approx(-37, abs=1)
    assert on_time.min() >= 63.81
    assert on_time.max() == 95.227787
    assert (on_time == 95.227787).mean() == pytest.approx(0.92, abs=0.01)


def test_puntaje_of_any_outcome_separates_the_classes():
    late = np.random.default_rng(1).integers(0, 2, 5_000)
    score = draw_leaky_score(np.random.default_rng(2), late)
    assert score[late == 1].max() < score[late == 0].min()


def test_the_probabilities_are_calibrated():
    block = RowBlock(0, 1, 0, 200_000)
    trait = np.random.default_rng(3).normal(0, 0.9, block.rows)
    late, probability = draw_late_payments(block, np.random.default_rng(4), trait)
    assert late.sum() == block.count(0.0475)
    for part in np.array_split(np.argsort(probability), 5):
        assert late[part].mean() == pytest.approx(probability[part].mean(), abs=0.006)


def test_the_ceiling_leaves_room_for_an_honest_seventy_only():
    ceilings = [
        expected_roc_auc(compute_late_probability(CreditSimulation(seed=seed))) for seed in range(4)
    ]
    assert ceilings == pytest.approx([0.725] * 4, abs=0.006)


def test_a_sound_model_reaches_about_seventy(loans):
    numbers = loans.select_dtypes("number").drop(columns=["puntaje", "Pago_atiempo"])
    X = numbers.assign(
        independiente=loans["tipo_laboral"] == "Independiente",
        decreciente=loans["tendencia_ingresos"] == "Decreciente",
    )
    model = make_pipeline(
        SimpleImputer(), QuantileTransformer(n_quantiles=100), LogisticRegression()
    )
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    late = 1 - loans["Pago_atiempo"]
    score = cross_val_predict(model, X.astype(float), late, cv=folds, method="predict_proba")
    assert roc_auc_score(late, score[:, 1]) == pytest.approx(0.70, abs=0.02)


def test_no_single_honest_column_is_suspicious(loans):
    numbers = loans.select_dtypes("number").drop(columns=["puntaje", "Pago_atiempo"])
    for name, values in numbers.items():
        known = values.notna()
        area = roc_auc_score(loans.loc[known, "Pago_atiempo"], values[known])
        assert max(area, 1 - area) < 0.66, name
