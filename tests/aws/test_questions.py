import json

import pytest
from tests.aws.conftest import predictions
from tests.aws.served import CASE, manifest, native_archive

from clientela.aws.deployment import build_own_container_case, build_xgboost_container_case
from clientela.exceptions import DeploymentError

ADDRESS = "s3://una-tienda/a-prebuilt.tar.gz"


def test_our_container_is_asked_for_the_case_in_the_required_form():
    question = build_own_container_case(manifest())
    assert json.loads(question.request["Body"]) == {"data": [CASE]}
    assert question.request["ContentType"] == question.request["Accept"] == "application/json"
    assert question.expected == 1.25


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (predictions("valor_esperado", 1.25), 1.25),
        (b'[{"valor_esperado": 2}]', 2.0),
        (b'{"a": {"b": [{"valor_esperado": 1.5}, {"valor_esperado": 9}]}}', 1.5),
        (b'{"valor_esperado": true}', None),
        (b'{"valor_esperado": "1.25"}', None),
        (b'{"otro": 1.25}', None),
        (b"{", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_the_score_is_found_wherever_it_stands(answer, found):
    assert build_own_container_case(manifest()).read(answer) == found


def test_the_native_model_is_asked_with_the_example_where_its_columns_are_the_fields(archive):
    question = build_xgboost_container_case(manifest(), archive.content, ADDRESS)
    assert question.request["Body"] == "12.0,3.0,"
    assert question.expected == pytest.approx(archive.for_case, abs=1e-6)


def test_and_with_zeros_where_they_are_not():
    wider = native_archive(("a", "b", "c", "d"))
    question = build_xgboost_container_case(manifest(), wider.content, ADDRESS)
    assert question.request["Body"] == "0,0,0,0"
    assert question.expected == pytest.approx(wider.for_zeros, abs=1e-6)


@pytest.mark.parametrize(
    ("answer", "found"),
    [(b"1.5\n", 1.5), (b"1.5,2.5", 1.5), (b" 2e-3 \n", 0.002), (b"<html>", None), (b"", None)],
)
def test_the_first_number_of_the_prebuilt_container_counts(archive, answer, found):
    assert build_xgboost_container_case(manifest(), archive.content, ADDRESS).read(answer) == found


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "can't be read"),
        (b"no archive", "can't be read"),
        (native_archive().content[:200], "can't be read"),
        (native_archive(**{"code__manifest.json": b"{}"}).content, "can't be read .KeyError"),
        (
            native_archive(**{"code__manifest.json": b'{"native_model_sha256": "0"}'}).content,
            "holds another model than it describes",
        ),
    ],
)
def test_an_archive_that_was_damaged_or_changed_is_not_deployed(content, match):
    with pytest.raises(DeploymentError, match=f"{match}.*Run the deployment stage again"):
        build_xgboost_container_case(manifest(), content, ADDRESS)
