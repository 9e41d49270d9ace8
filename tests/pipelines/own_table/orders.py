"""Orders of a small online shop, as its export writes them: the table of docs/adding-a-use-case."""

import numpy as np
import pandas as pd

PLACE = "01_raw/returns/orders.csv"
TARGET = "devuelto"
CHANNELS = ["app", "tienda", "web"]
CATEGORIES = ["calzado", "hogar", "ropa"]


def orders(rows: int = 300, seed: int = 3) -> pd.DataFrame:
    """One row per order as text: late ones and clothes come back; the last ten are not judged."""
    rng = np.random.default_rng(seed)
    category, days = rng.choice(CATEGORIES, rows), rng.poisson(4, rows)
    odds = 0.9 * (days - 4) + 1.6 * (category == "ropa") - 1.3
    back = rng.random(rows) < 1 / (1 + np.exp(-odds))
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(rng.integers(0, 120, rows), "D")
    frame = pd.DataFrame(
        {
            "id_pedido": [f"P{place:04d}" for place in range(rows)],
            "fecha_pedido": day.strftime("%Y-%m-%d"),
            "valor_pedido": np.round(rng.lognormal(3, 0.6, rows), 2),
            "dias_entrega": days,
            "canal": rng.choice(CHANNELS, rows),
            "categoria": category,
            "talla": np.where(category == "ropa", rng.choice(["S", "M", "L"], rows), ""),
            TARGET: np.where(back, "Yes", "No"),
        }
    ).astype("str")
    frame.loc[frame.index[-10:], TARGET] = ""
    return frame


def dirty_lines(frame: pd.DataFrame) -> list[str]:
    """The file's lines with five broken rows behind the sound ones, each of another fault."""
    header, first, *others = csv(frame).splitlines()
    broken = {
        "duplicate_key": first,
        "invalid_fecha_pedido": "X1,2024-02-30,10.0,3,web,ropa,M,No",
        "invalid_valor_pedido": "X2,2024-03-01,-10.0,3,web,ropa,M,No",
        "missing_id_pedido": ",2024-03-01,10.0,3,web,ropa,M,No",
        "extra_columns": "X3,2024-03-01,10.0,3,web,ropa,M,No,9",
    }
    emptied = "X4,2024-03-01,10.0,tres,web,hogar,,No"
    return [header, first, *others, *broken.values(), emptied]


REASONS = {
    "duplicate_key": 1,
    "extra_columns": 1,
    "invalid_fecha_pedido": 1,
    "invalid_valor_pedido": 1,
    "missing_id_pedido": 1,
}
"""What the lines of `dirty_lines` are refused for."""


def csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")
