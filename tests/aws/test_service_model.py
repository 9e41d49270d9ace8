import pytest

from clientela.aws.plan import find_request_problems


@pytest.mark.parametrize(
    ("request_", "problems"),
    [
        ({"ModelName": "a"}, []),
        ({}, ['Missing required parameter in input: "ModelName"']),
        ({"ModelName": 3}, ["Invalid type for parameter ModelName"]),
        ({"ModelName": "a", "Containers": {}}, ["Invalid type for parameter Containers"]),
        ({"ModelName": "a", "Nickname": "b"}, ['Unknown parameter in input: "Nickname"']),
    ],
)
def test_a_request_is_held_against_what_aws_takes(request_, problems):
    reported = find_request_problems("sagemaker", "CreateModel", request_)
    assert len(reported) == len(problems)
    assert all(map(str.startswith, reported, problems))
