"""How often monitoring finds a planted change, and what it advises: 20 seeds of each kind.

Run it in a project whose sample has been run: python benchmarks/planted_shifts.py [--seeds 20]
"""

import argparse
import typing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Node

from clientela.datasets.files import SimulatedPeriod
from clientela.exceptions import ConfigurationError
from clientela.pipelines.data_generation.simulation import Shift
from clientela.pipelines.monitoring.baseline import read_baseline
from clientela.pipelines.monitoring.comparison import ComparisonPlan, compare_periods
from clientela.pipelines.monitoring.nodes import plan_simulated_period

ENTRIES = {
    "retail": ("purchase_intensity", "customer_segments"),
    "credit_payment": ("credit_payment",),
    "customer_churn": ("customer_churn",),
    "credit_preauth": ("credit_preauth",),
}
ADVICE = {
    "none": "nothing",
    "changed_population": "watch",
    "changed_relation": "retrain",
}


def main() -> None:
    """Prints one row per use case and kind of change."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=20)
    seeds = arguments.parse_args().seeds
    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        catalog = session.load_context().catalog
        found = pd.DataFrame(
            [row for entry in ENTRIES for row in compare_entry(catalog, entry, seeds)]
        )
    table = found.groupby(["use_case", "shift"]).mean(numeric_only=True)
    print((100 * table).round(1).to_string())


def compare_entry(catalog: Any, entry: str, seeds: int) -> Iterator[dict[str, Any]]:
    """One row per use case, change and seed."""
    generate = find_node(f"{entry}.data_generation.next_period")
    simulation = load_inputs(catalog, generate)["simulation"]
    periods: dict[str, list[Any]] = {use_case: [] for use_case in ENTRIES[entry]}
    for shift in typing.get_args(Shift):
        for seed in range(1, seeds + 1):
            settings = simulation.next_period.model_copy(update={"shift": shift, "seed": 50 * seed})
            try:
                tables = generate.func(simulation.model_copy(update={"next_period": settings}))
            except ConfigurationError:
                break
            changed = tables[len(tables) // 2 :]
            made = [SimulatedPeriod(shift, pa.concat_tables(each.tables())) for each in changed]
            for use_case in ENTRIES[entry]:
                compute = find_node(f"{use_case}.monitoring.simulated_rows")
                rest = list(load_inputs(catalog, compute).values())[2 * len(made) :]
                periods[use_case] += compute.func(*[None] * len(made), *made, *rest)
    for use_case, simulated in periods.items():
        yield from compare_use_case(catalog, use_case, simulated)


def compare_use_case(catalog: Any, use_case: str, simulated: list[Any]) -> Iterator[dict[str, Any]]:
    """One row per simulated period."""
    collect = find_node(f"{use_case}.monitoring.monitored_rows")
    inputs = load_inputs(catalog, collect)
    settings = inputs["settings"]
    rows = collect.func(**inputs | {"simulated": simulated})
    texts = (catalog.load(f"{use_case}.former_{name}") for name in ("profile", "parts"))
    baseline = read_baseline(*texts, use_case)
    real = ComparisonPlan(replace(rows, simulated=()), baseline, pd.Series(), [], settings)
    for each in rows.simulated:
        (compared,) = compare_periods(plan_simulated_period(real, each, []), [])
        red = compared.judged["severity"] == "ROJO"
        advised = compared.state.recommendation == ADVICE.get(each.shift, "investigate")
        yield {
            "use_case": use_case,
            "shift": each.shift,
            "red periods %": red.any(),
            "red columns %": red.mean(),
            "fitting advice %": advised,
        }


def find_node(name: str) -> Node:
    """A node of the project by its full name."""
    stage = name.split(".")[1]
    return next(node for node in pipelines[stage].nodes if node.name == name)


def load_inputs(catalog: Any, node: Node) -> dict[str, Any]:
    """Argument to what it is called with, parameters as their types; simulated files as None."""
    hints = typing.get_type_hints(node.func)
    names = node._inputs if isinstance(node._inputs, dict) else None  # noqa: SLF001 - no other way
    code = getattr(node.func, "__code__", None)
    pairs = (
        list(names.items()) if names else list(zip(code.co_varnames, node.inputs, strict=False))  # type: ignore[union-attr]
    )
    loaded = {}
    for argument, dataset in pairs:
        if dataset.endswith("simulated_rows"):
            continue
        value = catalog.load(dataset)
        if dataset.startswith("params:") and hasattr(hints[argument], "model_validate"):
            value = hints[argument].model_validate(value)
        loaded[argument] = value
    return loaded


if __name__ == "__main__":
    main()
