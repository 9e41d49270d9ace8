"""What may vary in customer segments: rubros, clustering, names, membership, report."""

from datetime import date
from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from clientela.settings_base import FrozenSettings
from clientela.text import NumberFormat

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
        silhouette_rows: Customers drawn for one silhouette.
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
        top_rubros: Rubros listed per segment.
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
