"""What segments are called: by the rubros that set them apart, and then for as long as they live.

A segment's share of a rubro is the mean of its customers' shares, not its part of the money: on
the Complete Journey data both give the same first rubro in every one of twenty resamples (k = 3,
5, 8), but in segments drawn at random the money strays a third further (99th percentile of the
largest term, 100 customers: .059 against .044), because a few heavy buyers move it.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from clientela.exceptions import ConfigurationError
from clientela.folding import folded_word
from clientela.segments.identity import SIN_ACTIVIDAD, SIN_ACTIVIDAD_NAME, Identity
from clientela.segments.layout import REST, Layout
from clientela.segments.matrix import SHARE
from clientela.segments.params import NamingParams
from clientela.segments.profile import seated

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
class _Shares:
    """Mean shares of spend: `segments` (segment x slug), and of all active customers (slug)."""

    segments: pd.DataFrame
    everybody: pd.Series


@dataclass(frozen=True)
class _Ranking:
    """Slugs of one segment, the most telling first; the first one's term."""

    slugs: tuple[str, ...]
    term: float


@dataclass(frozen=True)
class _Candidate:
    """A possible name; the same the other way round; its rubros; whether no rubro stands out."""

    name: str
    mirrored: str
    slugs: tuple[str, ...]
    mixed: bool


def segment_names(
    features: pd.DataFrame,
    members: pd.DataFrame,
    layout: Layout,
    params: NamingParams,
    previous: Identity | None,
) -> dict[int, SegmentName]:
    """Names of the active segments, all different.

    A name that a person gave comes first, then the one that the segment had; only then are new
    names made, from what is left.

    Args:
        features: One row per customer (PII).
        members: One row for each of them: `id_cliente` (PII), `cluster_id`, `cluster_cercano`.
        layout: The rubros and what people call them.
        params: Names that a person gave.
        previous: The model before; None for a first one.

    Returns:
        Id to name, by id; `sin_actividad` has its own name and is not among them.

    Raises:
        ConfigurationError: A given name belongs to a segment that does not exist, or is taken.
    """
    shares = _shares(features, members, layout)
    ids = [int(segment) for segment in shares.segments.index]
    before = {} if previous is None else previous.names
    given = _given(params, ids)
    kept = {i: name for i, name in before.items() if i in ids and i not in given}
    _refuse_doubles(given, kept)
    today = {i: made.name for i, made in _made(shares, layout.labels, {}).items()}
    names = {
        i: SegmentName(made.name, "datos", _why(made, i, shares, layout.labels), today[i])
        for i, made in _made(shares, layout.labels, kept | given).items()
    }
    for i, name in kept.items():
        names[i] = SegmentName(name, "se_mantiene", _why_kept(name, today[i]), today[i])
    for i, name in given.items():
        names[i] = SegmentName(name, "fijado", params.overrides[i].reason, today[i])
    return dict(sorted(names.items()))


def _shares(features: pd.DataFrame, members: pd.DataFrame, layout: Layout) -> _Shares:
    """Mean shares; a segment whose nearest customers were all held by another has none."""
    seats = seated(features, members)
    active = seats[seats != SIN_ACTIVIDAD]
    columns = [f"{SHARE}{slug}" for slug in layout.slugs]
    rows = features[columns].iloc[active.index].set_axis(layout.slugs, axis=1)
    ids = sorted({*active.unique(), *members["cluster_cercano"].unique()} - {SIN_ACTIVIDAD})
    means = rows.groupby(active.to_numpy()).mean()
    return _Shares(means.reindex(ids, fill_value=0.0), rows.mean())


def _given(params: NamingParams, ids: list[int]) -> dict[int, str]:
    for segment, override in params.overrides.items():
        if segment not in ids:
            raise ConfigurationError(
                f"naming.overrides names segment {segment}, which does not exist; one of "
                f"{', '.join(map(str, ids)) or 'none'} was expected. Correct or remove that entry."
            )
        if folded_word(override.name) == folded_word(SIN_ACTIVIDAD_NAME):
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {override.name!r}, which is reserved "
                "for customers with too little activity. Choose another name."
            )
    return {segment: override.name for segment, override in sorted(params.overrides.items())}


def _refuse_doubles(given: Mapping[int, str], kept: Mapping[int, str]) -> None:
    holders = {folded_word(name): segment for segment, name in kept.items()}
    for segment, name in given.items():
        holder = holders.setdefault(folded_word(name), segment)
        if holder != segment:
            raise ConfigurationError(
                f"naming.overrides calls segment {segment} {name!r}, as segment {holder} is called "
                f"already; names have to differ. Choose another one for {segment}, or give "
                f"{holder} a new one in naming.overrides too."
            )


def _made(
    shares: _Shares, labels: Mapping[str, str], fixed: Mapping[int, str]
) -> dict[int, _Candidate]:
    """Names from shares for who has no fixed one, the most distinct segment first."""
    terms = _terms(shares)
    rankings = {
        int(i): _ranking(terms.loc[i], shares.segments.loc[i])
        for i in terms.index
        if i not in fixed
    }
    taken = {folded_word(name) for name in (*fixed.values(), SIN_ACTIVIDAD_NAME)}
    made: dict[int, _Candidate] = {}
    for segment in sorted(rankings, key=lambda i: (-rankings[i].term, rankings[i].slugs, i)):
        made[segment] = _first_free(rankings[segment], labels, taken)
        taken.add(folded_word(made[segment].name))
    return made


def _terms(shares: _Shares) -> pd.DataFrame:
    """How much each rubro sets each segment apart from all active customers.

    `share * log(share / share of everybody)`, the rubro's term of the relative entropy (Kullback
    and Leibler 1951; to rank single words, Tomokiyo and Hurst 2003): a rubro counts that is both
    large and larger than elsewhere.
    """
    ratio = (shares.segments / shares.everybody).where(shares.segments > 0, 1.0)
    return (shares.segments * np.log(ratio)).round(TERM_DECIMALS)


def _ranking(terms: pd.Series, shares: pd.Series) -> _Ranking:
    """Rubros that stand out, then others; the pooled rest says least, so it is last in both."""
    places = {
        slug: (terms[slug] < STANDS_OUT, slug == REST, -max(terms[slug], 0.0), -shares[slug], slug)
        for slug in terms.index
    }
    slugs = sorted(places, key=places.__getitem__)
    return _Ranking(tuple(slugs), float(terms[slugs[0]]))


def _first_free(ranking: _Ranking, labels: Mapping[str, str], taken: set[str]) -> _Candidate:
    return next(
        candidate
        for candidate in _candidates(ranking, labels)
        if taken.isdisjoint({folded_word(candidate.name), folded_word(candidate.mirrored)})
    )


def _candidates(ranking: _Ranking, labels: Mapping[str, str]) -> Iterator[_Candidate]:
    """The rubro that stands out most, or none; then with each other one; then numbered."""
    mixed = ranking.term < STANDS_OUT
    own = () if mixed else ranking.slugs[:1]
    name = MIXED if mixed else labels[ranking.slugs[0]]
    yield _Candidate(name, name, own, mixed)
    for slug in ranking.slugs[len(own) :]:
        other = labels[slug]
        if mixed:
            text = mirrored = f"{name} con {_within(other)}"
        else:
            text, mirrored = _joined(name, other), _joined(other, name)
        if folded_word(other) != folded_word(name):
            yield _Candidate(text, mirrored, (*own, slug), mixed)
    for number in itertools.count(2):
        yield _Candidate(f"{name} {number}", f"{name} {number}", own, mixed)


def _joined(first: str, second: str) -> str:
    """Two labels as one name: `Farmacia y hogar`, `Ropa e indumentaria`, `Bar y café con hogar`."""
    if _HAS_CONJUNCTION.search(first) or _HAS_CONJUNCTION.search(second):
        return f"{first} con {_within(second)}"
    return f"{first} {'e' if _SOUNDS_LIKE_I.match(second) else 'y'} {_within(second)}"


def _within(label: str) -> str:
    """A label as it stands inside a name: no capital, unless its first word is an acronym."""
    word = label.split(maxsplit=1)[0]
    acronym = len(word) > 1 and word.isupper()
    return label if acronym else label[0].lower() + label[1:]


def _why(made: _Candidate, segment: int, shares: _Shares, labels: Mapping[str, str]) -> str:
    """The mean shares that a made name rests on."""
    here, everybody = shares.segments.loc[[segment]].iloc[0], shares.everybody
    figures = "; ".join(
        f"{labels[slug]} {_percent(here[slug])}, frente a {_percent(everybody[slug])} entre todos "
        "los activos"
        for slug in made.slugs
    )
    if made.mixed:
        return f"Ningún rubro distingue a sus clientes. {figures}".strip(" .") + "."
    return f"Lo que distingue a sus clientes, por la parte media de su gasto: {figures}."


def _why_kept(name: str, today: str) -> str:
    same = "los datos de hoy dicen lo mismo"
    drift = f"los datos de hoy lo llamarían «{today}»"
    return f"Conserva el nombre del modelo anterior; {same if name == today else drift}."


def _percent(share: float) -> str:
    """Whole percents, which are written alike in every locale."""
    return "menos de 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"  # noqa: PLR2004 - 1 %
