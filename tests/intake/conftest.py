import ibis
import pytest

LINEAGE = {"_file": "string", "_line": "int64", "_raw": "string", "_problem": "string"}


@pytest.fixture(scope="session")
def raw_table():
    """A table as the reader delivers it: text columns, and where each row stands."""

    def raw_table(columns, rows, *, file="tx.csv", first_line=2, problems=None):
        records = [
            {
                **dict(zip(columns, row, strict=True)),
                "_file": file,
                "_line": first_line + place,
                "_raw": ",".join("" if value is None else value for value in row),
                "_problem": (problems or {}).get(place),
            }
            for place, row in enumerate(rows)
        ]
        return ibis.memtable(records, schema=dict.fromkeys(columns, "string") | LINEAGE)

    return raw_table
