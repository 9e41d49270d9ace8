import re

import pytest
import yaml
from kedro.config import OmegaConfigLoader

from clientela.aws_settings import AwsSettings, extract_account_id, parse_aws_settings
from clientela.exceptions import ConfigurationError
from clientela.settings import CONFIG_LOADER_ARGS


def shipped(project_root, env):
    loader = OmegaConfigLoader(str(project_root / "conf"), env=env, **CONFIG_LOADER_ARGS)
    return loader["globals"]["aws"]


@pytest.fixture
def no_variables(data_root, monkeypatch):
    for name in ("BUCKET", "CLIENTELA_EXECUTION_ROLE", "CLIENTELA_IMAGE"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_shipped_are_the_defaults(project_root, no_variables):
    assert parse_aws_settings(shipped(project_root, "test")) == AwsSettings()


def test_every_setting_is_shipped(project_root, no_variables):
    def keys(content):
        return {k: keys(v) if isinstance(v, dict) and k != "tags" else None for k, v in content}

    written = shipped(project_root, "test")
    assert set(written) == set(AwsSettings.model_fields) - {"roots"}  # those of globals.yml
    for name in ("connection", "endpoints", "training", "workflow"):
        block = AwsSettings.model_fields[name].annotation
        assert set(written[name]) == set(block.model_fields)


def test_variables_fill_it_in(project_root, monkeypatch):
    role = "arn:aws:iam::123456789012:role/challenge-preauth-role"
    monkeypatch.setenv("BUCKET", "challenge-preauth")
    monkeypatch.setenv("CLIENTELA_EXECUTION_ROLE", role)
    settings = parse_aws_settings(shipped(project_root, "aws"))
    assert (settings.bucket, settings.needed_execution_role) == ("challenge-preauth", role)


def test_a_few_lines_of_ones_own_override_the_base(project_root, conf_source, no_variables):
    own = {"local/aws.yml": {"aws": {"endpoints": {"instances": 2}}}}
    loader = OmegaConfigLoader(str(conf_source(own)), env="local", **CONFIG_LOADER_ARGS)
    settings = parse_aws_settings(loader["globals"]["aws"])
    assert settings.endpoints.instances == 2
    assert settings.endpoints.instance_type == "ml.m5.large"


def test_the_documented_example_is_complete(project_root):
    content = yaml.safe_load((project_root / "docs/aws/example.yml").read_text("utf-8"))
    settings = parse_aws_settings(content["aws"])
    assert settings.needed_bucket == "prueba-ml-dmelendez"
    assert settings.needed_execution_role.endswith(":role/challenge-preauth-role")
    assert settings.needed_image
    assert settings.needed_workflow_image


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"buket": "a"}, "buket: no such key. Did you mean 'bucket'?"),
        ({"endpoints": {"instance": 1}}, "endpoints.instance: no such key. Did you mean"),
        ({"workflow": {"schedul": 1}}, "'schedule'"),
        ({"bucket": "UPPER"}, "bucket: String should match"),
        ({"execution_role": "me"}, "execution_role: String should match"),
        ({"endpoints": {"name": "fixed"}}, "endpoints.name"),
        ({"workflow": {"schedule": "every day"}}, "workflow.schedule"),
        ({"network": {"subnets": []}}, "network.subnets"),
    ],
)
def test_a_wrong_key_or_value_is_named(content, match):
    with pytest.raises(ConfigurationError, match=re.escape(match)) as caught:
        parse_aws_settings(content)
    assert "every day" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("needed_bucket", "BUCKET"),
        ("needed_execution_role", "CLIENTELA_EXECUTION_ROLE"),
        ("needed_image", "CLIENTELA_IMAGE"),
        ("needed_workflow_image", "CLIENTELA_PIPELINE_IMAGE"),
    ],
)
def test_what_is_missing_is_told_with_the_variable_that_sets_it(name, words):
    with pytest.raises(ConfigurationError, match=rf"is not set in aws\.yml.*variable {words}"):
        getattr(AwsSettings(), name)


def test_an_arn_without_an_account_has_none():
    with pytest.raises(ConfigurationError, match="account number was expected"):
        extract_account_id("arn:aws:s3:::a")
