"""Carries small aggregates from the engine to pandas: what reports and checks read."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir
import pandas as pd
from fsspec.core import url_to_fs
from kedro.io import AbstractDataset

from clientela.datasets.storage import is_stored
from clientela.datasets.table import TableDataset
from clientela.exceptions import StageInputMissing


class SmallTablesDataset(
    AbstractDataset[Mapping[str, ir.Table | pd.DataFrame], dict[str, pd.DataFrame]]
):
    """Several small tables, by name, as one Parquet file each in a folder.

    Saving computes each lazy table; loading gives pandas frames. For aggregates of at most some
    thousand rows.

    Args:
        path: The folder; local or `s3://`. What stood in it before is removed.
        engine: Settings of the engine, the same for every table.
        metadata: For kedro-viz and the run summary.
    """

    def __init__(
        self,
        *,
        path: str,
        engine: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._path = path
        self._engine = engine
        self.metadata = metadata

    def load(self) -> dict[str, pd.DataFrame]:
        """Every table of the folder.

        Returns:
            Name to frame, decimals as float64.

        Raises:
            StageInputMissing: There is none.
        """
        fs, folder = url_to_fs(self._path)
        fs.invalidate_cache(folder)
        files = sorted(fs.glob(f"{folder}/*.parquet"))
        if not files:
            raise StageInputMissing(f"No tables in {self._path}. Run the stage that writes them.")
        names = [file.rsplit("/", 1)[-1].removesuffix(".parquet") for file in files]
        return {name: self._table(name).load() for name in names}

    def save(self, data: Mapping[str, ir.Table | pd.DataFrame]) -> None:
        """Computes each table and writes it in place of all that stood in the folder.

        Args:
            data: Name to table.
        """
        fs, folder = url_to_fs(self._path)
        if fs.exists(folder):
            fs.rm(folder, recursive=True)
        for name, table in data.items():
            self._table(name).save(table)

    def _table(self, name: str) -> TableDataset:
        return TableDataset(
            filepath=f"{self._path}/{name}.parquet", load_as="pandas", engine=self._engine
        )

    def _exists(self) -> bool:
        return is_stored(self._path)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}
