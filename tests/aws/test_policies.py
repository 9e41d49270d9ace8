import json
import re
from fnmatch import fnmatchcase
from functools import partial

import pytest
import yaml
from moto.iam.policy_validation import IAMPolicyDocumentValidator
from tests.aws.conftest import shipped_roots
from tests.aws.policy_oracle import Call, is_allowed
from tests.aws.served import manifest

from clientela.aws.deployment import apply_undeployment, build_undeployment_plan, deploy_model
from clientela.aws.iam import POLICIES, PolicyScope, build_policy, load_template
from clientela.aws.plan import apply_plan
from clientela.aws.training import TrainingSpec, build_training_plan, build_tuning_plan
from clientela.aws.workflow import WorkflowStep, build_workflow_plan
from clientela.aws_settings import AccountRegion, parse_aws_settings
from clientela.exceptions import ConfigurationError, DeploymentError, RegistryError
from clientela.registry.sagemaker_registry import SageMakerRegistry
from clientela.storage import write_object

GROUPS = ("xgboost-ordinal-tecnologia", "purchase-intensity-champion")
USE_CASES = ("purchase_intensity",)
USED_BY_S3FS = {"s3:ListBucket", "s3:DeleteObject", "s3:AbortMultipartUpload"}
LONGEST = 6144
"""Characters of a managed policy, blanks left out."""


@pytest.fixture(scope="module")
def example(project_root):
    content = yaml.safe_load((project_root / "docs/aws/example.yml").read_text("utf-8"))
    roots = shipped_roots(project_root, content["aws"]["bucket"])
    return parse_aws_settings(content["aws"], roots)


@pytest.fixture(scope="module")
def documented(example):
    return policies_of(example)


def policies_of(settings, region="us-east-1"):
    scope = PolicyScope(settings, AccountRegion.of(settings, region), GROUPS, USE_CASES)
    return {name: build_policy(name, scope) for name in POLICIES}


def statements(policy):
    return policy["Statement"]


@pytest.mark.parametrize("name", POLICIES)
def test_the_stored_policy_is_the_generated_one(name, documented, project_root):
    stored_ = (project_root / f"docs/aws/{name}.json").read_text("utf-8")
    assert stored_ == json.dumps(documented[name], indent=2) + "\n"


@pytest.mark.parametrize("name", [n for n in POLICIES if n != "bucket" and "-" not in n])
def test_the_policy_has_the_grammar_of_iam_and_its_size(name, documented):
    IAMPolicyDocumentValidator(json.dumps(documented[name])).validate()
    assert len(json.dumps(documented[name], separators=(",", ":"))) <= LONGEST


@pytest.mark.parametrize("name", POLICIES)
def test_statements_have_names_of_their_own(name, documented):
    names = [statement["Sid"] for statement in statements(documented[name])]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", each) for each in names)


@pytest.mark.parametrize("name", [n for n in POLICIES if n != "bucket" and "-" not in n])
def test_nothing_is_allowed_on_everything_without_a_reason(name, documented):
    reasons = {each["Sid"]: each.get("Reason") for each in statements(load_template(name))}
    for statement in statements(documented[name]):
        assert all("*" not in action for action in statement["Action"])
        assert ("*" in statement["Resource"]) == bool(reasons[statement["Sid"]]), statement["Sid"]


def test_a_root_that_was_moved_is_what_the_policies_name(example):
    roots = dict(example.roots, models="s3://another-bucket/graded/models")
    made = policies_of(example.model_copy(update={"roots": roots}))
    text = json.dumps(made)
    assert "prueba-ml-dmelendez/models" not in text
    assert '"graded/models/served/*"' in json.dumps(made["api"])
    for name in ("deployer", "execution", "api"):
        assert "arn:aws:s3:::another-bucket/graded/models/" in json.dumps(made[name])
        (finding,) = (each for each in statements(made[name]) if "s3:ListBucket" in each["Action"])
        assert "arn:aws:s3:::another-bucket" in finding["Resource"]


def test_local_roots_are_refused(example):
    local = example.model_copy(update={"roots": {"raw": "data/01_raw"}})
    with pytest.raises(ConfigurationError, match=r"data/01_raw.*--env=aws"):
        policies_of(local)


def test_nobody_but_the_deployer_approves(documented):
    able = {
        name
        for name, policy in documented.items()
        for statement in statements(policy)
        if "sagemaker:UpdateModelPackage" in statement["Action"]
    }
    assert able == {"deployer"}


def test_roles_are_handed_to_one_service_only(documented):
    for policy in documented.values():
        for statement in statements(policy):
            if statement["Action"] == ["iam:PassRole"]:
                assert len(statement["Resource"]) == 1
                assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


@pytest.mark.parametrize("name", ["execution-trust", "scheduler-trust"])
def test_a_role_is_taken_on_for_this_account_alone(name, documented):
    (statement,) = statements(documented[name])
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_bucket_refuses_connections_that_are_not_encrypted_and_other_keys(documented, example):
    by_name = {each["Sid"]: each for each in statements(documented["bucket"])}
    assert all(each["Effect"] == "Deny" for each in by_name.values())
    assert by_name["RefuseConnectionsWithoutTls"]["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"}
    }
    assert example.kms_key in json.dumps(by_name["RefuseAnotherKey"]["Condition"])


def test_without_a_key_and_a_network_nothing_of_them_is_allowed(example):
    bare = example.model_copy(update={"kms_key": None, "network": None})
    made = policies_of(bare)
    assert not re.search(r'"(kms|ec2):', json.dumps(made))


def test_the_region_decides_the_partition(example):
    made = policies_of(example, "cn-north-1")
    assert '"arn:aws:s3' not in json.dumps(made)
    assert "arn:aws-cn:s3:::prueba-ml-dmelendez" in json.dumps(made["api"])


@pytest.fixture
def everything(settings, clients, submission, runtime):
    """All that a deployer does: register, approve, deploy twice, train, schedule, take down."""
    workflow = settings.workflow.model_copy(
        update={
            "image": "c:1",
            "schedule": "rate(7 days)",
            "scheduler_role": "arn:aws:iam::123456789012:role/clientela-scheduler",
        }
    )
    own = settings.model_copy(update={"workflow": workflow})
    learning = TrainingSpec(
        "purchase_intensity", {"objective": "reg:squarederror"}, 1, {"train": "s3://una-tienda/t"}
    )
    versions = [submission(version=letter * 12) for letter in "ab"]

    def run():
        registry = SageMakerRegistry(own, clients)
        for version in versions:
            entry = registry.set_status(registry.register(version), "approved", "sí")
            deploy_model(entry, manifest(), own, clients)
        address = "s3://una-tienda/processed/model_input/purchase_intensity/sagemaker/t.csv"
        write_object(b"1,2\n", address, clients, own, DeploymentError)
        for existing in (frozenset(), frozenset({"pipeline", "schedule"})):
            plan = build_workflow_plan(
                [WorkflowStep("retail", "eda")], own, "aws", "us-east-1", existing
            )
            list(apply_plan(plan, clients))
        for make in (build_training_plan, partial(build_tuning_plan, trials=4)):
            list(apply_plan(make(learning, own, "us-east-1"), clients))
        plan = build_undeployment_plan("purchase_intensity", own, clients)
        apply_undeployment(plan, "purchase_intensity", own, clients)

    return own, run


def of_deployer(settings):
    return policies_of(settings)["deployer"]


def test_the_deployers_policy_suffices_for_everything_and_no_call_is_made_beyond_it(
    everything, gateway
):
    settings, run = everything
    gateway.policy = of_deployer(settings)
    run()
    asked = {call.action for call in gateway.calls}
    assert {"sagemaker:CreateModelPackage", "scheduler:UpdateSchedule"} <= asked
    assert len(asked) > 25


def test_nothing_in_the_deployers_policy_is_spare(everything, gateway):
    settings, run = everything
    run()
    policy = of_deployer(settings)
    spare = {
        action
        for statement in statements(policy)
        for action in statement["Action"]
        if all(is_allowed(call, without(policy, action)) for call in gateway.calls)
    }
    # asked of the runtime, which is another server; of the scheduler by the command; of S3 by s3fs
    assert spare == {"sagemaker:InvokeEndpoint", "scheduler:GetSchedule"} | USED_BY_S3FS


def without(policy, action):
    return {
        "Statement": [
            statement | {"Action": [each for each in statement["Action"] if each != action]}
            for statement in statements(policy)
        ]
    }


@pytest.mark.parametrize(
    "action", ["sagemaker:CreateModelPackage", "sagemaker:AddTags", "s3:GetObject", "iam:PassRole"]
)
def test_what_is_missing_is_named(everything, gateway, action):
    settings, run = everything
    gateway.policy = without(of_deployer(settings), action)
    with pytest.raises((RegistryError, DeploymentError), match=r"AWS denied .* lacks \w+:\w+"):
        run()


def test_the_execution_role_registers_but_does_not_approve(documented, settings):
    def call(operation, **body):
        return Call("sagemaker", operation, body, resource(body))

    def resource(body):
        kind, name = next(iter(body.items()))
        kinds = {"ModelPackageGroupName": "model-package-group", "ModelPackageArn": None}
        return name if kinds[kind] is None else f"{ARN}:{kinds[kind]}/{name}"

    policy = documented["execution"]
    arn = f"{ARN}:model-package/xgboost-ordinal-tecnologia/1"
    assert is_allowed(call("CreateModelPackage", ModelPackageGroupName=GROUPS[0]), policy)
    assert not is_allowed(call("UpdateModelPackage", ModelPackageArn=arn), policy)
    assert not is_allowed(call("CreateModelPackage", ModelPackageGroupName="others"), policy)


ARN = "arn:aws:sagemaker:us-east-1:123456789012"


def test_raw_files_are_only_read_by_the_execution_role(documented):
    raw = "arn:aws:s3:::prueba-ml-dmelendez/raw/customers/muestra_customers.csv"
    able = {
        action
        for statement in statements(documented["execution"])
        if any(fnmatchcase(raw, each) for each in statement["Resource"] if each != "*")
        for action in statement["Action"]
    }
    assert able == {"s3:GetObject"}
