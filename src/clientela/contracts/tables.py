"""Contracts of the shared tables, checked whenever a stage reads them."""

import pandera.ibis as pa
from pandera.ibis import DataFrameModel, Field


class Transactions(DataFrameModel):
    """One row per transaction; `id_transaccion` is unique. Extra columns pass.

    Attributes:
        id_transaccion: Key.
        id_cliente: Who bought (PII).
        fecha: When, in local time.
        categoria: Category as the users' system writes it.
        rubro: The category folded to lower case without accents, for comparing.
        valor_transaccion: Amount in the data's own currency; negative for refunds.
    """

    id_transaccion: str = Field(nullable=False)
    id_cliente: str = Field(nullable=False)
    categoria: str = Field(nullable=False)
    rubro: str = Field(nullable=False)


class Customers(DataFrameModel):
    """One row per customer; `id_cliente` is unique. Attributes may be missing.

    Attributes:
        id_cliente: Key (PII).
    """

    id_cliente: str = Field(nullable=False)


__all__ = ["Customers", "Transactions", "pa"]
