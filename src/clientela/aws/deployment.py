"""Brings an approved model up as an endpoint, tests it, goes back, and takes endpoints down.

A new endpoint is asked about the example of its package, whose answer is known, before anybody
else asks it. When it errs, the endpoint goes back to what passed its test before. Only what carries
our tags is taken down.
"""

import json
import logging
import math
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from clientela.aws.endpoint import (
    EndpointState,
    build_delete_action,
    build_deployment_plan,
    build_tag_action,
    build_update_action,
    fetch_endpoint_state,
    get_fallback_config,
    wait_until_stable,
)
from clientela.aws.plan import Action, ActionResult, Plan, apply_plan
from clientela.aws_clients import Clients, convert_aws_errors
from clientela.aws_settings import AwsSettings, content_prefix, endpoint_name, has_own_tags
from clientela.exceptions import DeploymentError, NoApprovedModelError
from clientela.registry.manifest import ServedManifest
from clientela.registry.model_registry import RegisteredModel
from clientela.registry.package import NATIVE_MODEL, extract_archive
from clientela.registry.sagemaker_registry import get_model_data_url
from clientela.storage import compute_sha256, read_object

logger = logging.getLogger(__name__)

SERVICE: Final = "sagemaker"
RUNTIME: Final = "sagemaker-runtime"
CSV: Final = "text/csv"
JSON: Final = "application/json"
FEATURES: Final = "code/features.json"
MEANING: Final = "code/manifest.json"
# Bytes that all files of an archive may have together.
LARGEST: Final = 2 * 1024**3

# Between the answer of the endpoint and the one that is known.
TOLERANCE: Final = 1e-5

NOT_DEPLOYED: Final = "it is not deployed. Run the deployment stage again."

LIST_METHODS: Final = {"EndpointConfig": "list_endpoint_configs", "Model": "list_models"}


@dataclass(frozen=True)
class SmokeTestCase:
    """A request with its answer.

    Attributes:
        expected: The answer, computed when the model was packaged, or by the packaged model now.
        read: Takes the answer out of a body; None where there is none in it.
    """

    request: dict[str, Any]
    expected: float
    read: Callable[[bytes], float | None]


def build_own_container_case(manifest: ServedManifest) -> SmokeTestCase:
    """The example of a package, for our own container.

    Returns:
        The case by its fields, and what the package says of it.
    """
    body = json.dumps({"data": [manifest.example.case]}, ensure_ascii=False)
    return SmokeTestCase(
        {"ContentType": JSON, "Accept": JSON, "Body": body},
        manifest.example.expected,
        lambda answer: _parse_json_number(answer, manifest.score_name),
    )


def build_xgboost_container_case(
    manifest: ServedManifest, archive: bytes, where: str
) -> SmokeTestCase:
    """A row of the native model, for the prebuilt XGBoost container.

    Returns:
        The example of the package where its fields are the columns of the model, else a row of
        zeros; and what the model in the archive says of it, here.

    Raises:
        DeploymentError: The archive is damaged, or was changed.
    """
    files = _extract_verified_files(archive, where)
    columns = json.loads(files[FEATURES])
    case = manifest.example.case
    known = set(columns) <= set(case)
    row = [case[name] if known else 0 for name in columns]
    line = ",".join("" if value is None else repr(value) for value in row)
    expected = _predict_score(files[NATIVE_MODEL], row)
    return SmokeTestCase(
        {"ContentType": CSV, "Accept": CSV, "Body": line}, expected, _parse_first_number
    )


def _extract_verified_files(archive: bytes, where: str) -> dict[str, bytes]:
    try:
        files = extract_archive(archive, LARGEST)
        promised = json.loads(files[MEANING])["native_model_sha256"]
        whole = compute_sha256(files[NATIVE_MODEL]) == promised and FEATURES in files
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as err:
        raise DeploymentError(
            f"The archive {where} can't be read ({type(err).__name__}); {NOT_DEPLOYED}"
        ) from err
    if not whole:
        raise DeploymentError(
            f"The archive {where} holds another model than it describes; {NOT_DEPLOYED}"
        )
    return files


def _predict_score(native: bytes, row: list[Any]) -> float:
    import xgboost as xgb  # noqa: PLC0415 - heavy, and rarely used

    booster = xgb.Booster(model_file=bytearray(native))
    values = np.array([[np.nan if value is None else float(value) for value in row]])
    # the container knows no names either
    data = xgb.DMatrix(values, feature_names=booster.feature_names)
    return float(booster.predict(data)[0])


def _parse_first_number(body: bytes) -> float | None:
    try:
        # the container ends each answer with a line end, or parts several by commas
        return float(body.decode("utf-8", "replace").strip().split("\n")[0].split(",")[0])
    except ValueError:
        return None


def _parse_json_number(body: bytes, name: str) -> float | None:
    try:
        return next(_find_numbers(name, json.loads(body)), None)
    except ValueError:
        return None


def _find_numbers(name: str, content: Any) -> Iterator[float]:
    """Every number of that name, the first case's first."""
    if isinstance(content, dict):
        value = content.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield float(value)
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _find_numbers(name, each)


def run_smoke_test(endpoint: str, question: SmokeTestCase, clients: Clients) -> float:
    """Ask an endpoint something whose answer is known.

    Raises:
        DeploymentError: It does not answer, or answers something else.
    """
    doing = f"Testing the endpoint {endpoint} with the example of its package"
    with convert_aws_errors(doing, RUNTIME, DeploymentError):
        reply = clients(RUNTIME).invoke_endpoint(EndpointName=endpoint, **question.request)
        body = reply["Body"].read()
    answer = question.read(body)
    if answer is None:
        raise DeploymentError(
            f"{doing}: an answer with a score was expected, but there is none in its "
            f"{len(body)} bytes. Is the image of the same version as the package?"
        )
    if not math.isclose(answer, question.expected, rel_tol=0, abs_tol=TOLERANCE):
        raise DeploymentError(
            f"{doing}: it should answer {question.expected:.6f} for the made-up example, and "
            f"answers {answer:.6f}. The model in the container is not the one that was packaged."
        )
    return answer


@dataclass(frozen=True)
class DeploymentResult:
    """An endpoint that passed its test."""

    endpoint: str
    config: str
    changed: bool
    answer: float


def compute_deployment_plan(
    entry: RegisteredModel, settings: AwsSettings, clients: Clients
) -> Plan:
    """What a deployment would ask of AWS, as things stand now.

    Raises:
        DeploymentError: The endpoint is not ours, or AWS can't be reached, or refuses.
    """
    name = endpoint_name(settings, entry.use_case)
    return _build_valid_plan(entry, settings, wait_until_stable(name, clients, settings.endpoints))


def deploy_model(
    entry: RegisteredModel, manifest: ServedManifest, settings: AwsSettings, clients: Clients
) -> DeploymentResult:
    """Bring an endpoint to an approved model; an interrupted deployment is completed.

    Returns:
        The endpoint, after it answered the example of the package as it should.

    Raises:
        DeploymentError: It did not come up or failed its test; the endpoint runs what passed its
            test before, or, where nothing did, is gone.
    """
    name = endpoint_name(settings, entry.use_case)
    before = wait_until_stable(name, clients, settings.endpoints)
    plan = _build_valid_plan(entry, settings, before)
    create_config = next(a for a in plan.actions if a.operation == "CreateEndpointConfig")
    config = str(create_config.request["EndpointConfigName"])
    question = _build_smoke_test_case(entry, manifest, clients)
    changed = False
    for done in apply_plan(plan, clients):
        changed |= not done.kept
        if done.action.operation == "DeleteEndpoint":
            wait_until_stable(name, clients, settings.endpoints)
    after = wait_until_stable(name, clients, settings.endpoints)
    try:
        running = _require_running(name, config, after)
        answer = run_smoke_test(name, question, clients)
    except DeploymentError as err:
        fallback = get_fallback_config(before, config)
        outcome = _roll_back_endpoint(after, fallback, config, settings, clients)
        raise DeploymentError(f"{err}\n{outcome}") from err
    if running.last_tested_config != config:
        _apply_action(build_tag_action(running), clients)
    return DeploymentResult(name, config, changed, answer)


def _build_valid_plan(
    entry: RegisteredModel, settings: AwsSettings, state: EndpointState | None
) -> Plan:
    if entry.status != "approved":
        raise NoApprovedModelError(
            f"Number {entry.number} of {entry.group} is {entry.status}, and only an approved model "
            f"is deployed. Run: clientela approve {entry.use_case}"
        )
    return build_deployment_plan(entry, settings, state).validate()


def _build_smoke_test_case(
    entry: RegisteredModel, manifest: ServedManifest, clients: Clients
) -> SmokeTestCase:
    file = get_model_data_url(entry, clients)
    if file == entry.package:
        return build_own_container_case(manifest)
    return build_xgboost_container_case(manifest, read_object(file, clients, DeploymentError), file)


def _require_running(name: str, config: str, state: EndpointState | None) -> EndpointState:
    if state is None:
        raise DeploymentError(f"The endpoint {name} was deleted while it came up.")
    if not state.is_serving or state.config != config:
        raise DeploymentError(
            f"The endpoint {name} did not come up with {config}: it is {state.status}"
            f"{f' ({state.reason})' if state.reason else ''}, running {state.config}. The "
            f"container's own words are in CloudWatch, log group /aws/sagemaker/Endpoints/{name}."
        )
    return state


def _roll_back_endpoint(
    now: EndpointState | None,
    former: str | None,
    config: str,
    settings: AwsSettings,
    clients: Clients,
) -> str:
    """Undo, and say what stands now."""
    if now is None:
        return "There is no endpoint now."
    if former is None:
        _apply_action(build_delete_action(now.name, "the endpoint that failed"), clients)
        return f"The endpoint {now.name} was deleted: nothing that it ran ever passed its test."
    if former == config:
        return f"The endpoint {now.name} was left as it is: {config} passed this test before."
    stands: EndpointState | None = now
    if not (now.is_serving and now.config == former):  # else AWS went back by itself
        _apply_action(build_update_action(now.name, former), clients)
        stands = wait_until_stable(now.name, clients, settings.endpoints)
    if stands is not None and stands.is_serving and stands.config == former:
        return f"The endpoint {now.name} runs {former} again, as before."
    return (
        f"Going back to {former} failed too: the endpoint is "
        f"{'gone' if stands is None else stands.status}. Look at it in the SageMaker console "
        "before you try again."
    )


def _apply_action(action: Action, clients: Clients) -> None:
    for _ in apply_plan(Plan(f"Going back ({action.purpose})", (action,)), clients):
        pass


def build_undeployment_plan(use_case: str, settings: AwsSettings, clients: Clients) -> Plan:
    """What would be deleted, as things stand now.

    Returns:
        The endpoint, its configurations and its models, as far as we made them.
    """
    name = endpoint_name(settings, use_case)
    state = fetch_endpoint_state(name, clients)
    notes = []
    actions: list[Action] = []
    if state is not None and has_own_tags(state.tag_list, use_case):
        actions.append(build_delete_action(name, f"endpoint {name}"))
    elif state is not None:
        notes.append(f"The endpoint {name} was not made by Clientela for {use_case}: it stays.")
    with convert_aws_errors(f"Looking for what {name} left", SERVICE, DeploymentError):
        for kind, word in (("EndpointConfig", "configuration"), ("Model", "model")):
            actions += _list_deletions(kind, word, content_prefix(name), use_case, clients)
    notes.append("Registered models, packages and captured requests stay.")
    return Plan(f"Taking down the endpoint of {use_case}", tuple(actions), tuple(notes))


def apply_undeployment(
    plan: Plan, use_case: str, settings: AwsSettings, clients: Clients
) -> list[ActionResult]:
    """Carry an undeployment out.

    Raises:
        DeploymentError: AWS can't be reached, or refuses; the same command again goes on.
    """
    results = []
    for done in apply_plan(plan, clients):
        results.append(done)
        if done.action.operation == "DeleteEndpoint":
            # a configuration that an endpoint still uses can't be made again under its name
            wait_until_stable(endpoint_name(settings, use_case), clients, settings.endpoints)
    return results


def _list_deletions(
    kind: str, word: str, prefix: str, use_case: str, clients: Clients
) -> Iterator[Action]:
    """Deletions of everything of a kind whose name begins so and whose tags are ours."""
    client = clients(SERVICE)
    pages = client.get_paginator(LIST_METHODS[kind]).paginate(NameContains=prefix)
    listed = [each for page in pages for each in page[f"{kind}s"]]
    for each in sorted(listed, key=lambda each: str(each[f"{kind}Name"])):
        name = str(each[f"{kind}Name"])
        if not name.startswith(prefix):
            continue
        tags = client.list_tags(ResourceArn=each[f"{kind}Arn"])["Tags"]
        if has_own_tags(tags, use_case):
            yield Action(SERVICE, f"Delete{kind}", {f"{kind}Name": name}, f"{word} {name}")
