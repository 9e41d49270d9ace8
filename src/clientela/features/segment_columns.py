"""Settings of segments, and the columns that features, model, export and API share.

No engine is imported here: a served model places customers without one.
"""

import fnmatch
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from clientela.exceptions import ConfigurationError, ModelFileError, TrainingDataError, did_you_mean
from clientela.settings_base import FrozenSettings
from clientela.text import NumberFormat, make_slug, normalize_word

if TYPE_CHECKING:
    import ibis.expr.types as ir


logger = logging.getLogger(__name__)

ColumnGroup = Literal[
    "participacion", "frecuencia", "monto_promedio", "recencia", "score", "totales", "categoricas"
]


class SegmentFeatureParams(FrozenSettings):
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

    fecha_modelo: date | None = None
    window_months: PositiveInt | None = 12
    rubros: tuple[str, ...] | None = Field(default=None, min_length=1)
    top_rubros: PositiveInt = 12
    pool_rest: bool = True
    labels: dict[str, str] = {}
    categoricals: dict[str, PositiveInt] = {}


class ClusteringParams(FrozenSettings):
    """How customers become segments.

    Attributes:
        transformed: Whether shares enter as their square root, and counts, amounts and days as
            their logarithm, so that a few heavy buyers do not make the segments; else as they are.
        minimum_transactions: Purchases in the window below which a customer is `sin_actividad`.
        k: Number of segments; None: that of the previous model, or for a first one the one chosen.
        candidates: Smallest and largest number of segments compared.
        start: `warm` begins at the previous model's centres, `cold` anew; ids are matched either
            way. Without a usable previous model every start is cold.
        n_init: Random starts of a cold fit; the best one is kept.
        switch_margin: A customer leaves their segment only for a centre that is nearer by more than
            this share of the distance; 0: always the nearest.
        minimum_overlap: Jaccard overlap of members from which a new cluster continues an old one.
        evaluation_rows: Customers drawn to compare numbers of segments.
        null_draws: Tables with each column permuted that the silhouette is compared with.
        bootstrap_draws: Resamples whose clusters are compared with those of the whole.
        stable_at: Mean adjusted Rand index of the resamples from which a number counts as stable.
    """

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


class NameOverride(FrozenSettings, str_strip_whitespace=True):
    """A name that a person gave a segment, and why, for whoever reads the report."""

    name: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class NamingParams(FrozenSettings):
    """How segments are called: `overrides` is segment id to the name that a person gave it."""

    overrides: dict[int, NameOverride] = {}


class MembershipParams(FrozenSettings):
    """Soft membership by a Gaussian mixture, beside the hard segments.

    Attributes:
        mode: `none`; `report` shows how clear-cut the segments are; `export` also adds one
            probability per segment to the export.
    """

    mode: Literal["none", "report", "export"] = "report"


class SegmentReportParams(FrozenSettings):
    """How the profile report is written.

    Attributes:
        min_customers: Segments smaller than this show no demographics.
    """

    min_customers: PositiveInt = 20
    top_rubros: PositiveInt = 3
    numbers: NumberFormat = NumberFormat()


class SegmentationParams(FrozenSettings):
    """Everything that may vary in the segmentation stage."""

    clustering: ClusteringParams = ClusteringParams()
    naming: NamingParams = NamingParams()
    membership: MembershipParams = MembershipParams()
    report: SegmentReportParams = SegmentReportParams()


KEY = "id_cliente"
REST = "otros"
UNNAMED = "sin_nombre"
# A rubro called total would share the column `gasto_total` with the spend in all rubros, and one
# called otros those of the pooled rest.
RENAMED: Mapping[str, str] = {"total": "rubro_total", REST: f"rubro_{REST}"}
# `score_` before it makes 63 bytes, the longest name of a column in PostgreSQL.
LONGEST_SLUG = 57

TOTALS = ("num_tx", "gasto_total", "ticket_promedio", "recencia_dias", "rubros_distintos")
SHARE, SCORE_PREFIX, PROBABILITY_PREFIX = "participacion_", "score_", "prob_"
RUBRO_COLUMNS: Mapping[ColumnGroup, str] = {
    "participacion": SHARE + "{}",
    "frecuencia": "frecuencia_{}",
    "monto_promedio": "monto_promedio_{}",
    "recencia": "recencia_{}_dias",
    "score": SCORE_PREFIX + "{}",
}
# Latest trace of a customer at the date of the model. Only the last kind gets no segment: they are
# neither listed nor had a transaction by then.
IN_WINDOW, BEFORE_WINDOW = "transaction_in_window", "last_transaction_before_window"
NO_TRANSACTION, AFTER_MODEL_DATE = "no_transaction", "first_transaction_after_model_date"
# Features that the export shows as they are: one named here goes to file, table, and API.
EXPORTED_FEATURES = ("rubro_top",)
# Names and patterns of `clientes_segmentados`, in order: of file, table, and the API's reply. A
# column that is not listed here never leaves the project.
EXPORT_COLUMNS = (
    "dni", "cluster_id", "cluster_nombre", *EXPORTED_FEATURES, f"{SCORE_PREFIX}?*",
    f"{PROBABILITY_PREFIX}?*", "fecha_modelo",
)  # fmt: skip


class Rubro(FrozenSettings):
    """A rubro, or several, that share columns.

    Attributes:
        members: The folded rubros of the transactions that belong to it.
    """

    slug: str
    label: str
    members: tuple[str, ...]


class ColumnLayout(FrozenSettings):
    """Which rubros and values get columns.

    Attributes:
        rubros: In the order of their columns; the pooled rest, if any, stands last as `otros`.
        categoricals: Column of the transactions to value as written there to its slug; spellings
            that differ in accents or case share one.
    """

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

    @property
    def value_columns(self) -> list[str]:
        """The shares of purchases per value of a categorical."""
        return [f"{SHARE}{column}_{slug}" for column, of in self.value_slugs.items() for slug in of]

    @property
    def score_columns(self) -> list[str]:
        """The scores of an export; the pooled rest is no rubro that a campaign could name."""
        return [f"{SCORE_PREFIX}{slug}" for slug in self.slugs if slug != REST]


def resolve_model_date(period: pd.DataFrame, params: SegmentFeatureParams) -> date:
    """The date of the model: as configured, else the latest date in the data."""
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
    members = _group_by_slug(rubros, params.labels)
    _warn_about_shared_columns(members)
    slugs = _choose_rubros(rubros, params, previous)
    columns = {slug: members.get(slug, []) for slug in slugs}
    rest = sorted(rubro for slug, of in members.items() if slug not in slugs for rubro in of)
    pooled_before = previous is not None and REST in previous.slugs
    if params.pool_rest and (rest or pooled_before):
        columns[REST] = rest
    # labels as configured, else as before, for a backend compares labels of one week with those of
    # the next; else the most frequent spelling
    labels = {} if previous is None else previous.labels
    if RENAMED[REST] in columns:
        labels.setdefault(REST, "Los demás rubros")
    labels |= {
        _make_rubro_slug(name, params.labels): label for name, label in params.labels.items()
    }
    if RENAMED[REST] not in columns and RENAMED[REST] in labels:
        labels[REST] = labels[RENAMED[REST]]
    spelled = rubros.sort_values(["rows", "categoria"], ascending=[False, True])
    for rubro, spelling in zip(spelled["rubro"], spelled["categoria"], strict=True):
        slug = _make_rubro_slug(str(rubro), params.labels)
        labels.setdefault(slug, str(spelling).strip().capitalize())
    layout = ColumnLayout(
        fecha_modelo=fecha_modelo,
        rubros=tuple(
            Rubro(
                slug=s, label=labels.get(s) or s.replace("_", " ").capitalize(), members=tuple(of)
            )
            for s, of in columns.items()
        ),
        categoricals=_choose_values(observed["values"], params, previous),
    )
    values = {f"{column}_{s}": column for column, of in layout.value_slugs.items() for s in of}
    for rubro in layout.rubros:
        if rubro.slug in values:
            raise ConfigurationError(
                f"The rubro {rubro.label!r} and a value of {values[rubro.slug]!r} would share the "
                f"column participacion_{rubro.slug}: names that differ were expected. Take "
                f"{values[rubro.slug]} out of features.categoricals, or rename the rubro."
            )
    return layout


def _make_rubro_slug(name: str, labels: Mapping[str, str]) -> str:
    """A rubro as it stands in column names; its label tells where its name has no letter."""
    slug = make_slug(name)
    if not slug:
        by_label = {normalize_word(rubro): make_slug(label) for rubro, label in labels.items()}
        slug = by_label.get(normalize_word(name)) or UNNAMED
    if len(slug) > LONGEST_SLUG:
        slug = f"{slug[: LONGEST_SLUG - 7]}_{sha256(slug.encode()).hexdigest()[:6]}"
    return RENAMED.get(slug, slug)


def _warn_about_shared_columns(members: Mapping[str, list[str]]) -> None:
    for slug, sharing in members.items():
        if len(sharing) > 1:
            logger.warning(
                "The rubros %s count as one, because their columns have the same name (%s). To "
                "tell them apart, rename them in the data; one without letters takes its name from "
                "features.labels, e.g. labels: {'%s': una palabra}",
                ", ".join(map(repr, sharing)), slug, sharing[0],
            )  # fmt: skip


def _group_by_slug(rubros: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, list[str]]:
    """Slug to the folded rubros that share it, by customers (most first), then name."""
    counts = rubros.groupby("rubro")["customers"].sum().reset_index()
    ordered = counts.sort_values(["customers", "rubro"], ascending=[False, True])
    members: dict[str, list[str]] = {}
    for rubro in ordered["rubro"]:
        members.setdefault(_make_rubro_slug(str(rubro), labels), []).append(str(rubro))
    return members


def _choose_rubros(
    rubros: pd.DataFrame, params: SegmentFeatureParams, previous: ColumnLayout | None
) -> list[str]:
    """The slugs with columns of their own."""
    if params.rubros is not None:
        known = list(rubros["rubro"].astype(str))
        slugs = {_make_rubro_slug(rubro, params.labels) for rubro in known}
        for name in params.rubros:
            if _make_rubro_slug(name, params.labels) not in slugs:
                raise ConfigurationError(
                    f"features.rubros names {name!r}, which does not occur in the transactions. "
                    f"{did_you_mean(normalize_word(name), known)}"
                )
        return list(dict.fromkeys(_make_rubro_slug(name, params.labels) for name in params.rubros))
    if previous is not None:
        return [slug for slug in previous.slugs if slug != REST]
    return [*_group_by_slug(rubros.loc[rubros["customers"] > 0], params.labels)][
        : params.top_rubros
    ]


def _choose_values(
    values: pd.DataFrame, params: SegmentFeatureParams, previous: ColumnLayout | None
) -> dict[str, dict[str, str]]:
    """Column to value to slug: the slugs as before, else those of the most frequent values."""
    ordered = values.sort_values(["rows", "value"], ascending=[False, True])
    chosen: dict[str, dict[str, str]] = {}
    for column, most in params.categoricals.items():
        written = ordered.loc[ordered["column"] == column, "value"].astype(str)
        slugs = {value: make_slug(value) or UNNAMED for value in written}
        before = previous.categoricals.get(column, {}) if previous is not None else {}
        known = before.values() or list(dict.fromkeys(slugs.values()))[:most]
        chosen[column] = before | {value: slug for value, slug in slugs.items() if slug in known}
    return {column: slugs for column, slugs in chosen.items() if slugs}


def list_matrix_columns(layout: ColumnLayout, groups: Sequence[ColumnGroup]) -> list[str]:
    """The columns of the groups, in the order of the groups and of the layout."""
    columns: list[str] = []
    for group in dict.fromkeys(groups):
        if group in RUBRO_COLUMNS:
            columns += [RUBRO_COLUMNS[group].format(slug) for slug in layout.slugs]
        else:
            columns += TOTALS if group == "totales" else layout.value_columns
    return columns


def select_columns(features: "ir.Table", columns: Sequence[str]) -> "ir.Table":
    """The features with some columns alone: at a million customers all of them fill gigabytes.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require_columns(columns, features.columns)
    return features.select(*dict.fromkeys(columns))


def build_matrix(
    features: pd.DataFrame,
    columns: Sequence[str],
    *,
    transformed: bool,
    where: np.ndarray | slice = slice(None),
) -> np.ndarray:
    """The columns as numbers, one row per customer.

    Args:
        transformed: Whether shares enter as their square root, and counts, amounts and days as
            their logarithm. The root of shares makes the distance the Hellinger distance (Rao
            1995), to which rare rubros do not matter more than frequent ones.

    Raises:
        ModelFileError: Columns are absent: the features are of another layout than the model.
    """
    _require_columns(columns, features.columns)
    values = np.empty((len(features.index[where]), len(columns)))
    for place, name in enumerate(columns):
        # rows are taken column by column: from the whole table every column would be copied
        column = features[name].to_numpy(dtype="float64")[where]
        values[:, place] = get_column_transform(name)(column) if transformed else column
    return values


def get_column_transform(column: str) -> Callable[[np.ndarray], np.ndarray]:
    """How a column enters the matrix where columns are transformed; see `build_matrix`."""
    if column.startswith(SHARE):
        return np.sqrt
    if column.startswith(SCORE_PREFIX):
        return np.asarray
    return lambda values: np.log1p(np.maximum(values, 0.0))


def _require_columns(columns: Sequence[str], present: Iterable[str]) -> None:
    known = set(present)
    absent = [name for name in columns if name not in known]
    if absent:
        raise ModelFileError(
            f"The segments were made from columns that the features no longer have: "
            f"{', '.join(absent)}. Run kedro run "
            "--pipelines=feature_engineering,segmentation,scoring to make segments from today's "
            "rubros."
        )


def order_export_columns(names: Iterable[str]) -> list[str]:
    """Those of the names that are columns of the segments export, in its order.

    A database table may hold other columns of its owner, which stay there.
    """
    present = list(names)
    return [name for pattern in EXPORT_COLUMNS for name in fnmatch.filter(present, pattern)]
