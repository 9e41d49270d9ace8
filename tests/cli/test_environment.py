import pytest
from click.testing import CliRunner

from clientela.cli.environment import Environment
from clientela.cli.main import cli
from clientela.exceptions import ConfigurationError


@pytest.fixture
def environment(project_root, conf_source, data_root, monkeypatch):
    """The environment `test` of a configuration with changes."""
    monkeypatch.chdir(project_root)

    def named(changes=None, env="test"):
        return Environment.named(env, str(conf_source(changes or {})))

    return named


def test_every_shipped_use_case_can_be_deployed_with_the_groups_that_are_documented(environment):
    found = environment()
    groups = {
        name: [
            found.deployment(name).group(name, entry.task, role)
            for role in found.deployment(name).list_roles(entry.task)
        ]
        for name, entry in found.use_cases.items()
    }
    assert groups == {
        "purchase_intensity": ["purchase-intensity-champion", "xgboost-ordinal-tecnologia"],
        "customer_segments": ["customer-segments"],
        "credit_payment": ["credit-payment-champion", "credit-payment-required"],
        "customer_churn": ["customer-churn-champion", "customer-churn-required"],
        "credit_preauth": ["credit-preauth-champion", "credit-preauth-required"],
    }


def test_the_environment_says_where_models_and_the_registry_lie(environment, data_root):
    found = environment()
    assert found.models == str(data_root / "06_models")
    assert found.registry.uri == f"sqlite:///{data_root}/06_models/registry/mlflow.db"
    assert found.served.folder == f"{data_root}/06_models/served"


def test_a_relative_root_is_that_of_the_project_from_any_folder_below(
    project_root, conf_source, monkeypatch
):
    monkeypatch.chdir(project_root / "src" / "clientela")
    found = Environment.named("base", str(conf_source({})))
    assert found.models == str(project_root / "data/06_models")


def test_without_options_the_projects_own_configuration_is_read(
    project_root, data_root, monkeypatch
):
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("KEDRO_ENV", "test")
    assert Environment.named().models == str(data_root / "06_models")


def test_a_registry_of_ones_own_is_named_by_its_uri(environment):
    changes = {"test/globals.yml": {"registry": {"uri": "sqlite:////tmp/other.db"}}}
    assert environment(changes).registry.uri == "sqlite:////tmp/other.db"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"registry": {"kind": "mlfow"}},
            r"registry.kind in globals.yml\) is called 'mlfow'. Did you mean 'mlflow'",
        ),
        ({"models": "s3://tienda/models"}, "can't lie at s3://tienda/models. Set registry.uri"),
    ],
)
def test_a_registry_that_can_not_be_is_refused(environment, settings, message):
    found = environment({"test/globals.yml": settings})
    with pytest.raises(ConfigurationError, match=message):
        _ = found.registry


def test_a_wrong_setting_is_named_with_its_place(environment):
    changes = {"test/parameters.yml": {"customer_churn": {"deployment": {"group": "x"}}}}
    with pytest.raises(ConfigurationError, match=r"customer_churn\.deployment\.group is wrong"):
        environment(changes).deployment("customer_churn")


def test_a_use_case_without_the_stage_or_switched_off_is_not_known(environment):
    found = environment({"test/use_cases.yml": {"customer_churn": {"enabled": False}}})
    with pytest.raises(ConfigurationError, match="No use case with the stage deployment"):
        found.use_case("customer_churn")
    with pytest.raises(ConfigurationError, match="Did you mean 'credit_payment'"):
        found.use_case("credit_payments")


def test_an_environment_that_does_not_exist_is_answered_with_the_nearest(environment):
    with pytest.raises(ConfigurationError, match=r"No environment is called 'tets'.*'test'"):
        environment(env="tets")


def test_outside_a_project_the_option_that_helps_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["status"])
    assert done.exit_code == 1
    assert "No Clientela project lies at" in done.output
    assert "--conf-source" in done.output


def test_in_aws_without_a_bucket_the_variable_is_named(project_root, conf_source, monkeypatch):
    monkeypatch.chdir(project_root)
    monkeypatch.delenv("BUCKET", raising=False)
    done = CliRunner().invoke(cli, ["status", "--env=aws", f"--conf-source={conf_source({})}"])
    assert done.exit_code == 1
    assert done.output == (
        "Error: The variable BUCKET is not set. Put it before the command: BUCKET=<your bucket> …\n"
    )
