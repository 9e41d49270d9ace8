"""What may vary in a baseline profile and in the figures of drift."""

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt


class ProfileSettings(BaseModel):
    """How a baseline profile is made; frozen with it.

    Attributes:
        bins: Quantile bins of a number; values with at least this share of the rows (one in
            `bins`) get a bin of their own.
        points: Quantiles at which a number's distribution is kept; KS is certified to 1 / `points`.
        top_values: Most values of a category that get a cell of their own.
        minimum_share: Smallest share of the rows with which a value gets one.
        known_values: Most rarer values that the profile remembers, as digests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: int = Field(default=10, ge=2)
    points: int = Field(default=200, ge=10)
    top_values: PositiveInt = 20
    minimum_share: float = Field(default=0.005, ge=0, lt=1)
    known_values: PositiveInt = 10_000


class DriftSettings(BaseModel):
    """How two distributions are compared.

    Attributes:
        pseudo_count: Rows added to every cell before PSI takes a logarithm (Jeffreys' prior: .5).
        fewest_expected: Expected rows below which a cell is pooled in the chi-square test
            (Cochran 1954: 5).
        noise_quantile: Quantile of PSI without any drift that is shown as its noise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pseudo_count: PositiveFloat = 0.5
    fewest_expected: PositiveFloat = 5.0
    noise_quantile: float = Field(default=0.99, gt=0, lt=1)
