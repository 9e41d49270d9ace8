"""Which number of segments, and why, in words for those who work with them."""

from typing import Any, Literal

import numpy as np
import pandas as pd

from clientela.reports.numbers import NumberFormat
from clientela.segments.params import ClusteringParams

Basis = Literal["fixed", "previous", "elbow", "stable", "most_stable"]

NUMBERS = NumberFormat()
DECIMALS = 3

CLEARLY = 2.0
"""Standard deviations of chance from which a silhouette counts as better than chance."""

SUBSTANTIAL = 0.25
"""Silhouette up to which "no substantial structure has been found" (Kaufman & Rousseeuw 1990)."""

FEWEST_FOR_A_KNEE = 3
"""A bend lies between two others."""

AT_THE_EDGE = " Es el mayor de los comparados: conviene comparar más (clustering.candidates)."


def k_choice(
    evaluation: pd.DataFrame, params: ClusteringParams, previous_k: int | None
) -> dict[str, Any]:
    """The number of segments, what it rests on, and what speaks against it.

    A fixed number comes first, then the previous model's, so that names stay; else the elbow if its
    segments are stable; else, of the stable numbers, the one furthest above chance; else the most
    stable one. The smaller number wins a tie.

    Args:
        evaluation: One row per number of segments; see `k_evaluation`.
        params: A fixed number, the candidates, and what counts as stable.
        previous_k: Segments of the previous model, if there is one.

    Returns:
        `k`; `basis`: fixed, previous, elbow, stable or most_stable; `knee`: the elbow's number or
        None; `recommended`: what today's data say; `beats_chance`: whether the silhouette of `k` is
        more than two standard deviations above that of permuted columns; `stable`; `natural`: both,
        and a silhouette that means structure at all, since segments of one continuum can beat
        chance too; `sentences` in Spanish, the least flattering one first.
    """
    fewest, most = params.candidates
    compared = evaluation[evaluation["k"].between(fewest, most)]
    compared = evaluation if compared.empty else compared
    knee = elbow(compared)
    recommended, basis = _recommended(compared, knee, params.stable_at)
    k: int = recommended
    if params.k is not None:
        k, basis = params.k, "fixed"
    elif previous_k is not None:
        k, basis = previous_k, "previous"
    choice = {"k": k, "basis": basis, "knee": knee, "recommended": recommended}
    grades, verdict = _judged(evaluation[evaluation["k"] == k], k, params.stable_at)
    reason = _reason(choice) + (AT_THE_EDGE if k == recommended == most else "")
    return choice | grades | {"sentences": [*verdict, _knee_sentence(knee), reason]}


def elbow(evaluation: pd.DataFrame) -> int | None:
    """The number of segments after which the inertia falls more slowly.

    Args:
        evaluation: `k` and `inertia`, sorted by `k`.

    Returns:
        The knee (Satopää et al. 2011); None where the curve has none, which is common.
    """
    # kneed loads pyplot, a second that only this step should cost
    from kneed import KneeLocator  # noqa: PLC0415

    if len(evaluation) < FEWEST_FOR_A_KNEE:
        return None
    found = KneeLocator(
        evaluation["k"], evaluation["inertia"], curve="convex", direction="decreasing"
    )
    return None if found.knee is None else int(found.knee)


def _recommended(evaluation: pd.DataFrame, knee: int | None, stable_at: float) -> tuple[int, Basis]:
    stable = evaluation[evaluation["stability"] >= stable_at]
    if knee is not None and knee in stable["k"].to_numpy():
        return knee, "elbow"
    if stable.empty:
        return _first_of_most(evaluation, evaluation["stability"]), "most_stable"
    # without chance to compare with, the silhouette itself
    above = stable["silhouette"] - stable["null_silhouette"].fillna(0.0)
    return _first_of_most(stable, above), "stable"


def _first_of_most(evaluation: pd.DataFrame, figure: pd.Series) -> int:
    """The smallest number of segments whose figure is the largest."""
    return int(evaluation.loc[figure == figure.max(), "k"].min())


def _judged(figures: pd.DataFrame, k: int, stable_at: float) -> tuple[dict[str, bool], list[str]]:
    """What today's data say of the chosen number; nothing in its favour where it is not there."""
    if figures.empty:
        return {"beats_chance": False, "stable": False, "natural": False}, [_unseen(k)]
    row = figures.iloc[0]
    # a comparison with a missing silhouette of chance is False
    beats = bool(row["silhouette"] > row["null_silhouette"] + CLEARLY * row["null_sd"])
    stable = bool(row["stability"] >= stable_at)
    natural = beats and stable and bool(row["silhouette"] > SUBSTANTIAL)
    grades = {"beats_chance": beats, "stable": stable, "natural": natural}
    return grades, [_structure_sentence(row, grades), _stability_sentence(row, stable_at)]


def _structure_sentence(row: pd.Series, grades: dict[str, bool]) -> str:
    own = _number(row["silhouette"])
    if np.isnan(row["null_silhouette"]):
        return (
            "No se puede saber si los grupos son naturales: solo varía una columna, y con una sola "
            f"no hay azar con que comparar la separación (silueta {own})."
        )
    chance = f"{_number(row['null_silhouette'])} ± {_number(row['null_sd'])}"
    if not grades["beats_chance"]:
        return (
            f"Los clientes no forman grupos naturales: la separación (silueta {own}) no supera con "
            f"claridad la de los mismos datos mezclados al azar ({chance}). Es una partición útil "
            "para organizar campañas, no un descubrimiento."
        )
    if not grades["natural"]:
        return (
            "Los segmentos son una partición útil más que grupos naturales: la separación "
            f"(silueta {own}) supera la del azar ({chance}), pero {_what_fails(row, grades)}."
        )
    return (
        f"Los segmentos son grupos reconocibles: la separación (silueta {own}) supera con claridad "
        f"la de los mismos datos mezclados al azar ({chance})."
    )


def _what_fails(row: pd.Series, grades: dict[str, bool]) -> str:
    faint = f"hasta {_number(SUBSTANTIAL)} los grupos se tocan y muchos clientes están en el borde"
    shaky = "los grupos cambian de una muestra de clientes a otra"
    fails = {faint: row["silhouette"] <= SUBSTANTIAL, shaky: not grades["stable"]}
    return " y ".join(sentence for sentence, failed in fails.items() if failed)


def _stability_sentence(row: pd.Series, stable_at: float) -> str:
    figure = (
        f"con otras muestras de los mismos clientes los grupos coinciden en "
        f"{_number(row['stability'])} (índice de Rand ajustado: 1 es idéntico, 0 es azar; se pide "
        f"{_number(stable_at)})"
    )
    if row["stability"] >= stable_at:
        return f"Los segmentos son estables: {figure}."
    return f"Los segmentos no son estables: {figure}. Conviene no leer de más en sus diferencias."


def _unseen(k: int) -> str:
    return (
        f"No se sabe si {k} segmentos se sostienen: ese número no está entre los que se compararon "
        "con los datos de hoy."
    )


def _knee_sentence(knee: int | None) -> str:
    if knee is None:
        return (
            "El método del codo no señala ningún número: cada segmento más explica un poco más, "
            "sin un quiebre. Es un resultado normal."
        )
    return f"El método del codo señala {knee} segmentos."


def _reason(choice: dict[str, Any]) -> str:
    k, recommended = choice["k"], choice["recommended"]
    today = (
        "los datos de hoy recomiendan el mismo número"
        if k == recommended
        else f"los datos de hoy recomendarían {recommended}"
    )
    reasons: dict[Basis, str] = {
        "fixed": f"Son {k} segmentos porque la configuración lo fija (clustering.k); {today}.",
        "previous": (
            f"Son {k} segmentos, como en el modelo anterior, para que cada segmento conserve su "
            f"nombre; {today}."
        ),
        "elbow": f"Son {k} segmentos: el número del codo, y sus grupos son estables.",
        "stable": (
            f"Son {k} segmentos: entre los números con grupos estables, el que mejor separa a los "
            "clientes, descontado el azar."
        ),
        "most_stable": (
            f"Son {k} segmentos: ningún número da grupos lo bastante estables, y este es el que "
            "menos cambia."
        ),
    }
    return reasons[choice["basis"]]


def _number(value: float) -> str:
    return NUMBERS.text(value, DECIMALS)
