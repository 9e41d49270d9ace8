"""The routes that predict, in plain ASGI: FastAPI's own way costs more than a model's answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

import orjson

from clientela.serving.body import Receive, Scope, Send, body, header
from clientela.serving.case_reader import DATA, INSTANCES
from clientela.serving.edge import JSON, SEEN, answer
from clientela.serving.predicting import Asked, Predicting
from clientela.serving.refusals import Refusal
from clientela.serving.sagemaker import ATTRIBUTES, DESCRIBE
from clientela.serving.settings import ServingSettings
from clientela.serving.shelf import ShelvedModel

CSV: Final = b"text/csv"

ChosenModel = Callable[[Scope], ShelvedModel]


@dataclass(frozen=True)
class HotRoute(ABC):
    """A route that predicts.

    Attributes:
        route: As it is documented.
        chosen: The model that a request is for.
        predicting: Answers.
        settings: Of the API.
    """

    route: str
    chosen: ChosenModel
    predicting: Predicting
    settings: ServingSettings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request.

        Args:
            scope: Of the request.
            receive: Its messages.
            send: Where the reply goes.
        """
        scope[SEEN].route = self.route
        await self._answer(self.chosen(scope), scope, receive, send)

    @abstractmethod
    async def _answer(
        self, model: ShelvedModel, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a request to a model."""

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        return await body(scope, receive, self.settings.largest_body, self.settings.body_seconds)


class Predict(HotRoute):
    """`POST /predict` and `POST /models/{use_case}/predict`."""

    async def _answer(
        self, model: ShelvedModel, scope: Scope, receive: Receive, send: Send
    ) -> None:
        reasons = _reasons(scope["query_string"])
        _require_type(scope, JSON)
        asked = Asked(await self._body(scope, receive), reasons=reasons)
        await answer(send, await self.predicting.reply(model, asked, scope[SEEN]))


class Invocations(HotRoute):
    """`POST /invocations`, as SageMaker asks its containers."""

    async def _answer(
        self, model: ShelvedModel, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if header(scope, ATTRIBUTES) == DESCRIBE.encode():
            await answer(send, orjson.dumps(model.public()))
            return
        came = _require_type(scope, JSON, CSV)
        wanted = _wanted(header(scope, b"accept"), came)
        content = await self._body(scope, receive)
        asked = Asked(content, names=(DATA, INSTANCES), csv=came == CSV, csv_wanted=wanted == CSV)
        await answer(send, await self.predicting.reply(model, asked, scope[SEEN]), wanted)


def _require_type(scope: Scope, *known: bytes) -> bytes:
    given = header(scope, b"content-type") or b""
    media, _, parameters = given.partition(b";")
    media = media.strip().lower()
    charset = parameters.strip().lower().removeprefix(b"charset=").strip(b'"')
    if media not in known or charset not in (b"", b"utf-8", b"utf8"):
        names = " or ".join(name.decode() for name in known)
        raise Refusal(
            415,
            "wrong_type",
            f"The body should be {names} in UTF-8, and the header Content-Type say so.",
        )
    return media


def _wanted(accept: bytes | None, came: bytes) -> bytes:
    """The type of the reply: the first of those accepted that there is."""
    ranges = [part.partition(b";")[0].strip().lower() for part in (accept or b"*/*").split(b",")]
    for media in ranges:
        if media in (b"*/*", b""):
            return came
        if media == b"application/*":
            return JSON
        if media == b"text/*":
            return CSV
        if media in (JSON, CSV):
            return media
    raise Refusal(406, "no_such_reply", "The reply can be application/json or text/csv.")


def _reasons(query: bytes) -> bool:
    if not query:
        return False
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=None)
    if len(given) != 1 or given[0] not in (("reasons", "true"), ("reasons", "false")):
        raise Refusal(422, "wrong_query", "The query can be ?reasons=true or ?reasons=false.")
    return given[0][1] == "true"
