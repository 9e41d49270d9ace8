"""From a package to what answers: features, model and flags, each compiled once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import pandas as pd

from clientela.exceptions import ConfigurationError, ModelFileError
from clientela.inference.answers import Answers, Scorer
from clientela.inference.binary import Model, binary_model
from clientela.inference.features import FeatureMaker, FieldFeatures, Layout
from clientela.inference.fields import Column
from clientela.inference.flags import ImputedFlags, UnseenFlags
from clientela.inference.manifest import ServedManifest, ServedTask
from clientela.inference.ordinal import MISSING_COUNTS_AS, ordinal_model
from clientela.inference.package import ServedModel
from clientela.inference.segments import segment_fields, segments_model
from clientela.inference.table_features import TableFeatures
from clientela.modelling.scores import reasons_in_words
from clientela.modelling.settings import ScoringSettings
from clientela.modelling.storage.stored_model import StoredModel
from clientela.tabular.params import TabularFeatureParams


@dataclass(frozen=True)
class CompiledScorer:
    """A model that answers by NumPy alone, except for what no compiler knows.

    Attributes:
        manifest: What it is.
        stored: The fitted model, which gives the reasons.
        maker: Features of fields.
        layout: Where they stand.
        model: What it says of them.
        imputed: Which fields had no value that was believed.
        unseen: Which fields hold what it never learned from.
    """

    manifest: ServedManifest
    stored: StoredModel
    maker: FeatureMaker
    layout: Layout
    model: Model
    imputed: ImputedFlags
    unseen: UnseenFlags
    _one_at_a_time: Lock = field(default_factory=Lock)

    def answers(self, columns: Mapping[str, Column]) -> Answers:
        """See `clientela.inference.answers.Scorer`."""
        features = self.maker(columns)
        said = self.model(features)
        return Answers(
            codes=said.codes,
            probabilities=said.probabilities,
            expected=said.expected,
            imputed=self.imputed(features),
            unseen=self.unseen(columns, features),
        )

    def reasons(self, columns: Mapping[str, Column], count: int) -> list[list[str]]:
        """See `clientela.inference.answers.Scorer`."""
        features = self.maker(columns)
        settings = ScoringSettings(reasons=count, labels=self.manifest.labels)
        words = self._reasons(self.layout.frame(features), settings)
        given = zip(*words.values(), strict=True) if words else [()] * features.cases
        return [[word for word in row if word is not None] for row in given]

    def _reasons(
        self, rows: pd.DataFrame, settings: ScoringSettings
    ) -> Mapping[str, list[str | None]]:
        if self.manifest.task == "segments":
            return {}
        try:
            # XGBoost explains with a booster that remembers what it was asked last
            with self._one_at_a_time:
                return reasons_in_words(self.stored, rows, settings)
        except ConfigurationError:  # nothing exact is known for this kind of model
            return {}


def scorer_of(served: ServedModel) -> Scorer:
    """The scorer of a package that was opened.

    Args:
        served: Manifest and fitted model.

    Returns:
        What answers.

    Raises:
        ModelFileError: The manifest lacks a field that the model is made of, or a segment.
    """
    return COMPILERS[served.manifest.task](served)


def _binary_scorer(served: ServedModel) -> Scorer:
    manifest, stored = served.manifest, served.model
    maker: FeatureMaker
    if manifest.feature_rules is None:
        words = {each.name for each in manifest.fields if each.kind == "word"}
        numbers = tuple(name for name in stored.features if name not in words)
        maker = FieldFeatures(numbers, tuple(name for name in stored.features if name in words))
    else:
        rules = TabularFeatureParams.model_validate(manifest.feature_rules)
        maker = TableFeatures.of(rules, stored.features)
    layout = Layout(tuple(stored.features), maker.rows)
    model = binary_model(stored.estimator, layout, stored.manifest["decision"])
    return _scorer(served, maker, layout, model)


def _ordinal_scorer(served: ServedModel) -> Scorer:
    stored = served.model
    maker = FieldFeatures(tuple(stored.features), filler=MISSING_COUNTS_AS)
    layout = Layout(tuple(stored.features), maker.rows)
    model = ordinal_model(stored.estimator, layout, stored.manifest["decision"])
    return _scorer(served, maker, layout, model)


def _segments_scorer(served: ServedModel) -> Scorer:
    names = segment_fields(served.model)
    maker = FieldFeatures(names, filler=MISSING_COUNTS_AS)
    layout = Layout(names, maker.rows)
    model = segments_model(served.model, served.manifest, layout)
    return _scorer(served, maker, layout, model)


COMPILERS: Final[Mapping[ServedTask, Callable[[ServedModel], Scorer]]] = {
    "binary": _binary_scorer,
    "ordinal": _ordinal_scorer,
    "segments": _segments_scorer,
}
"""Task to what makes its scorer."""


def _scorer(served: ServedModel, maker: FeatureMaker, layout: Layout, model: Model) -> Scorer:
    manifest = served.manifest
    absent = sorted(maker.inputs - {each.name for each in manifest.read})
    if absent:
        raise ModelFileError(
            f"The package of {manifest.use_case} should name every field that its model is made "
            f"of; its manifest lacks {', '.join(absent)}. Run the deployment stage again."
        )
    sources = served.model.manifest.get("tabular", {}).get("sources", {})
    return CompiledScorer(
        manifest=manifest,
        stored=served.model,
        maker=maker,
        layout=layout,
        model=model,
        imputed=ImputedFlags.of(manifest.fields, layout, sources),
        unseen=UnseenFlags.of(manifest.fields),
    )
