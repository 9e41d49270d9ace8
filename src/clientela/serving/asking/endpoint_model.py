"""A model behind a SageMaker endpoint of ours."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from clientela.exceptions import ServingError
from clientela.serving.asking.answers import Case, Prediction, Refused
from clientela.serving.asking.api_model import refusal
from clientela.serving.sagemaker import DESCRIBE

JSON: Final = "application/json"
CLIENT_FAULTS: Final = range(400, 500)

Explained = Callable[[str], AbstractContextManager[None]]


class EndpointModel:
    """The model of an endpoint.

    Args:
        name: Of the endpoint.
        client: boto3's of `sagemaker-runtime`, which retries by itself.
        explained: Turns what AWS raises while something is done into a `ServingError`.
    """

    def __init__(self, name: str, client: Any, explained: Explained) -> None:
        self._name, self._client, self._explained = name, client, explained

    def about(self) -> dict[str, Any]:
        """See `clientela.serving.asking.answers.Model`."""
        try:
            told = self._asked({}, CustomAttributes=DESCRIBE)
        except Refused as err:
            raise self._foreign() from err
        if "fields" not in told:
            raise self._foreign()
        return told

    def predictions(self, cases: Sequence[Case]) -> list[Prediction]:
        """See `clientela.serving.asking.answers.Model`."""
        found: list[Prediction] = self._asked({"data": list(cases)})["predictions"]
        return found

    def _asked(self, content: Any, **more: str) -> dict[str, Any]:
        from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy, and rarely used

        body = json.dumps(content, ensure_ascii=False).encode()
        with self._explained(f"Asking the endpoint {self._name}"):
            try:
                reply = self._client.invoke_endpoint(
                    EndpointName=self._name, Body=body, ContentType=JSON, Accept=JSON, **more
                )
                answer = reply["Body"].read()
            except ClientError as err:
                status = _status_of_container(err.response)
                if status in CLIENT_FAULTS:
                    raise refusal(status, err.response.get("OriginalMessage", "")) from err
                raise
        try:
            found: dict[str, Any] = dict(json.loads(answer))
        except (ValueError, TypeError) as err:
            raise self._foreign() from err
        return found

    def _foreign(self) -> ServingError:
        return ServingError(
            f"The endpoint {self._name} does not say which fields it asks for. Expected one that "
            "`clientela deploy` made with our own image; the prebuilt XGBoost container takes "
            "features, not applicants."
        )


def _status_of_container(response: Mapping[str, Any]) -> int:
    """What the container answered, not SageMaker itself; 0 where it was not asked."""
    code = str(response["Error"]["Code"])
    # a server of ours in SageMaker's place gives no code but its status
    return int(response.get("OriginalStatusCode") or (code if code.isdigit() else 0))
