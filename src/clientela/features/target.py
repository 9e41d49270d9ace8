"""The ordinal target: how often a customer buys the category once the target window has begun."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import ibis
import ibis.expr.types as ir
from pydantic import BaseModel, ConfigDict, Field, model_validator

from clientela.features.customer import KEY, is_purchase
from clientela.features.cutoff import Cutoff, in_target_window, with_cutoff
from clientela.features.params import FeatureParams


class OrdinalClass(BaseModel):
    """One class of the business rule.

    Attributes:
        name: What the class is called in the data.
        at_least: Purchases from which a customer belongs to it.
        value: Its place on the ordinal scale, which need not be evenly spaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    at_least: int = Field(ge=0)
    value: float


class OrdinalTarget(BaseModel):
    """The business rule that turns purchases into ordered classes.

    Attributes:
        classes: From the lowest to the highest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[OrdinalClass, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _classes_ascend_from_zero(self) -> Self:
        bounds = [c.at_least for c in self.classes]
        values = [c.value for c in self.classes]
        names = [c.name for c in self.classes]
        if bounds[0] != 0 or not _ascending(bounds) or not _ascending(values):
            raise ValueError("classes should ascend in at_least (from 0) and in value")
        if len(set(names)) < len(names):
            raise ValueError("class names should differ")
        return self


def _ascending(numbers: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def customer_target(
    transactions: ir.Table, cutoff: Cutoff, params: FeatureParams, target: OrdinalTarget
) -> ir.Table:
    """One row per customer with a transaction: their class in the target window.

    Args:
        transactions: One row per transaction.
        cutoff: Where each customer's target window begins.
        params: The category and what counts as a purchase.
        target: The business rule.

    Returns:
        `id_cliente` (PII), `compras_objetivo` (purchases in the window) and the target column
        `target_compra_<slug>` (class name).
    """
    dated = with_cutoff(transactions, cutoff)
    counted = in_target_window(dated, cutoff) & is_purchase(dated, params)
    bought = dated.group_by(KEY).agg(compras_objetivo=counted.sum().fill_null(0).cast("int64"))
    return bought.mutate(**{params.target: class_name(bought["compras_objetivo"], target)})


def class_name(purchases: ir.IntegerValue, target: OrdinalTarget) -> ir.StringValue:
    """The class of a number of purchases.

    Args:
        purchases: How many.
        target: The business rule.

    Returns:
        The name of the highest class whose lower bound is reached.
    """
    lowest, *higher = target.classes
    reached = [(purchases >= c.at_least, ibis.literal(c.name)) for c in reversed(higher)]
    return ibis.cases(*reached, else_=ibis.literal(lowest.name))
