"""How much of a customer each rubro is: their percentile among those who bought there."""

import ibis
import ibis.expr.types as ir

from clientela.segments.layout import REST, Layout

RUBRO = "_rubro"
PURCHASES = "_purchases"
CENTS_SPENT = "_cents_spent"
SCORE = "_score"
HIGHEST = "_highest_score"
NOTHING = ibis.literal(0.0)
"""No more than any spend that has a score."""


def with_scores(per_rubro: ir.Table) -> ir.Table:
    """The rows with the percentile rank of each customer's spend among the buyers of a rubro.

    That is the share of the buyers there with a positive net spend who spent as much or less
    (SQL's `cume_dist`): the heaviest buyer has 1, equal spends share a score, no buyer has 0.

    Args:
        per_rubro: One row per customer and rubro: `_rubro`, `_purchases`, `_cents_spent` (net).

    Returns:
        The same rows with `_score`; 0 for who did not buy there, or returned as much.
    """
    scored = (per_rubro[PURCHASES] > 0) & (per_rubro[CENTS_SPENT] > 0)
    rank = ibis.cume_dist().over(
        group_by=[per_rubro[RUBRO], scored], order_by=per_rubro[CENTS_SPENT]
    )
    return per_rubro.mutate(**{SCORE: scored.ifelse(rank, 0.0)})


def highest_score(per_rubro: ir.Table, layout: Layout) -> ir.FloatingScalar:
    """A customer's highest score outside the pooled rest, to aggregate their rows by.

    Args:
        per_rubro: See `with_scores`; `_rubro` is the place in the layout.
        layout: Which rubros there are.

    Returns:
        The score; null for who has no row there.
    """
    named = [place for place, slug in enumerate(layout.slugs) if slug != REST]
    return per_rubro[SCORE].max(where=per_rubro[RUBRO].isin(named))


def with_rubro_top(table: ir.Table, layout: Layout) -> ir.Table:
    """The rows with the label of the rubro that has the highest score.

    Of equal scores the one of larger spend counts, of equal spends the label that comes first. The
    pooled rest is a customer's top rubro only where they have no score elsewhere.

    Args:
        table: One row per customer: `_highest_score`, and of each rubro `score_<slug>` and
            `gasto_<slug>`.
        layout: Which rubros there are.

    Returns:
        The same rows with `rubro_top`; null for who has no score.
    """
    ordered = sorted(layout.rubros, key=lambda rubro: (rubro.label, rubro.slug))
    named = [rubro for rubro in ordered if rubro.slug != REST]
    spent = {
        rubro.slug: (table[f"score_{rubro.slug}"] == table[HIGHEST]).ifelse(
            table[f"gasto_{rubro.slug}"], NOTHING
        )
        for rubro in named
    }
    most = table.mutate(_most=ibis.greatest(NOTHING, *spent.values()) if spent else NOTHING)
    highest = most[HIGHEST]
    top = [
        (
            (most[f"score_{rubro.slug}"] == highest)
            & (most[f"gasto_{rubro.slug}"] == most["_most"]),
            rubro.label,
        )
        for rubro in named
    ]
    return most.mutate(rubro_top=ibis.cases((highest <= 0, _rest(most, layout)), *top))


def _rest(table: ir.Table, layout: Layout) -> ir.StringValue:
    """The label of the pooled rest for who has a score there."""
    if REST not in layout.slugs:
        return ibis.null("string")
    return (table[f"score_{REST}"] > 0).ifelse(layout.labels[REST], ibis.null("string"))
