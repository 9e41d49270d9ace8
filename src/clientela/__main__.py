"""`python -m clientela`: `kedro run` of the packaged project, with `--conf-source=<archive>`."""

from kedro.framework.project import configure_project

from clientela.cli.kedro_run import run

if __name__ == "__main__":
    configure_project("clientela")
    run(prog_name="python -m clientela")
