"""Who each segment is: size, value, rubros, demographics; nothing about one person."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.features.rubros import SCORE_PREFIX, SHARE
from clientela.features.segment_settings import (
    REST,
    ColumnLayout,
    NamingParams,
    Rubro,
    SegmentReportParams,
)
from clientela.models.segmentation import KEY, SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, SegmentIdentity
from clientela.text import normalize_word

# Who each segment is: size, value, rubros, demographics; nothing about one person.


MEASURES = ("gasto_total", "ticket_promedio", "num_tx", "recencia_dias")
ATTRIBUTES = ("edad", "genero", "estrato_social")
AGE_EDGES = (-np.inf, 25, 35, 45, 55, 65, np.inf)
AGE_BANDS = ("menos de 25", "25-34", "35-44", "45-54", "55-64", "65 o más")
MISSING = "sin dato"
POOLED = "otros valores"
"""Values too rare to show, together."""


def list_profile_columns(layout: ColumnLayout) -> list[str]:
    """The features that a profile reads."""
    per_rubro = ("gasto_{}", "frecuencia_{}", f"{SCORE_PREFIX}{{}}")
    rubros = [name.format(slug) for slug in layout.slugs for name in per_rubro]
    return [KEY, *MEASURES, *rubros, *ATTRIBUTES]


def build_segment_profile(
    features: pd.DataFrame,
    members: pd.DataFrame,
    names: Mapping[int, str],
    layout: ColumnLayout,
    params: SegmentReportParams,
) -> dict[str, pd.DataFrame]:
    """What sets segments apart, from their customers' features.

    Args:
        members: `id_cliente` (PII), `cluster_id`, one row for each of them.
        params: The smallest number of customers that is shown.

    Returns:
        Three tables of those segments that have customers, by id, `sin_actividad` last:
        `segments`, one row per segment with `cluster_id, cluster_nombre, clientes,
        clientes_share, gasto, gasto_share, gasto_medio, ticket_mediano, compras_mediana,
        recencia_mediana` (amounts net, days); `rubros`, one row per active segment and rubro; and
        `demographics`, one row per segment, attribute and value.
    """
    seats = match_segments_to_customers(features, members)
    return {
        "segments": _summarize_segments(features, seats, names),
        "rubros": _summarize_rubros(features, seats, layout),
        "demographics": _summarize_demographics(features, seats, params.min_customers),
    }


def match_segments_to_customers(features: pd.DataFrame, members: pd.DataFrame) -> pd.Series:
    """The segment of each customer, in order of their key: sums of floats depend on the order.

    Args:
        features: One row per customer: `id_cliente` (PII).
        members: `id_cliente` (PII), `cluster_id`, one row for each of them, in any order.

    Returns:
        Ids of segments; the index holds the position of the customer's row in `features`.
    """
    keys = features[KEY].reset_index(drop=True)
    ids = members["cluster_id"].reset_index(drop=True)
    # A million keys take a second to sort and another to look up, and mostly they lie ready.
    if not members[KEY].reset_index(drop=True).equals(keys):
        ids = keys.map(members.set_index(KEY)["cluster_id"])
    if not keys.is_monotonic_increasing:
        ids = ids.loc[keys.sort_values().index]
    return ids.astype("int64").rename("cluster_id")


def _summarize_segments(
    features: pd.DataFrame, seats: pd.Series, names: Mapping[int, str]
) -> pd.DataFrame:
    groups = features[[*MEASURES]].iloc[seats.index].groupby(seats.to_numpy())
    size, spend = groups.size(), groups["gasto_total"].sum()
    titles = {**names, SIN_ACTIVIDAD: SIN_ACTIVIDAD_NAME}
    table = pd.DataFrame(
        {
            "cluster_id": size.index,
            "cluster_nombre": [titles[segment] for segment in size.index],
            "clientes": size,
            "clientes_share": size / size.sum(),
            "gasto": spend,
            "gasto_share": spend / (spend.sum() or np.nan),
            "gasto_medio": spend / size,
            "ticket_mediano": groups["ticket_promedio"].median(),
            "compras_mediana": groups["num_tx"].median(),
            "recencia_mediana": groups["recencia_dias"].median(),
        }
    )
    return table.sort_values("cluster_id", key=inactive_last_key, ignore_index=True)


def inactive_last_key(ids: pd.Series) -> pd.Series:
    """A sort key for ids of segments that puts `sin_actividad` behind all others.

    Returns:
        The ids, with `sin_actividad` after the largest.
    """
    return ids.replace(SIN_ACTIVIDAD, ids.max() + 1)


def _summarize_rubros(
    features: pd.DataFrame, seats: pd.Series, layout: ColumnLayout
) -> pd.DataFrame:
    """One row per active segment and rubro, in the order of the layout."""
    active = seats[seats != SIN_ACTIVIDAD]
    table = pd.concat([_summarize_rubro(features, active, rubro) for rubro in layout.rubros])
    spend, everybody = table["gasto"], table["gasto"].sum()
    by_segment = spend.groupby(table["cluster_id"]).transform("sum")
    expected = spend.groupby(table["slug"]).transform("sum") / (everybody or np.nan)
    share = (spend / by_segment.replace(0.0, np.nan)).fillna(0.0)
    table = table.assign(participacion=share, lift=share / expected.replace(0.0, np.nan))
    columns = ["participacion", "lift", "score_medio", "compradores_share"]
    ordered = table.sort_values("cluster_id", kind="stable", ignore_index=True)
    return ordered[["cluster_id", "slug", "label", *columns]]


def _summarize_rubro(features: pd.DataFrame, active: pd.Series, rubro: Rubro) -> pd.DataFrame:
    """One row per segment, for one rubro: a million customers' columns are not copied at once."""
    slug, rows = rubro.slug, active.index
    customers = pd.DataFrame(
        {
            "gasto": features[f"gasto_{slug}"].iloc[rows].clip(lower=0).to_numpy(),
            "score_medio": features[f"{SCORE_PREFIX}{slug}"].iloc[rows].to_numpy(),
            "compradores_share": (features[f"frecuencia_{slug}"].iloc[rows] > 0).to_numpy(),
        }
    )
    how = {"gasto": "sum", "score_medio": "mean", "compradores_share": "mean"}
    means = customers.groupby(active.to_numpy()).agg(how).rename_axis("cluster_id").reset_index()
    return means.assign(slug=slug, label=rubro.label)


def _summarize_demographics(
    features: pd.DataFrame, seats: pd.Series, min_customers: int
) -> pd.DataFrame:
    """One row per segment, attribute and value; none for attributes that nobody has."""
    sizes = seats.groupby(seats).size()
    large = seats[seats.isin(sizes.index[sizes >= min_customers])]
    found = [name for name in ATTRIBUTES if name in features and features[name].notna().any()]
    parts = [
        _count_attribute_values(
            large, _format_attribute(features[name].iloc[large.index], name), name, min_customers
        )
        for name in found
    ]
    nothing = _count_attribute_values(large[:0], pd.Series(dtype="str"), "", min_customers)
    table = pd.concat(parts or [nothing], ignore_index=True)
    return table.sort_values("cluster_id", key=inactive_last_key, kind="stable", ignore_index=True)


def _format_attribute(column: pd.Series, attribute: str) -> pd.Series:
    """A demographic attribute as text."""
    if attribute == "edad":
        bands = pd.cut(column, list(AGE_EDGES), right=False, labels=list(AGE_BANDS))
        return bands.astype("str").fillna(MISSING)
    if pd.api.types.is_numeric_dtype(column):
        return column.map("{:g}".format, na_action="ignore").astype("str").fillna(MISSING)
    return column.astype("str").fillna(MISSING)


def _count_attribute_values(
    seats: pd.Series, values: pd.Series, attribute: str, min_customers: int
) -> pd.DataFrame:
    """One row per segment and value of one attribute."""
    keys = pd.DataFrame({"cluster_id": seats.to_numpy(), "value": values.to_numpy()})
    counts = keys.groupby(["cluster_id", "value"], as_index=False).agg(clientes=("value", "size"))
    shown = _pool_rare_values(counts, min_customers)
    whole = shown.groupby("cluster_id")["clientes"].transform("sum")
    places = shown["value"].map(_PLACES).fillna(0)
    table = shown.assign(attribute=attribute, share=shown["clientes"] / whole, place=places)
    ordered = table.sort_values(["cluster_id", "place", "value"], ignore_index=True)
    return ordered[["cluster_id", "attribute", "value", "clientes", "share"]]


def _pool_rare_values(counts: pd.DataFrame, min_customers: int) -> pd.DataFrame:
    """The counts, rare values together with the next rare.

    Leaving a rare value out does not hide it: its size would be what the others lack to the
    segment's. So the rarest are pooled until they are many enough to show.
    """
    cells = counts.sort_values(["cluster_id", "clientes", "value"])
    sizes = cells.groupby("cluster_id")["clientes"]
    some_rare = sizes.transform("min") < min_customers
    too_few_before = sizes.cumsum() - cells["clientes"] < min_customers
    rare = (cells["clientes"] < min_customers) | (some_rare & too_few_before)
    pooled = cells.assign(value=cells["value"].mask(rare, POOLED))
    return pooled.groupby(["cluster_id", "value"], as_index=False).agg(clientes=("clientes", "sum"))


_PLACES = {word: place for place, word in enumerate((*AGE_BANDS, POOLED, MISSING), start=1)}
"""Where a value stands when text does not sort as people read it; other values come first."""


# What segments are called: by the rubros that set them apart, and then for as long as they live.
#
# A segment's share of a rubro is the mean of its customers' shares, not its part of the money: on
# the Complete Journey data both give the same first rubro in every one of twenty resamples (k = 3,
# 5, 8), but in segments drawn at random the money strays a third further (99th percentile of the
# largest term, 100 customers: .059 against .044), because a few heavy buyers move it.


STANDS_OUT = 0.02
"""Term (nats) from which a rubro sets a segment apart: of 300 random segments of 500 Complete
Journey customers, one in a hundred has a larger one."""

MIXED = "Compra variada"

TERM_DECIMALS = 9
"""Terms that differ by less are ties, so that the rounding of floats names nobody."""

_SOUNDS_LIKE_I = re.compile(r"h?[ií](?![aeiouáéíóú])", re.IGNORECASE)
_HAS_CONJUNCTION = re.compile(r" [ye] ")


@dataclass(frozen=True)
class SegmentName:
    """What a segment is called, and why.

    Attributes:
        name: As people read it.
        basis: `datos`: from today's shares; `se_mantiene`: it had it before; `fijado`: a person
            gave it.
        reason: In Spanish, for the report.
        of_today: What today's data alone would call it.
    """

    name: str
    basis: Literal["datos", "se_mantiene", "fijado"]
    reason: str
    of_today: str


@dataclass(frozen=True)
class _SpendShares:
    """Mean shares of spend: `segments` (segment x slug), and of all active customers (slug)."""

    segments: pd.DataFrame
    everybody: pd.Series


@dataclass(frozen=True)
class _RubroRanking:
    """Slugs of one segment, the most telling first; the first one's term."""

    slugs: tuple[str, ...]
    term: float


@dataclass(frozen=True)
class _NameCandidate:
    """A possible name; the same the other way round; its rubros; whether no rubro stands out."""

    name: str
    mirrored: str
    slugs: tuple[str, ...]
    mixed: bool


def choose_segment_names(
    features: pd.DataFrame,
    members: pd.DataFrame,
    layout: ColumnLayout,
    params: NamingParams,
    previous: SegmentIdentity | None,
) -> dict[int, SegmentName]:
    """Names of the active segments, all different.

    A name that a person gave comes first, then the one that the segment had; only then are new
    names made, from what is left.

    Args:
        members: One row for each of them: `id_cliente` (PII), `cluster_id`, `cluster_cercano`.
        layout: The rubros and what people call them.
        previous: The model before; None for a first one.

    Returns:
        Id to name, by id; `sin_actividad` has its own name and is not among them.

    Raises:
        ConfigurationError: A given name belongs to a segment that does not exist, or is taken.
    """
    shares = _compute_mean_shares(features, members, layout)
    ids = [int(segment) for segment in shares.segments.index]
    before = {} if previous is None else previous.names
    given = _validate_overrides(params, ids)
    kept = {i: name for i, name in before.items() if i in ids and i not in given}
    _refuse_duplicate_names(given, kept)
    today = {i: made.name for i, made in _generate_names(shares, layout.labels, {}).items()}
    names = {
        i: SegmentName(made.name, "datos", _explain_name(made, i, shares, layout.labels), today[i])
        for i, made in _generate_names(shares, layout.labels, kept | given).items()
    }
    for i, name in kept.items():
        names[i] = SegmentName(
            name, "se_mantiene", _explain_previous_name(name, today[i]), today[i]
        )
    for i, name in given.items():
        names[i] = SegmentName(name, "fijado", params.overrides[i].reason, today[i])
    return dict(sorted(names.items()))


def _compute_mean_shares(
    features: pd.DataFrame, members: pd.DataFrame, layout: ColumnLayout
) -> _SpendShares:
    """Mean shares; a segment whose nearest customers were all held by another has none."""
    seats = match_segments_to_customers(features, members)
    active = seats[seats != SIN_ACTIVIDAD]
    columns = [f"{SHARE}{slug}" for slug in layout.slugs]
    rows = features[columns].iloc[active.index].set_axis(layout.slugs, axis=1)
    ids = sorted({*active.unique(), *members["cluster_cercano"].unique()} - {SIN_ACTIVIDAD})
    means = rows.groupby(active.to_numpy()).mean()
    return _SpendShares(means.reindex(ids, fill_value=0.0), rows.mean())


def _validate_overrides(params: NamingParams, ids: list[int]) -> dict[int, str]:
    for segment, override in params.overrides.items():
        if segment not in ids:
            raise ConfigurationError(
                f"naming.overrides names segment {segment}, which does not exist; one of "
                f"{', '.join(map(str, ids)) or 'none'} was expected. Correct or remove that entry."
            )
        if normalize_word(override.name) == normalize_word(SIN_ACTIVIDAD_NAME):
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {override.name!r}, which is reserved "
                "for customers with too little activity. Choose another name."
            )
    return {segment: override.name for segment, override in sorted(params.overrides.items())}


def _refuse_duplicate_names(given: Mapping[int, str], kept: Mapping[int, str]) -> None:
    holders = {normalize_word(name): segment for segment, name in kept.items()}
    for segment, name in given.items():
        holder = holders.setdefault(normalize_word(name), segment)
        if holder != segment:
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {name!r}, as segment {holder} is called "
                f"already; names have to differ. Choose another one for {segment}, or give "
                f"{holder} a new one in naming.overrides too."
            )


def _generate_names(
    shares: _SpendShares, labels: Mapping[str, str], fixed: Mapping[int, str]
) -> dict[int, _NameCandidate]:
    """Names from shares for who has no fixed one, the most distinct segment first."""
    terms = _compute_terms(shares)
    rankings = {
        int(i): _rank_rubros(terms.loc[i], shares.segments.loc[i])
        for i in terms.index
        if i not in fixed
    }
    taken = {normalize_word(name) for name in (*fixed.values(), SIN_ACTIVIDAD_NAME)}
    made: dict[int, _NameCandidate] = {}
    for segment in sorted(rankings, key=lambda i: (-rankings[i].term, rankings[i].slugs, i)):
        made[segment] = _select_unused_name(rankings[segment], labels, taken)
        taken.add(normalize_word(made[segment].name))
    return made


def _compute_terms(shares: _SpendShares) -> pd.DataFrame:
    """How much each rubro sets each segment apart from all active customers.

    `share * log(share / share of everybody)`, the rubro's term of the relative entropy (Kullback
    and Leibler 1951; to rank single words, Tomokiyo and Hurst 2003): a rubro counts that is both
    large and larger than elsewhere.
    """
    ratio = (shares.segments / shares.everybody).where(shares.segments > 0, 1.0)
    return (shares.segments * np.log(ratio)).round(TERM_DECIMALS)


def _rank_rubros(terms: pd.Series, shares: pd.Series) -> _RubroRanking:
    """Rubros that stand out, then others; the pooled rest says least, so it is last in both."""
    places = {
        slug: (terms[slug] < STANDS_OUT, slug == REST, -max(terms[slug], 0.0), -shares[slug], slug)
        for slug in terms.index
    }
    slugs = sorted(places, key=places.__getitem__)
    return _RubroRanking(tuple(slugs), float(terms[slugs[0]]))


def _select_unused_name(
    ranking: _RubroRanking, labels: Mapping[str, str], taken: set[str]
) -> _NameCandidate:
    return next(
        candidate
        for candidate in _generate_name_candidates(ranking, labels)
        if taken.isdisjoint({normalize_word(candidate.name), normalize_word(candidate.mirrored)})
    )


def _generate_name_candidates(
    ranking: _RubroRanking, labels: Mapping[str, str]
) -> Iterator[_NameCandidate]:
    """The rubro that stands out most, or none; then with each other one; then numbered."""
    mixed = ranking.term < STANDS_OUT
    own = () if mixed else ranking.slugs[:1]
    name = MIXED if mixed else labels[ranking.slugs[0]]
    yield _NameCandidate(name, name, own, mixed)
    for slug in ranking.slugs[len(own) :]:
        other = labels[slug]
        if mixed:
            text = mirrored = f"{name} con {_format_inner_label(other)}"
        else:
            text, mirrored = _join_labels(name, other), _join_labels(other, name)
        if normalize_word(other) != normalize_word(name):
            yield _NameCandidate(text, mirrored, (*own, slug), mixed)
    for number in itertools.count(2):
        yield _NameCandidate(f"{name} {number}", f"{name} {number}", own, mixed)


def _join_labels(first: str, second: str) -> str:
    """Two labels as one name: `Farmacia y hogar`, `Ropa e indumentaria`, `Bar y café con hogar`."""
    if _HAS_CONJUNCTION.search(first) or _HAS_CONJUNCTION.search(second):
        return f"{first} con {_format_inner_label(second)}"
    return f"{first} {'e' if _SOUNDS_LIKE_I.match(second) else 'y'} {_format_inner_label(second)}"


def _format_inner_label(label: str) -> str:
    """A label as it stands inside a name: no capital, unless its first word is an acronym."""
    word = label.split(maxsplit=1)[0]
    acronym = len(word) > 1 and word.isupper()
    return label if acronym else label[0].lower() + label[1:]


def _explain_name(
    made: _NameCandidate, segment: int, shares: _SpendShares, labels: Mapping[str, str]
) -> str:
    """The mean shares that a made name rests on."""
    here, everybody = shares.segments.loc[[segment]].iloc[0], shares.everybody
    figures = "; ".join(
        f"{labels[slug]} {_format_whole_percent(here[slug])}, frente a {_format_whole_percent(everybody[slug])} entre todos "
        "los activos"
        for slug in made.slugs
    )
    if made.mixed:
        return f"Ningún rubro distingue a sus clientes. {figures}".strip(" .") + "."
    return f"Lo que distingue a sus clientes, por la parte media de su gasto: {figures}."


def _explain_previous_name(name: str, today: str) -> str:
    same = "los datos de hoy dicen lo mismo"
    drift = f"los datos de hoy lo llamarían «{today}»"
    return f"Conserva el nombre del modelo anterior; {same if name == today else drift}."


def _format_whole_percent(share: float) -> str:
    """Whole percents, which are written alike in every locale."""
    return "menos de 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"  # noqa: PLR2004 - 1 %
