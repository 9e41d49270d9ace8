"""Drift, one variant beside another, on a size at which it takes seconds; without Evidently."""

import ast
import importlib
import sys
from pathlib import Path

import pandas as pd
import pytest

ROWS = 12_000
"""From ten thousand on, scipy asks for no exact p-value, as in the benchmark."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    import draw_drift_sample
    from drift_registry import drift_sample

    sample = drift_sample(tmp_path_factory.mktemp("sample"), ROWS)
    draw_drift_sample.main(ROWS, *sample.places)
    return sample.places


def result(variant: str, places: tuple[Path, ...], folder: Path) -> pd.DataFrame:
    importlib.import_module(f"variants.{variant}").save(*places, folder / variant)
    return pd.read_parquet(folder / variant).set_index("feature")


def test_ours_certifies_what_scipy_finds_in_every_number(
    places: tuple[Path, ...], tmp_path: Path
) -> None:
    from drift_task import NUMBERS, WATCHED

    ours, scipy = (result(name, places, tmp_path) for name in ("clientela_drift", "scipy_drift"))

    assert list(ours.index) == list(scipy.index) == sorted(WATCHED)
    lower, upper = (ours.loc[NUMBERS, name] for name in ("ks_lower", "ks_upper"))
    assert scipy.loc[NUMBERS, "ks"].between(lower, upper).all()


def test_what_needs_another_environment_runs_only_where_it_is_named() -> None:
    from command import asked
    from drift_registry import DRIFT, OURS, READ, SCIPY

    assert asked(DRIFT, []).variants == [READ, OURS, SCIPY]


def test_each_variant_runs_under_its_own_python_and_results_are_compared_under_ours(
    places: tuple[Path, ...], tmp_path: Path
) -> None:
    from drift_registry import drift_sample
    from interleaved_runs import interleaved_runs
    from variant import Variant

    python, called = tmp_path / "python", tmp_path / "called"
    python.write_text(f'#!/bin/sh\necho "$@" >>"{called}"\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o700)
    variants = [Variant("bare_read", "", once=True, interpreter=python)]

    ((_, taken),) = interleaved_runs(drift_sample(places[0].parent, ROWS), variants, 1, tmp_path)

    (call,) = called.read_text("utf-8").splitlines()
    assert Path(call.split()[0]).name == "measured_run.py"
    assert taken.wall_seconds > 0


@pytest.mark.parametrize(
    ("module", "known"),
    [
        ("measured_run", set()),
        ("drift_task", {"pandas"}),
        ("variants/evidently_preset", {"pandas", "evidently", "drift_task"}),
    ],
)
def test_evidently_runs_without_our_libraries(
    module: str, known: set[str], project_root: Path
) -> None:
    """Their environment holds none of Clientela's dependencies but pandas."""
    tree = ast.parse((project_root / f"benchmarks/{module}.py").read_text("utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == known
