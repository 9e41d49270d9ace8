"""The command itself, on a size at which it takes seconds."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_medians_leave_the_warm_up_out() -> None:
    from interleaved_runs import Measured, medians
    from variant import Variant

    turns, slow = Variant("a", "a"), Variant("b", "b", once=True)
    took = {turns: (9.0, 1.0, 5.0, 2.0), slow: (7.0,)}
    runs = [(variant, Measured(s, s, s)) for variant, all_of in took.items() for s in all_of]
    assert medians(runs) == {turns: Measured(2.0, 2.0, 2.0), slow: Measured(7.0, 7.0, 7.0)}


@pytest.mark.slow
def test_command_prints_the_variants_side_by_side(project_root: Path, tmp_path: Path) -> None:
    script = str(project_root / "benchmarks" / "features.py")
    asked = ["--rows", "500", "--runs", "1", "--variants", "group_by", "clientela_features"]
    done = subprocess.run(
        [sys.executable, script, *asked, "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "plain group-by" in done.stdout
    assert "features over group-by: " in done.stdout
    assert sorted(place.name for place in tmp_path.iterdir()) == [
        "customers-500.parquet",
        "transactions-500.parquet",
    ]


@pytest.mark.slow
def test_a_different_answer_fails_the_command(
    project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from child_process import ChildFailed
    from interleaved_runs import interleaved_runs
    from registry import transactions_sample
    from variant import Variant

    sample = transactions_sample(tmp_path, 500).drawn()
    variants = [Variant("duckdb_sql", ""), Variant("clientela_features_calendar", "")]
    with pytest.raises(ChildFailed, match=r"agreement\.py .* failed"):
        list(interleaved_runs(sample, variants, 1, tmp_path))
