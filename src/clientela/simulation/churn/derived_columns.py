"""Columns that follow from the others, each from its own row: totals, rates, age groups, 0 and 1.

They add nothing that the raw columns don't know, so the ceiling of every model stays what it is.
"""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from clientela.simulation.churn.parameters import ChurnSimulation
from clientela.simulation.churn.probability import TWO_HOURS_IN_MINUTES, VISITS_IN_A_MONTH
from clientela.simulation.churn.visitors import COLUMNS, DEVICES, GENDERS, MALLS

# Arrow makes these functions when it is imported, where type checkers do not see them.
_kernels: Any = pyarrow.compute

AGE_GROUPS: Final = ("18-24", "25-34", "35-44", "45-54", "55-64", "65+")
AGE_LIMITS: Final = (25, 35, 45, 55, 65)
DERIVED: Final = (
    "total_minutes",
    "megabytes_per_visit",
    "complaints_per_visit",
    "engagement",
    "age_group",
)
CATEGORIES: Final = {
    "gender": GENDERS,
    "mall": MALLS,
    "device": DEVICES,
    "age_group": AGE_GROUPS,
}


def with_derived_columns(visitors: pa.Table) -> pa.Table:
    """The visitors with what follows from their columns, before the target.

    Args:
        visitors: Columns as in `visitors_table`.

    Returns:
        Also `total_minutes` (in the last 30 days), `megabytes_per_visit`, `complaints_per_visit`,
        `engagement` (minutes as a share of two hours on each of thirty days), `age_group`
        (missing where the age is), and `churn` last.
    """
    visits, minutes, megabytes, complaints = (
        visitors[name].to_numpy() for name in ("visits", "avg_session", "megabytes", "complaints")
    )
    age = visitors["age"].combine_chunks()
    group = np.searchsorted(AGE_LIMITS, _kernels.fill_null(age, 0).to_numpy(), "right")
    known_group = pa.array(group, mask=_kernels.is_null(age).to_numpy(zero_copy_only=False))
    full_month = VISITS_IN_A_MONTH * TWO_HOURS_IN_MINUTES
    derived = (
        pa.array((visits * minutes).round(1)),
        pa.array((megabytes / visits).round(2)),
        pa.array((complaints / visits).round(4)),
        pa.array((visits * minutes / full_month).round(4)),
        pa.array(AGE_GROUPS).take(known_group),
    )
    *columns, target = COLUMNS
    table = {name: visitors[name] for name in columns} | dict(zip(DERIVED, derived, strict=True))
    return pa.table(table | {target: visitors[target]})


def _indicators(column: str) -> tuple[str, ...]:
    if column not in CATEGORIES:
        return (column,)
    return tuple(f"{column}_{category}" for category in CATEGORIES[column])


def one_hot(visitors: pa.Table) -> pa.Table:
    """The visitors with a column of 1 and 0 per category in the place of each text column.

    Args:
        visitors: With or without derived columns.

    Returns:
        `gender_Female`, `mall_Oriente` and so on, all 0 where the category is missing; the target
        keeps its Yes and No.
    """
    table = {}
    for column in visitors.column_names:
        values = visitors[column]
        if column not in CATEGORIES:
            table[column] = values
            continue
        for name, category in zip(_indicators(column), CATEGORIES[column], strict=True):
            is_category = _kernels.fill_null(_kernels.equal(values, category), fill_value=False)
            table[name] = is_category.cast(pa.int64())
    return pa.table(table)


def column_names(simulation: ChurnSimulation) -> tuple[str, ...]:
    """Names of the table's columns in the form that is asked for, in order."""
    *raw, target = COLUMNS
    names = (*raw, *(DERIVED if simulation.derived_columns else ()), target)
    return tuple(
        new for old in names for new in (_indicators(old) if simulation.one_hot else (old,))
    )
