from pathlib import Path

import pytest

from clientela.dashboard.data import Options, parse_options
from clientela.exceptions import ConfigurationError


def test_a_flag_wins_over_the_variable(monkeypatch, project_root):
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("KEDRO_ENV", "test")
    assert parse_options([]) == Options(project_root, "test", None)
    assert parse_options(["--env=aws", "--conf-source=/srv/conf"]) == Options(
        project_root, "aws", "/srv/conf"
    )


def test_the_project_is_found_from_a_folder_below_it(monkeypatch, project_root):
    monkeypatch.chdir(project_root / "conf" / "base")
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    assert parse_options([]) == Options(project_root, None, None)


def test_outside_a_project_the_error_says_where_to_go(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=r"inside a Kedro project.*make dashboard"):
        parse_options([])


@pytest.mark.parametrize(
    ("env", "conf_source", "flags"),
    [
        (None, None, ""),
        ("aws", None, " --env=aws"),
        ("aws", "/srv/conf", " --env=aws --conf-source=/srv/conf"),
    ],
)
def test_commands_carry_the_flags_with_which_the_dashboard_was_started(env, conf_source, flags):
    assert Options(Path("/srv"), env, conf_source).run_flags == flags
