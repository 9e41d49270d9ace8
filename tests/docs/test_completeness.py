"""What the documentation promises to list, it lists."""

import json
import re
from datetime import date
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml
from pydantic import BaseModel
from tests.docs.markdown import READMES, blocks, mentions, text_of

from clientela.aws_clients import (
    AwsSettings,
    Connection,
    EndpointSettings,
    JobSettings,
    Network,
    WorkflowSettings,
)
from clientela.column_rules import ColumnRule, IntakeRules, TableRules
from clientela.datasets.raw_text import TextFormat
from clientela.datasets.table import EngineSettings
from clientela.features.leakage import LeakageRules
from clientela.features.preprocessing import PreprocessingSettings
from clientela.features.rubros import list_rubro_feature_columns
from clientela.features.segment_settings import (
    ClusteringParams,
    ColumnGroup,
    ColumnLayout,
    MembershipParams,
    NameOverride,
    NamingParams,
    Rubro,
    SegmentationParams,
    SegmentFeatureParams,
    SegmentReportParams,
)
from clientela.features.settings import (
    Band,
    Cleaning,
    Dates,
    Enrichment,
    FeatureParams,
    NumberRule,
    WordRule,
)
from clientela.features.table_settings import (
    BinaryTarget,
    ClassLabel,
    Maturity,
    TabularFeatureParams,
)
from clientela.features.transactions import (
    OrdinalClass,
    OrdinalTarget,
    extended_columns,
    required_columns,
    rule_columns,
)
from clientela.models.binary_decision import BINARY_DECISIONS, CostMatrix
from clientela.models.binary_metrics import BINARY_METRICS
from clientela.models.calibration import CALIBRATIONS
from clientela.models.fairness import VERDICTS, FairnessSettings, SensitiveColumn
from clientela.models.labels import (
    AuditSettings,
    BedrockSettings,
    BudgetSettings,
    LabellingSettings,
    OfflineSettings,
    OpenAISettings,
    Prices,
    RetrySettings,
    Rule,
)
from clientela.models.ordinal_decision import ORDINAL_DECISIONS
from clientela.models.ordinal_metrics import ORDINAL_METRICS
from clientela.models.scorecard import PointScale
from clientela.models.settings import (
    CandidateSettings,
    ScoringSettings,
    SearchChoices,
    SearchRange,
    TrainingSettings,
    TuningSettings,
)
from clientela.models.task_types import BINARY_KINDS, ORDINAL_KINDS
from clientela.pipelines.data_generation.applications import (
    ApplicationDirtShares,
    ApplicationSimulation,
)
from clientela.pipelines.data_generation.churn import ChurnDirtShares, ChurnSimulation
from clientela.pipelines.data_generation.credit import CreditDirtShares, CreditSimulation
from clientela.pipelines.data_generation.retail import TransactionDirtShares, TransactionSimulation
from clientela.pipelines.eda.exploration import EdaParameters
from clientela.pipelines.segmentation.choose_k import evaluate_k_range
from clientela.pipelines.training.nodes import FIRST_CANDIDATES, BinaryTrainingSettings
from clientela.registry.model_registry import DeploymentSettings
from clientela.text import NumberFormat
from clientela.use_cases import STAGES, Table, UseCase

CONFIGURED: tuple[type[BaseModel], ...] = (
    FeatureParams,
    OrdinalClass,
    OrdinalTarget,
    LeakageRules,
    TrainingSettings,
    TuningSettings,
    CandidateSettings,
    SearchRange,
    SearchChoices,
    ScoringSettings,
    EdaParameters,
    NumberFormat,
    IntakeRules,
    TableRules,
    ColumnRule,
    TransactionSimulation,
    TransactionDirtShares,
    EngineSettings,
    Table,
    SegmentFeatureParams,
    SegmentationParams,
    ClusteringParams,
    NamingParams,
    NameOverride,
    MembershipParams,
    SegmentReportParams,
    TabularFeatureParams,
    BinaryTarget,
    ClassLabel,
    Maturity,
    Cleaning,
    NumberRule,
    WordRule,
    Enrichment,
    Band,
    Dates,
    BinaryTrainingSettings,
    PreprocessingSettings,
    CostMatrix,
    FairnessSettings,
    SensitiveColumn,
    PointScale,
    CreditSimulation,
    CreditDirtShares,
    ChurnSimulation,
    ChurnDirtShares,
    ApplicationSimulation,
    ApplicationDirtShares,
    AwsSettings,
    Connection,
    Network,
    EndpointSettings,
    JobSettings,
    WorkflowSettings,
    DeploymentSettings,
    LabellingSettings,
    OfflineSettings,
    Rule,
    BedrockSettings,
    OpenAISettings,
    RetrySettings,
    Prices,
    BudgetSettings,
    AuditSettings,
)
TWO_CLASSES = {
    "credit_payment": "docs/credit-payment.md",
    "customer_churn": "docs/customer-churn.md",
    "credit_preauth": "docs/credit-preauth.md",
}
OWN_TABLES = ("retail", *TWO_CLASSES)
DEMOGRAPHICS = ("edad", "genero", "estrato_social")
DERIVED = {"name", "tags", "shared_tables"}  # of a use case; nobody writes them


def settings_of(project_root: Path, name: str) -> dict[str, object]:
    path = project_root / f"conf/base/parameters/{name}.yml"
    return dict(yaml.safe_load(path.read_text("utf-8"))[name])


def make_targets(project_root: Path) -> set[str]:
    text = (project_root / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE))


def described_columns(page: str) -> dict[str, tuple[str, str, str]]:
    """Of each column in the tables of a page: required, missing value, unusable value."""
    rows = re.findall(r"^\|(.+)\|$", text_of(page), re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    return {
        name: (required, missing, unusable)
        for columns, _, required, missing, unusable in (row for row in cells if len(row) == 5)
        for name in re.findall(r"`([^`]+)`", columns)
    }


@pytest.mark.parametrize("page", [*READMES, "docs/architecture.md"])
def test_every_stage_is_named(page: str):
    text = text_of(page)
    assert [stage for stage in STAGES if stage not in text] == []


@pytest.mark.parametrize("page", READMES)
def test_every_make_target_is_in_the_table_of_commands_and_no_other(page: str, project_root: Path):
    documented = set(re.findall(r"`make ([a-z-]+)`", text_of(page)))
    assert documented == make_targets(project_root)


def tables_of(project_root: Path, name: str) -> dict[str, TableRules]:
    rules = IntakeRules.model_validate(settings_of(project_root, name)["ingestion"])
    return dict(rules.tables)


def features_of(project_root: Path, name: str) -> TabularFeatureParams:
    return TabularFeatureParams.model_validate(settings_of(project_root, name)["features"])


@pytest.mark.parametrize("model", CONFIGURED, ids=lambda model: model.__name__)
def test_every_setting_is_explained(model: type[BaseModel]):
    known = mentions("docs/configuration.md") | {
        part for word in mentions("docs/configuration.md") for part in word.split(".")
    }
    assert [name for name in model.model_fields if name not in known] == []


def test_every_field_of_the_switchboard_is_explained():
    fields = set(UseCase.model_fields) - DERIVED
    assert fields - mentions("docs/configuration.md") == set()


@pytest.mark.parametrize("field", list(TextFormat.model_fields))
def test_how_text_is_written_is_explained_with_the_files(field: str):
    assert field in mentions("docs/own-data.md")


def test_every_file_of_the_configuration_is_explained(project_root: Path):
    text = text_of("docs/configuration.md")
    files = sorted((project_root / "conf/base").rglob("*.yml"))
    assert [path.name for path in files if path.name not in text] == []


def test_every_key_of_the_globals_is_explained(project_root: Path):
    keys = yaml.safe_load((project_root / "conf/base/globals.yml").read_text("utf-8"))
    assert set(keys) - mentions("docs/configuration.md") == set()


def test_every_feature_is_defined(project_root: Path):
    params = FeatureParams.model_validate(
        settings_of(project_root, "purchase_intensity")["features"]
    )
    families = (required_columns, rule_columns, extended_columns)
    columns = {name for family in families for name in family(params)} | {params.target}
    assert columns - mentions("docs/features.md") == set()


def test_every_feature_per_rubro_is_defined():
    layout = ColumnLayout(
        fecha_modelo=date(2024, 6, 30),
        rubros=(Rubro(slug="<rubro>", label="Farmacia", members=("farmacia",)),),
        categoricals={"<columna>": {"APP": "<valor>"}},
    )
    columns = [*list_rubro_feature_columns(layout), "rubro_top", *DEMOGRAPHICS]
    text = text_of("docs/features.md")
    assert [name for name in columns if f"`{name}`" not in text] == []


def test_every_group_of_columns_and_figure_of_the_choice_is_named():
    groups = get_args(ColumnGroup)
    matrix = np.random.default_rng(0).random((60, 3))
    params = ClusteringParams(candidates=(2, 3), null_draws=1, bootstrap_draws=1, n_init=1)
    figures = set(evaluate_k_range(matrix, params).columns) - {"k"}
    assert {*groups, *figures} - mentions("docs/segments.md") == set()


def test_the_record_and_the_header_of_the_export_are_of_one_form():
    (header,) = blocks("csv", "docs/segments.md")
    (record,) = blocks("json", "docs/segments.md")
    assert header.text.strip().split(",") == list(json.loads(record.text))


@pytest.mark.slow
def test_the_header_of_the_export_is_that_of_a_run(sample):
    (header,) = blocks("csv", "docs/segments.md")
    path = sample.data / "07_model_output/clientes_segmentados.csv"
    first = path.read_text("utf-8").partition("\n")[0]

    def fixed(line: str) -> list[str]:
        names = ["score_" if name.startswith("score_") else name for name in line.split(",")]
        return list(dict.fromkeys(names))

    assert fixed(first) == fixed(header.text.strip())


def test_every_measure_kind_decision_and_candidate_is_defined(project_root: Path):
    training = settings_of(project_root, "purchase_intensity")["training"]
    names = {*ORDINAL_METRICS, *ORDINAL_KINDS, *ORDINAL_DECISIONS, *training["candidates"]}
    assert names - mentions("docs/modelling.md") == set()


def test_every_measure_kind_decision_and_calibration_of_two_classes_is_defined():
    names = {*BINARY_METRICS, *BINARY_KINDS, *BINARY_DECISIONS, *CALIBRATIONS}
    assert names - mentions("docs/modelling.md") == set()


@pytest.mark.parametrize(("use_case", "page"), TWO_CLASSES.items())
def test_every_candidate_of_two_classes_is_described_on_the_page_of_its_use_case(
    use_case: str, page: str, project_root: Path
):
    training = settings_of(project_root, use_case)["training"]
    assert set(training["candidates"]) - mentions(page) == set()


@pytest.mark.parametrize(("use_case", "page"), TWO_CLASSES.items())
def test_every_column_that_is_cleaned_made_or_excluded_is_explained(
    use_case: str, page: str, project_root: Path
):
    params = features_of(project_root, use_case)
    made = {*params.made_numbers, *params.enrichment.categories()}
    cleaned = {*params.cleaning.numbers, *params.cleaning.words}
    explained = mentions(page) | mentions("docs/own-data.md")
    assert (made | cleaned) - mentions(page) == set()
    assert set(params.excluded) - explained == set()


@pytest.mark.parametrize(("use_case", "page"), TWO_CLASSES.items())
def test_the_required_features_and_the_groups_of_people_are_columns_on_the_pages(
    use_case: str, page: str, project_root: Path
):
    params = features_of(project_root, use_case)
    training = settings_of(project_root, use_case)["training"]
    assert set(training["fairness"]["columns"]) - mentions(page) == set()
    made = settings_of(project_root, use_case).get("labelling")
    known = params.target.column if made is None else str(made["truth_column"])
    assert {*params.inputs, known} - mentions("docs/own-data.md") == set()


def test_every_candidate_of_a_first_training_is_named():
    assert set(FIRST_CANDIDATES) - mentions("docs/modelling.md") == set()


def test_every_verdict_on_a_group_of_people_is_explained():
    assert set(VERDICTS) - mentions("docs/modelling.md") == set()


@pytest.mark.parametrize("use_case", OWN_TABLES)
def test_every_raw_column_is_described(use_case: str, project_root: Path):
    tables = tables_of(project_root, use_case)
    columns = {column for table in tables.values() for column in table.columns}
    made_keys = {table.made_key for table in tables.values() if table.made_key is not None}
    assert columns | made_keys
    assert (columns | made_keys) - mentions("docs/own-data.md") == set()


@pytest.mark.parametrize("use_case", TWO_CLASSES)
def test_what_happens_to_a_missing_or_unusable_value_is_what_the_table_says(
    use_case: str, project_root: Path
):
    (rules,) = tables_of(project_root, use_case).values()
    described = described_columns("docs/own-data.md")
    for name, rule in rules.columns.items():
        required, missing, unusable = described[name]
        assert required == ("yes" if rule.required else "no"), name
        assert missing.startswith("quarantine" if rule.missing == "quarantine" else "kept"), name
        # any text is usable, unless words are listed or it is a key
        if rule.type not in ("id", "text") or rule.allowed:
            emptied = rule.invalid == "set_missing"
            assert unusable == ("emptied, flag" if emptied else "quarantine"), name


@pytest.mark.slow
@pytest.mark.parametrize(("use_case", "fewest"), [("retail", 8), *((n, 5) for n in TWO_CLASSES)])
def test_every_reason_that_the_sample_is_refused_for_is_described(
    use_case: str, fewest: int, sample
):
    path = sample.data / "02_intermediate" / use_case / "row_accounting.json"
    account = json.loads(path.read_text("utf-8"))
    reasons = {reason for table in account.values() for reason in table["reasons"]}
    described = set(re.findall(r"`(\w+?_)<column>`|`(\w+)`", text_of("docs/own-data.md")))
    words = {word for pair in described for word in pair if word}
    known = {
        r for r in reasons if r in words or any(r.startswith(w) for w in words if w[-1] == "_")
    }
    assert len(reasons) >= fewest
    assert reasons - known == set()


def test_the_roots_of_aws_are_those_in_the_table(project_root: Path):
    settings = yaml.safe_load((project_root / "conf/aws/globals.yml").read_text("utf-8"))
    roots = [root for root in settings.values() if str(root).startswith("s3://")]
    places = {root.replace("${oc.env:BUCKET}", "$BUCKET") + "/" for root in roots}
    assert [place for place in sorted(places) if f"`{place}`" not in text_of("docs/aws.md")] == []


def test_every_decision_is_listed_and_has_its_three_parts(project_root: Path):
    listed = text_of("docs/decisions/README.md")
    records = sorted((project_root / "docs/decisions").glob("0*.md"))
    assert records
    for record in records:
        text = record.read_text("utf-8")
        assert f"]({record.name})" in listed
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]
        assert len(text.splitlines()) <= 30
