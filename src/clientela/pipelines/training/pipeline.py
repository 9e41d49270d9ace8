"""Training of one use case: from its model input to champion, artefacts and card."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from clientela.contracts.use_cases import UseCase
from clientela.modelling.problem import Problem, problem_of
from clientela.modelling.settings import TrainingSettings
from clientela.pipelines.assembly import pipeline_of
from clientela.pipelines.training import nodes

REPORTS = ("metrics", "console_metrics", "report", "report_text", "confusion", "confusion_plot")
PLOTS = ("leaderboard", "confusion", "calibration", "importance", "importance_required")


def create_pipeline(use_case: UseCase) -> Pipeline:
    """Model input in; models, metrics, figures and model card out.

    Args:
        use_case: Whose; its task decides which kinds of models there are.

    Returns:
        The stage for this use case.
    """
    return pipeline_of(
        use_case, "training", [*_learning(str(use_case.task)), *_judging(), *_telling()]
    )


def _problem_of(task: str) -> Callable[..., Problem]:
    # Kedro validates parameters by a node's annotations, which functools.partial would hide
    def problem(schema: dict[str, Any], settings: TrainingSettings) -> Problem:
        return problem_of(task, schema, settings)

    return problem


def _learning(task: str) -> list[Node]:
    return [
        Node(
            _problem_of(task),
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
            inputs=["training_part", "choice", "problem"],
            outputs=["champion", "required_model"],
            name="final_models",
        ),
    ]


def _judging() -> list[Node]:
    return [
        Node(
            nodes.test_predictions,
            inputs=["training_part", "test_part", "champion", "required_model", "problem"],
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
            nodes.explanations,
            inputs=["training_part", "champion", "required_model", "problem"],
            outputs="explanations",
            name="explanations",
        ),
    ]


def _telling() -> list[Node]:
    return [
        Node(
            nodes.required_files,
            inputs="required_model",
            outputs=["required_archive", "required_folder", "required_metadata"],
            name="required_files",
        ),
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
            inputs=[
                "model_input",
                "leaderboard",
                "choice",
                "tuned",
                "test_grades",
                "test_predictions",
                "champion",
                "cutoff_comparison",
                "explanations",
                "leakage_report",
                "problem",
            ],
            outputs=["model_card", "model_card_text", "headline"],
            name="model_card",
        ),
    ]
