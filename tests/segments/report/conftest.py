from datetime import date

import numpy as np
import pandas as pd
import pytest

from clientela.features.segment_columns import (
    ClusteringParams,
    ColumnLayout,
    Rubro,
    SegmentFeatureParams,
    SegmentReportParams,
)
from clientela.models.segmentation import SIN_ACTIVIDAD_NAME, SegmentIdentity
from clientela.pipelines.segmentation.report_data import SegmentReportData
from clientela.pipelines.segmentation.report_figures import compute_projection

RUBROS = (
    "Supermercado", "Farmacia", "Restaurantes", "Tecnología", "Ropa", "Hogar", "Viajes",
    "Combustible", "Deportes", "Libros", "Mascotas", "Juguetes", "Belleza", "Ferretería",
    "Educación", "Otros",
)  # fmt: skip
DAY = date(2024, 6, 30)
ACCOUNTING = {
    "known": 655,
    "in_segments": 600,
    "sin_actividad_reasons": {"few": 50, "before": 3, "never": 1},
    "left_out": 1,
}


def slug(label):
    return label.lower().replace("í", "i").replace("ó", "o")


def planted(segments, rubros, seed=3):
    """Customers who spend half of their money on the rubro of their segment."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(
        segments, 600, p=np.arange(segments, 0, -1) / sum(range(segments + 1))
    )
    concentration = np.full((segments, rubros), 0.9)
    concentration[np.arange(segments), np.arange(segments) % rubros] += 5.0
    return np.array([generator.dirichlet(concentration[s]) for s in labels]), labels


def profile_of(shares, labels, names, rubros):
    counts = np.bincount(labels, minlength=len(names))
    spend = counts * np.linspace(400.0, 900.0, len(names))
    rows = [
        {
            "cluster_id": i, "cluster_nombre": names[i], "clientes": int(counts[i]),
            "gasto": spend[i], "gasto_medio": spend[i] / counts[i], "ticket_mediano": 31.5,
            "compras_mediana": 14.0, "recencia_mediana": 9.0,
        }
        for i in names
    ]  # fmt: skip
    nobody = {
        "cluster_id": -1, "cluster_nombre": SIN_ACTIVIDAD_NAME, "clientes": 55, "gasto": 4100.0,
        "gasto_medio": 74.5, "ticket_mediano": 28.0, "compras_mediana": 2.0,
        "recencia_mediana": 170.0,
    }  # fmt: skip
    segments = pd.DataFrame([*rows, nobody])
    segments["clientes_share"] = segments["clientes"] / segments["clientes"].sum()
    segments["gasto_share"] = segments["gasto"] / segments["gasto"].sum()
    overall = shares.mean(axis=0)
    told = [
        {
            "cluster_id": i, "slug": slug(label), "label": label,
            "participacion": shares[labels == i, r].mean(),
            "lift": shares[labels == i, r].mean() / overall[r],
            "score_medio": min(1.0, 1.8 * shares[labels == i, r].mean()),
            "compradores_share": min(1.0, 0.3 + shares[labels == i, r].mean()),
        }
        for i in names
        for r, label in enumerate(rubros)
    ]  # fmt: skip
    values = (
        ("edad", "25-34", 0.6), ("edad", "menos de 25", 0.3), ("edad", "sin dato", 0.1),
        ("genero", "F", 0.55), ("genero", "M", 0.45),
        ("estrato_social", "2", 0.7), ("estrato_social", "10", 0.3),
    )  # fmt: skip
    demographics = [
        {"cluster_id": i, "attribute": a, "value": v, "clientes": int(s * counts[i]), "share": s}
        for i in names
        for a, v, s in values
    ]
    frames = pd.DataFrame(told), pd.DataFrame(demographics)
    return {"segments": segments, "rubros": frames[0], "demographics": frames[1]}


def evaluation_of(largest):
    k = np.arange(2, largest + 1)
    return pd.DataFrame(
        {
            "k": k,
            "inertia": 84_000.0 / np.sqrt(k),
            "silhouette": 0.18 - 0.004 * k,
            "null_silhouette": np.full(len(k), 0.09),
            "null_sd": np.full(len(k), 0.012),
            "stability": 0.95 - 0.05 * (k - 2),
            "stability_sd": np.full(len(k), 0.04),
            "smallest_share": 0.8 / k,
        }
    )


def moved_from(names):
    """Everybody stays, but for a tenth that goes to the next segment, and some come and go."""
    ids = [*names, -1, None]
    called = {**names, -1: SIN_ACTIVIDAD_NAME}
    rows = [
        (before, after, 90 if before == after else 10)
        for place, before in enumerate(ids)
        for after in {before: 0, ids[(place + 1) % len(ids)]: 0}
        if before is not None or after is not None
    ]
    frame = pd.DataFrame(rows, columns=["previous_id", "current_id", "customers"])
    return frame.assign(
        previous_id=frame["previous_id"].astype("Int64"),
        current_id=frame["current_id"].astype("Int64"),
        previous_name=[called.get(before, "Clientes nuevos") for before, _, _ in rows],
        current_name=[called.get(after, "Ya no aparecen") for _, after, _ in rows],
        share=frame["customers"] / 100,
    )


@pytest.fixture(scope="session")
def make_report():
    """Makes the facts of a report: `make_report(segments, rubros, names={...})`."""

    def make(segments=3, rubros=6, names=None):
        labels = RUBROS[:rubros]
        names = names or {
            i: RUBROS[i % rubros] + (" y hogar" if i >= rubros else "") for i in range(segments)
        }
        shares, of = planted(segments, rubros)
        clustering = ClusteringParams()
        columns = tuple(f"participacion_{slug(label)}" for label in labels)
        identity = SegmentIdentity(
            fecha_modelo=DAY,
            layout=ColumnLayout(
                fecha_modelo=DAY,
                rubros=tuple(
                    Rubro(slug=slug(label), label=label, members=(slug(label),)) for label in labels
                ),
            ),
            columns=columns,
            transformed=True,
            centers=tuple(tuple(row) for row in np.eye(segments, rubros).tolist()),
            ids=tuple(names),
            names=names,
            name_reasons={i: f"pone más de su gasto en {RUBROS[i % rubros]}." for i in names},
        )
        choice = {
            "k": segments, "basis": "stable", "knee": None, "recommended": segments,
            "sentences": [
                "Los segmentos son una partición útil más que grupos naturales.",
                "El método del codo no señala ningún número.",
            ],
        }  # fmt: skip
        migration = {
            "previous": "2024-06-23", "current": "2024-06-30", "compared": 590,
            "still_inactive": 48, "same_segment_share": 0.958, "nearest_share": 0.913,
            "adjusted_rand": 0.894, "held_by_margin": 27, "births": [{"id": 2, "name": names[1]}],
            "deaths": [], "sentence": "El 4,2 % de los clientes cambió de segmento.",
        }  # fmt: skip
        return SegmentReportData(
            accounting=ACCOUNTING,
            identity=identity,
            choice=choice,
            evaluation=evaluation_of(max(8, segments)),
            profile=profile_of(shares, of, names, labels),
            migration=migration,
            migration_matrix=moved_from(names),
            membership={
                "mode": "report", "agreement": 0.81, "mean_highest": 0.78, "unclear_share": 0.23,
                "segments": [
                    {"cluster_id": i, "customers": 90 + i, "agreement": 0.8, "mean_highest": 0.7,
                     "unclear_share": 0.2 + 0.01 * i}
                    for i in names
                ],
            },
            projection=compute_projection(np.sqrt(shares), of, columns, clustering),
            features=SegmentFeatureParams(),
            clustering=clustering,
            settings=SegmentReportParams(),
        )  # fmt: skip

    return make
