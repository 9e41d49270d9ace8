"""The language models that a run may ask, behind the catalog like all outside the project."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Never, NoReturn

from kedro.io import AbstractDataset

from clientela.aws.settings import AwsSettings, aws_settings
from clientela.labelling.chat import Chat
from clientela.labelling.settings import LabellingSettings
from clientela.language_models.bedrock import BedrockChat
from clientela.language_models.openai import OpenAIChat


class LanguageModels:
    """Makes a language model of its settings; nothing is asked before the first question.

    Args:
        aws: Region and account, for those of Bedrock.
    """

    def __init__(self, aws: AwsSettings) -> None:
        self._aws = aws

    @contextmanager
    def chat(self, settings: LabellingSettings) -> Iterator[Chat | None]:
        """The model that settings name, whose connections are closed afterwards.

        Args:
            settings: Of the labelling stage.

        Yields:
            The model; None where rules label.

        Raises:
            ConfigurationError: What it needs is not installed.
        """
        if settings.provider == "bedrock":
            with closing(BedrockChat(settings.bedrock, self._aws, settings.workers)) as chat:
                yield chat
        elif settings.provider == "openai":
            with closing(OpenAIChat(settings.openai, settings.workers)) as chat:
                yield chat
        else:
            yield None


class LanguageModelsDataset(AbstractDataset[Never, LanguageModels]):
    """The language models of an environment.

    Args:
        aws: Content of aws.yml.
        metadata: For kedro-viz.
    """

    def __init__(
        self, *, aws: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._aws = aws
        self.metadata = metadata

    def load(self) -> LanguageModels:
        """What makes them.

        Returns:
            The models; no network is touched.
        """
        return LanguageModels(aws_settings(self._aws or {}))

    def save(self, data: Never) -> NoReturn:
        """Models are asked, not written."""
        raise NotImplementedError("Language models are an input, and no node's output.")

    def _describe(self) -> dict[str, Any]:
        return {"aws": self._aws is not None}
