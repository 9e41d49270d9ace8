"""Customer features per rubro once more, by plain loops over rows."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]
from tests.segments.tables import Data, Person, Tx

from clientela.features.segment_columns import REST, ColumnLayout, SegmentFeatureParams


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def spend(rows: Sequence[Tx]) -> float:
    return float(sum((row.valor_transaccion for row in rows), Decimal(0)))


def bought(rows: Sequence[Tx]) -> list[Tx]:
    return [row for row in rows if row.valor_transaccion > 0]


def mean_amount(rows: Sequence[Tx]) -> float:
    return spend(bought(rows)) / len(bought(rows)) if bought(rows) else 0.0


class Oracle:
    """What every customer's row should be."""

    def __init__(self, data: Data, layout: ColumnLayout, params: SegmentFeatureParams) -> None:
        self.layout, self.params, self.people = layout, params, data.people
        self.end = midnight(layout.fecha_modelo + timedelta(days=1))
        past = [row for row in data.transactions if row.fecha < self.end]
        start = min((row.fecha for row in past), default=self.end)
        if params.window_months is not None:
            start = self.end - relativedelta(months=params.window_months)
        self.never = float((self.end.date() - start.date()).days)
        self.rows = [row for row in past if row.fecha >= start]
        self.names = {row.id_cliente for row in past} | {p.id_cliente for p in data.people}

    def expected(self) -> dict[str, dict[str, Any]]:
        return {name: self.customer(name) for name in self.names}

    def slug(self, rubro: str) -> str | None:
        for each in self.layout.rubros:
            if rubro in each.members:
                return each.slug
        return REST if self.params.pool_rest and REST in self.layout.slugs else None

    def of(self, name: str, slug: str | None = None) -> list[Tx]:
        mine = [row for row in self.rows if row.id_cliente == name]
        return mine if slug is None else [row for row in mine if self.slug(row.rubro) == slug]

    def recency(self, rows: Sequence[Tx]) -> float:
        last = max((row.fecha.date() for row in bought(rows)), default=None)
        return self.never if last is None else float((self.end.date() - last).days)

    def score(self, name: str, slug: str) -> float:
        spends = {
            other: spend(self.of(other, slug))
            for other in {row.id_cliente for row in self.rows}
            if bought(self.of(other, slug)) and spend(self.of(other, slug)) > 0
        }
        if name not in spends:
            return 0.0
        return sum(value <= spends[name] for value in spends.values()) / len(spends)

    def customer(self, name: str) -> dict[str, Any]:
        mine, slugs = self.of(name), self.layout.slugs
        whole = sum(max(spend(self.of(name, slug)), 0.0) for slug in slugs)
        found: dict[str, Any] = {
            "num_tx": float(len(bought(mine))),
            "gasto_total": spend(mine),
            "ticket_promedio": mean_amount(mine),
            "recencia_dias": self.recency(mine),
            "rubros_distintos": float(sum(bool(bought(self.of(name, s))) for s in slugs)),
        }
        for slug in slugs:
            there = self.of(name, slug)
            found |= {
                f"frecuencia_{slug}": float(len(bought(there))),
                f"gasto_{slug}": spend(there),
                f"monto_promedio_{slug}": mean_amount(there),
                f"participacion_{slug}": max(spend(there), 0.0) / whole if whole else 0.0,
                f"recencia_{slug}_dias": self.recency(there),
                f"score_{slug}": self.score(name, slug),
            }
        return found | self.values(mine) | {"rubro_top": self.top(name)} | self.person(name)

    def values(self, mine: Sequence[Tx]) -> dict[str, float]:
        found: dict[str, float] = {}
        for column, slugs in self.layout.categoricals.items():
            for slug in slugs.values():
                hits = [r for r in bought(mine) if slugs.get(str(getattr(r, column))) == slug]
                share = len(hits) / len(bought(mine)) if bought(mine) else 0.0
                found[f"participacion_{column}_{slug}"] = share
        return found

    def top(self, name: str) -> str | None:
        ranked = sorted(
            (rubro.slug == REST, -self.score(name, rubro.slug), -spend(self.of(name, rubro.slug)),
             rubro.label)
            for rubro in self.layout.rubros
            if self.score(name, rubro.slug) > 0
        )  # fmt: skip
        return ranked[0][-1] if ranked else None

    def person(self, name: str) -> dict[str, Any]:
        who = next((p for p in self.people if p.id_cliente == name), Person(name))
        stratum = None if who.estrato_social is None else float(who.estrato_social)
        return {"edad": self.age(who), "genero": who.genero, "estrato_social": stratum}

    def age(self, who: Person) -> float | None:
        """Completed years; who was born on 29 February turns older on 1 March of a common year."""
        birth, day = who.fecha_nacimiento, self.end.date()
        if birth is None or birth > day:
            return None
        return float(day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)))
