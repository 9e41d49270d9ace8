"""Rewrites the future: if a feature notices, it looked past its cutoff.

In `last_transaction` mode the dates themselves define the cutoff and stay; everything else of the
later rows changes. In calendar mode the dates move further into the future too. Each later row
comes back twice, with different contents, so that counts and numbers of distinct values notice as
well. A points balance is a snapshot of the past and the future together, so it moves by what the
scrambled points move.
"""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from clientela.features.cutoff import CUTOFF, Cutoff, with_cutoff

# what the two copies of a later row hold: unlike real rows, and unlike each other
FUTURE: dict[str, tuple[str | Decimal | int, str | Decimal | int]] = {
    "rubro": ("rubro del futuro", "otro rubro del futuro"),
    "valor_transaccion": (Decimal("-7.77"), Decimal("123456789.01")),
    "puntos": (-13, 3707),
    "tipo_transaccion": ("TIPO DEL FUTURO", "OTRO TIPO DEL FUTURO"),
}


def scrambled_transactions(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions with every row at or past its cutoff rewritten, twice.

    Args:
        transactions: One row per transaction.
        cutoff: Where each customer's past ends.

    Returns:
        The same columns; rows before the cutoff untouched, two rows for each later one.
    """
    dated = with_cutoff(transactions, cutoff)
    copies = (dated["fecha"] >= dated[CUTOFF]).ifelse(ibis.array([1, 2]), ibis.array([0]))
    copied = dated.mutate(_copy=copies.unnest())
    changed = {name: _rewritten(copied, name) for name in FUTURE}
    if cutoff.mode == "calendar":
        moved = copied["fecha"] + ibis.interval(days=45)
        changed["fecha"] = (copied["_copy"] > 0).ifelse(moved, copied["fecha"])
    return copied.mutate(**changed).drop(CUTOFF, "_copy")


def scrambled_customers(transactions: ir.Table, customers: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The customers with balances that explain the scrambled points.

    Args:
        transactions: The transactions as they are.
        customers: One row per customer.
        cutoff: Where each customer's past ends.

    Returns:
        The same rows; `saldo_puntos` moved by the difference of the scrambled points.
    """
    dated = with_cutoff(transactions, cutoff)
    later = dated["fecha"] >= dated[CUTOFF]
    first, second = FUTURE["puntos"]
    difference = ibis.literal(first) + ibis.literal(second) - dated["puntos"].fill_null(0)
    moved = dated.group_by("id_cliente").agg(_moved=difference.sum(where=later))
    joined = customers.left_join(moved, "id_cliente", rname="{name}_right")
    balance = joined["saldo_puntos"] + joined["_moved"].fill_null(0)
    return joined.mutate(saldo_puntos=balance.cast("int64")).select(customers.columns)


def _rewritten(copied: ir.Table, name: str) -> ir.Value:
    column = copied[name]
    first, second = (ibis.literal(value).cast(column.type()) for value in FUTURE[name])
    return copied["_copy"].cases((1, first), (2, second), else_=column)
