"""From which size on a change counts, and how sure of it one must be."""

from typing import Literal, Self, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

Severity: TypeAlias = Literal["ROJO", "AMARILLO", "INSUFICIENTE", "VERDE"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first: the order of every table that people read."""


class EffectSizes(BaseModel):
    """The sizes of one kind of change that matter.

    Attributes:
        watch: From here on AMARILLO.
        alarm: From here on ROJO.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    watch: PositiveFloat
    alarm: PositiveFloat

    @model_validator(mode="after")
    def _alarm_is_the_larger(self) -> Self:
        if self.watch > self.alarm:
            raise ValueError(
                f"watch should not exceed alarm; got watch {self.watch} and alarm {self.alarm}"
            )
        return self


class DriftThresholds(BaseModel):
    """When a column is ROJO, AMARILLO, INSUFICIENTE or VERDE.

    Attributes:
        psi: Population stability index; .1 and .25 are the usual limits of credit scoring
            (Siddiqi 2006).
        missing: Change of the share of missing values, up or down.
        new: Share of rows with a category that the baseline never had.
        out_of_range: Share of rows beyond the baseline's smallest and largest value.
        q: A change counts when its Benjamini-Hochberg q lies below this.
        minimum_rows: With fewer rows, now or in the baseline, nothing is said about a column.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    psi: EffectSizes = EffectSizes(watch=0.1, alarm=0.25)
    missing: EffectSizes = EffectSizes(watch=0.05, alarm=0.2)
    new: EffectSizes = EffectSizes(watch=0.01, alarm=0.05)
    out_of_range: EffectSizes = EffectSizes(watch=0.01, alarm=0.05)
    q: float = Field(default=0.01, gt=0, lt=1)
    minimum_rows: PositiveInt = 10

    def level(self, kind: EffectSizes, effect: float, q: float) -> Severity:
        """What one change amounts to: it must be large, and hardly chance.

        Args:
            kind: Its limits.
            effect: Its size; missing where it was not measured.
            q: Its Benjamini-Hochberg q; missing where there was nothing to test.

        Returns:
            ROJO, AMARILLO, or VERDE where it is small or may be chance.
        """
        if not (q < self.q and effect >= kind.watch):
            return "VERDE"
        return "ROJO" if effect >= kind.alarm else "AMARILLO"
