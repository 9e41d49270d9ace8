"""Activity of buyers, from transactions of any number: over time, by category, by customer."""

import ibis
import ibis.expr.types as ir

CUSTOMER_STEPS = (1, 2, 3, 6, 11, 21, 51, 101)
"""Fewest transactions of each step in the distribution of customers."""


def activity(transactions: ir.Table) -> dict[str, ir.Table]:
    """Everything the report says about buying, as small tables.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `rubro`, `categoria`,
            `valor_transaccion`; `puntos` where the data has them.

    Returns:
        Name to table: `months`, `hours`, `categories`, `frequencies`, `concentration`.
    """
    return {
        "months": months(transactions),
        "hours": hours(transactions),
        "categories": categories(transactions),
        "frequencies": frequencies(transactions),
        "concentration": concentration(transactions),
    }


def months(transactions: ir.Table) -> ir.Table:
    """One row per calendar month with transactions.

    Args:
        transactions: See `activity`.

    Returns:
        `month` (its first day), `rows`, `customers`, `bought` (sum of positive amounts),
        `refunds` (rows), `refunded` (sum of negative amounts), `earned`, `redeemed` (points).
    """
    amount = transactions["valor_transaccion"]
    points = transactions["puntos"] if "puntos" in transactions.columns else ibis.literal(0)
    dated = transactions.mutate(
        month=transactions["fecha"].date().truncate("M"), _amount=amount, _points=points
    )
    bought, points = dated["_amount"], dated["_points"]
    return (
        dated.group_by("month")
        .agg(
            rows=dated.count(),
            customers=dated["id_cliente"].nunique(),
            bought=bought.sum(where=bought > 0).fill_null(0),
            refunds=(bought < 0).sum(),
            refunded=bought.sum(where=bought < 0).fill_null(0),
            earned=points.sum(where=points > 0).fill_null(0),
            redeemed=-points.sum(where=points < 0).fill_null(0),
        )
        .order_by("month")
    )


def hours(transactions: ir.Table) -> ir.Table:
    """One row per weekday and hour with transactions.

    Args:
        transactions: See `activity`.

    Returns:
        `weekday` (0: Monday), `hour`, `rows`.
    """
    when = transactions["fecha"]
    timed = transactions.select(weekday=when.day_of_week.index(), hour=when.hour())
    return timed.group_by("weekday", "hour").agg(rows=timed.count()).order_by("weekday", "hour")


def categories(transactions: ir.Table) -> ir.Table:
    """One row per category, largest amount first.

    Args:
        transactions: See `activity`.

    Returns:
        `rubro`, `spellings` (ways it is written), `rows`, `customers`, `bought`, `refunds`.
    """
    amount = transactions["valor_transaccion"]
    return (
        transactions.group_by("rubro")
        .agg(
            spellings=transactions["categoria"].nunique(),
            rows=transactions.count(),
            customers=transactions["id_cliente"].nunique(),
            bought=amount.sum(where=amount > 0).fill_null(0),
            refunds=(amount < 0).sum(),
        )
        .order_by(ibis.desc("bought"), "rubro")
    )


def frequencies(transactions: ir.Table) -> ir.Table:
    """One row per step of activity: how many customers have so many transactions.

    Args:
        transactions: See `activity`.

    Returns:
        `at_least` (the step's fewest transactions), `customers`, `rows`.
    """
    people = transactions.group_by("id_cliente").agg(count=transactions.count())
    steps = [(people["count"] >= step, step) for step in reversed(CUSTOMER_STEPS)]
    stepped = people.mutate(at_least=ibis.cases(*steps, else_=0).cast("int64"))
    return (
        stepped.group_by("at_least")
        .agg(customers=stepped.count(), rows=stepped["count"].sum())
        .order_by("at_least")
    )


def concentration(transactions: ir.Table) -> ir.Table:
    """One row per tenth of the customers by amount, the best tenth first.

    Args:
        transactions: See `activity`.

    Returns:
        `tenth` (1: the best), `customers`, `bought` (sum of positive amounts).
    """
    amount = transactions["valor_transaccion"]
    people = transactions.group_by("id_cliente").agg(
        bought=amount.sum(where=amount > 0).fill_null(0)
    )
    order = ibis.row_number().over(order_by=[ibis.desc(people["bought"]), people["id_cliente"]])
    ranked = people.mutate(_place=order, _all=people.count().over())
    placed = ranked.mutate(tenth=(ranked["_place"] * 10 // ranked["_all"]).cast("int64") + 1)
    return (
        placed.group_by("tenth")
        .agg(customers=placed.count(), bought=placed["bought"].sum())
        .order_by("tenth")
    )
