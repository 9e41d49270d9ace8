"""Rewrites the future: if a feature notices, it looked past its cutoff.

In `last_transaction` mode the dates themselves define the cutoff and stay; everything else of the
later rows changes. In calendar mode the dates move further into the future too. A points balance
is a snapshot of the past and the future together, so it moves by what the scrambled points move.
"""

import ibis
import ibis.expr.types as ir

from clientela.features.cutoff import CUTOFF, Cutoff, with_cutoff


def scrambled_transactions(transactions: ir.Table, cutoff: Cutoff) -> ir.Table:
    """The transactions with every row at or past its cutoff rewritten.

    Args:
        transactions: One row per transaction.
        cutoff: Where each customer's past ends.

    Returns:
        The same number of rows and the same columns; rows before the cutoff untouched.
    """
    dated = with_cutoff(transactions, cutoff)
    later = dated["fecha"] >= dated[CUTOFF]
    changed: dict[str, ir.Value] = {
        "rubro": later.ifelse("rubro del futuro", dated["rubro"]),
        "valor_transaccion": later.ifelse(
            (dated["valor_transaccion"] * -3 + 7).cast(dated["valor_transaccion"].type()),
            dated["valor_transaccion"],
        ),
        "puntos": later.ifelse(_other_points(dated), dated["puntos"]),
        "tipo_transaccion": later.ifelse("TIPO DEL FUTURO", dated["tipo_transaccion"]),
    }
    if cutoff.mode == "calendar":
        moved = dated["fecha"] + ibis.interval(days=45)
        changed["fecha"] = later.ifelse(moved, dated["fecha"])
    return dated.mutate(**changed).drop(CUTOFF)


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
    difference = _other_points(dated) - dated["puntos"]
    moved = dated.group_by("id_cliente").agg(_moved=difference.sum(where=later))
    joined = customers.left_join(moved, "id_cliente", rname="{name}_right")
    balance = joined["saldo_puntos"] + joined["_moved"].fill_null(0)
    return joined.mutate(saldo_puntos=balance.cast("int64")).select(customers.columns)


def _other_points(dated: ir.Table) -> ir.Value:
    return (dated["puntos"] * -2 + 11).cast("int64")
