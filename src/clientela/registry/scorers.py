"""Scorers: from a package to what answers cases, with features, model and flags compiled once.

Cases come and go as columns, one entry per case: a DataFrame per request would take longer than the
answer. A segment is the nearest centre, or `sin_actividad`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clientela.arrays import Codes, Floats
from clientela.exceptions import ConfigurationError, ModelFileError
from clientela.features.columns import (
    Column,
    FeatureBuilder,
    FeatureLayout,
    Features,
    FieldFeatureBuilder,
    InputField,
    limit_to_float32,
    stack_columns,
)
from clientela.features.segment_columns import ClusteringParams, get_column_transform
from clientela.features.table_features import TableFeatureBuilder
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.base import Predictions
from clientela.models.compiled_models import (
    MISSING_COUNTS_AS,
    Model,
    build_binary_model,
    build_ordinal_model,
)
from clientela.models.scoring import format_reason_codes
from clientela.models.segment_model import SEGMENTS, get_identity
from clientela.models.segmentation import CLUSTERS, SCALER, SIN_ACTIVIDAD
from clientela.models.settings import ScoringSettings
from clientela.models.stored_model import StoredModel
from clientela.registry.manifest import ServedManifest
from clientela.registry.package import ModelPackage

Flags: TypeAlias = NDArray[np.bool_]

# Feature that says whether a customer bought often enough to be placed.
ACTIVITY: Final = "num_tx"


@dataclass(frozen=True)
class PredictionBatch:
    """What a model says of some cases.

    Attributes:
        codes: Position of the class or segment in the manifest's `classes`.
        probabilities: Cases x classes; empty (cases x 0) for segments without membership.
        expected: Probability of the positive class, expected class value, or segment id.
        imputed: Cases x fields (in the manifest's order): whether the model saw a typical value,
            since the field was absent or not believed.
        unseen: Cases x fields: whether a number lies beyond what the model learned from, or a word
            is none that it knows.
    """

    codes: Codes
    probabilities: Floats
    expected: Floats
    imputed: Flags
    unseen: Flags


@dataclass(frozen=True)
class ImputedFlags:
    """Which fields had no value that was believed; as `tabular.schema.imputed_cells` has it.

    Attributes:
        numbers: Place of a field that is a number of the model, with its row.
        words: Place of a field that is a word of the model, to its name.
        made: Place of a field that the model sees only through others, to those.
    """

    fields: int
    numbers: tuple[NDArray[np.intp], NDArray[np.intp]]
    words: Mapping[int, str]
    made: Mapping[int, tuple[str, ...]]
    layout: FeatureLayout

    @classmethod
    def of(
        cls,
        fields: Sequence[InputField],
        layout: FeatureLayout,
        sources: Mapping[str, Sequence[str]],
    ) -> Self:
        """The flags of a model.

        Args:
            sources: Feature to the fields that it is made of; a field itself may be left away.
        """
        read = {place: each.name for place, each in enumerate(fields)}
        seen = {place: name for place, name in read.items() if name in layout.features}
        made = {
            place: tuple(name for name in layout.features if read[place] in sources.get(name, ()))
            for place in read.keys() - seen.keys()
        }
        numbers = {place: name for place, name in seen.items() if name in layout.rows}
        return cls(
            fields=len(fields),
            numbers=(np.array([*numbers], dtype=np.intp), layout.places([*numbers.values()])),
            words={place: name for place, name in seen.items() if place not in numbers},
            made={place: names for place, names in made.items() if names},
            layout=layout,
        )

    def __call__(self, features: Features) -> Flags:
        """Cases x fields."""
        flags = np.zeros((self.fields, features.cases), dtype=np.bool_)
        places, rows = self.numbers
        flags[places] = features.missing[rows]
        for place, name in self.words.items():
            flags[place] = self._find_missing(features, name)
        for place, names in self.made.items():
            flags[place] = np.all([self._find_missing(features, name) for name in names], axis=0)
        return flags.T

    def _find_missing(self, features: Features, name: str) -> Flags:
        if name in self.layout.rows:
            missing: Flags = features.missing[self.layout.rows[name]]
            return missing
        return np.array([word is None for word in features.words[name]], dtype=np.bool_)


@dataclass(frozen=True)
class UnseenFlags:
    """Which fields hold what the model never learned from.

    Attributes:
        places: Places of the numbers whose learned range is known.
        words: Place and name of a word to the words that were learned.
    """

    fields: int
    places: NDArray[np.intp]
    names: tuple[str, ...]
    lowest: Floats
    highest: Floats
    words: Mapping[tuple[int, str], frozenset[str]]

    @classmethod
    def of(cls, fields: Sequence[InputField]) -> Self:
        """The flags of a model."""
        known = {
            place: each
            for place, each in enumerate(fields)
            if (each.seen_minimum, each.seen_maximum) != (None, None)
        }
        return cls(
            fields=len(fields),
            places=np.array([*known], dtype=np.intp),
            names=tuple(each.name for each in known.values()),
            lowest=_make_bound_column([each.seen_minimum for each in known.values()], -np.inf),
            highest=_make_bound_column([each.seen_maximum for each in known.values()], np.inf),
            words={
                (place, each.name): frozenset(each.words)
                for place, each in enumerate(fields)
                if each.words
            },
        )

    def __call__(self, columns: Mapping[str, Column], features: Features) -> Flags:
        """Cases x fields; a word counts as known in the model's spelling, or as it came."""
        flags = np.zeros((self.fields, features.cases), dtype=np.bool_)
        if self.names:
            values = stack_columns(columns, self.names)
            flags[self.places] = (values < self.lowest) | (values > self.highest)
        for (place, name), known in self.words.items():
            came = columns[name].tolist()
            spelled = features.words.get(name, came)
            flags[place] = [
                word is not None and word not in known and read not in known
                for word, read in zip(came, spelled, strict=True)
            ]
        return flags.T


def _make_bound_column(bounds: Sequence[float | None], without: float) -> Floats:
    rows = [[without if bound is None else bound] for bound in bounds]
    return np.array(rows, dtype=np.float64).reshape(-1, 1)


def build_segments_model(
    model: StoredModel, manifest: ServedManifest, layout: FeatureLayout
) -> Model:
    """A stored segmentation over features; customers stay where they are nearest.

    Returns:
        From features to the position of the segment in the manifest's classes, and its id.

    Raises:
        ModelFileError: The manifest does not know each of the segments.
    """
    identity, fitted = get_identity(model), model.estimator[SEGMENTS]
    scaler, centres = fitted[SCALER], fitted[CLUSTERS].cluster_centers_[:, :, None]
    least = ClusteringParams.model_validate(model.manifest["params"]).minimum_transactions
    ids = np.array([*identity.ids, SIN_ACTIVIDAD])
    codes = _map_segment_codes(ids.tolist(), manifest)
    transform = _build_segment_transform(identity.columns, layout, wanted=identity.transformed)
    middle, width = scaler.mean_[:, None], scaler.scale_[:, None]
    activity = layout.rows[ACTIVITY]

    def answer(features: Features) -> Predictions:
        scaled = (transform(features) - middle) / width
        distances = np.add.accumulate((centres - scaled) ** 2, axis=1)[:, -1]
        is_active = features.numbers[activity] >= least
        # the last id is that of nobody's segment
        places = np.where(is_active, distances.argmin(axis=0), len(centres))
        no_probabilities = np.empty((features.cases, 0))
        return Predictions(codes[places], no_probabilities, ids[places].astype(np.float64))

    return answer


def list_segment_fields(model: StoredModel) -> tuple[str, ...]:
    """The features that placing a customer reads."""
    return tuple(dict.fromkeys([*model.features, ACTIVITY]))


def _map_segment_codes(ids: Sequence[int], manifest: ServedManifest) -> Codes:
    """Segment ids as positions in the classes of the manifest."""
    known = {
        int(manifest.target[name]): place
        for place, name in enumerate(manifest.classes)
        if name in manifest.target
    }
    absent = [str(each) for each in ids if each not in known]
    if absent:
        raise ModelFileError(
            f"The package of {manifest.use_case} should name each segment, sin_actividad "
            f"({SIN_ACTIVIDAD}) too; its classes and target lack {', '.join(absent)}. Run the "
            "deployment stage again."
        )
    return np.array([known[each] for each in ids], dtype=np.int64)


def _build_segment_transform(
    columns: Sequence[str], layout: FeatureLayout, *, wanted: bool
) -> Callable[[Features], Floats]:
    """Columns x cases, as `clientela.features.segment_columns.build_matrix` has them."""
    places = layout.places(columns)
    if not wanted:
        return lambda features: limit_to_float32(features.numbers[places])
    transforms = [get_column_transform(name) for name in columns]

    def transform(features: Features) -> Floats:
        rows = limit_to_float32(features.numbers[places])
        return np.stack([change(row) for change, row in zip(transforms, rows, strict=True)])

    return transform


@dataclass(frozen=True)
class CompiledScorer:
    """A model that answers by NumPy alone, except for what no compiler knows.

    Attributes:
        stored: The fitted model, which gives the reasons.
        imputed: Which fields had no value that was believed.
        unseen: Which fields hold what it never learned from.
    """

    manifest: ServedManifest
    stored: StoredModel
    maker: FeatureBuilder
    layout: FeatureLayout
    model: Model
    imputed: ImputedFlags
    unseen: UnseenFlags
    _one_at_a_time: Lock = field(default_factory=Lock)

    def answers(self, columns: Mapping[str, Column]) -> PredictionBatch:
        """What the model says; thread-safe.

        Args:
            columns: Field to its values, all of the same length; every field that the model reads.
        """
        features = self.maker(columns)
        predictions = self.model(features)
        return PredictionBatch(
            codes=predictions.codes,
            probabilities=predictions.probabilities,
            expected=predictions.expected,
            imputed=self.imputed(features),
            unseen=self.unseen(columns, features),
        )

    def reasons(self, columns: Mapping[str, Column], count: int) -> list[list[str]]:
        """Why, in Spanish words, the weightiest first; slower than the answers by far.

        Returns:
            One list per case, of at most `count` reasons; empty where the model gives none.
        """
        features = self.maker(columns)
        nothing: list[list[str]] = [[] for _ in range(features.cases)]
        if self.manifest.task == "segments":
            return nothing
        settings = ScoringSettings(reasons=count, labels=self.manifest.labels)
        try:
            # XGBoost explains with a booster that remembers what it was asked last
            with self._one_at_a_time:
                words = format_reason_codes(self.stored, self.layout.frame(features), settings)
        except ConfigurationError:  # nothing exact is known for this kind of model
            return nothing
        if not words:
            return nothing
        rows = zip(*words.values(), strict=True)
        return [[word for word in row if word is not None] for row in rows]


def build_scorer(package: ModelPackage) -> CompiledScorer:
    """The scorer of a package that was opened.

    Raises:
        ModelFileError: The manifest lacks a field that the model is made of, or a segment.
    """
    manifest, stored = package.manifest, package.model
    builder = _build_feature_builder(manifest, stored)
    absent = sorted(builder.inputs - {each.name for each in manifest.read})
    if absent:
        raise ModelFileError(
            f"The package of {manifest.use_case} should name every field that its model is made "
            f"of; its manifest lacks {', '.join(absent)}. Run the deployment stage again."
        )
    names = list_segment_fields(stored) if manifest.task == "segments" else tuple(stored.features)
    layout = FeatureLayout(names, builder.rows)
    if manifest.task == "segments":
        model = build_segments_model(stored, manifest, layout)
    else:
        build_model = MODEL_BUILDERS[manifest.task]
        model = build_model(stored.estimator, layout, stored.manifest["decision"])
    sources = stored.manifest.get("tabular", {}).get("sources", {})
    return CompiledScorer(
        manifest=manifest,
        stored=stored,
        maker=builder,
        layout=layout,
        model=model,
        imputed=ImputedFlags.of(manifest.fields, layout, sources),
        unseen=UnseenFlags.of(manifest.fields),
    )


MODEL_BUILDERS: Final[Mapping[str, Callable[[Any, FeatureLayout, str | None], Model]]] = {
    "binary": build_binary_model,
    "ordinal": build_ordinal_model,
}


def _build_feature_builder(manifest: ServedManifest, stored: StoredModel) -> FeatureBuilder:
    if manifest.task == "segments":
        return FieldFeatureBuilder(list_segment_fields(stored), filler=MISSING_COUNTS_AS)
    if manifest.task == "ordinal":
        return FieldFeatureBuilder(tuple(stored.features), filler=MISSING_COUNTS_AS)
    if manifest.feature_rules is not None:
        rules = TabularFeatureParams.model_validate(manifest.feature_rules)
        return TableFeatureBuilder.of(rules, stored.features)
    words = {each.name for each in manifest.fields if each.kind == "word"}
    return FieldFeatureBuilder(
        numbers=tuple(name for name in stored.features if name not in words),
        words=tuple(name for name in stored.features if name in words),
    )
