"""Training of one use case: from its model input to champion, artefacts and card."""

from kedro.pipeline import Node, Pipeline

from clientela.models import scoring
from clientela.pipelines.assembly import LABELLING, create_stage_pipeline
from clientela.pipelines.training import (
    card_labels,
    card_tables,
    label_value,
    model_card,
    model_selection,
    nodes,
    test_evaluation,
)
from clientela.use_cases import UseCase

REPORTS = ("metrics", "console_metrics", "report", "report_text", "confusion", "confusion_plot")
DECISION_TABLES = ("threshold", "calibration", "gain", "fairness", "points")
PLOTS = ("leaderboard", "confusion", "calibration", "importance", "importance_required")

# What every card tells: argument to dataset.
CARD_INPUTS = {
    "model_input": "model_input",
    "table": "leaderboard",
    "choice": "choice",
    "tuned": "tuned",
    "grades": "test_grades",
    "predictions": "test_predictions",
    "champion": "champion",
    "explanations": "explanations",
    "leakage": "leakage_report",
    "problem": "problem",
}

# What only the card of a model with cutoffs tells.
CUTOFF_FACTS = {"cutoffs": "cutoff_comparison"}

# What only the card of a binary model tells.
BINARY_FACTS = {
    "thresholds": "threshold_table",
    "calibration": "calibration_table",
    "gains": "gain_table",
    "fairness": "fairness_table",
    "points": "points_table",
    "other": "other_holdout",
    "required": "required_table",
    "rows": "row_report",
}


# What only the card of a model tells whose labels were made.
LABEL_FACTS = {"labels": "label_facts"}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Model input in; models, metrics, figures and model card out.

    Args:
        use_case: Whose; its task decides which kinds of models there are.
    """
    common = [*_create_fit_nodes(str(use_case.task)), *_create_evaluation_nodes()]
    if use_case.task == "binary":
        made = LABELLING in use_case.stages
        card_inputs = BINARY_FACTS | (LABEL_FACTS if made else {})
        own = [
            *_create_binary_nodes(),
            *(_create_label_nodes() if made else ()),
            *_create_report_nodes(card_inputs),
        ]
    else:
        own = [*_create_cutoff_nodes(), *_create_report_nodes(CUTOFF_FACTS)]
    return create_stage_pipeline(use_case, "training", [*common, *own])


def _create_fit_nodes(task: str) -> list[Node]:
    return [
        Node(
            nodes.create_binary_problem if task == "binary" else nodes.create_ordinal_problem,
            inputs=["feature_schema", "params:training"],
            outputs="problem",
            name="problem",
        ),
        Node(
            nodes.split_train_test,
            inputs=["model_input", "leakage_report", "problem"],
            outputs=["training_part", "test_part"],
            name="parts",
        ),
        Node(
            model_selection.tune_candidates,
            inputs=["training_part", "problem"],
            outputs="tuned",
            name="tuned",
        ),
        Node(
            model_selection.evaluate_candidates,
            inputs=["training_part", "tuned", "problem"],
            outputs="fold_grades",
            name="fold_grades",
        ),
        Node(
            model_selection.select_champion,
            inputs=["training_part", "fold_grades", "tuned", "problem"],
            outputs=["leaderboard", "choice"],
            name="choice",
        ),
        Node(
            model_selection.fit_final_models,
            inputs=["training_part", "choice", "tuned", "problem"],
            outputs=["champion", "required_model"],
            name="final_models",
        ),
    ]


def _create_evaluation_nodes() -> list[Node]:
    return [
        Node(
            test_evaluation.predict_test_part,
            inputs=[
                "training_part",
                "test_part",
                "champion",
                "required_model",
                "tuned",
                "problem",
            ],
            outputs="test_predictions",
            name="test_predictions",
        ),
        Node(
            scoring.compute_holdout_metrics,
            inputs=["test_predictions", "problem"],
            outputs="test_grades",
            name="test_grades",
        ),
        Node(
            card_tables.explain_models,
            inputs=["training_part", "champion", "required_model", "problem"],
            outputs="explanations",
            name="explanations",
        ),
    ]


def _create_report_nodes(own: dict[str, str]) -> list[Node]:
    return [
        Node(
            test_evaluation.build_required_reports,
            inputs=["test_predictions", "choice", "test_grades", "problem"],
            outputs={name: f"required_{name}" for name in REPORTS},
            name="required_reports",
        ),
        Node(
            card_tables.plot_training_results,
            inputs=["leaderboard", "test_predictions", "explanations", "problem"],
            outputs={name: f"training_plot_{name}" for name in PLOTS},
            name="training_plots",
        ),
        Node(
            model_card.build_model_card,
            inputs=CARD_INPUTS | own,
            outputs=["model_card", "model_card_text", "headline"],
            name="model_card",
        ),
    ]


def _create_cutoff_nodes() -> list[Node]:
    """What only models on transactions have: features that end at a cutoff, of two modes."""
    return [
        Node(
            test_evaluation.compare_cutoff_modes,
            inputs=[
                "training_part",
                "test_part",
                "model_input_other_cutoff",
                "choice",
                "tuned",
                "problem",
            ],
            outputs="cutoff_comparison",
            name="cutoff_comparison",
        ),
        Node(
            nodes.package_required_model,
            inputs="required_model",
            outputs=["required_archive", "required_folder", "required_metadata"],
            name="required_files",
        ),
    ]


def _create_binary_nodes() -> list[Node]:
    """What only binary models on tables have."""
    return [
        Node(
            nodes.build_binary_leakage_report,
            inputs=["model_input", "problem", "params:leakage"],
            outputs="leakage_report",
            name="leakage_report",
        ),
        Node(
            test_evaluation.evaluate_secondary_holdout,
            inputs=["model_input", "choice", "tuned", "test_predictions", "problem"],
            outputs=["other_holdout", "required_table"],
            name="other_test",
        ),
        Node(
            test_evaluation.build_decision_tables,
            inputs=["champion", "test_part", "test_predictions", "problem"],
            outputs={name: f"{name}_table" for name in DECISION_TABLES},
            name="decision_tables",
        ),
        Node(
            nodes.extract_model_files,
            inputs=["champion", "required_model"],
            outputs=["required_joblib", "required_metadata"],
            name="model_files",
        ),
    ]


def _create_label_nodes() -> list[Node]:
    """What only models have whose labels were made: what they are worth against the truth."""
    return [
        Node(
            label_value.evaluate_against_truth,
            inputs=[
                "test_predictions",
                "labels",
                "problem",
                "params:features",
                "params:labelling",
            ],
            outputs="truth_grades",
            name="truth_grades",
        ),
        Node(
            label_value.compute_learning_curve,
            inputs=[
                "scoring_features",
                "labels",
                "choice",
                "problem",
                "params:features",
                "params:labelling",
            ],
            outputs="label_curve",
            name="label_curve",
        ),
        Node(
            card_labels.collect_label_facts,
            inputs=["label_audit", "label_shares", "truth_grades", "label_curve"],
            outputs="label_facts",
            name="label_facts",
        ),
    ]
