"""`clientela api` finds the models and segments of an environment; variables have the last word."""

import pytest

from clientela.cli.endpoint import build_serving_settings
from clientela.cli.environment import Environment
from clientela.exceptions import ConfigurationError


@pytest.fixture
def environment(project_root, conf_source, data_root, monkeypatch):
    monkeypatch.chdir(project_root)

    def named(changes=None):
        return Environment.named("test", str(conf_source(changes or {})))

    return named


def test_models_and_segments_are_those_of_the_environment(environment, data_root):
    found = build_serving_settings(environment(), {})
    assert found.served == str(data_root / "06_models/served")
    assert found.segments_file == str(data_root / "07_model_output/clientes_segmentados.sqlite")
    assert (found.host, found.port, found.database) == ("127.0.0.1", 8000, None)


def test_a_database_that_is_configured_takes_the_place_of_the_file(environment):
    url = "postgresql+psycopg://app:una-clave@host/tienda"
    found = build_serving_settings(environment({"test/globals.yml": {"database": url}}), {})
    assert found.database.get_secret_value() == url
    assert found.segments_file is None


def test_a_variable_wins_over_the_configuration(environment):
    found = build_serving_settings(environment(), {"CLIENTELA_API_SERVED": "s3://otro/served"})
    assert found.served == "s3://otro/served"
    unpacked = build_serving_settings(environment(), {"CLIENTELA_API_MODEL": "/opt/ml/model"})
    assert (unpacked.model, unpacked.served) == ("/opt/ml/model", None)


def test_a_variable_that_is_none_is_named(environment):
    with pytest.raises(ConfigurationError, match=r"CLIENTELA_API_PROT.*Did you mean"):
        build_serving_settings(environment(), {"CLIENTELA_API_PROT": "9000"})


def test_the_file_of_segments_is_the_one_that_the_catalog_writes(project_root):
    catalog = (project_root / "conf/base/catalog/customer_segments.yml").read_text("utf-8")
    assert "${globals:model_output}/clientes_segmentados.sqlite" in catalog
