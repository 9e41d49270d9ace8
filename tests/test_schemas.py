import subprocess
import sys

import ibis
import pytest
from kedro.validation import DataValidationError, PanderaValidator

from clientela.schemas import Customers, Loans, Transactions, Visitors

TRANSACTION = {
    "id_transaccion": ibis.literal("T1"),
    "id_cliente": ibis.literal("C1"),
    "fecha": ibis.literal("2024-02-29 10:00:00").cast("timestamp(6)"),
    "categoria": ibis.literal("TECNOLOGÍA"),
    "rubro": ibis.literal("tecnologia"),
    "valor_transaccion": ibis.literal("10.50").cast("decimal(18, 2)"),
    "puntos": ibis.null("int64"),
    "tipo_transaccion": ibis.null("string"),
}
CUSTOMER = {
    "id_cliente": ibis.literal("C1"),
    "fecha_nacimiento": ibis.null("date"),
    "genero": ibis.null("string"),
    "estrato_social": ibis.null("int64"),
    "saldo_puntos": ibis.null("int64"),
}
LOAN = {
    "fecha_prestamo": ibis.literal("2024-02-29 10:00:00").cast("timestamp(6)"),
    "capital_prestado": ibis.literal(2e6),
    "plazo_meses": ibis.literal(12, "int64"),
    "cuota_pactada": ibis.literal(180e3),
    "edad_cliente": ibis.null("int64"),
    "salario_cliente": ibis.null("float64"),
    "Pago_atiempo": ibis.null("int64"),
}
VISITOR = {
    "user_id": ibis.literal("U1"),
    "last_visit": ibis.literal("2024-02-29").cast("date"),
    "visits": ibis.literal(3, "int64"),
    "avg_session": ibis.literal(40.5),
    "complaints": ibis.literal(0, "int64"),
    "churn": ibis.null("string"),
}
CONTRACTS = [
    (Transactions, TRANSACTION),
    (Customers, CUSTOMER),
    (Loans, LOAN),
    (Visitors, VISITOR),
]


def table(**columns):
    return ibis.memtable({"row": [1, 2]}).select(**columns)


def refusal(contract, rows):
    with pytest.raises(DataValidationError) as caught:
        PanderaValidator(contract).validate(rows)
    return str(caught.value)


@pytest.mark.parametrize(("contract", "columns"), CONTRACTS)
def test_a_table_that_keeps_the_contract_passes_unchanged(contract, columns):
    rows = table(**columns)
    assert contract.validate(rows, lazy=True).equals(rows)


@pytest.mark.parametrize(("contract", "columns"), CONTRACTS)
def test_extra_columns_pass(contract, columns):
    contract.validate(table(**columns, ciudad=ibis.literal("Cali")), lazy=True)


@pytest.mark.parametrize(("contract", "columns"), CONTRACTS)
def test_a_table_without_rows_passes(contract, columns):
    contract.validate(table(**columns).limit(0), lazy=True)


@pytest.mark.parametrize(
    ("contract", "columns", "column"),
    [(Transactions, TRANSACTION, name) for name in list(TRANSACTION)[:6]]
    + [(Customers, CUSTOMER, "id_cliente")]
    + [(Loans, LOAN, name) for name in list(LOAN)[:4]]
    + [(Visitors, VISITOR, name) for name in list(VISITOR)[:5]],
)
def test_a_missing_value_is_refused_by_the_name_of_its_column(contract, columns, column):
    holes = ibis.memtable({"n": [0, 1]})
    value = (holes["n"] > 0).ifelse(columns[column], None)
    message = refusal(contract, holes.select(**{**columns, column: value}))
    assert f"{column}: never_missing" in message
    assert "1 check(s) failed" in message


@pytest.mark.parametrize(
    ("contract", "columns", "column"),
    [(Transactions, TRANSACTION, name) for name in TRANSACTION]
    + [(Customers, CUSTOMER, name) for name in CUSTOMER]
    + [(Loans, LOAN, name) for name in LOAN]
    + [(Visitors, VISITOR, name) for name in VISITOR],
)
def test_an_absent_column_is_refused_by_its_name(contract, columns, column):
    rows = table(**{name: value for name, value in columns.items() if name != column})
    assert f"column_in_dataframe — 1 case (e.g. {column})" in refusal(contract, rows)


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ("id_transaccion", ibis.literal(1), "string"),
        ("fecha", ibis.literal("2024-02-29"), "timestamp(6)"),
        ("fecha", ibis.literal("2024-02-29").cast("timestamp('UTC', 6)"), "timestamp(6)"),
        ("valor_transaccion", ibis.literal(10.5), "decimal(18, 2)"),
        ("valor_transaccion", ibis.literal("1.5").cast("decimal(18, 3)"), "decimal(18, 2)"),
        ("puntos", ibis.literal("3"), "int64"),
    ],
)
def test_another_type_is_refused_with_the_type_that_was_expected(column, value, wanted):
    message = refusal(Transactions, table(**{**TRANSACTION, column: value}))
    assert f"{column}: dtype('{wanted}')" in message


@pytest.mark.parametrize(
    ("contract", "columns", "column", "value"),
    [
        (Loans, LOAN, "capital_prestado", ibis.literal(-1.0)),
        (Loans, LOAN, "salario_cliente", ibis.literal(-1.0)),
        (Visitors, VISITOR, "avg_session", ibis.literal(-0.5)),
    ],
)
def test_what_ingestion_would_have_refused_is_refused_on_reading(contract, columns, column, value):
    message = refusal(contract, table(**{**columns, column: value}))
    assert f"{column}: never_negative" in message
    assert "1 check(s) failed" in message


def test_a_refusal_quotes_no_customer():
    holes = ibis.memtable({"n": [0, 1]})
    secret = ibis.literal("C-SECRETO")
    rows = holes.select(
        **{**TRANSACTION, "id_cliente": secret, "rubro": (holes["n"] > 0).ifelse("hogar", None)}
    )
    assert "rubro: never_missing" in refusal(Transactions, rows)


def test_the_command_line_does_not_load_the_contracts():
    loaded = "import sys, clientela.settings, clientela.cli.kedro_run, clientela.cli.main;"
    loaded += " print([m for m in "
    code = loaded + "('pandera', 'pandera.ibis', 'ibis', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
