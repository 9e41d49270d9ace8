"""Which number of segments, and why, in words for those who work with the segments.

K-Means always returns as many segments as it is asked for. Three figures say what they are worth:
the silhouette, the same in data where nothing belongs together, and whether other customers of the
same population would have led to the same segments.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from clientela.exceptions import TrainingDataError
from clientela.features.segment_columns import ClusteringParams
from clientela.models.training_data import run_in_threads
from clientela.progress import iter_with_progress
from clientela.text import NumberFormat

# Random streams, apart: more draws of one kind change no draw of another.
ROWS, SAMPLE, NULL, RESAMPLE = range(4)
# Each fit takes one thread, so the number of cores changes the time and nothing else.
ALL_CORES = -1
# Standard deviations of chance from which a silhouette counts as better than chance.
CLEARLY = 2.0
# Silhouette up to which "no substantial structure has been found" (Kaufman & Rousseeuw 1990).
SUBSTANTIAL = 0.25
# A bend lies between two others.
FEWEST_FOR_A_KNEE = 3

NUMBERS, DECIMALS = NumberFormat(), 3
Basis = Literal["fixed", "previous", "elbow", "stable", "most_stable"]


class ClusteringResult(NamedTuple):
    """Customers in clusters.

    Attributes:
        inertia: Sum of squared distances to the centres, on the standardised scale.
    """

    k: int
    labels: np.ndarray
    inertia: float


def evaluate_k_range(matrix: np.ndarray, params: ClusteringParams) -> pd.DataFrame:
    """One row per number of segments: how tight, how far apart, how repeatable.

    Args:
        matrix: Active customers x columns, not scaled; at most `evaluation_rows` are drawn.

    Returns:
        `k`; `inertia` of standardised columns; `silhouette` (Rousseeuw 1987); `null_silhouette` and
        `null_sd`: its mean and standard deviation where each column is permuted by itself, missing
        where fewer than two columns vary, as nothing can belong together there; `stability` and
        `stability_sd`: mean and standard deviation of the adjusted Rand index (Hubert & Arabie
        1985) between these clusters and those of bootstrap resamples (Hennig 2007);
        `smallest_share` of the customers. Numbers above that of different customers are left out.

    Raises:
        TrainingDataError: There are too few different customers for the smallest candidate.
    """
    rows = matrix[_sample_positions(len(matrix), params.evaluation_rows, params.seed, ROWS)]
    with warnings.catch_warnings():
        # fewer clusters than asked for: such a k is left out, and in a draw it does no harm
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = _fit_candidates(rows, matrix, params)
        scaled = StandardScaler().fit_transform(rows)
        calls: list[tuple[Any, ...]] = [(scaled, result.k, params) for result in results]
        null = np.full((len(results), params.null_draws), np.nan)
        if np.count_nonzero(np.ptp(rows, axis=0)) > 1:  # a column alone permutes to itself
            null = _run_draws(
                _compute_null_silhouette, calls, params.null_draws, "comparison with chance"
            )
        calls = [(rows, result, params) for result in results]
        stability = _run_draws(
            _compute_stability, calls, params.bootstrap_draws, "stability in resamples"
        )
    silhouettes = [compute_silhouette(scaled, result.labels, params) for result in results]
    return pd.DataFrame(
        {
            "k": [result.k for result in results],
            "inertia": [result.inertia for result in results],
            "silhouette": silhouettes,
            "null_silhouette": null.mean(axis=1),
            "null_sd": _compute_deviation(null),
            "stability": stability.mean(axis=1),
            "stability_sd": _compute_deviation(stability),
            "smallest_share": [np.bincount(each.labels).min() / len(rows) for each in results],
        }
    )


def compute_silhouette(scaled: np.ndarray, labels: np.ndarray, params: ClusteringParams) -> float:
    """How much nearer customers are to their own cluster than to the next one.

    Args:
        params: How many customers are drawn, and the seed; the draw is the same for every k.

    Returns:
        Mean silhouette of the drawn customers, -1..1; 0 where it has no meaning: all of them in one
        cluster, or each alone.
    """
    sample = _sample_positions(len(scaled), params.silhouette_rows, params.seed, SAMPLE)
    clusters = len(np.unique(labels[sample]))
    if not 1 < clusters < len(sample):
        return 0.0
    with threadpool_limits(limits=1):
        return float(silhouette_score(scaled[sample], labels[sample]))


def _fit_candidates(
    rows: np.ndarray, matrix: np.ndarray, params: ClusteringParams
) -> list[ClusteringResult]:
    """The clusters of each candidate for which there are enough different customers."""
    fewest, most = params.candidates
    fixed = set() if params.k is None else {params.k}
    candidates = sorted({*range(fewest, most + 1)} | fixed)
    results: list[ClusteringResult] = []
    if len(rows) and np.ptp(rows, axis=0).any():
        scaled = StandardScaler().fit_transform(rows)
        calls = [(scaled, k, params) for k in candidates if k <= len(rows)]
        fitted = _run_calls(_fit_clustering, calls, "numbers of segments")
        results = [result for result in fitted if len(np.unique(result.labels)) == result.k]
    if not results:
        raise TrainingDataError(
            f"Segments need at least {candidates[0]} active customers that differ (the smallest "
            f"number of segments compared); {len(matrix)} active customers came, "
            f"{len(np.unique(matrix, axis=0))} of them different. Lower "
            f"clustering.minimum_transactions ({params.minimum_transactions}), bring more "
            "data, widen clustering.columns or features.rubros if everybody is alike, or "
            "compare fewer segments (clustering.candidates, clustering.k)."
        )
    return results


def _run_draws(
    function: Callable[..., Any], calls: list[tuple[Any, ...]], draws: int, label: str
) -> np.ndarray:
    """Calls x draws: what the function makes of each."""
    drawn = [(*call, draw) for call in calls for draw in range(draws)]
    return np.reshape(_run_calls(function, drawn, label), (len(calls), draws))


def _run_calls(function: Callable[..., Any], calls: list[tuple[Any, ...]], label: str) -> list[Any]:
    alone = partial(_run_in_one_thread, function)
    return list(iter_with_progress(run_in_threads(alone, calls, ALL_CORES), len(calls), label))


def _run_in_one_thread(function: Callable[..., Any], *call: Any) -> Any:
    # a limit on OpenMP holds only for the thread that sets it, so each task sets its own: with
    # several threads, K-Means adds up in the order in which they finish
    with threadpool_limits(limits=1, user_api="openmp"):
        return function(*call)


def _fit_clustering(scaled: np.ndarray, k: int, params: ClusteringParams) -> ClusteringResult:
    model = _fit_kmeans(scaled, k, params)
    return ClusteringResult(k, model.labels_, float(model.inertia_))


def _compute_null_silhouette(
    scaled: np.ndarray, k: int, params: ClusteringParams, draw: int
) -> float:
    # permuting moves no mean and no deviation: what is standardised stays so
    permuted = _make_generator(params.seed, NULL, draw).permuted(scaled, axis=0)
    return compute_silhouette(permuted, _fit_kmeans(permuted, k, params).labels_, params)


def _compute_stability(
    rows: np.ndarray, whole: ClusteringResult, params: ClusteringParams, draw: int
) -> float:
    resample = _make_generator(params.seed, RESAMPLE, draw).integers(len(rows), size=len(rows))
    scaler = StandardScaler().fit(rows[resample])
    model = _fit_kmeans(scaler.transform(rows[resample]), whole.k, params)
    return float(adjusted_rand_score(whole.labels, model.predict(scaler.transform(rows))))


def _fit_kmeans(scaled: np.ndarray, k: int, params: ClusteringParams) -> KMeans:
    model = KMeans(k, n_init=params.n_init, max_iter=params.max_iter, random_state=params.seed)
    return model.fit(scaled)


def _compute_deviation(draws: np.ndarray) -> np.ndarray:
    """Standard deviation of each candidate's draws; 0 for a single draw."""
    return np.asarray(np.std(draws, axis=1, ddof=min(1, draws.shape[1] - 1)))


def _sample_positions(count: int, at_most: int, seed: int, stream: int) -> np.ndarray:
    """Positions without repetition, in order; all of them where there are few enough."""
    if count <= at_most:
        return np.arange(count)
    return np.sort(_make_generator(seed, stream).choice(count, at_most, replace=False))


def _make_generator(seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, *stream])


def choose_k(
    evaluation: pd.DataFrame, params: ClusteringParams, previous_k: int | None
) -> dict[str, Any]:
    """The number of segments, what it rests on, and what speaks against it.

    A fixed number comes first, then the previous model's, so that names stay; else the elbow if its
    segments are stable; else, of the stable numbers, the one furthest above chance; else the most
    stable one. The smaller number wins a tie.

    Args:
        params: A fixed number, the candidates, and what counts as stable.

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
    knee = find_elbow(compared)
    recommended, basis = _recommend_k(compared, knee, params.stable_at)
    k = recommended
    if params.k is not None:
        k, basis = params.k, "fixed"
    elif previous_k is not None:
        k, basis = previous_k, "previous"
    elbow = f"El método del codo señala {knee} segmentos."
    if knee is None:
        elbow = (
            "El método del codo no señala ningún número: cada segmento más explica un poco más, "
            "sin un quiebre. Es un resultado normal."
        )
    reason = _explain_choice(k, basis, recommended)
    if k == recommended == most:
        reason += " Es el mayor de los comparados: conviene comparar más (clustering.candidates)."
    grades, verdict = _evaluate_k(evaluation[evaluation["k"] == k], k, params.stable_at)
    return {
        "k": k,
        "basis": basis,
        "knee": knee,
        "recommended": recommended,
        **grades,
        "sentences": [*verdict, elbow, reason],
    }


def find_elbow(evaluation: pd.DataFrame) -> int | None:
    """The number of segments after which the inertia falls more slowly.

    Returns:
        The knee (Satopää et al. 2011); None where the curve has none, which is common.
    """
    # kneed loads pyplot, a second that only this step should cost
    from kneed import KneeLocator  # noqa: PLC0415

    if len(evaluation) < FEWEST_FOR_A_KNEE:
        return None
    locator = KneeLocator(
        evaluation["k"], evaluation["inertia"], curve="convex", direction="decreasing"
    )
    return None if locator.knee is None else int(locator.knee)


def _recommend_k(evaluation: pd.DataFrame, knee: int | None, stable_at: float) -> tuple[int, Basis]:
    stable = evaluation[evaluation["stability"] >= stable_at]
    if knee is not None and knee in stable["k"].to_numpy():
        return knee, "elbow"
    # without chance to compare with, the silhouette itself
    above = stable["silhouette"] - stable["null_silhouette"].fillna(0.0)
    figure = evaluation["stability"] if stable.empty else above
    smallest_best = int(evaluation["k"].loc[figure.index[figure == figure.max()]].min())
    return smallest_best, "most_stable" if stable.empty else "stable"


def _evaluate_k(
    figures: pd.DataFrame, k: int, stable_at: float
) -> tuple[dict[str, bool], list[str]]:
    """What today's data say of the chosen number; nothing in its favour where it is not there."""
    if figures.empty:
        untested = (
            f"No se sabe si {k} segmentos se sostienen: ese número no está entre los que se "
            "compararon con los datos de hoy."
        )
        return {"beats_chance": False, "stable": False, "natural": False}, [untested]
    row = figures.iloc[0]
    # a comparison with a missing silhouette of chance is False
    beats = bool(row["silhouette"] > row["null_silhouette"] + CLEARLY * row["null_sd"])
    stable = bool(row["stability"] >= stable_at)
    natural = beats and stable and bool(row["silhouette"] > SUBSTANTIAL)
    grades = {"beats_chance": beats, "stable": stable, "natural": natural}
    agreement = (
        f"con otras muestras de los mismos clientes los grupos coinciden en "
        f"{NUMBERS.text(row['stability'], DECIMALS)} (índice de Rand ajustado: 1 es idéntico, 0 es "
        f"azar; se pide {NUMBERS.text(stable_at, DECIMALS)})"
    )
    stability = (
        f"Los segmentos son estables: {agreement}."
        if stable
        else f"Los segmentos no son estables: {agreement}. Conviene no leer de más en sus "
        "diferencias."
    )
    return grades, [_describe_structure(row, grades), stability]


def _describe_structure(row: pd.Series, grades: dict[str, bool]) -> str:
    own, middle, spread = (
        NUMBERS.text(row[name], DECIMALS) for name in ("silhouette", "null_silhouette", "null_sd")
    )
    chance = f"{middle} ± {spread}"
    if np.isnan(row["null_silhouette"]):
        return (
            "No se puede saber si los grupos son naturales: solo varía una columna, y con una sola "
            f"no hay azar con que comparar la separación (silueta {own})."
        )
    if not grades["beats_chance"]:
        return (
            f"Los clientes no forman grupos naturales: la separación (silueta {own}) no supera con "
            f"claridad la de los mismos datos mezclados al azar ({chance}). Es una partición útil "
            "para organizar campañas, no un descubrimiento."
        )
    if grades["natural"]:
        return (
            f"Los segmentos son grupos reconocibles: la separación (silueta {own}) supera con "
            f"claridad la de los mismos datos mezclados al azar ({chance})."
        )
    weaknesses = []
    if row["silhouette"] <= SUBSTANTIAL:
        limit = NUMBERS.text(SUBSTANTIAL, DECIMALS)
        weaknesses.append(f"hasta {limit} los grupos se tocan y muchos clientes están en el borde")
    if not grades["stable"]:
        weaknesses.append("los grupos cambian de una muestra de clientes a otra")
    return (
        "Los segmentos son una partición útil más que grupos naturales: la separación "
        f"(silueta {own}) supera la del azar ({chance}), pero {' y '.join(weaknesses)}."
    )


def _explain_choice(k: int, basis: Basis, recommended: int) -> str:
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
    return reasons[basis]
