import numpy as np
import pandas as pd
import pytest

from clientela.exceptions import TrainingDataError
from clientela.models.problem import Candidate
from clientela.models.scoring import predict_scores
from clientela.models.settings import ScoringSettings
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate

LABELS = {"gasto_3m": "gasto en 3 meses"}


@pytest.fixture
def model(train, problem):
    return fit_model(train, Candidate("lineal", "required", "thresholds", {"l2": 1.0}), problem)


@pytest.fixture
def features(train):
    return train.drop(columns="target_compra_tecnologia")


def scored(model, features, **changes):
    return predict_scores(model, features, ScoringSettings(labels=LABELS, **changes))


def test_each_customer_gets_what_the_model_says(model, features, problem):
    table = scored(model, features)
    X = features[model.features]
    names = np.array(problem.schema.classes)[model.estimator.predict(X)]
    assert list(table.columns) == [
        "id_cliente", "clase", "valor_esperado", "p_sin_compra", "p_baja", "p_media", "p_alta",
        "razon_1", "razon_2", "razon_3",
    ]  # fmt: skip
    assert table["clase"].tolist() == names.tolist()
    assert table["valor_esperado"].to_numpy() == pytest.approx(model.estimator.expected_value(X))
    assert table.filter(like="p_").sum(axis=1).to_numpy() == pytest.approx(np.ones(len(table)))


@pytest.mark.parametrize("batch_size", [1000, 7])
def test_neither_batches_nor_row_order_change_a_score(model, features, batch_size):
    shuffled = features.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        scored(model, shuffled, batch_size=batch_size), scored(model, features)
    )


def test_reasons_are_words_with_value_and_direction(model, features):
    rich = features.head(1).assign(gasto_3m=12345.5)
    poor = features.head(1).assign(gasto_3m=0.0)
    assert scored(model, rich)["razon_1"].item() == "gasto en 3 meses = 12.346 (↑)"
    assert "gasto en 3 meses = 0 (↓)" in scored(model, poor).filter(like="razon").to_numpy()


def test_customers_without_history_are_labelled_and_get_no_number(model, features):
    some = features.head(4).assign(sin_historial=[0, 1, 0, 1])
    table = scored(model, some)
    assert (table["clase"] == "sin_historial").tolist() == [False, True, False, True]
    assert table["valor_esperado"].isna().tolist() == [False, True, False, True]
    assert table["p_alta"].isna().tolist() == [False, True, False, True]
    assert table.loc[1, "razon_1"] == "sin historial de compras"
    assert pd.isna(table.loc[1, "razon_2"])


def test_a_batch_without_any_history_has_all_columns(model, features):
    nobody = scored(model, features.head(2).assign(sin_historial=1))
    assert list(nobody.columns) == list(scored(model, features).columns)


def test_without_the_flag_everybody_is_scored(model, features):
    table = scored(model, features.drop(columns="sin_historial"))
    assert "sin_historial" not in set(table["clase"])


def test_an_empty_table_gives_an_empty_table(model, features):
    assert scored(model, features.head(0)).empty


def test_a_missing_feature_is_named(model, features):
    with pytest.raises(TrainingDataError, match=r"rows to score lacks the column\(s\) edad"):
        scored(model, features.drop(columns="edad"))


def test_reasons_can_be_left_out_and_never_exceed_the_features(model, features):
    assert scored(model, features, reasons=0).filter(like="razon").empty
    assert scored(model, features, reasons=5)["razon_5"].isna().all()


def test_boosted_models_give_reasons_too(train, problem, features):
    boosted = fit_model(train, get_configured_candidate("requerido", problem), problem)
    assert scored(boosted, features)["razon_1"].str.contains(" = ").all()
