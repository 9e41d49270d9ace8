import pytest
from click.testing import CliRunner

from clientela.cli import kedro_run


@pytest.fixture
def message(monkeypatch):
    """What a person reads after `kedro run` ended by an error."""

    def read(error):
        def failing():
            raise error

        command = kedro_run.click.command()(kedro_run._convert_errors(failing))
        done = CliRunner().invoke(command)
        assert done.exit_code == 1
        return done.output

    return read


def not_found(name):
    return ValueError(
        f"Failed to find the pipeline named '{name}'. It needs to be generated and returned by the "
        "'register_pipelines' function."
    )


def test_a_mistyped_pipeline_is_answered_with_the_nearest_one(message):
    assert message(not_found("segmentacion")) == (
        "Error: No pipeline is called 'segmentacion'. Did you mean 'segmentation'?\n"
    )


def test_a_stage_that_no_active_use_case_has_is_said_to_be_off(message):
    found = message(not_found("segmentation"))

    assert "No use case that is switched on has the stage 'segmentation'" in found
    assert "use_cases.yml" in found


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ("--env=tset", "'test'"),
        ("--tags=purchase_intensty", "'purchase_intensity'"),
        ("--from-nodes=checked_transactions", "'retail.ingestion.checked_transactions'"),
        (
            "--to-outputs=purchase_intensity.custmer_features",
            "'purchase_intensity.customer_features'",
        ),
        ("--from-inputs=transactons", "'transactions'"),
        ("--namespaces=retai", "'retail'"),
        ("--nodes=zzzz", "kedro registry describe"),
        ("--runner=SequentialRuner", "'SequentialRunner'"),
        ("--runner=nowhere.Runner", "SequentialRunner"),
        ("--tags=credit_payment,purchase_intensty", "'purchase_intensity'"),
        ("--tags=zzzz", "credit_payment"),
        ("--tags=credit_payment --namespaces=retail", "--namespaces"),
    ],
)
def test_a_mistyped_option_is_answered_in_one_line_with_what_exists(kedro_command, option, named):
    options = option.split()
    environment = [] if option.startswith("--env") else ["--env=test"]
    done = kedro_command(*environment, *options, CLIENTELA_TEST_ROOT="nowhere")
    assert isinstance(done.exception, SystemExit)
    (line,) = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert named in line


@pytest.mark.parametrize(
    "option", ["--runner=ThreadRunner", "--runner=kedro.runner.ParallelRunner"]
)
def test_what_would_share_the_connection_of_the_engine_is_refused_before_a_run(
    kedro_command, option
):
    done = kedro_command("--env=test", option, CLIENTELA_TEST_ROOT="nowhere")
    assert done.exit_code == 1
    assert "SequentialRunner" in done.output


def test_another_value_error_keeps_its_traceback():
    def failing():
        raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        kedro_run._convert_errors(failing)()


@pytest.mark.parametrize(
    ("named", "raised", "code"),
    [
        ({"pipelines": ["scoring", "monitoring"]}, ["credit_payment"], 3),
        ({"pipeline": "monitoring"}, ["credit_payment"], 3),
        ({"pipelines": ["monitoring"]}, [], 0),
        ({"pipelines": [], "pipeline": None}, ["credit_payment"], 0),
        ({"pipelines": ["scoring"]}, ["credit_payment"], 0),
    ],
)
def test_only_a_run_that_was_asked_to_monitor_says_by_its_exit_code_what_it_found(
    monkeypatch, named, raised, code
):
    monkeypatch.setattr(kedro_run.DRIFT_ALERTS, "raised", raised)
    wrapped = kedro_run._convert_errors(lambda **_: {"done": True})
    command = kedro_run.click.command()(lambda: wrapped(**named))
    assert CliRunner().invoke(command).exit_code == code
