import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from omegaconf import OmegaConf
from pydantic import ValidationError

from clientela.column_rules import TableRules
from clientela.context import SwitchboardContext, load_switchboard
from clientela.exceptions import ConfigurationError
from clientela.features.settings import WordRule
from clientela.features.table_settings import ClassLabel
from clientela.features.transactions import OrdinalTarget
from clientela.models.settings import TrainingSettings


@pytest.fixture
def loader_of(project_root, conf_source):
    """The configuration as a session sees it, with somebody's own `conf/local`."""

    def loader_of(changes, env="local"):
        bootstrap_project(project_root)
        with KedroSession.create(
            project_path=project_root,
            env=env,
            conf_source=str(conf_source(changes)),
            save_on_close=False,
        ) as session:
            return session.load_context().config_loader

    return loader_of


BOTH = ("transactions", "customers")


def test_three_lines_of_parameters_keep_everything_else(loader_of):
    plain = loader_of({})["parameters"]
    local = {"retail": {"ingestion": {"max_bad_share": 0.5}}}
    changed = loader_of({"local/parameters.yml": local})["parameters"]
    assert changed["retail"]["ingestion"].pop("max_bad_share") == 0.5
    plain["retail"]["ingestion"].pop("max_bad_share")
    assert changed == plain


def test_three_lines_of_globals_keep_everything_else(loader_of):
    local = {"raw_files": {"transactions": "ventas/*.csv.gz"}}
    # one after the other: OmegaConf resolves `globals` by the loader built last
    plain = loader_of({})
    globals_before, expected = plain["globals"], plain["catalog"]
    changed = loader_of({"local/globals.yml": local})
    globals_after, catalog = changed["globals"], changed["catalog"]
    assert globals_after["raw_files"] == globals_before["raw_files"] | local["raw_files"]
    assert globals_after["primary"] == globals_before["primary"]
    moved = {name for name, entry in catalog.items() if entry != expected[name]}
    assert catalog["retail.raw_transactions@text"]["filepath"] == "data/01_raw/ventas/*.csv.gz"
    assert moved <= {
        "{use_case}.raw_{table}@text",  # which looks up the files of its use case there
        "retail.raw_transactions@text",
        "retail.raw_transactions@sample",
        "retail.raw_customers@sample",
        # a simulated period names the sample that it goes with
        *(f"{period}_{table}" for period in ("quiet", "shifted") for table in BOTH),
    }


def test_one_line_switches_a_use_case_off_and_keeps_the_others(loader_of):
    local = {"purchase_intensity": {"enabled": False}}
    plain, changed = loader_of({}), loader_of({"local/use_cases.yml": local})
    before, after = plain["use_cases"], changed["use_cases"]
    assert after["purchase_intensity"].pop("enabled") is False
    before["purchase_intensity"].pop("enabled")
    assert after == before


@pytest.mark.parametrize(
    ("file", "content", "asked", "mend"),
    [
        ("globals", {"raw_files": {"credit_payment": "x.csv"}}, "catalog", "by raw_files.loans"),
        ("globals", {"raw_text": {"loan": {}}}, "catalog", "Did you mean 'loans'"),
        ("parameters", {"credit_payments": {}}, "parameters", "Did you mean 'credit_payment'"),
    ],
)
def test_a_key_that_nothing_reads_is_refused(loader_of, file, content, asked, mend):
    with pytest.raises(ConfigurationError, match=mend):
        loader_of({f"local/{file}.yml": content})[asked]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({False: {}}, 'write "no"'),
        ({"retail": {"ingestion": {"tables": {True: {}}}}}, 'tables: .*write "yes"'),
        ({"retail": {"ingestion": {"tables": {None: {}}}}}, '"null"'),
    ],
)
def test_a_name_that_yaml_reads_as_a_value_is_named(loader_of, content, word):
    with pytest.raises(ConfigurationError, match=word):
        loader_of({"local/parameters.yml": content})["parameters"]


@pytest.mark.parametrize(
    ("settings", "text", "places"),
    [
        (OrdinalTarget, "classes: [{name: no, at_least: 0, value: 0}]", {"classes.0.name"}),
        (ClassLabel, "{label: off, name: 1.0}", {"label"}),
        (WordRule, "allowed: [yes, null, 2024-01-01]", {"allowed.0", "allowed.1"}),
        (
            TableRules,
            "{made_key: 2024, missing_words: [NA, no, 1.0], columns: {on: {type: text}}}",
            {"made_key", "missing_words.1", "missing_words.2", "columns.1.[key]"},
        ),
    ],
)
def test_a_word_that_yaml_reads_as_a_value_is_all_that_is_said(settings, text, places):
    with pytest.raises(ValidationError) as caught:
        settings.model_validate(OmegaConf.to_container(OmegaConf.create(text)))
    errors = caught.value.errors()
    assert {".".join(map(str, error["loc"])) for error in errors} == places
    assert {error["type"] for error in errors} == {"reserved_word"}


def test_a_use_case_called_no_is_named_as_a_word_of_yaml(loader_of):
    with pytest.raises(ConfigurationError, match=r"use_cases.*in quotes"):
        loader_of({"local/use_cases.yml": {False: {"enabled": True}}})["use_cases"]


def test_a_candidate_of_the_base_is_taken_away_by_null(loader_of):
    def candidates(changes):
        parameters = loader_of(changes)["parameters"]["credit_payment"]["training"]
        return TrainingSettings.model_validate(parameters).candidates

    shipped = candidates({})
    local = {"credit_payment": {"training": {"candidates": {"bosque": None}}}}
    assert "bosque" in shipped
    del shipped["bosque"]
    assert candidates({"local/parameters.yml": local}) == shipped


def test_without_a_session_the_project_is_found_from_a_folder_below(
    project_root, data_root, conf_source, monkeypatch
):
    folder = conf_source({"test/use_cases.yml": {"retail": {"enabled": False}}})
    monkeypatch.setenv("DYNACONF_CONF_SOURCE", str(folder))
    bootstrap_project(project_root)
    monkeypatch.setattr(SwitchboardContext, "latest", None)
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.chdir(project_root / "src" / "clientela")
    assert load_switchboard()["retail"]["enabled"] is False
    monkeypatch.undo()
    bootstrap_project(project_root)
