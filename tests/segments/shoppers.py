"""Customers who mostly buy one rubro each: segments that anybody would find."""

from datetime import date

import numpy as np
import pandas as pd

from clientela.features.segment_columns import ColumnLayout, Rubro

RUBROS = ("supermercado", "farmacia", "restaurantes", "hogar")


def layout_of(*slugs, day=date(2024, 6, 30)):
    rubros = tuple(Rubro(slug=s, label=s.capitalize(), members=(s,)) for s in slugs)
    return ColumnLayout(fecha_modelo=day, rubros=rubros)


LAYOUT = layout_of(*RUBROS)
NEXT_WEEK = layout_of(*RUBROS, day=date(2024, 7, 7))


def customers(seed=0, each=60, tastes=(0, 1, 2)):
    """Customers who mostly buy one rubro each, the first taste most numerous."""
    rng = np.random.default_rng(seed)
    shares = np.concatenate(
        [
            rng.dirichlet(1 + 12 * np.eye(len(RUBROS))[taste], each + 30 * (len(tastes) - place))
            for place, taste in enumerate(tastes)
        ]
    )
    table = pd.DataFrame(shares, columns=[f"participacion_{s}" for s in RUBROS])
    return table.assign(
        id_cliente=[f"{place:05d}" for place in range(len(table))],
        num_tx=12.0,
        gasto_total=100.0,
    )
