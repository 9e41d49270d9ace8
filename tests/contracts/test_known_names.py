import pytest

from clientela.exceptions import ConfigurationError
from clientela.use_cases import require_known_entries, require_known_raw_files

ENTRIES = {
    "retail": {"tables": {"customers": {}, "transactions": {}}},
    "purchase_intensity": {"shares": "retail"},
    "credit_payment": {"tables": {"loans": {}}},
    "returns": {"tables": {"pedidos": {}}},
}
SHIPPED = {"transactions": "tx.csv", "customers": "c.csv", "loans": "credit/base.csv"}
CATALOG = {
    "retail.raw_customers@text": {"filepath": "data/c.csv"},
    "retail.raw_transactions@text": {"filepath": "data/tx.csv"},
    "credit_payment.raw_loans@text": {"filepath": "data/credit/base.csv"},
    "{use_case}.raw_{table}@text": {"filepath": "data/{use_case}/{table}.csv"},
}


def check_files(catalog=None, text=None, **files):
    names = {"raw_files": SHIPPED | files, "raw_text": text or {}}
    require_known_raw_files(names, CATALOG | (catalog or {}), ENTRIES)


def test_tables_as_shipped_and_use_cases_of_the_pattern_are_known():
    check_files(returns="devoluciones.csv", text={"loans": {}, "returns": {}})


@pytest.mark.parametrize(
    ("key", "mend"),
    [
        ("credit_payment", "the table 'loans' of credit_payment is named by raw_files.loans"),
        ("pedidos", "the table 'pedidos' of returns is named by raw_files.returns"),
        ("retail", "the table 'customers' of retail is named by raw_files.customers; the table"),
        ("loan", "Did you mean 'loans'"),
        ("purchase_intensity", "Known: customers, loans, returns, transactions"),
    ],
)
def test_a_key_that_no_table_is_looked_up_by_is_answered_with_the_right_one(key, mend):
    # the name ends like that of the loans, and must not pass for it
    with pytest.raises(ConfigurationError, match=rf"raw_files\.{key} is the key of no .*{mend}"):
        check_files(**{key: "base.csv"})


def test_how_a_file_is_written_needs_a_known_key_too():
    with pytest.raises(ConfigurationError, match=r"raw_text\.credit_payment .* by raw_text\.loans"):
        check_files(text={"credit_payment": {"delimiter": ";"}})


def test_an_entry_of_the_catalog_may_look_its_file_up_under_any_key():
    own = {"returns.raw_pedidos@text": {"filepath": "data/dev.csv"}}
    check_files(own, devueltos="dev.csv", text={"devueltos": {}})
    with pytest.raises(ConfigurationError, match=r"is named by raw_text\.devueltos"):
        check_files(own, devueltos="dev.csv", text={"returns": {}})


def test_a_file_that_the_catalog_names_itself_is_found_there():
    own = {"returns.raw_pedidos@text": {"filepath": "s3://otro/dev.csv"}}
    with pytest.raises(ConfigurationError, match=r"stands in the catalog: returns\.raw_pedidos"):
        check_files(own, returns="mis.csv")


def test_parameters_belong_to_entries():
    require_known_entries({"retail": {}, "returns": {}, "_anchor": {}}, ENTRIES, {})
    with pytest.raises(
        ConfigurationError,
        match=r"parameter files: 'credit_payments' is no .* mean 'credit_payment'",
    ):
        require_known_entries({"credit_payments": {}}, ENTRIES, {})


def test_parameters_of_one_run_may_be_looked_up_by_the_files_but_near_misses_are_refused():
    given = {"trials": 3, "semilla": 7}
    require_known_entries({"retail": {}, **given}, ENTRIES, given)
    with pytest.raises(
        ConfigurationError, match=r"--params=: 'trails' is no .* Did you mean .*'trials'"
    ):
        require_known_entries({"trails": 3}, ENTRIES, {"trails": 3})
