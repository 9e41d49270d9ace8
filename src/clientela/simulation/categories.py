"""The rubros a simulated retailer sells, how they are written, and what drives their sales."""

import unicodedata
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Category:
    """One rubro: its weight in the basket, its prices, and how differently people want it.

    Attributes:
        name: Official spelling, upper case with accents.
        share: Expected share of all purchases.
        median_amount: Median ticket in currency units (soles).
        amount_sigma: Standard deviation of the logarithm of the ticket.
        taste_shape: Shape of the gamma-distributed taste of a customer; the smaller it is, the
            fewer customers make most of the purchases.
        follow_ups: Further purchases that one purchase brings on average (a phone, then its case).
        month_factors: Factor on sales per month of the year, 1 where absent.
        event_factor: Factor on sales during Black Friday, Cyber Monday and Hot Sale.
        age_slope: Change of the log-taste per year of age.
        estrato_slope: Change of the log-taste per estrato.
    """

    name: str
    share: float
    median_amount: float
    amount_sigma: float
    taste_shape: float
    follow_ups: float = 0.0
    month_factors: dict[int, float] = field(default_factory=dict)
    event_factor: float = 1.0
    age_slope: float = 0.0
    estrato_slope: float = 0.0


_SCHOOL = {2: 1.3, 3: 1.4}
_GIFTS = {5: 1.2, 7: 1.15, 11: 1.25, 12: 1.7}

CATEGORIES: Final = (
    Category("SUPERMERCADO", 0.315, 95.0, 0.70, 2.5, month_factors={12: 1.25}),
    Category("FARMACIA", 0.12, 38.0, 0.75, 1.2, age_slope=0.015),
    Category("RESTAURANTES", 0.14, 62.0, 0.60, 1.2, month_factors={12: 1.2}, age_slope=-0.008),
    Category(
        "TECNOLOGÍA",
        0.125,
        260.0,
        1.05,
        1.6,
        follow_ups=0.3,
        month_factors=_SCHOOL | _GIFTS,
        event_factor=2.5,
        age_slope=-0.022,
        estrato_slope=0.14,
    ),
    Category("ROPA", 0.11, 110.0, 0.70, 1.1, 0.2, _GIFTS, 1.8),
    Category("HOGAR", 0.07, 140.0, 0.90, 0.9, 0.4, {5: 1.2, 12: 1.3}, 1.6, estrato_slope=0.06),
    Category("DEPORTES", 0.04, 120.0, 0.80, 0.6, 0.2, {1: 1.3, 12: 1.3}, age_slope=-0.012),
    Category("BELLEZA", 0.04, 55.0, 0.65, 0.7, month_factors=_GIFTS),
    Category("JUGUETERÍA", 0.02, 75.0, 0.75, 0.5, 0.3, {7: 1.3, 12: 3.0}, 1.5),
    Category("MASCOTAS", 0.02, 68.0, 0.55, 0.4),
)


def spellings(name: str) -> tuple[str, ...]:
    """Ways in which tills write one rubro, the official one first.

    Args:
        name: Official spelling, for example `TECNOLOGÍA`.

    Returns:
        `TECNOLOGÍA`, `TECNOLOGIA`, `Tecnología`, `Tecnologia` and `tecnología`; the unaccented ones
        equal the accented ones where the name has no accent.
    """
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter)
    )
    return (name, plain, name.capitalize(), plain.capitalize(), name.lower())
