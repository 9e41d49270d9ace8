import subprocess
import sys

import pytest
from tests.aws.gateway import Fault

from clientela.aws_clients import Clients, convert_aws_errors
from clientela.exceptions import ConfigurationError, RegistryError


def test_a_client_is_made_once_for_each_service(clients, gateway):
    assert clients("sagemaker") is clients("sagemaker")
    assert clients("s3") is not clients("sagemaker")


def test_the_region_of_the_settings_wins(settings, gateway):
    own = Clients(settings.model_copy(update={"region": "sa-east-1"}))
    assert (own.region, own("sagemaker").meta.region_name) == ("sa-east-1", "sa-east-1")
    assert Clients(settings).region == "us-east-1"


def test_without_a_region_the_variable_is_named(settings, monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="AWS_DEFAULT_REGION"):
        Clients(settings)("sagemaker")


def test_a_server_that_is_silent_is_given_up(settings, gateway):
    quick = settings.connection.model_copy(update={"read_seconds": 0.2, "attempts": 1})
    own = Clients(settings.model_copy(update={"connection": quick}))
    gateway.faults.append(Fault("ListModels", "silent"))
    with (
        pytest.raises(RegistryError, match=r"no answer in time \(ReadTimeoutError\)"),
        convert_aws_errors("Listing", "sagemaker", RegistryError),
    ):
        own("sagemaker").list_models()
    assert gateway.operations() == ["ListModels"]


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_call_is_tried_no_more_often_than_set(settings, gateway, attempts):
    patience = settings.connection.model_copy(update={"attempts": attempts})
    own = Clients(settings.model_copy(update={"connection": patience}))
    gateway.faults.append(Fault("ListModels", "throttled", times=99))
    with (
        pytest.raises(RegistryError, match=f"after {attempts} attempts"),
        convert_aws_errors("Listing", "sagemaker", RegistryError),
    ):
        own("sagemaker").list_models()
    assert len(gateway.calls) == attempts


def test_without_boto3_the_command_that_installs_it_is_named(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigurationError, match=r'pip install "clientela\[aws\]"'):
        Clients(settings)("sagemaker")


def test_importing_the_adapters_loads_no_boto3():
    code = (
        "import sys, pkgutil, importlib, clientela.aws as aws\n"
        "for module in pkgutil.iter_modules(aws.__path__):\n"
        "    importlib.import_module(f'clientela.aws.{module.name}')\n"
        "assert 'boto3' not in sys.modules and 'botocore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
