from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.labelling.model_server import ModelServer, model_server

from clientela.aws_settings import AwsSettings
from clientela.features.table_settings import TabularFeatureParams
from clientela.models.settings import LabellingSettings
from clientela.pipelines.labelling import nodes
from clientela.pipelines.labelling.response_cache import FileAnswerStore, LanguageModels

COLUMNS = ("Age", "Sex", "Purpose")
PROVIDERS = ("bedrock", "openai")
QUICK = {"connect_seconds": 2, "read_seconds": 10, "attempts": 3, "pause_seconds": 0.01}
FEATURES = TabularFeatureParams.model_validate(
    {
        "key": "id_solicitud",
        "target": {
            "column": "target",
            "negative": {"label": "good risk", "name": "good risk"},
            "positive": {"label": "bad risk", "name": "bad risk"},
        },
        "numeric": ["Age"],
        "categorical": ["Sex", "Purpose"],
    }
)


def applicants(number: int, **changes: Any) -> pd.DataFrame:
    """So many applicants, of whom nobody was judged."""
    places = range(number)
    return pd.DataFrame(
        {
            "id_solicitud": [f"s{place:05d}" for place in places],
            "Age": [20 + place for place in places],
            "Sex": ["male" if place % 2 else "female" for place in places],
            "Purpose": ["car"] * number,
            "truth": pd.Series([None] * number, dtype="str"),
        }
    ).assign(**changes)


def settings_of(
    provider: str, url: str, model: dict[str, Any] | None = None, **changes: Any
) -> LabellingSettings:
    """Settings that ask a server; `model` changes those of the language model."""
    fields: dict[str, Any] = {"patience": QUICK, **(model or {})}
    if provider == "openai":
        fields = {"url": f"{url}/v1", **fields}
    given = {
        "provider": provider,
        "columns": COLUMNS,
        "workers": 4,
        "audit": {"stability_rows": 0},
        "budget": {"tokens": 10_000_000},
        provider: fields,
    }
    return LabellingSettings.model_validate(given | changes)


def shipped_prompts(project_root: Path) -> tuple[str, str]:
    """The prompts of credit_preauth as they are shipped."""
    folder = project_root / "conf/base/prompts/credit_preauth"
    describe, label = (
        (folder / f"{name}-1.txt").read_text("utf-8") for name in ("describe", "label")
    )
    return describe, label


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A language model on loopback, which is what Bedrock is for this process."""
    with model_server() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield running


@pytest.fixture
def settings(provider: str, server: ModelServer) -> Callable[..., LabellingSettings]:
    """Settings that ask the server; see `settings_of`."""
    return partial(settings_of, provider, server.url)


@pytest.fixture(scope="session")
def prompts(project_root: Path) -> tuple[str, str]:
    return shipped_prompts(project_root)


@pytest.fixture
def labelled(prompts: tuple[str, str], tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """Labels rows with a store in a folder, as the stage does; gives the label table."""

    def label(rows: pd.DataFrame, settings: LabellingSettings) -> pd.DataFrame:
        models, store = LanguageModels(AwsSettings()), FileAnswerStore(str(tmp_path / "answers"))
        table, _, _ = nodes.label_cases(rows, models, store, *prompts, FEATURES, settings)
        return table

    return label
