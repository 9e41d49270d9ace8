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
COMPILE = $(BIN)/uv pip compile --no-strip-extras --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --quiet
COMPILE_FOR_IMAGE = $(COMPILE) --constraints requirements.lock
IMAGE_EXTRAS := --extra aws --extra mlflow --extra postgresql
USE_CASE ?= customer_segments
SCHEDULE ?= 30 4 * * 1
DASHBOARD ?=
API ?=
TARGET ?= serving
PYTEST_ARGS ?= -n auto --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help install run train test coverage check lint types imports automation format lock image image-check bench bench-segments bench-splits bench-drift bench-evidently bench-serving viz dashboard desk api notebook dags airflow-check clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-15s %s\n", $$1, $$2}'

install: $(INSTALLED) ## create .venv and install the locked dependencies

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python tools/install.py $(VENV) requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(INSTALLED)

run: install ## sample data if data/01_raw has none, then everything up to the graded model
	@test -n "$$(find data/01_raw -type f -not -name .gitkeep)" || $(BIN)/kedro run --pipelines=data_generation
	$(BIN)/kedro run

train: install ## train with the full tuning budget
	$(BIN)/kedro run --pipelines=training --params=trials=60,repeats=5

test: install ## run every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

coverage: install ## run every test, and write coverage.xml
	$(BIN)/python -m pytest $(PYTEST_ARGS) --cov --cov-report=xml --cov-report=term:skip-covered

check: lint types imports automation ## what CI checks beside the tests

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports

automation: install
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/run .ci/services docker/*.sh schedules/*.sh
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github
	$(BIN)/check-jsonschema --quiet --builtin-schema=vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema=vendor.dependabot .github/dependabot.yml

format: install ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: install ## compile requirements.lock anew from pyproject.toml, and the other locks
	$(COMPILE) pyproject.toml --all-extras --output-file requirements.lock
	echo "$(AIRFLOW)" | $(COMPILE) - --output-file schedules/airflow.lock
	echo "$(EVIDENTLY)" | tr ' ' '\n' | $(COMPILE) - --output-file benchmarks/evidently.lock
	$(COMPILE_FOR_IMAGE) --group image-build --output-file docker/requirements-build.lock
	$(COMPILE_FOR_IMAGE) --group image-serving --output-file docker/requirements-serving.lock
	$(COMPILE_FOR_IMAGE) pyproject.toml $(IMAGE_EXTRAS) --group image-pipeline \
		--no-emit-package xgboost --no-emit-package nvidia-nccl-cu12 --output-file docker/requirements-pipeline.lock

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

image: ## build the images with Docker: clientela (the API) and clientela-pipeline (every stage)
	docker build --tag clientela .
	docker build --tag clientela-pipeline --target pipeline .

image-check: install ## build the image without Docker, and look at what is in it; TARGET=pipeline for the other
	docker/check.sh $(TARGET)

bench-serving: install ## compare the API with a plain FastAPI handler that serves the same model
	$(BIN)/python benchmarks/serving.py $(OPTIONS)

viz: install ## browse the lineage in the browser
	$(BIN)/kedro viz run

dashboard: install ## watch drift in the browser; DASHBOARD=--env=aws for another environment
	$(BIN)/python -m streamlit run src/clientela/dashboard/app.py -- $(DASHBOARD)

desk: install ## decide about applications in the browser; DASHBOARD=--env=aws for another environment
	$(BIN)/python -m streamlit run src/clientela/dashboard/desk.py -- $(DASHBOARD)

api: install ## answer over HTTP with the approved models; API=--env=aws for another environment
	$(BIN)/clientela api $(API)

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
	$(BIN)/python tools/install.py $(@D) $<
	@touch $@

clean: ## remove everything the pipelines wrote, raw data excepted
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete
