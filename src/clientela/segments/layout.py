"""Which rubros and values get columns, so that features, model and export agree on them."""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd
from pydantic import BaseModel, ConfigDict

from clientela.exceptions import ConfigurationError, TrainingDataError, did_you_mean
from clientela.folding import folded_word, slug_of
from clientela.segments.params import SegmentFeatureParams

REST = "otros"
UNNAMED = "sin_nombre"
TOTAL, RENAMED_TOTAL = "total", "rubro_total"
"""A rubro called total would share the column `gasto_total` with the spend in all rubros."""


class Rubro(BaseModel):
    """A rubro, or several, that share columns.

    Attributes:
        slug: As it stands in column names.
        label: As people read it.
        members: The folded rubros of the transactions that belong to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slug: str
    label: str
    members: tuple[str, ...]


class Layout(BaseModel):
    """The columns of one model.

    Attributes:
        fecha_modelo: Last day that features see.
        rubros: In the order of their columns; the pooled rest, if any, stands last as `otros`.
        categoricals: Column of the transactions to value as written there to its slug; spellings
            that differ in accents or case share one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fecha_modelo: date
    rubros: tuple[Rubro, ...]
    categoricals: dict[str, dict[str, str]] = {}

    @property
    def slugs(self) -> list[str]:
        """The rubros as they stand in column names, in order."""
        return [rubro.slug for rubro in self.rubros]

    @property
    def labels(self) -> dict[str, str]:
        """Slug to how people read it."""
        return {rubro.slug: rubro.label for rubro in self.rubros}

    @property
    def value_slugs(self) -> dict[str, list[str]]:
        """Column of the transactions to the slugs of its values, in order."""
        return {
            column: list(dict.fromkeys(slugs.values()))
            for column, slugs in self.categoricals.items()
        }


def model_date(period: pd.DataFrame, params: SegmentFeatureParams) -> date:
    """The date of the model: as configured, else the latest date in the data.

    Args:
        period: One row: `first` and `last` transaction (timestamps).
        params: `fecha_modelo`.

    Returns:
        The last day that features see.

    Raises:
        TrainingDataError: There are no transactions.
        ConfigurationError: The configured date precedes the data.
    """
    moments = period.iloc[0]
    if pd.isna(moments["last"]):
        raise TrainingDataError(
            "The table of transactions is empty: at least one accepted row was expected. "
            "Run kedro run --pipelines=ingestion: it tells why rows were refused."
        )
    first, last = (pd.Timestamp(moments[name]).date() for name in ("first", "last"))
    if params.fecha_modelo is not None and params.fecha_modelo < first:
        raise ConfigurationError(
            f"features.fecha_modelo is {params.fecha_modelo}, before the first transaction "
            f"({first}): a date from {first} on was expected; the data end on {last}."
        )
    return params.fecha_modelo or last


def layout_of(
    observed: Mapping[str, pd.DataFrame],
    params: SegmentFeatureParams,
    fecha_modelo: date,
    previous: Layout | None,
) -> Layout:
    """The columns of this run: as configured, else as before, else by coverage.

    Args:
        observed: `rubros`: one row per folded rubro and spelling with `rubro, categoria,
            customers, rows`; `values`: one row per `column` and `value` with `rows`.
        params: What is configured.
        fecha_modelo: See `model_date`.
        previous: The layout of the previous model, if there is one.

    Returns:
        The layout.

    Raises:
        ConfigurationError: A configured rubro does not occur, or a rubro and a value of a
            categorical would share a column.
    """
    rubros = observed["rubros"]
    labels = _labels(rubros, params, previous)
    members = _members(rubros)
    slugs = _chosen(rubros, params, previous)
    rest = [rubro for slug, of in members.items() if slug not in slugs for rubro in of]
    pooled = {REST: sorted(rest)} if params.pool_rest and (rest or _had_rest(previous)) else {}
    kept = {slug: members.get(slug, []) for slug in slugs} | pooled
    layout = Layout(
        fecha_modelo=fecha_modelo,
        rubros=tuple(
            Rubro(slug=slug, label=labels.get(slug) or _from(slug), members=tuple(of))
            for slug, of in kept.items()
        ),
        categoricals=_categoricals(observed["values"], params, previous),
    )
    return _without_shared_columns(layout)


def _slug(name: str) -> str:
    slug = slug_of(name) or UNNAMED
    return RENAMED_TOTAL if slug == TOTAL else slug


def _members(rubros: pd.DataFrame) -> dict[str, list[str]]:
    """Slug to the folded rubros that share it, by customers (most first), then name."""
    counts = rubros.groupby("rubro")["customers"].sum().reset_index()
    ordered = counts.sort_values(["customers", "rubro"], ascending=[False, True])
    members: dict[str, list[str]] = {}
    for rubro in ordered["rubro"]:
        members.setdefault(_slug(str(rubro)), []).append(str(rubro))
    return members


def _chosen(
    rubros: pd.DataFrame, params: SegmentFeatureParams, previous: Layout | None
) -> list[str]:
    if params.rubros is not None:
        chosen = _configured(params.rubros, list(rubros["rubro"].astype(str)))
        return [slug for slug in chosen if slug != REST] if params.pool_rest else chosen
    if previous is not None:
        return [slug for slug in previous.slugs if slug != REST]
    bought = _members(rubros.loc[rubros["customers"] > 0])
    return [slug for slug in bought if slug != REST][: params.top_rubros]


def _configured(names: Iterable[str], known: list[str]) -> list[str]:
    slugs = {_slug(rubro) for rubro in known}
    for name in names:
        if _slug(name) not in slugs:
            raise ConfigurationError(
                f"features.rubros names {name!r}, which does not occur in the transactions. "
                f"{did_you_mean(folded_word(name), known)}"
            )
    return list(dict.fromkeys(_slug(name) for name in names))


def _had_rest(previous: Layout | None) -> bool:
    return previous is not None and REST in previous.slugs


def _labels(
    rubros: pd.DataFrame, params: SegmentFeatureParams, previous: Layout | None
) -> dict[str, str]:
    """Slug to label: as configured, else as before, else the most frequent spelling, capitalised.

    As before, because a backend compares labels of one week with those of the next.
    """
    ordered = rubros.sort_values(["rows", "categoria"], ascending=[False, True])
    spelled: dict[str, str] = {}
    for rubro, spelling in zip(ordered["rubro"], ordered["categoria"], strict=True):
        spelled.setdefault(_slug(str(rubro)), str(spelling).strip().capitalize())
    before = previous.labels if previous is not None else {}
    return spelled | before | {_slug(name): label for name, label in params.labels.items()}


def _from(slug: str) -> str:
    return slug.replace("_", " ").capitalize()


def _categoricals(
    values: pd.DataFrame, params: SegmentFeatureParams, previous: Layout | None
) -> dict[str, dict[str, str]]:
    """Column to value to slug: the slugs as before, else those of the most frequent values."""
    ordered = values.sort_values(["rows", "value"], ascending=[False, True])
    found: dict[str, dict[str, str]] = {}
    for column, most in params.categoricals.items():
        written = ordered.loc[ordered["column"] == column, "value"].astype(str)
        slugs = {value: slug_of(value) or UNNAMED for value in written}
        before = previous.categoricals.get(column, {}) if previous is not None else {}
        kept = before.values() or list(dict.fromkeys(slugs.values()))[:most]
        found[column] = before | {value: slug for value, slug in slugs.items() if slug in kept}
    return {column: slugs for column, slugs in found.items() if slugs}


def _without_shared_columns(layout: Layout) -> Layout:
    values = {f"{column}_{s}": column for column, of in layout.value_slugs.items() for s in of}
    for rubro in layout.rubros:
        if rubro.slug in values:
            raise ConfigurationError(
                f"The rubro {rubro.label!r} and a value of {values[rubro.slug]!r} would share the "
                f"column participacion_{rubro.slug}: names that differ were expected. Take "
                f"{values[rubro.slug]} out of features.categoricals, or rename the rubro."
            )
    return layout
