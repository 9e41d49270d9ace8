"""Every example works: settings are accepted, Python runs, the policy is complete."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines
from tests.docs.markdown import Block, blocks
from tests.kedro_session import session_of

from clientela.column_rules import IntakeRules
from clientela.features.leakage import LeakageRules
from clientela.features.segment_columns import SegmentationParams, SegmentFeatureParams
from clientela.features.settings import FeatureParams
from clientela.features.table_settings import TabularFeatureParams
from clientela.features.transactions import OrdinalTarget
from clientela.models.settings import LabellingSettings, ScoringSettings, TrainingSettings
from clientela.pipelines.data_generation.applications import ApplicationSimulation
from clientela.pipelines.data_generation.churn import ChurnSimulation
from clientela.pipelines.data_generation.credit import CreditSimulation
from clientela.pipelines.data_generation.retail import TransactionSimulation
from clientela.pipelines.eda.association import EdaParameters
from clientela.pipelines.training.nodes import BinaryTrainingSettings
from clientela.registry.model_registry import DeploymentSettings

OF_A_TABLE = {
    "ingestion": IntakeRules,
    "features": TabularFeatureParams,
    "leakage": LeakageRules,
    "training": BinaryTrainingSettings,
    "scoring": ScoringSettings,
    "eda": EdaParameters,
    "deployment": DeploymentSettings,
}
TYPED = {
    "retail": {"ingestion": IntakeRules, "data_generation": TransactionSimulation},
    "purchase_intensity": {
        "features": FeatureParams,
        "target": OrdinalTarget,
        "training": TrainingSettings,
        "deployment": DeploymentSettings,
    },
    "customer_segments": {
        "features": SegmentFeatureParams,
        "segmentation": SegmentationParams,
        "deployment": DeploymentSettings,
    },
    "credit_payment": {**OF_A_TABLE, "data_generation": CreditSimulation},
    "customer_churn": {**OF_A_TABLE, "data_generation": ChurnSimulation},
    "credit_preauth": {
        **OF_A_TABLE,
        "data_generation": ApplicationSimulation,
        "labelling": LabellingSettings,
    },
}
ADDING = "docs/adding-a-use-case.md"  # has a test of its own
PLACE = re.compile(r"# conf/(?:local|base|aws)/(\w+\.yml)\n")
# the two READMEs show the same
SETTINGS = [b for b in blocks("yaml") if b.page not in (ADDING, "README.es.md")]
PYTHON = [b for b in blocks("python") if b.page != "README.es.md"]


Content = dict[str, Any]


def merged(one: Content, other: Content) -> Content | None:
    """Both as one, or None where they set the same thing."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        if not (isinstance(one[key], dict) and isinstance(other[key], dict)):
            return None
        both[key] = merged(one[key], other[key])
        if both[key] is None:
            return None
    return both


def settings_together() -> list[Content]:
    """All settings examples, file by file, in as few configurations as hold them."""
    groups: list[Content] = []
    for block in SETTINGS:
        place = PLACE.match(block.text)
        assert place, f"{block.page}: the first line names the file: # conf/local/<file>.yml"
        content = {f"test/{place[1]}": yaml.safe_load(block.text)}
        for number, group in enumerate(groups):
            if (both := merged(group, content)) is not None:
                groups[number] = both
                break
        else:
            groups.append(content)
    return groups


@pytest.mark.parametrize("settings", settings_together(), ids="+".join)
def test_settings_examples_are_accepted(
    settings: Content, project_root: Path, conf_source, data_root: Path
):
    with session_of(project_root, env="test", conf_source=str(conf_source(settings))) as session:
        context = session.load_context()
        catalog = context.catalog
        for name in ("retail.raw_transactions@text", "retail.raw_customers@text", "transactions"):
            assert catalog.get(name) is not None
        parameters = context.config_loader["parameters"]
        for entry, groups in TYPED.items():
            for group, model in groups.items():
                assert model.model_validate(parameters[entry][group])


def test_switching_a_use_case_off_leaves_the_others_on(
    project_root: Path, conf_source, data_root: Path
):
    (example,) = [b for b in blocks("yaml", "README.md") if "use_cases.yml" in b.text]
    source = conf_source({"test/use_cases.yml": yaml.safe_load(example.text)})
    with session_of(project_root, env="test", conf_source=str(source)):
        tags = {tag for node in pipelines["__default__"].nodes for tag in node.tags}
        assert tags == {"purchase_intensity", "credit_payment", "customer_churn", "credit_preauth"}
        assert "segmentation" not in pipelines


@pytest.mark.slow
@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.page)
def test_a_python_example_runs(
    block: Block,
    sample: Any,
    project_root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    script = tmp_path / "example.py"
    script.write_text(block.text, "utf-8")
    monkeypatch.chdir(project_root)
    monkeypatch.setenv("KEDRO_ENV", "test")
    monkeypatch.setenv("CLIENTELA_TEST_ROOT", str(sample.data))
    runpy.run_path(str(script))
    assert capsys.readouterr().out.strip()


def test_the_policy_covers_every_root_of_aws(project_root: Path):
    (block,) = blocks("json", "docs/aws.md")
    resources = [statement["Resource"] for statement in json.loads(block.text)["Statement"]]
    granted = [place for one in resources for place in ([one] if isinstance(one, str) else one)]
    folders = [
        place.removeprefix("arn:aws:s3:::my-bucket/").removesuffix("/*") for place in granted
    ]
    settings = yaml.safe_load((project_root / "conf/aws/globals.yml").read_text("utf-8"))
    roots = [root.split("}/")[1] for root in settings.values() if str(root).startswith("s3://")]
    assert roots
    for root in roots:
        assert any(f"{root}/".startswith(f"{folder}/") for folder in folders), root
