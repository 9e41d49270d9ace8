"""What the transactions hold, for choosing the columns of customer segments.

Nothing after the date of the model is counted. Coverage is counted in the window that features
see, while every rubro up to that date is listed: one that a person configured may rest a season.
"""

import ibis
import ibis.expr.types as ir

from clientela.features.customer import KEY
from clientela.features.cutoff import as_timestamp, months_before
from clientela.segments.params import SegmentFeatureParams


def observed_rubros(transactions: ir.Table, params: SegmentFeatureParams) -> dict[str, ir.Table]:
    """When the transactions took place, which rubros there are, and which values.

    Args:
        transactions: One row per transaction: `id_cliente`, `fecha`, `categoria`, `rubro`,
            `valor_transaccion`, and the configured categoricals where the data have them.
        params: Date and length of the window, and the categoricals.

    Returns:
        `period`: one row, `first` and `last` (timestamps) of all transactions, which a date that
        precedes them is compared with; `rubros`: one row per `rubro` and spelling (`categoria`) up
        to the date, with `customers` who bought there in the window, and its `rows` in the window;
        `values`: one row per categorical (`column`) and `value` as text, with `rows`, the purchases
        in the window.
    """
    fecha = transactions["fecha"]
    return {
        "period": transactions.agg(first=fecha.min(), last=fecha.max()),
        "rubros": _rubros(_seen(transactions, params)),
        "values": _values(transactions, params),
    }


def is_purchase(rows: ir.Table) -> ir.BooleanValue:
    """Whether a row is a purchase: of a positive amount, and so no refund.

    Args:
        rows: Transactions.

    Returns:
        A condition per row.
    """
    return rows["valor_transaccion"] > 0


def _seen(transactions: ir.Table, params: SegmentFeatureParams) -> ir.Table:
    """The transactions up to the date of the model, each with `_in_window` and `_bought`."""
    end = _end(transactions, params)
    past = transactions.filter(transactions["fecha"] < end)
    in_window: ir.BooleanValue = ibis.literal(value=True)
    if params.window_months is not None:
        in_window = past["fecha"] >= months_before(end, params.window_months)
    return past.mutate(_in_window=in_window, _bought=in_window & is_purchase(past))


def _end(transactions: ir.Table, params: SegmentFeatureParams) -> ir.TimestampValue:
    """Midnight after the date of the model."""
    if params.fecha_modelo is not None:
        return as_timestamp(params.fecha_modelo) + ibis.interval(days=1)
    last = transactions.agg(last=transactions["fecha"].max())
    return last["last"].as_scalar().truncate("D") + ibis.interval(days=1)


def _rubros(seen: ir.Table) -> ir.Table:
    return seen.group_by("rubro", "categoria").agg(
        customers=seen[KEY].nunique(where=seen["_bought"]),
        rows=seen.count(where=seen["_in_window"]),
    )


def _values(transactions: ir.Table, params: SegmentFeatureParams) -> ir.Table:
    present = [name for name in params.categoricals if name in transactions.columns]
    if not present:
        nothing = transactions.filter(ibis.literal(value=False))
        return _counted(nothing, KEY, "")
    seen = _seen(transactions, params)
    bought = seen.filter(seen["_bought"])
    return ibis.union(*(_counted(bought, name, name) for name in present))


def _counted(rows: ir.Table, column: str, name: str) -> ir.Table:
    """One row per value of a column."""
    values = rows.select(value=rows[column].cast("string"))
    known = values.filter(values["value"].notnull())
    counts = known.group_by("value").agg(rows=known.count())
    return counts.select("value", "rows", column=ibis.literal(name))
