"""Contracts of the shared tables, checked whenever a stage reads them.

They cost some milliseconds at ten million rows: types are known without reading, and that nothing
is missing is known from the counts that Parquet keeps. Whether a key is unique would cost a scan
(1.4 s at ten million rows) at each read, so ingestion alone makes it so.
"""

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from pandera.ibis import DataFrameModel, Field, IbisData, check


def _is_complete(data: IbisData) -> ir.BooleanScalar:
    """Whether a column has no missing value, from counts alone and without quoting any value.

    Pandera's own `nullable=False` scans every column, and calls an empty table faulty.
    """
    return data.table[data.key].count() == data.table.count()


def _has_no_negative_value(data: IbisData) -> ir.BooleanScalar:
    """Whether no value is below zero; missing ones are not.

    Pandera's own `ge=0` quotes the values at fault, and calls an empty table faulty.
    """
    return data.table.count(where=data.table[data.key] < 0) == 0


class Transactions(DataFrameModel):
    """One row per transaction; `id_transaccion` is unique. Extra columns pass.

    Attributes:
        fecha: When, in local time, without a time zone.
        categoria: Category as the users' system writes it.
        rubro: The category folded to lower case without accents, for comparing.
        valor_transaccion: Amount in the data's own currency; negative for refunds.
        puntos: Points earned (positive) or redeemed (negative); may be missing.
        tipo_transaccion: Kind of transaction as the users' system writes it; may be missing.
    """

    id_transaccion: str = Field(nullable=True)
    id_cliente: str = Field(nullable=True)
    fecha: dt.Timestamp = Field(dtype_kwargs={"scale": 6}, nullable=True)
    categoria: str = Field(nullable=True)
    rubro: str = Field(nullable=True)
    valor_transaccion: dt.Decimal = Field(dtype_kwargs={"precision": 18, "scale": 2}, nullable=True)
    puntos: int = Field(nullable=True)
    tipo_transaccion: str = Field(nullable=True)

    @check(
        "id_transaccion",
        "id_cliente",
        "fecha",
        "categoria",
        "rubro",
        "valor_transaccion",
        name="never_missing",
    )
    @classmethod
    def _check_never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _is_complete(data)


class Customers(DataFrameModel):
    """One row per customer; `id_cliente` is unique. Attributes may be missing, extra columns pass.

    Attributes:
        genero: As the users' system writes it (PII).
        saldo_puntos: Balance of points when the data were extracted.
    """

    id_cliente: str = Field(nullable=True)
    fecha_nacimiento: dt.Date = Field(nullable=True)
    genero: str = Field(nullable=True)
    estrato_social: int = Field(nullable=True)
    saldo_puntos: int = Field(nullable=True)

    @check("id_cliente", name="never_missing")
    @classmethod
    def _check_never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _is_complete(data)


class Loans(DataFrameModel):
    """One row per loan. Extra columns pass.

    Its key is what the rules of ingestion say: as shipped `id_fila`, made of the row's content, or
    a lender's own number of the loan. Ingestion lets no row pass without one.

    Columns of the bureau may be missing; money is never below zero.

    Attributes:
        fecha_prestamo: When the loan was granted, in local time, without a time zone.
        capital_prestado: Amount lent, in the data's own currency; never below zero.
        cuota_pactada: Instalment, in the data's own currency; never below zero.
        edad_cliente: Age in years; may be missing or hard to believe (PII).
        salario_cliente: Salary as declared; may be missing or hard to believe (PII).
        Pago_atiempo: 1 where the loan is paid on time; missing where that is not known yet.
    """

    fecha_prestamo: dt.Timestamp = Field(dtype_kwargs={"scale": 6}, nullable=True)
    capital_prestado: float = Field(nullable=True)
    plazo_meses: int = Field(nullable=True)
    cuota_pactada: float = Field(nullable=True)
    edad_cliente: int = Field(nullable=True)
    salario_cliente: float = Field(nullable=True)
    Pago_atiempo: int = Field(nullable=True)

    @check(
        "fecha_prestamo",
        "capital_prestado",
        "plazo_meses",
        "cuota_pactada",
        name="never_missing",
    )
    @classmethod
    def _check_never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _is_complete(data)

    @check(
        "capital_prestado",
        "plazo_meses",
        "cuota_pactada",
        "salario_cliente",
        "Pago_atiempo",
        name="never_negative",
    )
    @classmethod
    def _check_amounts(cls, data: IbisData) -> ir.BooleanScalar:
        return _has_no_negative_value(data)


class Visitors(DataFrameModel):
    """One row per user of the WiFi; `user_id` is unique. Extra columns pass.

    Attributes:
        last_visit: Day of the latest visit before the export.
        avg_session: Minutes of a mean session; never below zero.
        churn: Yes or No; missing where that is not known yet.
    """

    user_id: str = Field(nullable=True)
    last_visit: dt.Date = Field(nullable=True)
    visits: int = Field(nullable=True)
    avg_session: float = Field(nullable=True)
    complaints: int = Field(nullable=True)
    churn: str = Field(nullable=True)

    @check("user_id", "last_visit", "visits", "avg_session", "complaints", name="never_missing")
    @classmethod
    def _check_never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _is_complete(data)

    @check("visits", "avg_session", "complaints", name="never_negative")
    @classmethod
    def _check_amounts(cls, data: IbisData) -> ir.BooleanScalar:
        return _has_no_negative_value(data)


class Applications(DataFrameModel):
    """One row per application for a credit. Extra columns pass.

    Its key is what the rules of ingestion say: as shipped `id_solicitud`, made of the row's
    content. Accounts may be missing, which means that none is known.

    Attributes:
        age: Age in years; may be missing or hard to believe (PII).
        savings_account: Savings in words; may be missing (PII).
        checking_account: Current account in words; may be missing (PII).
        credit_amount: Amount asked for, in the data's own currency; never below zero.
        purpose: What the credit is for; may be missing.
        risk: good risk or bad risk, where a person has judged the case; else missing.
    """

    age: int = Field(alias="Age", nullable=True)
    savings_account: str = Field(alias="Savings account", nullable=True)
    checking_account: str = Field(alias="Checking account", nullable=True)
    credit_amount: float = Field(alias="Credit amount", nullable=True)
    duration: int = Field(alias="Duration", nullable=True)
    purpose: str = Field(alias="Purpose", nullable=True)
    risk: str = Field(alias="Risk", nullable=True)

    @check("Credit amount", "Duration", name="never_missing")
    @classmethod
    def _check_never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _is_complete(data)

    @check("Credit amount", "Duration", name="never_negative")
    @classmethod
    def _check_amounts(cls, data: IbisData) -> ir.BooleanScalar:
        return _has_no_negative_value(data)
