"""Nodes of the labelling stage: rows are chosen, labelled, joined to their table, and audited."""

from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from clientela.exceptions import ConfigurationError, did_you_mean
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.settings import (
    TRUTH,
    LabellingSettings,
    normalize_truth,
    select_training_labels,
)
from clientela.pipelines.labelling.audit import audit_labels, group_shares, measure_stability
from clientela.pipelines.labelling.call_limits import (
    Budget,
    BudgetedChat,
    RateLimitedChat,
    RetryingChat,
)
from clientela.pipelines.labelling.language_model import (
    Chat,
    Labeller,
    LanguageModelLabeller,
    Prompts,
    build_cases,
    parse_prompts,
)
from clientela.pipelines.labelling.providers import OfflineLabeller
from clientela.pipelines.labelling.response_cache import FileAnswerStore, LanguageModels
from clientela.pipelines.labelling.run import (
    KEPT,
    build_labelling_rounds,
    check_and_log_cost,
    draw_repeat_positions,
    label_rows,
    label_table,
    require_few_lost,
)

# Columns that the stage adds, beside the target.
MADE = ("description", "label_source")


def select_rows_to_label(
    table: ir.Table, features: TabularFeatureParams, settings: LabellingSettings
) -> ir.Table:
    """What the stage needs of each row, ordered by its key.

    Args:
        table: One row per case, as ingestion accepted it.
        settings: Which columns are shown, which one holds the truth, and whose labels are counted.

    Returns:
        The key (PII), the shown columns, the truth and the audit's groups.

    Raises:
        ConfigurationError: A column that is named does not exist, or one that is made does.
    """
    wanted = dict.fromkeys([*settings.columns, *settings.audit.groups])
    absent = [name for name in wanted if name not in table.columns]
    if absent:
        raise ConfigurationError(
            f"labelling names columns that the table does not have: {', '.join(absent)}. "
            f"{did_you_mean(absent[0], table.columns)}"
        )
    taken = [name for name in (*MADE, features.target.column) if name in table.columns]
    if taken:
        raise ConfigurationError(
            f"The table already has the column(s) {', '.join(taken)}, which labelling makes. "
            "Rename them in the raw file, or remove the stage 'labelling' from use_cases.yml and "
            "learn from them."
        )
    name = settings.truth_column
    truth = table[name].cast("string") if name in table.columns else ibis.null("string")
    return table.select(features.key, *wanted, **{TRUTH: truth}).order_by(features.key)


def label_cases(  # noqa: PLR0913, PLR0917 - a node's inputs are positional
    rows: pd.DataFrame,
    models: LanguageModels,
    store: FileAnswerStore,
    describe: str,
    label: str,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Labels every row, and some rows again.

    Returns:
        The label table (see `run.label_table`) with `truth` (the label that people gave; missing
        where nobody judged); its lost rows; and how often the labeller said the same again (see
        `audit.measure_stability`; empty where nothing was asked again).

    Raises:
        LabellingError: Nobody answers any more, or the budget does not suffice.
    """
    ordered = rows.sort_values(features.key, ignore_index=True)
    cases = build_cases(ordered, features.key, settings.columns)
    words = features.target.negative.label, features.target.positive.label
    prompts = parse_prompts(describe, label)
    with models.open_chat(settings) as chat:
        labeller = _create_labeller(chat, prompts, words, settings)
        rounds = build_labelling_rounds(cases, labeller, store, settings)
        check_and_log_cost(rounds, labeller.source, settings)
        try:
            first, *further = [label_rows(each, words, settings) for each in rounds]
        finally:
            store.compact()
    table = label_table(cases, first, features.key, labeller.source)
    table = table.assign(**{TRUTH: normalize_truth(ordered[TRUTH], features.target)})
    stability: dict[str, Any] = {}
    if further:
        again = [first[place] for place in draw_repeat_positions(len(first), settings)]
        stability = measure_stability(
            [[outcome.label for outcome in opinion] for opinion in (again, *further)]
        )
    return table, table[~table["status"].isin(KEPT)], stability


def join_labels(
    table: ir.Table,
    labelled: pd.DataFrame,
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> ir.Table:
    """The table with what is to be learned of each row.

    Args:
        table: One row per case, as ingestion accepted it.
        settings: What models learn, and how many rows may be lost.

    Returns:
        Every row and column of the table, and `description` (PII), the target, `label_source`.

    Raises:
        LabellingError: Too many rows went without an answer.
    """
    require_few_lost(labelled, settings.max_lost_share)
    learned = select_training_labels(labelled, features.target.column, settings.learn_from)
    made = ibis.memtable(learned)
    return table.left_join(made, features.key).drop(f"{features.key}_right").order_by(features.key)


def check_label_quality(
    labelled: pd.DataFrame,
    rows: pd.DataFrame,
    repeated: dict[str, Any],
    features: TabularFeatureParams,
    settings: LabellingSettings,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """How far the labels can be trusted."""
    people = rows.sort_values(features.key, ignore_index=True)
    audit = audit_labels(labelled, repeated, features.target, settings)
    return audit, group_shares(labelled, people, features.target, settings)


def _create_labeller(
    chat: Chat | None, prompts: Prompts, words: tuple[str, str], settings: LabellingSettings
) -> Labeller:
    model = settings.language_model
    if chat is None or model is None:
        return OfflineLabeller(settings.offline, words)
    budget = Budget(settings.budget, model.prices)
    # each attempt waits for its turn and is paid for by itself
    limited = RetryingChat(
        RateLimitedChat(BudgetedChat(chat, budget), model.per_minute), model.patience
    )
    return LanguageModelLabeller(limited, prompts, words, model, settings.provider)
