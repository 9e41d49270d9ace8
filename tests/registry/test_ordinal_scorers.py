import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from tests.registry.agreement import as_bytes, assert_same, split
from tests.registry.loans import scores, served
from tests.registry.shoppers import FEATURES, FIELDS, MODELS, customers, learned

from clientela.features.columns import build_columns
from clientela.models.estimator_kinds import ORDINAL_KINDS
from clientela.models.ordinal_decision import OrdinalDecisionClassifier
from clientela.models.ordinal_estimators import OrdinalRegressor
from clientela.models.stored_model import StoredModel
from clientela.registry.scorers import build_scorer

CUSTOMERS = customers()


@pytest.fixture(scope="module")
def models():
    """Every kind with every rule, and its scorer through a package."""
    found = {}
    for kind, rule in MODELS:
        model = learned(kind, rule, CUSTOMERS)
        found[kind, rule] = model, build_scorer(served(model, FIELDS))
    return found


def cases_of(frame):
    return frame[list(FEATURES)].to_dict("records")


def test_every_kind_is_tried():
    assert {kind for kind, _ in MODELS} == set(ORDINAL_KINDS)


@pytest.mark.parametrize("asked", MODELS)
def test_every_customer_is_answered_as_batch_scoring_does(models, asked):
    model, scorer = models[asked]
    answers = scorer.answers(build_columns(cases_of(CUSTOMERS), FIELDS))
    assert_same(answers, scorer.manifest, scores(model, CUSTOMERS), "valor_esperado")


ANY_CUSTOMER = st.fixed_dictionaries(dict.fromkeys(FEATURES, st.floats(-1e9, 1e9)))


@settings(max_examples=15)
@given(cases=st.lists(ANY_CUSTOMER, min_size=1, max_size=8))
def test_whatever_a_request_holds_is_answered_as_batch_scoring_does(models, cases):
    frame = CUSTOMERS.head(len(cases)).assign(
        **{name: [case[name] for case in cases] for name in FEATURES}
    )
    for model, scorer in models.values():
        answers = scorer.answers(build_columns(cases, FIELDS))
        assert_same(answers, scorer.manifest, scores(model, frame), "valor_esperado")


@pytest.mark.parametrize("asked", MODELS)
def test_a_case_gets_the_same_bytes_in_any_company(models, asked):
    _, scorer = models[asked]
    cases = cases_of(CUSTOMERS)
    whole = as_bytes(scorer.answers(build_columns(cases, FIELDS)))
    for size in (1, 7, 64):
        parts = [scorer.answers(build_columns(part, FIELDS)) for part in split(cases, size)]
        assert as_bytes(*parts) == whole


@pytest.mark.parametrize("asked", MODELS)
def test_a_missing_value_counts_as_none_bought_and_is_told(models, asked):
    model, scorer = models[asked]
    case = cases_of(CUSTOMERS)[0]
    answers = scorer.answers(build_columns([case | {"edad": None}], FIELDS))
    expected = scores(model, CUSTOMERS.head(1).assign(edad=0.0))
    assert_same(answers, scorer.manifest, expected, "valor_esperado")
    assert answers.imputed.tolist() == [[False, False, True, False]]


def test_reasons_are_those_of_batch_scoring(models):
    model, scorer = models["xgboost_regressor", "nearest"]
    expected = scores(model, CUSTOMERS.head(9), 2).filter(like="razon")
    found = scorer.reasons(build_columns(cases_of(CUSTOMERS.head(9)), FIELDS), 2)
    assert found == [list(row.dropna()) for _, row in expected.iterrows()]


@pytest.mark.parametrize("kind", ["xgboost_cumulative", "proportional_odds", "majority"])
def test_a_class_that_nobody_had_is_never_answered(kind):
    rows = customers(classes=3)
    model = learned(kind, None, rows)
    scorer = build_scorer(served(model, FIELDS))
    answers = scorer.answers(build_columns(cases_of(rows), FIELDS))
    assert_same(answers, scorer.manifest, scores(model, rows), "valor_esperado")
    assert (answers.probabilities[:, 3] == 0).all()


@pytest.mark.parametrize(
    "estimator",
    [
        OrdinalRegressor(LogisticRegression(), values=(0.0, 1.0, 2.0, 4.0), folds=2),
        OrdinalDecisionClassifier(LogisticRegression(), values=(0.0, 1.0, 2.0, 4.0)),
    ],
)
def test_what_no_compiler_knows_is_asked_as_it_is(estimator):
    codes = np.searchsorted([1, 2, 4], CUSTOMERS["compras_tecnologia_3m"], side="right")
    few = CUSTOMERS.assign(**{name: CUSTOMERS[name] / 100 for name in FEATURES})
    fitted = estimator.fit(few[list(FEATURES)], codes)
    manifest = learned("majority", None, CUSTOMERS).manifest
    model = StoredModel(fitted, manifest)
    scorer = build_scorer(served(model, FIELDS))
    answers = scorer.answers(build_columns(cases_of(few), FIELDS))
    assert_same(answers, scorer.manifest, scores(model, few), "valor_esperado")
