import json

import pytest
from tests.aws.conftest import GROUP
from tests.aws.gateway import Fault

from clientela.aws.plan import find_request_problems
from clientela.exceptions import ConfigurationError, RegistryError
from clientela.registry.sagemaker_registry import (
    SageMakerRegistry,
    build_package_request,
    get_model_data_url,
)


@pytest.fixture
def registry(settings, clients):
    return SageMakerRegistry(settings, clients)


def test_a_model_is_entered_pending_in_a_group_that_is_made(registry, submission, aws_client):
    entry = registry.register(submission())
    assert (entry.group, entry.number, entry.status) == (GROUP, 1, "pending")
    assert (entry.use_case, entry.role, entry.version) == (
        "purchase_intensity",
        "required",
        "0123456789ab",
    )
    group = aws_client("sagemaker").describe_model_package_group(ModelPackageGroupName=GROUP)
    tags = aws_client("sagemaker").list_tags(ResourceArn=group["ModelPackageGroupArn"])["Tags"]
    assert {"Key": "managed-by", "Value": "clientela"} in tags


def test_the_entry_holds_image_model_file_metrics_and_what_it_was_graded(
    registry, submission, aws_client
):
    given = submission()
    entry = registry.register(given)
    found = aws_client("sagemaker").describe_model_package(ModelPackageName=entry.address)
    (container,) = found["InferenceSpecification"]["Containers"]
    assert container["Image"] == (
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    )
    assert (container["ModelDataUrl"], container["Framework"]) == (given.prebuilt, "XGBOOST")
    statistics = found["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert statistics == {"ContentType": "application/json", "S3Uri": given.metrics}
    assert found["CustomerMetadataProperties"]["test-qwk"] == "0.441235"
    assert found["CustomerMetadataProperties"]["problem-type"] == "Regresión ordinal"
    assert found["Task"] == "REGRESSION"


def test_a_model_of_another_form_goes_in_with_our_own_image(
    registry, submission, settings, clients, aws_client
):
    entry = registry.register(submission(group="champions", role="champion", prebuilt=None))
    found = aws_client("sagemaker").describe_model_package(ModelPackageName=entry.address)
    (container,) = found["InferenceSpecification"]["Containers"]
    assert container["Image"] == settings.image
    assert container["ModelDataUrl"] == entry.package
    assert get_model_data_url(entry, clients) == entry.package
    given = submission()
    assert get_model_data_url(registry.register(given), clients) == given.prebuilt


def test_registering_twice_makes_one_entry(registry, submission, gateway):
    first = registry.register(submission())
    assert registry.register(submission()) == first
    assert gateway.operations().count("CreateModelPackage") == 1


def test_another_version_is_the_next_number_and_listed_first(registry, submission):
    older = registry.register(submission())
    newer = registry.register(submission(version="b" * 12))
    assert registry.models(GROUP) == [newer, older]
    assert (newer.number, older.number) == (2, 1)


def test_a_group_that_does_not_exist_has_no_models(registry):
    assert registry.models("nobody") == []


def test_entries_of_others_are_left_alone(registry, submission, aws_client):
    ours = registry.register(submission())
    aws_client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved"
    )
    assert registry.models(GROUP) == [ours]


@pytest.mark.parametrize("status", ["approved", "rejected", "pending"])
def test_a_decision_is_kept_with_its_reason(registry, submission, aws_client, status):
    entry = registry.register(submission())
    decided = registry.set_status(entry, status, "mejor que la\n regla")
    assert decided.status == status
    assert registry.models(GROUP) == [decided]
    found = aws_client("sagemaker").describe_model_package(ModelPackageName=entry.address)
    assert found["ApprovalDescription"] == "mejor que la regla"


def test_registering_again_does_not_undo_an_approval(registry, submission):
    approved = registry.set_status(registry.register(submission()), "approved", "revisado")
    assert registry.register(submission()) == approved


def test_nothing_is_entered_when_a_file_is_not_there(registry, submission, gateway):
    given = submission()
    missing = type(given)(**{**vars(given), "package": given.package + ".gz"})
    with pytest.raises(RegistryError, match=r"nothing lies at .*Run the deployment stage again"):
        registry.register(missing)
    assert gateway.changes() == []


def test_a_package_on_a_disk_is_refused(registry, submission):
    given = submission()
    local = type(given)(**{**vars(given), "package": "data/06_models/a.tar.gz"})
    with pytest.raises(RegistryError, match=r"reads models from S3 only.*--env=aws"):
        registry.register(local)


def test_a_lost_answer_makes_no_second_entry(registry, submission, gateway):
    gateway.faults.append(Fault("CreateModelPackage", "lost", times=2))
    with pytest.raises(RegistryError, match="the same command again; what is done already is kept"):
        registry.register(submission())
    (entry,) = registry.models(GROUP)
    assert registry.register(submission()) == entry


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (operation, kind)
        for operation in ("CreateModelPackageGroup", "CreateModelPackage")
        for kind in ("500", "throttled", "lost")
    ]
    + [("HeadObject", "500"), ("ListModelPackages", "500"), ("DescribeModelPackage", "lost")],
)
def test_after_any_fault_a_rerun_completes(registry, submission, gateway, operation, kind):
    gateway.faults.append(Fault(operation, kind, times=2))
    with pytest.raises(RegistryError):
        registry.register(submission())
    registry.register(submission())
    assert [entry.version for entry in registry.models(GROUP)] == ["0123456789ab"]


def test_one_fault_is_tried_again_without_anybody_noticing(registry, submission, gateway):
    gateway.faults += [Fault("CreateModelPackageGroup", "throttled"), Fault("HeadObject", "500")]
    assert registry.register(submission()).number == 1


def test_a_denied_call_names_the_permission_and_no_key(registry, submission, gateway):
    gateway.policy = {
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:*", "sagemaker:Describe*"], "Resource": "*"}
        ]
    }
    with pytest.raises(RegistryError, match="lacks sagemaker:CreateModelPackageGroup") as caught:
        registry.register(submission())
    assert "testing" not in str(caught.value)


def test_without_an_image_nothing_is_asked_of_aws(settings, clients, submission, gateway):
    bare = settings.model_copy(update={"image": None})
    given = submission(prebuilt=None)
    gateway.calls.clear()
    with pytest.raises(ConfigurationError, match=r"image is not set in aws.yml"):
        SageMakerRegistry(bare, clients).register(given)
    assert gateway.calls == []


def test_the_request_has_the_form_that_aws_takes(submission, settings):
    for given in (submission(), submission(prebuilt=None, metrics=None)):
        request = build_package_request(given, settings, "us-east-1")
        assert find_request_problems("sagemaker", "CreateModelPackage", request) == []
        assert "Tags" not in request  # AWS refuses them for a versioned package
        json.dumps(request)
