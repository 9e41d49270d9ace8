# ruff: noqa: INP001 - a script of Airflow's environment, which the project never imports
"""Runs a generated DAG once with Airflow's own `dag.test()` and reports what became of each task.

Run by `airflow-check.sh`, which prepares Airflow's home. The report is a file, because Airflow logs
to both streams. The exit code is 0 only if every task succeeded.
"""

import json
import runpy
import sys
from pathlib import Path


def main(dag_file: Path, run_parameters: str, report: Path) -> int:
    """The exit code of one run of the DAG.

    Args:
        dag_file: What `kedro airflow create` wrote.
        run_parameters: Parameters of the run, as a JSON object.
        report: Where the state of each task goes, one line per task.

    Returns:
        0 if the run and all its tasks succeeded, else 1.
    """
    dag = runpy.run_path(str(dag_file))["dag"]
    run = dag.test(run_conf=json.loads(run_parameters))
    # in the order of their starts, what never ran last
    tasks = sorted(run.get_task_instances(), key=lambda task: str(task.start_date or "~"))
    lines = [f"{t.state or 'not run'!s:<16} {t.duration or 0:>6.1f} s  {t.task_id}" for t in tasks]
    succeeded = sum(task.state == "success" for task in tasks)
    verdict = f"{dag.dag_id}: {run.state}, {succeeded} of {len(tasks)} tasks succeeded"
    report.write_text("\n".join([*lines, verdict, ""]), "utf-8")
    return int(run.state != "success" or succeeded != len(tasks))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
