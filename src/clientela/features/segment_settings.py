"""What may vary in customer segments: rubros, clustering, names, membership."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Literal, Self

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from clientela.exceptions import ConfigurationError, TrainingDataError, did_you_mean
from clientela.text import NumberFormat, make_slug, normalize_word

# What may vary in customer segments: rubros, clustering, names, membership.


ColumnGroup = Literal[
    "participacion", "frecuencia", "monto_promedio", "recencia", "score", "totales", "categoricas"
]


class SegmentFeatureParams(BaseModel):
    """Features per customer and rubro.

    Attributes:
        fecha_modelo: Date of the model, and last day that features see; None: the latest date in
            the data.
        window_months: How far back features see from the end of `fecha_modelo`; None: everything.
        rubros: Rubros with columns of their own, in this order, compared without accents and case;
            None: those of the previous model, or for the first one those with the most customers.
        top_rubros: How many rubros the first model takes.
        pool_rest: Whether the other rubros become one, `otros`; else they only count in totals.
        labels: Rubro to how people read it; others keep their own spelling, capitalised.
        categoricals: Column of the transactions to the most values that get a share of their own;
            columns that the data do not have are left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fecha_modelo: date | None = None
    window_months: PositiveInt | None = 12
    rubros: tuple[str, ...] | None = Field(default=None, min_length=1)
    top_rubros: PositiveInt = 12
    pool_rest: bool = True
    labels: dict[str, str] = {}
    categoricals: dict[str, PositiveInt] = {}


class ClusteringParams(BaseModel):
    """How customers become segments.

    Attributes:
        columns: Groups of features that clusters are made from.
        transformed: Whether shares enter as their square root, and counts, amounts and days as
            their logarithm, so that a few heavy buyers do not make the segments; else as they are.
        minimum_transactions: Purchases in the window below which a customer is `sin_actividad`.
        k: Number of segments; None: that of the previous model, or for the first one the chosen.
        candidates: Smallest and largest number of segments compared.
        start: `warm` begins at the previous model's centres, `cold` anew; ids are matched either
            way. Without a usable previous model every start is cold.
        n_init: Random starts of a cold fit; the best one is kept.
        max_iter: Most rounds of one start.
        switch_margin: A customer leaves their segment only for a centre that is nearer by more than
            this share of the distance; 0: always the nearest.
        minimum_overlap: Jaccard overlap of members from which a new cluster continues an old one.
        seed: Of every random choice.
        evaluation_rows: Customers drawn to compare numbers of segments.
        silhouette_rows: Customers drawn for one silhouette.
        null_draws: Tables with each column permuted that the silhouette is compared with.
        bootstrap_draws: Resamples whose clusters are compared with those of the whole.
        stable_at: Mean adjusted Rand index of the resamples from which a number counts as stable.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[ColumnGroup, ...] = Field(default=("participacion",), min_length=1)
    transformed: bool = True
    minimum_transactions: PositiveInt = 5
    k: int | None = Field(default=None, ge=2)
    candidates: tuple[int, int] = (2, 8)
    start: Literal["warm", "cold"] = "warm"
    n_init: PositiveInt = 10
    max_iter: PositiveInt = 300
    switch_margin: float = Field(default=0.05, ge=0, lt=1)
    minimum_overlap: float = Field(default=0.1, ge=0, le=1)
    seed: NonNegativeInt = 42
    evaluation_rows: PositiveInt = 20_000
    silhouette_rows: PositiveInt = 2_000
    null_draws: PositiveInt = 5
    bootstrap_draws: PositiveInt = 10
    stable_at: float = Field(default=0.8, ge=0, le=1)

    @model_validator(mode="after")
    def _validate_candidate_range(self) -> Self:
        fewest, most = self.candidates
        if not 2 <= fewest < most:  # noqa: PLR2004 - one segment is none
            raise ValueError(
                f"candidates should grow from 2 or more, e.g. [2, 8]; got [{fewest}, {most}]"
            )
        return self


class NameOverride(BaseModel):
    """A name that a person gave a segment.

    Attributes:
        name: As people read it.
        reason: Why, for whoever reads the report.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class NamingParams(BaseModel):
    """How segments are called.

    Attributes:
        overrides: Segment id to the name that a person gave it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    overrides: dict[int, NameOverride] = {}


class MembershipParams(BaseModel):
    """Soft membership by a Gaussian mixture, beside the hard segments.

    Attributes:
        mode: `none`; `report` shows how clear-cut the segments are; `export` also adds one
            probability per segment to the export.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Literal["none", "report", "export"] = "report"


class SegmentReportParams(BaseModel):
    """How the profile report is written.

    Attributes:
        min_customers: Segments smaller than this show no demographics.
        top_rubros: Rubros listed per segment.
        numbers: Separators of the readers' locale.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_customers: PositiveInt = 20
    top_rubros: PositiveInt = 3
    numbers: NumberFormat = NumberFormat()


class SegmentationParams(BaseModel):
    """Everything that may vary in the segmentation stage.

    Attributes:
        clustering: How customers become segments.
        naming: How segments are called.
        membership: Whether soft membership is computed.
        report: How the profile report is written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    clustering: ClusteringParams = ClusteringParams()
    naming: NamingParams = NamingParams()
    membership: MembershipParams = MembershipParams()
    report: SegmentReportParams = SegmentReportParams()


# Which rubros and values get columns, so that features, model and export agree on them.


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


class ColumnLayout(BaseModel):
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


def resolve_model_date(period: pd.DataFrame, params: SegmentFeatureParams) -> date:
    """The date of the model: as configured, else the latest date in the data.

    Args:
        period: One row: `first` and `last` transaction (timestamps).

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


def build_column_layout(
    observed: Mapping[str, pd.DataFrame],
    params: SegmentFeatureParams,
    fecha_modelo: date,
    previous: ColumnLayout | None,
) -> ColumnLayout:
    """The columns of this run: as configured, else as before, else by coverage.

    Args:
        observed: `rubros`: one row per folded rubro and spelling with `rubro, categoria,
            customers, rows`; `values`: one row per `column` and `value` with `rows`.
        previous: The layout of the previous model, if there is one.

    Raises:
        ConfigurationError: A configured rubro does not occur, or a rubro and a value of a
            categorical would share a column.
    """
    rubros = observed["rubros"]
    labels = _choose_labels(rubros, params, previous)
    members = _group_by_slug(rubros)
    slugs = _choose_slugs(rubros, params, previous)
    rest = [rubro for slug, of in members.items() if slug not in slugs for rubro in of]
    pooled = (
        {REST: sorted(rest)} if params.pool_rest and (rest or _has_pooled_rest(previous)) else {}
    )
    kept = {slug: members.get(slug, []) for slug in slugs} | pooled
    layout = ColumnLayout(
        fecha_modelo=fecha_modelo,
        rubros=tuple(
            Rubro(slug=slug, label=labels.get(slug) or _format_slug(slug), members=tuple(of))
            for slug, of in kept.items()
        ),
        categoricals=_choose_category_slugs(observed["values"], params, previous),
    )
    return _refuse_shared_columns(layout)


def _make_slug(name: str) -> str:
    slug = make_slug(name) or UNNAMED
    return RENAMED_TOTAL if slug == TOTAL else slug


def _group_by_slug(rubros: pd.DataFrame) -> dict[str, list[str]]:
    """Slug to the folded rubros that share it, by customers (most first), then name."""
    counts = rubros.groupby("rubro")["customers"].sum().reset_index()
    ordered = counts.sort_values(["customers", "rubro"], ascending=[False, True])
    members: dict[str, list[str]] = {}
    for rubro in ordered["rubro"]:
        members.setdefault(_make_slug(str(rubro)), []).append(str(rubro))
    return members


def _choose_slugs(
    rubros: pd.DataFrame, params: SegmentFeatureParams, previous: ColumnLayout | None
) -> list[str]:
    if params.rubros is not None:
        chosen = _validate_rubros(params.rubros, list(rubros["rubro"].astype(str)))
        return [slug for slug in chosen if slug != REST] if params.pool_rest else chosen
    if previous is not None:
        return [slug for slug in previous.slugs if slug != REST]
    bought = _group_by_slug(rubros.loc[rubros["customers"] > 0])
    return [slug for slug in bought if slug != REST][: params.top_rubros]


def _validate_rubros(names: Iterable[str], known: list[str]) -> list[str]:
    slugs = {_make_slug(rubro) for rubro in known}
    for name in names:
        if _make_slug(name) not in slugs:
            raise ConfigurationError(
                f"features.rubros names {name!r}, which does not occur in the transactions. "
                f"{did_you_mean(normalize_word(name), known)}"
            )
    return list(dict.fromkeys(_make_slug(name) for name in names))


def _has_pooled_rest(previous: ColumnLayout | None) -> bool:
    return previous is not None and REST in previous.slugs


def _choose_labels(
    rubros: pd.DataFrame, params: SegmentFeatureParams, previous: ColumnLayout | None
) -> dict[str, str]:
    """Slug to label: as configured, else as before, else the most frequent spelling, capitalised.

    As before, because a backend compares labels of one week with those of the next.
    """
    ordered = rubros.sort_values(["rows", "categoria"], ascending=[False, True])
    spelled: dict[str, str] = {}
    for rubro, spelling in zip(ordered["rubro"], ordered["categoria"], strict=True):
        spelled.setdefault(_make_slug(str(rubro)), str(spelling).strip().capitalize())
    before = previous.labels if previous is not None else {}
    return spelled | before | {_make_slug(name): label for name, label in params.labels.items()}


def _format_slug(slug: str) -> str:
    return slug.replace("_", " ").capitalize()


def _choose_category_slugs(
    values: pd.DataFrame, params: SegmentFeatureParams, previous: ColumnLayout | None
) -> dict[str, dict[str, str]]:
    """Column to value to slug: the slugs as before, else those of the most frequent values."""
    ordered = values.sort_values(["rows", "value"], ascending=[False, True])
    found: dict[str, dict[str, str]] = {}
    for column, most in params.categoricals.items():
        written = ordered.loc[ordered["column"] == column, "value"].astype(str)
        slugs = {value: make_slug(value) or UNNAMED for value in written}
        before = previous.categoricals.get(column, {}) if previous is not None else {}
        kept = before.values() or list(dict.fromkeys(slugs.values()))[:most]
        found[column] = before | {value: slug for value, slug in slugs.items() if slug in kept}
    return {column: slugs for column, slugs in found.items() if slugs}


def _refuse_shared_columns(layout: ColumnLayout) -> ColumnLayout:
    values = {f"{column}_{s}": column for column, of in layout.value_slugs.items() for s in of}
    for rubro in layout.rubros:
        if rubro.slug in values:
            raise ConfigurationError(
                f"The rubro {rubro.label!r} and a value of {values[rubro.slug]!r} would share the "
                f"column participacion_{rubro.slug}: names that differ were expected. Take "
                f"{values[rubro.slug]} out of features.categoricals, or rename the rubro."
            )
    return layout
