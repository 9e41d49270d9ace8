#!/usr/bin/env bash
# One use case from raw data to scores, for cron:
#   schedules/retrain.sh <use case> [more options of kedro run]
# One run at a time: the tables have one writer, so a second run waits LOCK_WAIT seconds (an hour)
# for the first, then gives up with exit code 75. All output goes to logs/<use case>.log; cron's
# mail gets only what went wrong.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
use_case=${1:?"usage: schedules/retrain.sh <use case> [more options of kedro run]"}
shift
log=logs/$use_case.log
mkdir -p logs

exec 9>logs/lock
if ! flock --wait "${LOCK_WAIT:-3600}" 9; then
    echo "$use_case did not run: another run still holds $PWD/logs/lock" >&2
    exit 75
fi

code=0
{
    date "+=== %F %T%z $use_case"
    # the run's own children do not keep the lock
    "${KEDRO:-.venv/bin/kedro}" run --tags="$use_case" "$@" 9>&-
} >>"$log" 2>&1 || code=$?
if [ "$code" -ne 0 ]; then
    echo "$use_case failed with exit code $code; the end of $PWD/$log:" >&2
    tail -n 20 "$log" >&2
fi
exit "$code"
