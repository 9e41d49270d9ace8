"""Raw files of a small retailer whose customers mostly buy one rubro each."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

FIRST_DAY = date(2024, 6, 1)
MODEL_DAY = date(2024, 8, 7)
NEXT_WEEK = MODEL_DAY + timedelta(days=7)
RUBROS = ("SUPERMERCADO", "FARMACIA", "RESTAURANTE")
TRANSACTIONS = "01_raw/transacciones/muestra_transacciones.csv"
CUSTOMERS = "01_raw/customers/muestra_customers.csv"
WITHOUT_PURCHASE = "09999"
COLUMNS = ["id_transaccion", "id_cliente", "fecha", "categoria", "valor_transaccion", "canal"]


def purchases(
    tastes: Sequence[int] = (30, 24, 18), rubros: Sequence[str] = RUBROS, prefix: str = "0"
) -> pd.DataFrame:
    """One row per purchase until `NEXT_WEEK`.

    As many customers per rubro as `tastes` says, who mostly buy there, and three who bought twice;
    their ids begin with `prefix`.
    """
    rng = np.random.default_rng(len(rubros))
    liked = np.repeat(np.arange(len(tastes)), tastes)
    often = rng.integers(14, 22, len(liked))
    tables = [
        _purchases_of(f"{prefix}{number:04d}", bought, rubros, taste % len(rubros), rng)
        for number, (taste, bought) in enumerate(
            zip([*liked, 0, 1, 2], [*often, 2, 2, 2], strict=True)
        )
    ]
    return pd.concat(tables, ignore_index=True)


def _purchases_of(
    customer: str, bought: int, rubros: Sequence[str], taste: int, rng: np.random.Generator
) -> pd.DataFrame:
    wishes = np.full(len(rubros), 0.15 / len(rubros)) + 0.85 * np.eye(len(rubros))[taste]
    days = rng.integers((NEXT_WEEK - FIRST_DAY).days, size=bought)
    days[0] = (NEXT_WEEK - FIRST_DAY).days
    return pd.DataFrame(
        {
            "id_transaccion": [f"{customer}-{place}" for place in range(bought)],
            "id_cliente": customer,
            "fecha": [f"{FIRST_DAY + timedelta(days=int(day))} 10:00:00" for day in days],
            "categoria": rng.choice(rubros, bought, p=wishes),
            "valor_transaccion": np.round(rng.gamma(2, 40, bought) + 1, 2),
            "canal": rng.choice(["APP", "TIENDA"], bought),
        },
        columns=COLUMNS,
    )


def customers(ids: Iterable[str]) -> pd.DataFrame:
    """One row per customer."""
    known = sorted(set(ids))
    places = np.arange(len(known))
    return pd.DataFrame(
        {
            "id_cliente": known,
            "fecha_nacimiento": [f"{1950 + place % 50}-03-01" for place in places],
            "genero": np.where(places % 3, "F", "M"),
            "estrato_social": 1 + places % 6,
            "saldo_puntos": 10 * places,
        }
    )


def digests(folder: Path, *below: str) -> dict[str, str]:
    """Every file in a folder, or in some of its subfolders, to what it holds."""
    roots = [folder / name for name in below] or [folder]
    files = sorted(path for root in roots for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}
