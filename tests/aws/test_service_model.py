import botocore.session
import pytest

from clientela.aws.plan import ANYTHING, _convert_pattern, find_request_problems


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"ModelName": "a"}, []),
        ({}, ['Missing required parameter in input: "ModelName"']),
        ({"ModelName": 3}, ["Invalid type for parameter ModelName"]),
        ({"ModelName": "a_b"}, ["ModelName: 'a_b' does not have the form"]),
        ({"ModelName": "a" * 64}, ["ModelName: 64 characters, 63 are the most"]),
        ({"ModelName": "a", "Tags": [{"Key": "ñandú", "Value": "1 €"}]}, ["Tags[0].Value"]),
        ({"ModelName": "a", "Containers": [{}] * 16}, ["Containers: 16 entries, 15 are"]),
        (
            {"ModelName": "a", "PrimaryContainer": {"Mode": "Both"}},
            ["PrimaryContainer.Mode: AWS does not know 'Both'"],
        ),
        (
            {"ModelName": "a", "PrimaryContainer": {"Environment": {"1": "x"}}},
            ["PrimaryContainer.Environment key: '1' does not have"],
        ),
    ],
)
def test_a_request_is_held_against_what_aws_takes(request_, found):
    told = find_request_problems("sagemaker", "CreateModel", request_)
    assert len(told) == len(found)
    for said, expected in zip(told, found, strict=True):
        assert said.startswith(expected)


def shapes_below(shape, seen):
    if shape.name in seen:
        return
    seen.add(shape.name)
    yield shape
    members = getattr(shape, "members", {}).values()
    parts = [getattr(shape, part, None) for part in ("member", "key", "value")]
    for below in [*members, *(part for part in parts if part is not None)]:
        yield from shapes_below(below, seen)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("sagemaker", "CreateModelPackage"),
        ("sagemaker", "CreateModel"),
        ("sagemaker", "CreateEndpoint"),
        ("sagemaker", "CreatePipeline"),
        ("sagemaker", "CreateHyperParameterTuningJob"),
        ("scheduler", "CreateSchedule"),
    ],
)
def test_every_pattern_of_a_call_that_is_made_can_be_read(service, operation):
    model = botocore.session.get_session().get_service_model(service)
    shapes = shapes_below(model.operation_model(operation).input_shape, set())
    patterns = {shape.metadata.get("pattern") for shape in shapes} - {None}
    assert patterns
    assert [each for each in patterns if _convert_pattern(each) == ANYTHING] == []
