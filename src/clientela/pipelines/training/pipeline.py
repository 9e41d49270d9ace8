"""Training of one use case: from its model input to champion, artefacts and card."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from clientela.models import scoring
from clientela.models.problem import Problem
from clientela.pipelines.assembly import LABELLING, create_stage_pipeline
from clientela.pipelines.training import (
    card_labels,
    card_tables,
    holdout_evaluation,
    label_value,
    model_card,
    model_selection,
    nodes,
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
CUTOFF_FACTS = {
    "model_input": "learning_part",
    "backtest": "backtest",
    "scored": "scored_shares",
    "shares": "class_shares",
    "required_grades": "required_grades",
}

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
    "withheld": "withheld",
}


# What only the card of a model tells whose labels were made.
LABEL_FACTS = {"labels": "label_facts"}


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Model input in; models, metrics, figures and model card out.

    Args:
        use_case: Whose; its task decides which kinds of models there are.
    """
    if use_case.task == "binary":
        made = LABELLING in use_case.stages
        card_inputs = BINARY_FACTS | (LABEL_FACTS if made else {})
        own = [
            *_create_fit_nodes(nodes.create_binary_problem, "training_part"),
            *_create_binary_nodes(),
            *(_create_label_nodes() if made else ()),
            *_create_report_nodes(card_inputs),
        ]
    else:
        own = [
            *_create_fit_nodes(nodes.create_ordinal_problem, "learning_part"),
            *_create_scoring_model_nodes(),
            *_create_required_nodes(),
            *_create_report_nodes(CUTOFF_FACTS, "required_predictions", "required_"),
        ]
    return create_stage_pipeline(use_case, "training", own)


def _create_fit_nodes(create_problem: Callable[..., Problem], learned: str) -> list[Node]:
    """From features to a choice: the required parts, and the comparison on what is learned."""
    return [
        Node(
            create_problem,
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
            inputs=[learned, "problem"],
            outputs="tuned",
            name="tuned",
        ),
        Node(
            model_selection.evaluate_candidates,
            inputs=[learned, "tuned", "problem"],
            outputs="fold_grades",
            name="fold_grades",
        ),
        Node(
            model_selection.select_champion,
            inputs=[learned, "fold_grades", "tuned", "problem"],
            outputs=["leaderboard", "choice"],
            name="choice",
        ),
        Node(
            scoring.compute_holdout_metrics,
            inputs=["test_predictions", "problem"],
            outputs="test_grades",
            name="test_grades",
        ),
    ]


def _create_report_nodes(
    own: dict[str, str], required: str = "test_predictions", prefix: str = ""
) -> list[Node]:
    """Reports of the required model, charts and card.

    Args:
        own: What only this card tells: argument to dataset.
        required: Predictions of the required model on its test part.
        prefix: Of the datasets with its choice and grades.
    """
    grades = f"{prefix}grades" if prefix else "test_grades"
    return [
        Node(
            holdout_evaluation.build_required_reports,
            inputs=[required, f"{prefix}choice", grades, "problem"],
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


def _create_scoring_model_nodes() -> list[Node]:
    """The model that scores customers: tested on past days, then learned up to today."""
    return [
        Node(
            nodes.select_learning_rows,
            inputs=["cutoff_rows", "cutoff_plan", "leakage_report", "problem"],
            outputs=["learning_part", "backtest_part"],
            name="learning_parts",
        ),
        Node(
            nodes.run_backtest,
            inputs=["cutoff_rows", "cutoff_plan", "choice", "problem"],
            outputs=["test_predictions", "backtest"],
            name="backtest",
        ),
        Node(
            nodes.fit_scoring_model,
            inputs=["cutoff_rows", "model_input", "cutoff_plan", "choice", "problem"],
            outputs="champion",
            name="scoring_model",
        ),
        Node(
            nodes.describe_scored_customers,
            inputs=["champion", "scoring_features", "cutoff_rows", "backtest", "problem"],
            outputs="scored_shares",
            name="scored_shares",
        ),
        Node(
            nodes.explain_scoring_and_required,
            inputs=["learning_part", "training_part", "champion", "required_model", "problem"],
            outputs="explanations",
            name="explanations",
        ),
    ]


def _create_required_nodes() -> list[Node]:
    """The required model on transactions: its own cutoff, test part and files."""
    return [
        Node(
            nodes.fit_required_model,
            inputs=["training_part", "problem"],
            outputs=["required_model", "required_choice"],
            name="required_model",
        ),
        Node(
            nodes.evaluate_required_model,
            inputs=["training_part", "test_part", "required_model", "problem"],
            outputs=["required_predictions", "required_grades"],
            name="required_predictions",
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
            model_selection.fit_final_models,
            inputs=["training_part", "choice", "tuned", "problem"],
            outputs=["champion", "required_model"],
            name="final_models",
        ),
        Node(
            holdout_evaluation.predict_test_part,
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
            card_tables.explain_models,
            inputs=["training_part", "champion", "required_model", "problem"],
            outputs="explanations",
            name="explanations",
        ),
        Node(
            nodes.build_binary_leakage_report,
            inputs=["model_input", "problem", "params:leakage"],
            outputs="leakage_report",
            name="leakage_report",
        ),
        Node(
            holdout_evaluation.evaluate_secondary_holdout,
            inputs=["model_input", "choice", "tuned", "test_predictions", "problem"],
            outputs=["other_holdout", "required_table"],
            name="other_test",
        ),
        Node(
            holdout_evaluation.compare_withheld,
            inputs=["training_part", "test_part", "choice", "test_predictions", "problem"],
            outputs="withheld",
            name="withheld",
        ),
        Node(
            holdout_evaluation.build_decision_tables,
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
