#!/usr/bin/env bash
# Generates the DAG of a use case and has Airflow run it once, with `dag.test()`, on a small sample.
# Everything lies in a temporary folder that goes away at the end; nothing is written to data/.
#   schedules/airflow-check.sh <Airflow's environment> <use case> [value of --params of its runs]
set -euo pipefail

airflow_venv=$(realpath "$1")
use_case=$2
run_parameters=${3:-}
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kedro="$project/.venv/bin/kedro"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$project"

# whatever Airflow this machine has otherwise, these runs have their own
export CLIENTELA_TEST_ROOT="$work/data" KEDRO_DISABLE_TELEMETRY=1
export AIRFLOW_HOME="$work/airflow" AIRFLOW__CORE__DAGS_FOLDER="$work/dags"
export AIRFLOW__CORE__LOAD_EXAMPLES=False AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False
unset PYTHONPATH

# prints what a step says only if it fails
quietly() {
    "$@" >"$work/log" 2>&1 || { code=$?; tail -n 60 "$work/log"; exit "$code"; }
}

echo "Sample data and the DAG of $use_case"
quietly "$kedro" run --env=test --pipelines=data_generation \
    --params=retail.data_generation.customers=400,retail.data_generation.transactions=12000
# a retry would only wait
quietly "$kedro" airflow create --group-by=memory --tags="$use_case" --env=test \
    --jinja-file=schedules/dag.py.j2 --target-dir="$work/dags" --params="tag=$use_case,retries=0"

echo "Airflow's database"
quietly "$airflow_venv/bin/airflow" db migrate
quietly "$airflow_venv/bin/airflow" dags reserialize

echo "Its dag.test()"
settings=$(printf '{"project_path": "%s", "run_parameters": "%s"}' "$project" "$run_parameters")
code=0
timeout 1800 "$airflow_venv/bin/python" schedules/dag_test.py \
    "$work"/dags/*.py "$settings" "$work/report" >"$work/log" 2>&1 || code=$?
if [ ! -e "$work/report" ]; then
    tail -n 60 "$work/log"
    exit "$code"
elif [ "$code" -ne 0 ]; then
    # what the tasks themselves printed, out of all that Airflow logs
    sed -nE 's/^[^]]*\] (.*[^ ]) *\[airflow\.task\.hooks.*SubprocessHook\].*/\1/p' "$work/log" | tail -n 60
fi
cat "$work/report"
exit "$code"
