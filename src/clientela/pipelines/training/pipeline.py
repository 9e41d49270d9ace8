"""Training of one use case: from its model input to champion, artefacts and card."""

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.pipelines.assembly import LABELLING, pipeline_of
from clientela.pipelines.training import binary_nodes, label_nodes, nodes

REPORTS = ("metrics", "console_metrics", "report", "report_text", "confusion", "confusion_plot")
DECISION_TABLES = ("threshold", "calibration", "gain", "fairness", "points")
PLOTS = ("leaderboard", "confusion", "calibration", "importance", "importance_required")

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
"""What every card tells: argument to dataset."""

CUTOFF_FACTS = {"cutoffs": "cutoff_comparison"}
"""What only the card of a model with cutoffs tells."""

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
"""What only the card of a binary model tells."""


LABEL_FACTS = {"labels": "label_facts"}
"""What only the card of a model tells whose labels were made."""


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Model input in; models, metrics, figures and model card out.

    Args:
        use_case: Whose; its task decides which kinds of models there are.

    Returns:
        The stage for this use case.
    """
    common = [*_learning(str(use_case.task)), *_judging()]
    if use_case.task == "binary":
        made = LABELLING in use_case.stages
        told = BINARY_FACTS | (LABEL_FACTS if made else {})
        own = [*_of_binary(), *(_of_labels() if made else ()), *_telling(told)]
    else:
        own = [*_of_cutoffs(), *_telling(CUTOFF_FACTS)]
    return pipeline_of(use_case, "training", [*common, *own])


def _learning(task: str) -> list[Node]:
    return [
        Node(
            binary_nodes.binary_problem if task == "binary" else nodes.ordinal_problem,
            inputs=["feature_schema", "params:training"],
            outputs="problem",
            name="problem",
        ),
        Node(
            nodes.parts,
            inputs=["model_input", "leakage_report", "problem"],
            outputs=["training_part", "test_part"],
            name="parts",
        ),
        Node(nodes.tuned, inputs=["training_part", "problem"], outputs="tuned", name="tuned"),
        Node(
            nodes.graded_folds,
            inputs=["training_part", "tuned", "problem"],
            outputs="fold_grades",
            name="fold_grades",
        ),
        Node(
            nodes.chosen,
            inputs=["training_part", "fold_grades", "tuned", "problem"],
            outputs=["leaderboard", "choice"],
            name="choice",
        ),
        Node(
            nodes.final_models,
            inputs=["training_part", "choice", "tuned", "problem"],
            outputs=["champion", "required_model"],
            name="final_models",
        ),
    ]


def _judging() -> list[Node]:
    return [
        Node(
            nodes.test_predictions,
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
            nodes.test_grades,
            inputs=["test_predictions", "problem"],
            outputs="test_grades",
            name="test_grades",
        ),
        Node(
            nodes.explanations,
            inputs=["training_part", "champion", "required_model", "problem"],
            outputs="explanations",
            name="explanations",
        ),
    ]


def _telling(own: dict[str, str]) -> list[Node]:
    return [
        Node(
            nodes.required_reports,
            inputs=["test_predictions", "choice", "test_grades", "problem"],
            outputs={name: f"required_{name}" for name in REPORTS},
            name="required_reports",
        ),
        Node(
            nodes.plots,
            inputs=["leaderboard", "test_predictions", "explanations", "problem"],
            outputs={name: f"training_plot_{name}" for name in PLOTS},
            name="training_plots",
        ),
        Node(
            nodes.card,
            inputs=CARD_INPUTS | own,
            outputs=["model_card", "model_card_text", "headline"],
            name="model_card",
        ),
    ]


def _of_cutoffs() -> list[Node]:
    """What only models on transactions have: features that end at a cutoff, of two modes."""
    return [
        Node(
            nodes.compared_cutoffs,
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
            nodes.required_files,
            inputs="required_model",
            outputs=["required_archive", "required_folder", "required_metadata"],
            name="required_files",
        ),
    ]


def _of_binary() -> list[Node]:
    """What only binary models on tables have."""
    return [
        Node(
            binary_nodes.leakage_report,
            inputs=["model_input", "problem", "params:leakage"],
            outputs="leakage_report",
            name="leakage_report",
        ),
        Node(
            binary_nodes.other_test,
            inputs=["model_input", "choice", "tuned", "test_predictions", "problem"],
            outputs=["other_holdout", "required_table"],
            name="other_test",
        ),
        Node(
            binary_nodes.decision_tables,
            inputs=["champion", "test_part", "test_predictions", "problem"],
            outputs={name: f"{name}_table" for name in DECISION_TABLES},
            name="decision_tables",
        ),
        Node(
            binary_nodes.model_files,
            inputs=["champion", "required_model"],
            outputs=["required_joblib", "required_metadata"],
            name="model_files",
        ),
    ]


def _of_labels() -> list[Node]:
    """What only models have whose labels were made: what they are worth against the truth."""
    return [
        Node(
            label_nodes.truth_grades,
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
            label_nodes.label_curve,
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
            label_nodes.label_facts,
            inputs=["label_audit", "label_shares", "truth_grades", "label_curve"],
            outputs="label_facts",
            name="label_facts",
        ),
    ]
