import pytest

from clientela.exceptions import ConfigurationError
from clientela.serving.__main__ import load_container_settings
from clientela.serving.settings import ServingSettings, get_variable_name, load_serving_settings

ANYWHERE = "0.0.0.0"  # noqa: S104
FOLDER = {"CLIENTELA_API_SERVED": "served"}
SECRET = "0123456789abcdef"  # noqa: S105


def test_each_setting_has_its_variable():
    environment = FOLDER | {
        "CLIENTELA_API_PORT": "9000",
        "CLIENTELA_API_OPEN_METRICS": "true",
        "CLIENTELA_API_TOKEN": SECRET,
        "CLIENTELA_API_POLL_SECONDS": "",
        "PATH": "/bin",
    }
    settings = load_serving_settings(environment)
    assert (settings.port, settings.open_metrics, settings.poll_seconds) == (9000, True, 5.0)
    assert settings.token is not None
    assert settings.token.get_secret_value() == SECRET


def test_the_database_is_the_projects_unless_told_otherwise():
    project = FOLDER | {"CLIENTELA_DATABASE": "sqlite:///a"}
    assert load_serving_settings(project).database.get_secret_value() == "sqlite:///a"
    other = project | {"CLIENTELA_API_DATABASE": "sqlite:///b"}
    assert load_serving_settings(other).database.get_secret_value() == "sqlite:///b"


def test_no_secret_is_shown():
    settings = load_serving_settings(FOLDER | {"CLIENTELA_API_TOKEN": SECRET})
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CLIENTELA_API_POTR": "1"}, "No setting is called CLIENTELA_API_POTR. Did you mean"),
        ({"CLIENTELA_API_PORT": "x"}, "CLIENTELA_API_PORT: "),
        ({"CLIENTELA_API_TOKEN": "short"}, "CLIENTELA_API_TOKEN: "),
        ({"CLIENTELA_API_MODEL": "m"}, "served or model"),
        ({"CLIENTELA_API_SERVED": ""}, "served or model"),
        ({"CLIENTELA_API_PREDICTIONS": "log"}, "predictions needs predictions_salt"),
    ],
)
def test_a_setting_that_cant_be_is_told_without_its_value(given, words):
    with pytest.raises(ConfigurationError) as found:
        load_serving_settings(FOLDER | given)
    assert words in str(found.value)
    assert "short" not in str(found.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.8.8.8", True),
        (ANYWHERE, False),
        ("::", False),
        ("10.0.0.1", False),
        ("clientela.pe", False),
    ],
)
def test_only_loopback_is_local(host, local):
    assert ServingSettings(served="s", host=host).is_local is local


def test_a_sagemaker_container_serves_the_one_model_to_a_trusted_caller():
    settings = load_container_settings(["serve"], FOLDER)
    assert (settings.host, settings.port, settings.model) == (ANYWHERE, 8080, "/opt/ml/model")
    assert settings.trusted
    assert settings.served is None
    other = {"SAGEMAKER_BIND_TO_PORT": "9090", get_variable_name("model"): "/m"}
    assert load_container_settings(["serve"], other).port == 9090
    assert load_container_settings(["serve"], other).model == "/m"


def test_another_container_is_run_by_its_variables():
    assert not load_container_settings([], FOLDER).trusted
