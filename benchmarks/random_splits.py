"""How much a figure owes to the one split it was measured on: every candidate on many of them.

`python benchmarks/random_splits.py` reads the model input of a use case through the catalog
(`--use-case`, `--conf-source` and `--env` as for `kedro run`; the stages ingestion and
feature_engineering have to have run), draws its training and test part with eight other seeds, and
grades each candidate, as configured and without tuning. With `--holdout time` there is one split,
and each measure stands with its 95 % bootstrap interval instead of a deviation over splits.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from rich.console import Console
from rich.progress import track
from rich.table import Table

from clientela.arrays import Codes
from clientela.models.base import Predictions
from clientela.models.metrics import summarize_replicates
from clientela.models.problem import Problem, create_problem
from clientela.models.scoring import predict_holdout, select_model_predictions
from clientela.pipelines.training.holdout_evaluation import split_holdout
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.pipelines.training.nodes import BinaryTrainingSettings

PROJECT = Path(__file__).parents[1]
MEASURES = ("roc_auc", "pr_auc_rare", "brier", "brier_skill", "accuracy", "f1")
ENDS = ("lowest roc_auc", "highest roc_auc")


def main(arguments: Sequence[str]) -> None:
    """Prints each measure over the splits, or with its interval on one, a row per candidate.

    Args:
        arguments: The command line without the program's name.
    """
    options = asked(arguments)
    model_input, problem = stored(options.use_case, options.conf_source, options.env)
    splits = 1 if options.holdout == "time" else options.splits
    seeds = track(range(1, splits + 1), options.use_case, console=Console(stderr=True))
    changes = {"holdout": options.holdout}
    grades = [
        row
        for seed in seeds
        for row in graded(model_input, problem, changes | {"seed": seed}, intervals=splits == 1)
    ]
    title = f"{options.use_case}, {len(model_input):,} rows, {splits} splits ({options.holdout})"
    Console(width=180).print(shown(title, pd.DataFrame(grades)))


def asked(arguments: Sequence[str]) -> argparse.Namespace:
    """What the command line asks for.

    Args:
        arguments: Without the program's name.

    Returns:
        `use_case`, `conf_source`, `env`, `splits`, `holdout`.
    """
    parser = argparse.ArgumentParser(description="Every candidate on many random splits.")
    parser.add_argument("--use-case", default="credit_payment")
    parser.add_argument("--conf-source", default=None, help="a folder instead of conf")
    parser.add_argument("--env", default=None)
    parser.add_argument("--splits", type=int, default=8)
    parser.add_argument("--holdout", choices=("random", "time"), default="random")
    return parser.parse_args(arguments)


def stored(use_case: str, conf_source: str | None, env: str | None) -> tuple[pd.DataFrame, Problem]:
    """What the training stage would read.

    Args:
        use_case: Whose.
        conf_source: A folder instead of `conf`.
        env: A Kedro environment.

    Returns:
        One row per case; what is learned from it.
    """
    bootstrap_project(PROJECT)
    with KedroSession.create(
        project_path=PROJECT, env=env, conf_source=conf_source, save_on_close=False
    ) as session:
        catalog = session.load_context().catalog
        model_input, schema, settings = (
            catalog.load(name)
            for name in (
                f"{use_case}.model_input",
                f"{use_case}.feature_schema",
                f"params:{use_case}.training",
            )
        )
    return model_input, create_problem(
        "binary", schema, BinaryTrainingSettings.model_validate(settings)
    )


def graded(
    model_input: pd.DataFrame, problem: Problem, changes: dict[str, object], *, intervals: bool
) -> Iterator[dict[str, object]]:
    """The measures of each candidate on one split.

    Args:
        model_input: One row per case.
        problem: What is learned.
        changes: Settings of this split: its seed and its kind.
        intervals: Whether rows are resampled, as is needed where there is one split only.

    Yields:
        `candidate` and its measures; with intervals, of each also `_lower` and `_upper` (95 %).
    """
    settings = problem.settings.model_copy(update=changes)
    problem = replace(problem, settings=settings)
    train, test = split_holdout(model_input, settings.holdout, problem)
    for name in settings.candidates:
        model = fit_model(train, get_configured_candidate(name, problem), problem)
        truth, said = select_model_predictions(
            predict_holdout(test, {name: model}, problem), name, problem
        )
        grades = problem.task.grade(truth, said, problem.schema.value_array)
        ends = _ends(truth, said, problem) if intervals else {}
        yield {"candidate": name, **{measure: grades[measure] for measure in MEASURES}, **ends}


def _ends(truth: Codes, said: Predictions, problem: Problem) -> dict[str, float]:
    settings, values = problem.settings, problem.schema.value_array
    sampled = problem.task.bootstrap_metrics(
        truth, said, values, replicates=settings.bootstrap, seed=settings.seed
    )
    return {
        f"{measure}_{end}": value
        for measure, row in summarize_replicates(sampled[list(MEASURES)]).iterrows()
        for end, value in row.drop("std").items()
    }


def shown(title: str, grades: pd.DataFrame) -> Table:
    """The measures as a table.

    Args:
        title: What was measured.
        grades: A row per candidate and split.

    Returns:
        A row per candidate, in their order: mean and deviation over the splits, with the ends of
        the first measure; where there are intervals, values with these.
    """
    one_split = "roc_auc_lower" in grades
    table = Table("candidate", *MEASURES, *(() if one_split else ENDS), title=title)
    for name, found in grades.groupby("candidate", sort=False):
        if one_split:
            table.add_row(str(name), *(_with_interval(found.iloc[0], m) for m in MEASURES))
            continue
        texts = [f"{found[m].mean():.4f} ± {found[m].std(ddof=0):.4f}" for m in MEASURES]
        ends = [f"{end:.3f}" for end in (found["roc_auc"].min(), found["roc_auc"].max())]
        table.add_row(str(name), *texts, *ends)
    return table


def _with_interval(row: "pd.Series[float]", measure: str) -> str:
    ends = f"{row[f'{measure}_lower']:.3f}, {row[f'{measure}_upper']:.3f}"
    return f"{row[measure]:.4f} [{ends}]"


if __name__ == "__main__":
    logging.getLogger("kedro").setLevel(logging.WARNING)
    main(sys.argv[1:])
