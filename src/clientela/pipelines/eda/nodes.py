"""Nodes of the exploration: aggregates in the engine, then findings and pages from small frames."""

from collections.abc import Mapping
from fnmatch import filter as matching
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.features.settings import FeatureParams
from clientela.features.transactions import OrdinalTarget, is_purchase
from clientela.pipelines.eda.activity import aggregate_activity
from clientela.pipelines.eda.association import (
    EdaParameters,
    Exploration,
    TargetSchema,
    build_persistence,
    build_target,
    compute_class_means,
    compute_correlations,
    compute_two_windows,
    count_class_transitions,
    count_classes,
    quintile_edges,
    target_bins,
    target_categories,
)
from clientela.pipelines.eda.column_profile import (
    build_profile,
    compute_histograms,
    compute_quantiles,
    compute_shape_statistics,
    count_categories,
    count_repeated_rows,
    histogram_edges,
    infer_column_kinds,
    select_category_columns,
    select_columns_by_kind,
    summarize_column_quality,
)

Frames = Mapping[str, pd.DataFrame]


def summarize_columns(
    table: ir.Table | pd.DataFrame, parameters: EdaParameters
) -> dict[str, ir.Table]:
    """First look at a table: one row per column."""
    lazy = _select_explored_columns(table, parameters)
    numeric = select_columns_by_kind(infer_column_kinds(lazy, parameters.keys), "number")
    return {
        "quality": summarize_column_quality(lazy, parameters.keys),
        "quantiles": compute_quantiles(lazy, numeric),
        "repeated_rows": count_repeated_rows(lazy, parameters.keys),
    }


def summarize_distributions(
    table: ir.Table | pd.DataFrame, first_look: Frames, parameters: EdaParameters
) -> dict[str, ir.Table]:
    """Second look at a table: what needs the moments and quantiles of the first."""
    lazy, columns = _select_explored_columns(table, parameters), first_look["quality"]
    numeric = columns[columns["kind"] == "number"]
    described = numeric.merge(first_look["quantiles"], on="column")
    edges = {str(row["column"]): histogram_edges(row) for _, row in described.iterrows()}
    named = select_category_columns(columns, parameters.max_categories)
    return {
        "shapes": compute_shape_statistics(lazy, numeric),
        "histograms": compute_histograms(lazy, edges),
        "categories": count_categories(lazy, named, parameters.top_categories, parameters.min_rows),
    }


def summarize_activity(transactions: ir.Table) -> dict[str, ir.Table]:
    """Buying over time, by category and by customer."""
    return aggregate_activity(transactions)


def summarize_persistence(
    transactions: ir.Table, features: FeatureParams, target: OrdinalTarget
) -> dict[str, ir.Table]:
    """Does last quarter predict this one, for the configured category.

    Args:
        features: Category, types that count as purchases, length of the target window.

    Returns:
        `pairs` (see `count_class_transitions`) and `question`, one row with `category`, `months`
        and the windows' borders.
    """
    windows = compute_two_windows(transactions, features.target_months)
    question = windows.select(
        "start", "middle", "end", category=ibis.literal(features.category),
        months=ibis.literal(features.target_months),
    )  # fmt: skip
    pairs = count_class_transitions(
        transactions,
        is_purchase(transactions, features),
        windows,
        [c.at_least for c in target.classes[1:]],
    )
    return {"pairs": pairs, "question": question}


def summarize_target(
    table: ir.Table | pd.DataFrame,
    first_look: Frames,
    schema: dict[str, Any],
    parameters: EdaParameters,
) -> dict[str, ir.Table]:
    """The target's classes, and every column against it.

    Args:
        schema: What the columns of the model input mean: `target`, `classes`.
    """
    lazy, meaning = to_lazy_table(table), TargetSchema.model_validate(schema)
    target, classes = meaning.target, meaning.classes
    columns = first_look["quality"]
    numeric = [c for c in columns[columns["kind"] == "number"]["column"] if c != target]
    named = select_category_columns(columns, parameters.max_categories)
    edges = {c: e for c, e in quintile_edges(first_look["quantiles"]).items() if c != target}
    others = [c for c in named if c != target]
    coded = encode_target_classes(lazy, target, classes)
    return {
        "class_counts": count_classes(lazy, target),
        "bins": target_bins(lazy, edges, target, classes),
        "categories": target_categories(lazy, others, target, classes, parameters.min_rows),
        "means": compute_class_means(lazy, numeric, target),
        "correlations": compute_correlations(coded, [target, *numeric]),
    }


def join_excluded_columns(
    model_input: pd.DataFrame, table: ir.Table, schema: dict[str, Any]
) -> ir.Table:
    """One row per case of the model input, with the columns that are kept out of it.

    What is excluded is held against the target as well: a score that knows the answer is to be
    seen in a report before somebody makes it a feature.

    Args:
        table: The ingested table, with the same key.
        schema: What the columns mean: `key`, `excluded`.

    Returns:
        The model input, and the excluded columns as the table holds them.
    """
    key = schema["key"]
    excluded = [name for name in schema["excluded"] if name not in model_input]
    return (
        to_lazy_table(model_input).left_join(table.select(key, *excluded), key).drop(f"{key}_right")
    )


def encode_target_classes(table: ir.Table, target: str, classes: tuple[str, ...]) -> ir.Table:
    """The table with its classes as codes 0, 1, 2 …; a numeric target stays as it is."""
    if not classes:
        return table
    steps = [(table[target].cast("string") == name, code) for code, name in enumerate(classes)]
    return table.mutate(**{target: ibis.cases(*steps).cast("float64")})


def build_exploration(
    entry: str, frames: Mapping[str, Frames], schema: dict[str, Any] | None = None
) -> Exploration:
    """Everything learned about one entry.

    Args:
        frames: `quality_<table>` and `distributions_<table>` per table, and what applies of
            `activity`, `target`, `persistence`.
        schema: What the columns of the model input mean; None without a target.
    """
    tables = [name.removeprefix("quality_") for name in frames if name.startswith("quality_")]
    meaning = TargetSchema.model_validate(schema) if schema is not None else None
    return Exploration(
        entry=entry,
        profiles=tuple(
            build_profile(name, frames[f"quality_{name}"], frames[f"distributions_{name}"])
            for name in tables
        ),
        activity=frames.get("activity"),
        target=build_target(frames["target"], meaning) if meaning and "target" in frames else None,
        persistence=build_persistence(frames["persistence"], meaning.classes)
        if meaning and "persistence" in frames
        else None,
    )


def _select_explored_columns(table: ir.Table | pd.DataFrame, parameters: EdaParameters) -> ir.Table:
    """The table without the columns that configuration leaves out, its codes as text."""
    lazy = to_lazy_table(table)
    left_out = {
        name for pattern in parameters.leave_out for name in matching(lazy.columns, pattern)
    }
    kept = lazy.drop(*left_out) if left_out else lazy
    codes = {name: "string" for name in parameters.codes if name in kept.columns}
    return kept.cast(codes) if codes else kept


def to_lazy_table(table: ir.Table | pd.DataFrame) -> ir.Table:
    """Any table as an expression, whichever way the catalog loads it."""
    return table if isinstance(table, ir.Table) else ibis.memtable(table)
