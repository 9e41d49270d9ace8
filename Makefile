# `make help` is the whole manual.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
AIRFLOW := apache-airflow>=3.3,<3.4
AIRFLOW_VENV := .venv-airflow
# evidently 0.7 imports what pandas 3 no longer has
EVIDENTLY := evidently>=0.7.23,<0.8 pandas>=2.3,<3
EVIDENTLY_VENV := .venv-evidently
COMPILE := $(BIN)/uv pip compile --no-strip-extras --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet
USE_CASE ?= customer_segments
SCHEDULE ?= 30 4 * * 1
DASHBOARD ?=
PYTEST_ARGS ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install run train test check lint types imports format lock bench bench-segments bench-splits bench-drift bench-evidently viz dashboard notebook dags airflow-check clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-15s %s\n", $$1, $$2}'

install: $(INSTALLED) ## create .venv and install the locked dependencies

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

run: install ## sample data if data/01_raw has none, then everything up to the graded model
	@test -n "$$(find data/01_raw -type f -not -name .gitkeep)" || $(BIN)/kedro run --pipelines=data_generation
	$(BIN)/kedro run

train: install ## train with the full tuning budget
	$(BIN)/kedro run --pipelines=training --params=trials=60,repeats=5

test: install ## run every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: lint types imports ## what CI checks beside the tests

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

format: install ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install ## compile the locks anew
	$(COMPILE) pyproject.toml --all-extras --output-file requirements.lock
	echo "$(AIRFLOW)" | $(COMPILE) - --output-file schedules/airflow.lock
	echo "$(EVIDENTLY)" | tr ' ' '\n' | $(COMPILE) - --output-file benchmarks/evidently.lock

bench: install ## compare features with other ways to compute them, 1M and 10M transactions
	$(BIN)/python benchmarks/features.py

bench-segments: install ## compare segments with bare scikit-learn, 1M customers
	$(BIN)/python benchmarks/segments.py

bench-splits: install ## every candidate of a use case on eight random splits; OPTIONS="--holdout time" and others
	$(BIN)/python benchmarks/random_splits.py $(OPTIONS)

bench-drift: install ## compare drift with a bare read and with SciPy, 1M rows x 50 columns
	$(BIN)/python benchmarks/drift.py

bench-evidently: install $(EVIDENTLY_VENV)/installed ## the same beside Evidently's preset, in an environment of its own; minutes
	$(BIN)/python benchmarks/drift.py --variants bare_read clientela_drift scipy_drift evidently_preset

viz: install ## browse the lineage in the browser
	$(BIN)/kedro viz run

dashboard: install ## watch drift in the browser; DASHBOARD=--env=aws for another environment
	$(BIN)/python -m streamlit run src/clientela/dashboard/app.py -- $(DASHBOARD)

notebook: install ## explore in JupyterLab
	$(BIN)/kedro jupyter lab

dags: install ## write the Airflow DAG of USE_CASE into airflow_dags/
	$(BIN)/kedro airflow create --group-by=memory --tags=$(USE_CASE) --jinja-file=schedules/dag.py.j2 \
		--target-dir=airflow_dags/$(USE_CASE) "--params=tag=$(USE_CASE),schedule=$(SCHEDULE)"

airflow-check: install $(AIRFLOW_VENV)/installed ## have Airflow itself run that DAG once on sample data
	schedules/airflow-check.sh $(AIRFLOW_VENV) $(USE_CASE) "$(RUN_PARAMETERS)"

$(AIRFLOW_VENV)/installed: schedules/airflow.lock
$(EVIDENTLY_VENV)/installed: benchmarks/evidently.lock

# what can't live beside our own libraries
$(AIRFLOW_VENV)/installed $(EVIDENTLY_VENV)/installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

clean: ## remove everything the pipelines wrote, raw data excepted
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete
