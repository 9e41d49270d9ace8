"""What made labels are worth: against the truth, and in judgements of people."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from tests.modelling.binary_cases import loans, problem

from clientela.features.table_settings import BinaryTarget
from clientela.models.settings import AuditSettings
from clientela.pipelines.training.card_labels import (
    LabelCardData,
    build_label_section,
    format_label_value,
    format_truth_comparison,
    format_unaudited_warning,
)
from clientela.pipelines.training.label_value import (
    compute_learning_curve,
    evaluate_against_truth,
    find_equivalent_size,
)
from clientela.reporting.page import Table

TARGET = BinaryTarget.model_validate(
    {
        "column": "pago",
        "negative": {"label": "no_paga", "name": "no_paga"},
        "positive": {"label": "paga", "name": "paga"},
    }
)
CHOICE = {
    "champion": {"candidate": "logistica", "features": "required", "decision": "half"},
    "params": {},
}
FEATURES = SimpleNamespace(target=TARGET)
CURVE = AuditSettings(curve_sizes=(40, 80), curve_repeats=3, least_judged=50)
LABELS = SimpleNamespace(audit=CURVE)


def judged_loans(share=1.0):
    """Loans whose truth people know of a share of them, and whose label debt alone decides."""
    rows = loans(300)
    known = np.arange(len(rows)) < share * len(rows)
    made = np.where(rows["deuda"].fillna(0) < 2, "paga", "no_paga")
    labels = pd.DataFrame({"id_credito": rows["id_credito"], "label": made})
    return rows, labels.assign(truth=rows["pago"].where(known)).astype(
        {"label": "str", "truth": "str"}
    )


@pytest.fixture
def predictions():
    rows, _ = judged_loans()
    scores = 1 / (1 + rows["deuda"].fillna(2.0).to_numpy())
    shared = {"id_credito": rows["id_credito"], "true": 0, "predicted": 1}
    return pd.concat(
        pd.DataFrame({"model": model, **shared, "expected": p, "p_no_paga": 1 - p, "p_paga": p})
        for model, p in (("champion", scores), ("todos_pagan", np.full(len(rows), 0.5)))
    ).reset_index(drop=True)


def test_both_figures_are_of_the_same_rows_and_those_of_scikit_learn(predictions):
    rows, labels = judged_loans(share=0.5)
    found = evaluate_against_truth(predictions, labels, problem(), FEATURES, LABELS)
    both = labels.dropna()
    scores = predictions[predictions["model"] == "champion"].set_index("id_credito")["p_paga"]
    for name in ("label", "truth"):
        expected = roc_auc_score(both[name] == "paga", scores.loc[both["id_credito"]])
        figures = found["models"]["champion"][name]
        assert figures["value"] == pytest.approx(expected)
        assert figures["lower"] <= figures["value"] <= figures["upper"]
    assert found["rows"] == len(rows) // 2
    assert found["models"]["todos_pagan"]["truth"]["value"] == 0.5


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_too_few_judged_rows_state_nothing(predictions, share):
    _, labels = judged_loans(share)
    found = evaluate_against_truth(predictions, labels, problem(), FEATURES, LABELS)
    assert (found["judged"], found["models"]) == (False, {})


def test_the_curve_has_a_point_per_size_and_one_of_the_made_labels():
    rows, labels = judged_loans()
    curve = compute_learning_curve(rows, labels, CHOICE, problem(), FEATURES, LABELS)
    assert list(zip(curve["learned_from"], curve["size"], curve["splits"], strict=True)) == [
        ("labels", 180, 3),
        ("truth", 40, 3),
        ("truth", 80, 3),
    ]
    assert curve["mean"].between(0.4, 1).all()
    again = compute_learning_curve(rows, labels, CHOICE, problem(), FEATURES, LABELS)
    pd.testing.assert_frame_equal(curve, again)


def test_the_curve_does_not_depend_on_the_order_of_the_rows():
    rows, labels = judged_loans()
    curve = compute_learning_curve(rows, labels, CHOICE, problem(), FEATURES, LABELS)
    other = compute_learning_curve(
        rows.sample(frac=1, random_state=1), labels, CHOICE, problem(), FEATURES, LABELS
    )
    pd.testing.assert_frame_equal(curve, other)


def test_labels_that_are_the_truth_are_worth_all_of_it():
    rows, labels = judged_loans()
    honest = labels.assign(label=labels["truth"])
    all_of_it = CURVE.model_copy(update={"curve_sizes": (180,)})
    everything = SimpleNamespace(audit=all_of_it)
    curve = compute_learning_curve(rows, honest, CHOICE, problem(), FEATURES, everything).set_index(
        "learned_from"
    )
    assert curve.loc["labels", "mean"] == pytest.approx(curve.loc["truth", "mean"])


def test_no_row_of_the_test_is_learned_from():
    """Labels that lie about every judged row would be seen through otherwise."""
    rows, labels = judged_loans(share=0.5)
    swapped = labels["truth"].map({"paga": "no_paga", "no_paga": "paga"})
    lying = labels.assign(label=swapped.fillna(labels["label"]).astype("str"))
    curve = compute_learning_curve(rows, lying, CHOICE, problem(), FEATURES, LABELS)
    # 150 judged, of which a test of 60 is left out of 300 made labels
    assert curve.set_index("learned_from").loc["labels", "size"] == 240


def test_too_few_judgements_make_no_curve():
    rows, labels = judged_loans(share=0.1)
    curve = compute_learning_curve(rows, labels, CHOICE, problem(), FEATURES, LABELS)
    assert curve.empty
    assert find_equivalent_size(curve) is None


def curve_of(made, *truth):
    rows = [("labels", 500, made), *(("truth", size, mean) for size, mean in truth)]
    frame = pd.DataFrame(rows, columns=["learned_from", "size", "mean"])
    return frame.assign(sd=0.02, splits=10)


@pytest.mark.parametrize(
    ("made", "expected"),
    [(0.5, (0.0, 50.0)), (0.65, (50.0, 100.0)), (0.7, (50.0, 100.0)), (0.9, (100.0, np.inf))],
)
def test_made_labels_are_worth_as_much_as_the_two_neighbouring_sizes(made, expected):
    assert find_equivalent_size(curve_of(made, (50, 0.6), (100, 0.7))) == expected


def facts(learn_from="labels", *, audited=True, judged=True, made=0.65):
    spread = {"value": 0.8, "lower": 0.7, "upper": 0.9}
    names = ("accuracy", "kappa", "mcc", "recall_positive")
    audit = {
        "source": "rules-1",
        "learn_from": learn_from,
        "status": {"labelled": 490, "abstained": 8, "throttled": 2},
        "judged": 120 if audited else 3,
        "least_judged": 50,
        "audited": audited,
        "commonest_share": 0.7 if audited else None,
        "favourable": "good risk",
        "agreement": {"rows": 120, "measures": dict.fromkeys(names, spread)} if audited else None,
        "stability": {"rows": 50, "repeats": 2, "unanimous": 0.96, "pairwise": 0.97},
        "faithfulness": {"described": 498, "unfaithful": 4, "numbers": 5},
    }
    shares = pd.DataFrame(
        {
            "column": ["Sex"],
            "group": ["female"],
            "rows": [100],
            "selection_rate": [0.69],
            "selection_ratio": [0.92],
            "verdict": ["within"],
        }
    )
    both = {"label": {"value": 0.99, "lower": 0.98, "upper": 1.0}, "truth": spread}
    grades = {
        "metric": "roc_auc",
        "rows": 60,
        "judged": judged,
        "models": {"champion": both} if judged else {},
    }
    curve = curve_of(made, (50, 0.6), (100, 0.7)) if judged else curve_of(made).iloc[:0]
    return LabelCardData(audit, shares, grades, curve, find_equivalent_size(curve))


def test_labels_that_nobody_audited_are_named_so():
    said = format_unaudited_warning(facts(audited=False), "solicitudes")
    assert said.startswith("ETIQUETAS SIN AUDITAR: las hizo rules-1 y solo 3 solicitudes")
    assert format_unaudited_warning(facts(), "solicitudes") is None


def test_both_figures_stand_side_by_side_with_the_reason():
    said = format_truth_comparison(facts(), "solicitudes")
    assert "0,990 [0,980; 1,000] frente a las etiquetas y 0,800 [0,700; 0,900]" in said
    assert "aprende a imitarlas" in said
    assert "8 solicitudes en las que el etiquetador se abstuvo" in said
    assert format_truth_comparison(facts(judged=False), "solicitudes") is None


def test_a_model_that_learned_the_truth_says_so():
    said = format_truth_comparison(facts("mixed"), "solicitudes")
    assert said.startswith("El modelo aprendió lo que juzgaron personas (de los juicios")
    assert "imitarlas" not in said


@pytest.mark.parametrize(
    ("made", "words"),
    [(0.5, "menos de 50"), (0.65, "entre 50 y 100"), (0.9, "más de 100")],
)
def test_the_worth_of_labels_is_told_in_judgements(made, words):
    said = format_label_value(facts(made=made))
    assert said.startswith(f"500 etiquetas hechas valen tanto como {words} juicios de personas")


def test_the_section_tells_everything_that_was_checked():
    section = build_label_section(facts(), ("good risk", "bad risk"), "solicitudes")
    text, status, agreement, groups, worth, curve = section.blocks
    assert "4 de 498 descripciones traen números" in text.text
    assert "dijo lo mismo en el 96,0 %" in text.text
    assert list(status.frame["Resultado"]) == [
        "etiquetado",
        "el etiquetador se abstuvo",
        "el modelo de lenguaje estaba ocupado",
    ]
    assert "acertaría en el 70,0 %" in agreement.note
    assert list(groups.frame["Etiqueta «good risk»"]) == ["69,0 %"]
    assert worth.emphasis
    assert list(curve.frame["Cuántos"]) == ["500", "50", "100"]


def test_a_section_without_judgements_has_no_agreement_and_no_curve():
    section = build_label_section(facts(audited=False, judged=False), ("g", "b"), "solicitudes")
    titles = [block.title for block in section.blocks if isinstance(block, Table)]
    assert titles == ["Qué fue de cada fila", "Etiquetas por grupo"]
