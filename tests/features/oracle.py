"""Every feature and the target once more, by plain loops and calendar arithmetic of dateutil."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]
from tests.features.tables import Person, Tx

from clientela.features.settings import FeatureParams
from clientela.features.transactions import Cutoff


def cutoff_of_customer(cutoff: Cutoff, mine: Sequence[Tx]) -> datetime:
    if cutoff.as_of is not None:
        return datetime.combine(cutoff.as_of, datetime.min.time())
    last = max(row.fecha for row in mine)
    cut: datetime = last - relativedelta(months=cutoff.target_months)
    return cut


def total(rows: Iterable[Tx]) -> float:
    return float(sum((row.valor_transaccion for row in rows), Decimal(0)))


def quotient(over: float, under: float) -> float:
    return over / under if under else 0.0


def is_purchase(row: Tx, params: FeatureParams) -> bool:
    counts = params.purchase_types is None or row.tipo_transaccion in params.purchase_types
    return row.rubro == params.rubro and row.valor_transaccion > 0 and counts


def days_since(rows: Sequence[Tx], moment: datetime, pick: Callable[..., datetime] = max) -> float:
    return float((moment.date() - pick(row.fecha for row in rows).date()).days) if rows else 0.0


def age(birth: date | None, moment: datetime) -> float:
    """Completed years; who was born on 29 February turns older on 1 March of a common year."""
    if birth is None:
        return 0.0
    years = moment.year - birth.year - ((moment.month, moment.day) < (birth.month, birth.day))
    return float(max(years, 0))


def share(part: Sequence[Tx], whole: Sequence[Tx]) -> float:
    """Amount of a part in that of a whole, where what refunds push below zero counts as zero."""
    own = max(total(part), 0.0)
    return quotient(own, max(total(whole), own))


def expected_features(
    mine: Sequence[Tx], person: Person | None, cutoff: Cutoff, params: FeatureParams
) -> dict[str, float]:
    """Every feature of one customer, by plain loops over calendar arithmetic of dateutil."""
    moment = cutoff_of_customer(cutoff, mine)
    past = [row for row in mine if row.fecha < moment]
    who = person or Person(mine[0].id_cliente)
    cat, (short, long), year = params.slug, params.window_months, params.category_months

    def window(months: int, rows: Sequence[Tx] = past) -> list[Tx]:
        return [row for row in rows if row.fecha >= moment - relativedelta(months=months)]

    of_category = [row for row in past if row.rubro == params.rubro]
    purchases = [row for row in past if is_purchase(row, params)]
    season_end = moment - relativedelta(months=12 - params.target_months)
    balance = float(who.saldo_puntos or 0)
    if params.points_balance == "at_cutoff" and who.saldo_puntos is not None:
        balance -= sum(row.puntos or 0 for row in mine if row.fecha >= moment)
    found: dict[str, float] = {
        "num_tx_total": len(past),
        "total_gasto": total(past),
        "recencia_dias": days_since(past, moment),
        "log_num_tx_total": math.log1p(len(past)),
        "log_total_gasto": math.log1p(max(total(past), 0.0)),
        f"gasto_{cat}_{year}m": total(window(year, of_category)),
        f"pct_{cat}_{year}m": share(window(year, of_category), window(year)),
        f"compra_{cat}": float(bool(window(year, purchases))),
        "edad": age(who.fecha_nacimiento, moment),
        "estrato_social": float(who.estrato_social or 0),
        "saldo_puntos": balance,
        "sin_historial": float(not past),
        f"compras_{cat}_mismo_trimestre": sum(r.fecha < season_end for r in window(12, purchases)),
        f"recencia_{cat}_dias": days_since(purchases, moment),
        "antiguedad_dias": days_since(past, moment, min),
        "ticket_promedio": quotient(total(past), len(past)),
        f"tendencia_gasto_{short}m": share(window(short), window(long)) * long / short,
        f"rubros_distintos_{year}m": len({row.rubro for row in window(year)}),
    }
    found["dias_entre_compras"] = quotient(
        found["antiguedad_dias"] - found["recencia_dias"], len(past) - 1
    )
    found |= _expected_history(purchases, found, moment, params)
    for months in (short, long):
        points = [row.puntos or 0 for row in window(months)]
        found |= {
            f"num_tx_{months}m": len(points),
            f"gasto_{months}m": total(window(months)),
            f"puntos_ganados_{months}m": sum(p for p in points if p > 0),
            f"puntos_redimidos_{months}m": -sum(p for p in points if p < 0),
            f"avg_gasto_{cat}_{months}m": total(window(months, of_category)) / months,
        }
    for months in (short, long, year):
        found[f"compras_{cat}_{months}m"] = len(window(months, purchases))
    return found


def _expected_history(
    purchases: Sequence[Tx], found: dict[str, float], moment: datetime, params: FeatureParams
) -> dict[str, float]:
    """How often, how regularly and how long ago the category was bought."""
    cat, quarter = params.slug, params.target_months

    def bought(begin: int, end: int) -> int:
        """Purchases from so many months before the cutoff up to so many."""
        days = moment - relativedelta(months=begin), moment - relativedelta(months=end)
        return sum(days[0] <= row.fecha < days[1] for row in purchases)

    since = [days_since(purchases, moment, pick) for pick in (min, max)]
    gap = quotient(since[0] - since[1], len(purchases) - 1)
    quarters = min(max(found["antiguedad_dias"], 91.3125), 365.25) / 91.3125
    return {
        f"compras_{cat}_ultimo_mes": bought(1, 0),
        f"compras_{cat}_trimestre_2": bought(2 * quarter, quarter),
        f"compras_{cat}_trimestre_3": bought(3 * quarter, 2 * quarter),
        f"compras_{cat}_total": len(purchases),
        f"compras_{cat}_por_trimestre": bought(12, 0) / quarters,
        f"proporcion_compras_{cat}": quotient(len(purchases), found["num_tx_total"]),
        f"dias_entre_compras_{cat}": gap,
        f"atraso_{cat}": since[1] / max(gap, 1.0),
    }


def expected_purchases(mine: Sequence[Tx], cutoff: Cutoff, params: FeatureParams) -> int:
    """Purchases of one customer in their target window."""
    moment = cutoff_of_customer(cutoff, mine)
    window = [row for row in mine if row.fecha >= moment]
    if cutoff.mode == "calendar":
        end = moment + relativedelta(months=cutoff.target_months)
        window = [row for row in window if row.fecha < end]
    return sum(is_purchase(row, params) for row in window)
