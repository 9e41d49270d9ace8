#!/usr/bin/env bash
# Trains and approves a small model of credit payment, for an image to serve: in CLIENTELA_TEST_ROOT.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kedro() { .venv/bin/python -m kedro run --env=test --tags=credit_payment "$@"; }

kedro --pipelines=data_generation --params=credit_payment.data_generation.rows=3000
kedro --pipelines=ingestion,feature_engineering,training --params=trials=1,repeats=1
kedro --pipelines=deployment
.venv/bin/clientela approve credit_payment --env=test --yes --reason="to be looked at in an image"
