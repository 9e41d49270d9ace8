import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DatasetError
from xgboost import Booster, DMatrix

from clientela.exceptions import ClientelaError, ModelFileError, RegistryError
from clientela.models.problem import TASKS
from clientela.registry.model_registry import MlflowRegistry
from clientela.registry.package import PublishedModelStore, extract_archive, open_package

PACKAGES = "06_models/returns/packages"
CHAMPION = "returns-champion"


def read(path):
    return json.loads(path.read_text("utf-8"))


def latest(root, role):
    return read(root / PACKAGES / f"{role}.json")


def opened_package(root, role):
    stored = latest(root, role)
    content = Path(stored["package"]).read_bytes()
    return open_package(content, stored["package"], stored["package_sha256"])


def fingerprints(root):
    """Every file that deployment writes but the registry, which records when it was asked."""
    files = [*(root / "06_models").rglob("*"), *(root / "08_reporting").rglob("deployment_*")]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file() and path.parent.name != "registry"
    }


def registry_at(root):
    return MlflowRegistry(f"sqlite:///{root}/06_models/registry/mlflow.db")


def served_by(root):
    return PublishedModelStore(str(root / "06_models/served"))


def test_champion_and_required_model_are_packaged_and_registered_pending(deployed_shop):
    entries = {
        role: registry_at(deployed_shop).models(f"returns-{role}")
        for role in ("champion", "required")
    }
    assert {role: [entry.status for entry in found] for role, found in entries.items()} == {
        "champion": ["pending"],
        "required": ["pending"],
    }
    for role, (entry,) in entries.items():
        served = opened_package(deployed_shop, role)
        assert (served.manifest.version, served.manifest.role) == (entry.version, role)
        assert served.manifest.use_case == "returns"
    headline = read(deployed_shop / "08_reporting/returns/deployment_headline.json")
    (champion,) = entries["champion"]
    assert headline["sentence"].startswith(
        f"returns is registered: champion {champion.version}, number 1 of returns-champion (pending"
    )
    assert headline["sentence"].endswith("Approve with: clientela approve returns")


@pytest.mark.parametrize("role", ["champion", "required"])
def test_the_manifest_tells_what_a_case_brings_by_rules_and_by_what_was_learned(
    role, deployed_shop
):
    fields = {field.name: field for field in opened_package(deployed_shop, role).manifest.fields}
    needed = ["valor_pedido", "dias_entrega", "canal", "categoria"]
    assert [*fields][:4] == needed
    assert all(fields[name].required for name in needed)
    train = pd.read_parquet(deployed_shop / "05_model_input/returns/training_part.parquet")
    days = fields["dias_entrega"]
    assert (days.kind, days.minimum, days.maximum) == ("integer", 0.0, 400.0)
    assert days.seen_minimum == train["dias_entrega"].min()
    assert days.seen_maximum == train["dias_entrega"].max()
    assert fields["canal"].words == ("app", "tienda", "web")
    assert fields["valor_pedido"].description == "valor del pedido"


def test_both_models_take_the_same_cases_whatever_each_reads(deployed_shop):
    champion, required = (
        {field.name: field for field in opened_package(deployed_shop, role).manifest.fields}
        for role in ("champion", "required")
    )
    assert [*champion] == [*required]
    unread = {name for name, field in required.items() if not field.read}
    assert unread == {"talla", "fecha_pedido"}
    assert not any(required[name].required for name in unread)


def test_the_example_is_answered_by_the_model_of_the_package_as_it_says(deployed_shop):
    features = pd.read_parquet(deployed_shop / PACKAGES / "example_features.parquet")
    for role in ("champion", "required"):
        served = opened_package(deployed_shop, role)
        said = TASKS["binary"].predictions(
            served.model.estimator,
            features[served.model.features],
            served.manifest.model["decision"],
        )
        assert said.expected[0] == pytest.approx(served.manifest.example.expected, abs=1e-12)
        assert served.manifest.classes[said.codes[0]] == served.manifest.example.label
        assert [*served.manifest.example.case] == [f.name for f in served.manifest.fields]


def test_the_grades_are_those_of_the_test_part_beside_the_best_rule(deployed_shop):
    manifest = opened_package(deployed_shop, "champion").manifest
    grades = read(deployed_shop / "06_models/returns/test_grades.json")["models"]
    assert manifest.primary_metric == "roc_auc"
    assert manifest.grades["roc_auc"].value == grades["champion"]["roc_auc"]["value"]
    assert manifest.grades["roc_auc"].rule == grades["clase_mayor"]["roc_auc"]["value"]
    metrics = read(Path(latest(deployed_shop, "champion")["metrics"]))
    shown = metrics["binary_classification_metrics"]
    assert shown["auc"]["value"] == pytest.approx(manifest.grades["roc_auc"].value)
    assert "accuracy_best_constant_classifier" in shown


def test_the_prebuilt_form_holds_one_file_on_top_and_scores_as_the_package_does(deployed_shop):
    assert latest(deployed_shop, "champion")["prebuilt"] is None
    stored = latest(deployed_shop, "required")
    files = extract_archive(Path(stored["prebuilt"]).read_bytes())
    assert [name for name in files if "/" not in name] == ["xgboost-model"]
    booster = Booster()
    booster.load_model(bytearray(files["xgboost-model"]))
    served = opened_package(deployed_shop, "required")
    test = pd.read_parquet(deployed_shop / "05_model_input/returns/test_part.parquet")
    features = test[served.model.features]
    matrix = served.model.estimator.classifier_.named_steps["preprocess"].transform(features)
    assert json.loads(files["code/features.json"]) == [
        step["column"] for step in json.loads(files["code/preprocessing.json"])
    ]
    assert booster.predict(DMatrix(matrix)) == pytest.approx(
        served.model.estimator.predict_proba(features)[:, 1], abs=1e-6
    )


@pytest.mark.slow
def test_a_rerun_puts_a_damaged_package_right_with_equal_bytes_and_no_second_entry(shop, run_shop):
    run_shop(shop, ["deployment"])
    first = fingerprints(shop)
    package = Path(latest(shop, "champion")["package"])
    package.write_bytes(package.read_bytes()[:-10])
    run_shop(shop, ["deployment"])
    assert fingerprints(shop) == first
    assert [entry.number for entry in registry_at(shop).models(CHAMPION)] == [1]


@pytest.mark.slow
def test_a_registry_that_fails_leaves_the_package_stored_and_a_rerun_completes(
    shop, run_shop, monkeypatch
):
    def refused(*_):
        raise RegistryError("The registry can't be reached.")

    with monkeypatch.context() as patch:
        patch.setattr(MlflowRegistry, "register", refused)
        with pytest.raises(DatasetError, match="can't be reached") as caught:
            run_shop(shop, ["deployment"])
    causes = [caught.value.__cause__, caught.value.__cause__.__cause__]
    assert any(isinstance(cause, ClientelaError) for cause in causes)
    before = latest(shop, "champion")
    assert registry_at(shop).models(CHAMPION) == []
    run_shop(shop, ["deployment"])
    assert latest(shop, "champion") == before
    (entry,) = registry_at(shop).models(CHAMPION)
    assert entry.package == before["package"]


@pytest.mark.slow
def test_a_process_killed_between_upload_and_register_leaves_nothing_half_registered(
    shop, shop_conf, project_root, run_shop
):
    killing = (
        "import os, signal, sys\n"
        "from clientela.registry.model_registry import MlflowRegistry\n"
        "MlflowRegistry.register = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from kedro.framework.cli.cli import main\n"
        "main()\n"
    )
    options = ["run", "--pipelines=deployment", "--tags=returns", "--env=test"]
    done = subprocess.run(
        [sys.executable, "-c", killing, *options, f"--conf-source={shop_conf}"],
        cwd=project_root,
        env={**os.environ, "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    stored = latest(shop, "champion")
    assert opened_package(shop, "champion").manifest.version == stored["manifest"]["version"]
    assert registry_at(shop).models(CHAMPION) == []
    run_shop(shop, ["deployment"])
    assert [entry.package for entry in registry_at(shop).models(CHAMPION)] == [stored["package"]]


def test_a_role_that_is_left_out_is_not_registered(shop, run_shop):
    run_shop(shop, ["deployment"], {"deployment": {"roles": ["required"]}})
    assert registry_at(shop).models(CHAMPION) == []
    assert len(registry_at(shop).models("returns-required")) == 1


def test_before_training_the_command_that_makes_the_model_is_named(run_shop, tmp_path):
    with pytest.raises(ClientelaError, match=r"kedro run --pipelines=.*training"):
        run_shop(tmp_path, ["deployment"])


def test_an_approved_model_is_served_and_its_package_opens(registered, clientela):
    done = clientela(registered, "approve", "returns", "--yes", "--reason", "better than the rule")
    assert done.exit_code == 0, done.output
    pointer = served_by(registered).served()["returns"]
    assert (pointer.group, pointer.number, pointer.role) == (CHAMPION, 1, "champion")
    content = served_by(registered).package(pointer)
    served = open_package(content, pointer.package, pointer.package_sha256)
    assert served.manifest.version == pointer.version
    assert [entry.status for entry in registry_at(registered).models(CHAMPION)] == ["approved"]
    unknown = clientela(registered, "approve", "returns", "--number=7")
    assert unknown.exit_code == 1
    assert "has no entry 7" in unknown.output
    again = clientela(registered, "approve", "returns", "--yes")
    assert again.exit_code == 0
    assert served_by(registered).served()["returns"] == pointer


def test_what_is_approved_is_shown_with_what_flatters_least_first_and_asked(registered, clientela):
    done = clientela(registered, "approve", "returns", answer="n\n")
    assert done.exit_code == 1
    version = latest(registered, "champion")["manifest"]["version"]
    assert f"returns: champion {version}, number 1 of returns-champion (pending)" in done.output
    verdicts = [line.rsplit("│", 1)[-1].strip() for line in done.output.splitlines() if "│" in line]
    order = {"worse": 0, "equal": 1, "not proven": 2, "better": 2}
    places = [order[verdict] for verdict in verdicts[1:]]
    assert len(places) > 5
    assert places == sorted(places)
    assert "roc_auc *" in done.output
    assert served_by(registered).served() == {}
    assert [entry.status for entry in registry_at(registered).models(CHAMPION)] == ["pending"]


def test_a_tampered_package_is_not_approved(registered, clientela):
    package = Path(latest(registered, "champion")["package"])
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 1
    package.write_bytes(content)
    done = clientela(registered, "approve", "returns", "--yes")
    assert done.exit_code == 1
    assert "is not the one that was stored (the SHA-256 differs)" in done.output
    assert "Traceback" not in done.output
    assert served_by(registered).served() == {}
    assert [entry.status for entry in registry_at(registered).models(CHAMPION)] == ["pending"]


def test_approving_that_ends_before_the_pointer_is_completed_by_the_same_command(
    registered, clientela, monkeypatch
):

    def killed(*_):
        raise ModelFileError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(PublishedModelStore, "publish", killed)
        assert clientela(registered, "approve", "returns", "--yes").exit_code == 1
    assert served_by(registered).served() == {}
    assert clientela(registered, "approve", "returns", "--yes").exit_code == 0
    assert served_by(registered).served()["returns"].number == 1


@pytest.mark.slow
def test_an_earlier_entry_can_be_served_again_and_a_rejected_one_is_told_to_be_served_still(
    registered, run_shop, clientela
):
    first = latest(registered, "champion")
    # other words for people make another version beside the first
    run_shop(registered, ["deployment"], {"scoring": {"labels": {"valor_pedido": "importe"}}})
    assert latest(registered, "champion")["manifest"]["version"] != first["manifest"]["version"]
    assert Path(first["package"]).exists()
    assert [entry.number for entry in registry_at(registered).models(CHAMPION)] == [2, 1]
    assert clientela(registered, "approve", "returns", "--yes").exit_code == 0
    assert served_by(registered).served()["returns"].number == 2
    rejected = clientela(registered, "reject", "returns", "--reason", "unfair")
    assert "Rejected: champion" in rejected.output
    assert "It is still served" in rejected.output
    assert clientela(registered, "approve", "returns", "--number=1", "--yes").exit_code == 0
    assert served_by(registered).served()["returns"].number == 1
    statuses = {entry.number: entry.status for entry in registry_at(registered).models(CHAMPION)}
    assert statuses == {1: "approved", 2: "rejected"}


def test_before_deployment_status_says_what_to_run(trained_shop, clientela):
    shown = clientela(trained_shop, "status")
    assert shown.exit_code == 0
    assert "Nothing registered yet: returns. Run kedro run --pipelines=depl" in shown.output
    assert not (trained_shop / "06_models/registry").exists()


def test_status_lists_entries_and_what_is_served(registered, clientela):
    clientela(registered, "approve", "returns", "--yes")
    shown = clientela(registered, "status").output
    (line,) = [line for line in shown.splitlines() if "returns-champion" in line]
    version = latest(registered, "champion")["manifest"]["version"]
    assert {"returns", "1", version, "approved", "●"} <= {cell.strip() for cell in line.split("│")}
    found = json.loads(clientela(registered, "status", "--json").output)
    assert found["returns"]["served"]["number"] == 1
    (entry,) = found["returns"]["groups"]["returns-required"]
    assert entry["status"] == "pending"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["approve", "return"], r"Did you mean 'returns'\?"),
        (["approve", "returns"], "No model is registered in the group returns-champion. Run first"),
    ],
)
def test_what_can_not_be_approved_ends_with_what_to_do(arguments, message, trained_shop, clientela):
    done = clientela(trained_shop, *arguments)
    assert done.exit_code == 1
    assert re.search(message, done.output)
