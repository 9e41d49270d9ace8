import pandas as pd
import pytest

from clientela.pipelines.data_generation.credit import (
    CreditDirtShares,
    CreditSimulation,
    simulate_lender,
    simulate_loans,
)

INTEGERS = [
    "tipo_credito",
    "plazo_meses",
    "edad_cliente",
    "salario_cliente",
    "total_otros_prestamos",
    "cuota_pactada",
    "cant_creditosvigentes",
    "huella_consulta",
    "creditos_sectorFinanciero",
    "creditos_sectorCooperativo",
    "creditos_sectorReal",
    "Pago_atiempo",
]
FLOATS = [
    "capital_prestado",
    "puntaje",
    "puntaje_datacredito",
    "saldo_mora",
    "saldo_total",
    "saldo_principal",
    "saldo_mora_codeudor",
    "promedio_ingresos_datacredito",
]
TEXTS = ["fecha_prestamo", "tipo_laboral", "tendencia_ingresos"]


def test_columns_stand_in_the_order_of_the_real_file(loans):
    assert ",".join(loans) == (
        "tipo_credito,fecha_prestamo,capital_prestado,plazo_meses,edad_cliente,tipo_laboral,"
        "salario_cliente,total_otros_prestamos,cuota_pactada,puntaje,puntaje_datacredito,"
        "cant_creditosvigentes,huella_consulta,saldo_mora,saldo_total,saldo_principal,"
        "saldo_mora_codeudor,creditos_sectorFinanciero,creditos_sectorCooperativo,"
        "creditos_sectorReal,promedio_ingresos_datacredito,tendencia_ingresos,Pago_atiempo"
    )


def test_pandas_reads_the_types_of_the_requirement(loans):
    kinds = loans.dtypes.astype(str)
    assert len(loans) == 10_763
    assert sorted(kinds[kinds == "int64"].index) == sorted(INTEGERS)
    assert sorted(kinds[kinds == "float64"].index) == sorted(FLOATS)
    assert sorted(kinds[kinds == "str"].index) == sorted(TEXTS)


def test_dates_parse_and_no_row_occurs_twice(loans):
    dates = pd.to_datetime(loans["fecha_prestamo"], format="%Y-%m-%d %H:%M:%S")
    assert dates.between("2024-11-26", "2026-04-27").all()
    assert not loans.duplicated().any()


def test_correlations_are_the_expected_ones(loans):
    rank = loans.select_dtypes("number").corr("spearman")
    assert rank.loc["capital_prestado", "cuota_pactada"] == pytest.approx(0.7, abs=0.1)
    assert rank.loc["saldo_total", "saldo_principal"] > 0.9
    assert rank.loc["salario_cliente", "total_otros_prestamos"] == pytest.approx(0.65, abs=0.1)


def test_without_dirt_no_number_is_negative_but_puntaje(loans):
    numbers = loans.select_dtypes("number").drop(columns="puntaje")
    assert not (numbers < 0).any(axis=None)


def test_the_report_tells_what_the_file_will_hold():
    simulation = CreditSimulation(rows=4_000, chunk_rows=1_500, dirt=CreditDirtShares())
    report = simulate_lender(simulation)[1]
    lines = b"".join(map(bytes, simulate_loans(simulation).csv_blocks())).count(b"\n")
    assert report["loans"] == 4_000
    assert report["lines"] == lines == 4_002
    assert report["late"] == 190
    assert report["dirt"] == {
        kind: 1 if "columns" in kind else 2 for kind in CreditDirtShares.model_fields
    }


def test_blocks_hold_the_stated_share_of_late_loans_together():
    simulation = CreditSimulation(rows=4_000, chunk_rows=1_500)
    paid = sum(
        int(part["Pago_atiempo"].to_numpy().sum()) for part in simulate_loans(simulation).tables()
    )
    assert paid == 4_000 - 190
