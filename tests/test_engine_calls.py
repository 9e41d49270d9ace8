"""Only datasets compute tables: elsewhere expressions stay lazy, and the engine replaceable."""

import ast

IN_MEMORY = {"features/case_table.py", "decisions/register.py"}
"""Modules whose tables are Arrow's, in memory, or one of a database: no engine computes them."""

COMPUTES = {"execute", "to_pandas", "to_pyarrow", "to_pyarrow_batches", "raw_sql"}


def computing_calls(source: str) -> list[str]:
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    # a schema is known without computing anything
    return [
        f"line {call.lineno}: .{call.func.attr}()"
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in COMPUTES
        and ".schema()" not in ast.unparse(call.func.value)
    ]


def test_a_computing_call_is_found():
    assert computing_calls("frame = table.filter(x).to_pandas()") == ["line 1: .to_pandas()"]


def test_nothing_outside_the_datasets_computes_a_table(project_root):
    package = project_root / "src" / "clientela"
    found = {
        str(path.relative_to(package)): calls
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts[0] != "datasets"
        and path.relative_to(package).as_posix() not in IN_MEMORY
        and (calls := computing_calls(path.read_text("utf-8")))
    }
    assert found == {}
