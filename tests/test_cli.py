import pytest
from click.testing import CliRunner

from clientela import cli


@pytest.fixture
def message(monkeypatch):
    """What a person reads after `kedro run` ended by an error."""

    def read(error):
        def failing():
            raise error

        command = cli.click.command()(cli._with_readable_errors(failing))
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
    assert message(not_found("segmentatoin")) == (
        "Error: No pipeline is called 'segmentatoin'. Did you mean 'segmentation'?\n"
    )


def test_a_stage_that_no_active_use_case_has_is_said_to_be_off(message):
    found = message(not_found("segmentation"))

    assert "No use case that is switched on has the stage 'segmentation'" in found
    assert "use_cases.yml" in found


def test_another_value_error_keeps_its_traceback():
    def failing():
        raise ValueError("something else")

    with pytest.raises(ValueError, match="something else"):
        cli._with_readable_errors(failing)()
