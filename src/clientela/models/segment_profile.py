"""Who each segment is and what it is called; nothing about one person.

A segment is named by the rubros that set it apart, and then for as long as it lives. Its share of a
rubro is the mean of its customers' shares, not its part of the money: on the Complete Journey data
both give the same first rubro in every one of twenty resamples (k = 3, 5, 8), but in segments drawn
at random the money strays a third further (99th percentile of the largest term, 100 customers: .059
against .044), because a few heavy buyers move it.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.features.segment_columns import (
    KEY,
    REST,
    SCORE_PREFIX,
    SHARE,
    ColumnLayout,
    NamingParams,
    SegmentReportParams,
)
from clientela.models.segmentation import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, SegmentIdentity
from clientela.text import NumberFormat, normalize_word

MEASURES = ("gasto_total", "ticket_promedio", "num_tx", "recencia_dias")
ATTRIBUTES = ("edad", "genero", "estrato_social")
AGE_EDGES = (-np.inf, 25, 35, 45, 55, 65, np.inf)
AGE_BANDS = ("menos de 25", "25-34", "35-44", "45-54", "55-64", "65 o más")
MISSING = "sin dato"
# Values too rare to show, together.
POOLED = "otros valores"
# Where a value stands when text does not sort as people read it; other values come first.
PLACES = {word: place for place, word in enumerate((*AGE_BANDS, POOLED, MISSING), start=1)}

# Term (nats) from which a rubro sets a segment apart: of 300 random segments of 500 Complete
# Journey customers, one in a hundred has a larger one.
STANDS_OUT = 0.02
# Terms that differ by less are ties, so that the rounding of floats names nobody.
TERM_DECIMALS = 9
MIXED = "Compra variada"
SOUNDS_LIKE_I = re.compile(r"h?[ií](?![aeiouáéíóú])", re.IGNORECASE)
HAS_CONJUNCTION = re.compile(r" [ye] ")


def list_profile_columns(layout: ColumnLayout) -> list[str]:
    """The features that a profile reads."""
    per_rubro = ("gasto_{}", "frecuencia_{}", f"{SCORE_PREFIX}{{}}")
    rubros = [name.format(slug) for slug in layout.slugs for name in per_rubro]
    return [KEY, *MEASURES, *rubros, *ATTRIBUTES]


def build_segment_profile(
    features: pd.DataFrame,
    members: pd.DataFrame,
    identity: SegmentIdentity,
    params: SegmentReportParams,
) -> dict[str, pd.DataFrame]:
    """What sets segments apart, from their customers' features.

    Returns:
        Three tables of those segments that have customers, by id, `sin_actividad` last:
        `segments`, one row per segment with `cluster_id, cluster_nombre, clientes,
        clientes_share, gasto, gasto_share, gasto_medio, ticket_mediano, compras_mediana,
        recencia_mediana` (amounts net, days); `rubros`, one row per active segment and rubro; and
        `demographics`, one row per segment, attribute and value.
    """
    seats = match_segments_to_customers(features, members)
    groups = features[[*MEASURES]].iloc[seats.index].groupby(seats.to_numpy())
    size, spend = groups.size(), groups["gasto_total"].sum()
    # a share is between 0 and 1: a segment that returned more than it bought has none
    positive = spend.clip(lower=0)
    segments = pd.DataFrame(
        {
            "cluster_id": size.index,
            "cluster_nombre": [identity.titles[segment] for segment in size.index],
            "clientes": size,
            "clientes_share": size / size.sum(),
            "gasto": spend,
            "gasto_share": positive / (positive.sum() or np.nan),
            "gasto_medio": spend / size,
            "ticket_mediano": groups["ticket_promedio"].median(),
            "compras_mediana": groups["num_tx"].median(),
            "recencia_mediana": groups["recencia_dias"].median(),
        }
    )
    return {
        "segments": segments.sort_values("cluster_id", key=inactive_last_key, ignore_index=True),
        "rubros": _summarize_rubros(features, seats, identity.layout),
        "demographics": _summarize_demographics(features, seats, params.min_customers),
    }


def match_segments_to_customers(features: pd.DataFrame, members: pd.DataFrame) -> pd.Series:
    """The segment of each customer, in order of their key: sums of floats depend on the order.

    Args:
        members: `id_cliente` (PII), `cluster_id`, one row for each of them, in any order.

    Returns:
        Ids of segments; the index holds the position of the customer's row in `features`.
    """
    keys = features[KEY].reset_index(drop=True)
    ids = members["cluster_id"].reset_index(drop=True)
    # a million keys take a second to sort and another to look up, and mostly they lie ready
    if not members[KEY].reset_index(drop=True).equals(keys):
        ids = keys.map(members.set_index(KEY)["cluster_id"])
    if not keys.is_monotonic_increasing:
        ids = ids.loc[keys.sort_values().index]
    return ids.astype("int64").rename("cluster_id")


def inactive_last_key(ids: pd.Series) -> pd.Series:
    """A sort key for ids of segments that puts `sin_actividad` behind all others."""
    return ids.replace(SIN_ACTIVIDAD, ids.max() + 1)


def _summarize_rubros(
    features: pd.DataFrame, seats: pd.Series, layout: ColumnLayout
) -> pd.DataFrame:
    """One row per active segment and rubro, in the order of the layout."""
    active = seats[seats != SIN_ACTIVIDAD]
    how = {"gasto": "sum", "score_medio": "mean", "compradores_share": "mean"}
    parts = []
    for rubro in layout.rubros:
        # one rubro at a time: a million customers' columns are not copied at once
        customers = pd.DataFrame(
            {
                "gasto": features[f"gasto_{rubro.slug}"].iloc[active.index].clip(lower=0),
                "score_medio": features[f"{SCORE_PREFIX}{rubro.slug}"].iloc[active.index],
                "compradores_share": features[f"frecuencia_{rubro.slug}"].iloc[active.index] > 0,
            }
        )
        means = customers.groupby(active.to_numpy()).agg(how).rename_axis("cluster_id")
        parts.append(means.reset_index().assign(slug=rubro.slug, label=rubro.label))
    table = pd.concat(parts)
    spend, everybody = table["gasto"], table["gasto"].sum()
    by_segment = spend.groupby(table["cluster_id"]).transform("sum")
    expected = spend.groupby(table["slug"]).transform("sum") / (everybody or np.nan)
    share = (spend / by_segment.replace(0.0, np.nan)).fillna(0.0)
    table = table.assign(participacion=share, lift=share / expected.replace(0.0, np.nan))
    columns = ["participacion", "lift", "score_medio", "compradores_share"]
    ordered = table.sort_values("cluster_id", kind="stable", ignore_index=True)
    return ordered[["cluster_id", "slug", "label", *columns]]


def _summarize_demographics(
    features: pd.DataFrame, seats: pd.Series, min_customers: int
) -> pd.DataFrame:
    """One row per segment, attribute and value; none for attributes that nobody has."""
    sizes = seats.groupby(seats).size()
    large = seats[seats.isin(sizes.index[sizes >= min_customers])]
    parts = [_count_attribute_values(large[:0], pd.Series(dtype="str"), "", min_customers)]
    for name in ATTRIBUTES:
        if name not in features or not features[name].notna().any():
            continue
        values = features[name].iloc[large.index]
        if name == "edad":
            values = pd.cut(values, list(AGE_EDGES), right=False, labels=list(AGE_BANDS))
        elif pd.api.types.is_numeric_dtype(values):
            values = values.map("{:g}".format, na_action="ignore")
        text = values.astype("str").fillna(MISSING)
        parts.append(_count_attribute_values(large, text, name, min_customers))
    table = pd.concat(parts[1:] or parts, ignore_index=True)
    return table.sort_values("cluster_id", key=inactive_last_key, kind="stable", ignore_index=True)


def _count_attribute_values(
    seats: pd.Series, values: pd.Series, attribute: str, min_customers: int
) -> pd.DataFrame:
    """One row per segment and value of one attribute, rare values together with the next rare.

    Leaving a rare value out does not hide it: its size would be what the others lack to the
    segment's. So the rarest are pooled until they are many enough to show.
    """
    keys = pd.DataFrame({"cluster_id": seats.to_numpy(), "value": values.to_numpy()})
    counts = keys.groupby(["cluster_id", "value"], as_index=False).agg(clientes=("value", "size"))
    cells = counts.sort_values(["cluster_id", "clientes", "value"])
    sizes = cells.groupby("cluster_id")["clientes"]
    some_rare = sizes.transform("min") < min_customers
    too_few_before = sizes.cumsum() - cells["clientes"] < min_customers
    rare = (cells["clientes"] < min_customers) | (some_rare & too_few_before)
    pooled = cells.assign(value=cells["value"].mask(rare, POOLED))
    shown = pooled.groupby(["cluster_id", "value"], as_index=False)[["clientes"]].sum()
    whole = shown.groupby("cluster_id")["clientes"].transform("sum")
    places = shown["value"].map(PLACES).fillna(0)
    table = shown.assign(attribute=attribute, share=shown["clientes"] / whole, place=places)
    ordered = table.sort_values(["cluster_id", "place", "value"], ignore_index=True)
    return ordered[["cluster_id", "attribute", "value", "clientes", "share"]]


@dataclass(frozen=True)
class SegmentName:
    """What a segment is called, and why.

    Attributes:
        basis: `datos`: from today's shares; `se_mantiene`: it had it before; `fijado`: a person
            gave it.
        of_today: What today's data alone would call it.
    """

    name: str
    basis: Literal["datos", "se_mantiene", "fijado"]
    reason: str
    of_today: str


@dataclass(frozen=True)
class _NameCandidate:
    """A possible name; the same the other way round; its rubros; whether no rubro stands out."""

    name: str
    mirrored: str
    slugs: tuple[str, ...]
    mixed: bool

    @property
    def folded(self) -> set[str]:
        return {normalize_word(self.name), normalize_word(self.mirrored)}


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

    Returns:
        Id to name, by id; `sin_actividad` has its own name and is not among them.

    Raises:
        ConfigurationError: A given name belongs to a segment that does not exist, or is taken.
    """
    shares, everybody = _compute_mean_shares(features, members, layout)
    ids = [int(segment) for segment in shares.index]
    given = {segment: entry.name for segment, entry in sorted(params.overrides.items())}
    before = {} if previous is None else previous.names
    known = {i: name for i, name in before.items() if i in ids and i not in given}
    _validate_given_names(given, known, ids)
    today = _generate_names(shares, everybody, layout.labels, {})
    names: dict[int, SegmentName] = {}
    for i, made in _generate_names(shares, everybody, layout.labels, known | given).items():
        reason = _explain_name(made, shares.T[i], everybody, layout.labels)
        names[i] = SegmentName(made.name, "datos", reason, today[i].name)
    for i, name in known.items():
        drift = f"los datos de hoy lo llamarían «{today[i].name}»"
        drift = "los datos de hoy dicen lo mismo" if name == today[i].name else drift
        reason = f"Conserva el nombre del modelo anterior; {drift}."
        names[i] = SegmentName(name, "se_mantiene", reason, today[i].name)
    for i, name in given.items():
        names[i] = SegmentName(name, "fijado", params.overrides[i].reason, today[i].name)
    return dict(sorted(names.items()))


def _compute_mean_shares(
    features: pd.DataFrame, members: pd.DataFrame, layout: ColumnLayout
) -> tuple[pd.DataFrame, pd.Series]:
    """Mean share of each rubro, of the customers of each active segment and of all of them."""
    seats = match_segments_to_customers(features, members)
    active = seats[seats != SIN_ACTIVIDAD]
    columns = [f"{SHARE}{slug}" for slug in layout.slugs]
    rows = features[columns].iloc[active.index].set_axis(layout.slugs, axis=1)
    # a segment whose nearest customers were all held by another has no share of anything
    ids = sorted({*active.unique(), *members["cluster_cercano"].unique()} - {SIN_ACTIVIDAD})
    shares = rows.groupby(active.to_numpy()).mean().reindex(ids, fill_value=0.0)
    return shares, rows.mean()


def _explain_name(
    made: _NameCandidate, shares: pd.Series, everybody: pd.Series, labels: Mapping[str, str]
) -> str:
    """The mean shares that a made name rests on, in whole percents: alike in every locale."""
    figures = []
    for slug in made.slugs:
        own, whole = (
            "menos de 1 %" if 0 < share < 0.01 else NumberFormat().percent(share, 0)  # noqa: PLR2004
            for share in (shares[slug], everybody[slug])
        )
        figures.append(f"{labels[slug]} {own}, frente a {whole} entre todos los activos")
    if made.mixed:
        text = f"Ningún rubro distingue a sus clientes. {'; '.join(figures)}"
        return text.strip(" .") + "."
    return f"Lo que distingue a sus clientes, por la parte media de su gasto: {'; '.join(figures)}."


def _validate_given_names(
    given: Mapping[int, str], known: Mapping[int, str], ids: list[int]
) -> None:
    holders = {normalize_word(name): segment for segment, name in known.items()}
    for segment, name in given.items():
        if segment not in ids:
            raise ConfigurationError(
                f"naming.overrides names segment {segment}, which does not exist; one of "
                f"{', '.join(map(str, ids)) or 'none'} was expected. Correct or remove that entry."
            )
        if normalize_word(name) == normalize_word(SIN_ACTIVIDAD_NAME):
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {name!r}, which is reserved "
                "for customers with too little activity. Choose another name."
            )
        holder = holders.setdefault(normalize_word(name), segment)
        if holder != segment:
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {name!r}, as segment {holder} is called "
                f"already; names have to differ. Choose another one for {segment}, or give "
                f"{holder} a new one in naming.overrides too."
            )


def _generate_names(
    shares: pd.DataFrame,
    everybody: pd.Series,
    labels: Mapping[str, str],
    fixed: Mapping[int, str],
) -> dict[int, _NameCandidate]:
    """Names from mean shares for who has no fixed one, the most distinct segment first.

    A rubro counts that is both large and larger than elsewhere: `share * log(share / share of
    everybody)`, its term of the relative entropy (Kullback and Leibler 1951; to rank single words,
    Tomokiyo and Hurst 2003).
    """
    ratio = (shares / everybody).where(shares > 0, 1.0)
    terms = (shares * np.log(ratio)).round(TERM_DECIMALS)
    rankings: dict[int, tuple[float, list[str]]] = {}
    for segment in (int(i) for i in terms.index if i not in fixed):
        term, share = (
            {str(slug): float(value) for slug, value in table.T[segment].items()}
            for table in (terms, shares)
        )
        # rubros that stand out, then others; the pooled rest says least, so it is last in both
        places = {
            slug: (term[slug] < STANDS_OUT, slug == REST, -max(term[slug], 0.0), -share[slug], slug)
            for slug in term
        }
        slugs = sorted(places, key=places.__getitem__)
        rankings[segment] = (-term[slugs[0]], slugs)
    taken = {normalize_word(name) for name in (*fixed.values(), SIN_ACTIVIDAD_NAME)}
    names: dict[int, _NameCandidate] = {}
    for segment in sorted(rankings, key=lambda i: (*rankings[i], i)):
        candidates = _list_candidates(rankings[segment], labels)
        names[segment] = next(each for each in candidates if taken.isdisjoint(each.folded))
        taken.add(normalize_word(names[segment].name))
    return names


def _list_candidates(
    ranking: tuple[float, list[str]], labels: Mapping[str, str]
) -> Iterator[_NameCandidate]:
    """The rubro that stands out most, or none; then with each other one; then numbered."""
    mixed, slugs = -ranking[0] < STANDS_OUT, ranking[1]
    own = () if mixed else tuple(slugs[:1])
    name = MIXED if mixed else labels[slugs[0]]
    yield _NameCandidate(name, name, own, mixed)
    for slug in slugs[len(own) :]:
        other = labels[slug]
        joined, mirrored = _join_labels(name, other), _join_labels(other, name)
        if mixed:
            joined = mirrored = f"{name} con {_format_inner_label(other)}"
        if normalize_word(other) != normalize_word(name):
            yield _NameCandidate(joined, mirrored, (*own, slug), mixed)
    for number in itertools.count(2):
        yield _NameCandidate(f"{name} {number}", f"{name} {number}", own, mixed)


def _join_labels(first: str, second: str) -> str:
    """Two labels as one name: `Farmacia y hogar`, `Ropa e indumentaria`, `Bar y café con hogar`."""
    conjunction = "e" if SOUNDS_LIKE_I.match(second) else "y"
    if HAS_CONJUNCTION.search(first) or HAS_CONJUNCTION.search(second):
        conjunction = "con"
    return f"{first} {conjunction} {_format_inner_label(second)}"


def _format_inner_label(label: str) -> str:
    """A label as it stands inside a name: no capital, unless its first word is an acronym."""
    word = label.split(maxsplit=1)[0]
    acronym = len(word) > 1 and word.isupper()
    return label if acronym else label[0].lower() + label[1:]
