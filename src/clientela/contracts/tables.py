"""Contracts of the shared tables, checked whenever a stage reads them.

They cost some milliseconds at ten million rows: types are known without reading, and that nothing
is missing is known from the counts that Parquet keeps. Whether a key is unique would cost a scan
(1.4 s at ten million rows) at each read, so ingestion alone makes it so.
"""

import ibis.expr.datatypes as dt
import ibis.expr.types as ir
from pandera.ibis import DataFrameModel, Field, IbisData, check


def _complete(data: IbisData) -> ir.BooleanScalar:
    """Whether a column has no missing value, from counts alone and without quoting any value.

    Pandera's own `nullable=False` scans every column, and calls an empty table faulty.
    """
    return data.table[data.key].count() == data.table.count()


class Transactions(DataFrameModel):
    """One row per transaction; `id_transaccion` is unique. Extra columns pass.

    Attributes:
        id_transaccion: Key.
        id_cliente: Who bought (PII).
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
    def _never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _complete(data)


class Customers(DataFrameModel):
    """One row per customer; `id_cliente` is unique. Attributes may be missing, extra columns pass.

    Attributes:
        id_cliente: Key (PII).
        fecha_nacimiento: Date of birth (PII).
        genero: As the users' system writes it (PII).
        estrato_social: Socio-economic level of the home.
        saldo_puntos: Balance of points when the data were extracted.
    """

    id_cliente: str = Field(nullable=True)
    fecha_nacimiento: dt.Date = Field(nullable=True)
    genero: str = Field(nullable=True)
    estrato_social: int = Field(nullable=True)
    saldo_puntos: int = Field(nullable=True)

    @check("id_cliente", name="never_missing")
    @classmethod
    def _never_missing(cls, data: IbisData) -> ir.BooleanScalar:
        return _complete(data)
