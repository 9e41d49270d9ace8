"""The models that are served now, by use case: read by every request, changed by one thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from clientela.exceptions import did_you_mean
from clientela.inference.answers import Scorer
from clientela.inference.manifest import ServedManifest
from clientela.serving.case_reader import CaseReader
from clientela.serving.refusals import Refusal
from clientela.serving.replies import Replies


@dataclass(frozen=True, eq=False)
class ShelvedModel:
    """A model that is ready to answer, with what reads and writes for it.

    A request takes one and keeps it to its end, whatever becomes of the shelf meanwhile.

    Attributes:
        scorer: Answers.
        reader: Reads requests.
        replies: Writes answers.
        number: Of the entry in the registry; None where nobody knows.
    """

    scorer: Scorer
    reader: CaseReader
    replies: Replies
    number: int | None = None

    @property
    def manifest(self) -> ServedManifest:
        """What the model is."""
        return self.scorer.manifest

    def named(self) -> dict[str, Any]:
        """Which model it is."""
        shown = {"use_case", "role", "version"}
        return {"number": self.number, **self.manifest.model_dump(include=shown)}

    def public(self) -> dict[str, Any]:
        """What anybody who may ask the model may know of it: nothing of its training rows."""
        shown = {
            "use_case",
            "role",
            "version",
            "group",
            "task",
            "classes",
            "target",
            "score_name",
            "primary_metric",
            "grades",
            "fields",
            "example",
        }
        return {"number": self.number, **self.manifest.model_dump(mode="json", include=shown)}


class ModelShelf:
    """The served models.

    The mapping is never changed, only replaced: readers need no lock, and see the models of one
    moment.
    """

    def __init__(self) -> None:
        self._models: Mapping[str, ShelvedModel] = MappingProxyType({})

    @property
    def models(self) -> Mapping[str, ShelvedModel]:
        """The models of this moment, by use case."""
        return self._models

    def replace(self, models: Mapping[str, ShelvedModel]) -> None:
        """Serve these models from now on.

        Args:
            models: By use case.
        """
        self._models = MappingProxyType(dict(models))

    def model(self, use_case: str) -> ShelvedModel:
        """The model of a use case.

        Args:
            use_case: Whose.

        Returns:
            The model.

        Raises:
            Refusal: None is served (404).
        """
        found = self._models.get(use_case)
        if found is None:
            raise Refusal(
                404,
                "no_model",
                "No approved model is served under this name. "
                f"{did_you_mean(use_case[:64], self._models)} GET /models lists them.",
            )
        return found
