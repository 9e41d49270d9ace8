"""What one period says about a model: its columns by importance, and its performance."""

from collections.abc import Mapping
from typing import Literal, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clientela.drift.findings import NO_LONGER_MEASURED

Floats: TypeAlias = NDArray[np.float64]
Level: TypeAlias = Literal["calm", "warning", "critical", "unknown"]
Change: TypeAlias = Literal["fell", "held", "unknown"]


class LevelRules(BaseModel):
    """When a period is a warning, or critical. Shares are of importance, 0..1.

    Attributes:
        critical_share: A period is critical when ROJO columns hold this share.
        warning_share: It is a warning when ROJO and AMARILLO columns hold this share.
        unknown_share: It is unknown, if neither, when INSUFICIENTE columns hold more than this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    critical_share: float = Field(default=0.1, gt=0, le=1)
    warning_share: float = Field(default=0.1, gt=0, le=1)
    unknown_share: float = Field(default=0.5, ge=0, lt=1)

    @model_validator(mode="after")
    def _critical_is_the_larger(self) -> Self:
        if self.warning_share > self.critical_share:
            raise ValueError(
                "warning_share should not exceed critical_share; got "
                f"{self.warning_share} and {self.critical_share}"
            )
        return self


class PeriodEvidence(BaseModel):
    """What one period says about one model.

    Attributes:
        weighted_psi: Mean PSI of the columns, weighted by importance; None where none was measured.
        red: Number of ROJO columns.
        red_share: Share of importance in ROJO columns.
        moved_share: Share of importance in ROJO and AMARILLO columns.
        unknown_share: Share of importance in INSUFICIENTE columns.
        broken_share: Share of importance in ROJO columns that went missing, or were constant.
        estimated: Whether performance, estimated without labels, fell.
        realised: Whether performance, measured on mature labels, fell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    weighted_psi: float | None
    red: int
    red_share: float
    moved_share: float
    unknown_share: float
    broken_share: float
    estimated: Change = "unknown"
    realised: Change = "unknown"

    def level(self, rules: LevelRules) -> Level:
        """How much the period asks for.

        | level    | when, the first that holds                                                |
        |----------|---------------------------------------------------------------------------|
        | critical | realised performance fell, or `red_share` >= `critical_share`              |
        | warning  | estimated performance fell, any column is ROJO, or                         |
        |          | `moved_share` >= `warning_share`                                           |
        | unknown  | `unknown_share` > the rule's                                               |
        | calm     | else                                                                       |

        Args:
            rules: The limits.

        Returns:
            The level of this period alone.
        """
        if self.realised == "fell" or self.red_share >= rules.critical_share:
            return "critical"
        if self.estimated == "fell" or self.red or self.moved_share >= rules.warning_share:
            return "warning"
        return "unknown" if self.unknown_share > rules.unknown_share else "calm"


def period_evidence(
    judged: pd.DataFrame,
    importance: Mapping[str, float],
    estimated: Change = "unknown",
    realised: Change = "unknown",
) -> PeriodEvidence:
    """What a table with severities says about the model that uses its columns.

    Args:
        judged: One row per column: `feature, psi, severity, reason`.
        importance: Importance of the model's features, of any scale; columns that it does not name
            weigh nothing, and an empty one lets all columns weigh the same.
        estimated: Whether estimated performance fell.
        realised: Whether realised performance fell.

    Returns:
        The evidence of one period; without any columns all of it is unknown.
    """
    weights = importance_weights(judged["feature"], importance)

    def share(chosen: "pd.Series[bool]") -> float:
        return float(weights[chosen.to_numpy()].sum())

    severity = judged["severity"]
    red = severity == "ROJO"
    return PeriodEvidence(
        weighted_psi=_weighted_mean(judged["psi"].to_numpy(dtype=np.float64), weights),
        red=int(red.sum()),
        red_share=share(red),
        moved_share=share(red | (severity == "AMARILLO")),
        unknown_share=share(severity == "INSUFICIENTE") if len(judged) else 1.0,
        broken_share=share(red & judged["reason"].isin(NO_LONGER_MEASURED)),
        estimated=estimated,
        realised=realised,
    )


def importance_weights(features: "pd.Series[str]", importance: Mapping[str, float]) -> Floats:
    """The share of importance of each column.

    Args:
        features: Names of columns.
        importance: Importance of some of them, of any scale and sign.

    Returns:
        Shares that add up to 1; equal ones where no column has any importance.
    """
    size = np.abs([importance.get(name, 0.0) for name in features])
    if not size.sum():
        size = np.ones(len(features))
    shares: Floats = size / size.sum() if len(size) else size
    return shares


def _weighted_mean(values: Floats, weights: Floats) -> float | None:
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return None
    return float(np.average(values[known], weights=weights[known]))
