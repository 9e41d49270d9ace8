"""The training part of a use case in the form that the XGBoost container takes."""

from typing import Final

import pandas as pd

from clientela.aws.training import Channel
from clientela.exceptions import ConfigurationError
from clientela.modelling.schema import FeatureSchema
from clientela.modelling.split import split_parts

VALIDATION_SHARE: Final = 0.2
"""Of the training part: what a search is judged on. The test part is never sent."""


def channels(part: pd.DataFrame, schema: FeatureSchema, seed: int) -> dict[Channel, bytes]:
    """The training part as two CSV files: rows to learn from, and rows to watch.

    Args:
        part: The training part, one row per key.
        schema: Its columns.
        seed: Of the draw.

    Returns:
        `train` and `validation`: no header, the class value first, then the required features in
        their order; no key. A missing value is an empty field.

    Raises:
        ConfigurationError: A required feature is words.
    """
    _require_numbers(schema)
    learn, watch = split_parts(
        part, key=schema.key, target=schema.target, test_share=VALIDATION_SHARE, seed=seed
    )
    return {"train": channel_csv(learn, schema), "validation": channel_csv(watch, schema)}


def channel_csv(part: pd.DataFrame, schema: FeatureSchema) -> bytes:
    """Rows as the container reads them.

    Args:
        part: One row per key.
        schema: Its columns.

    Returns:
        CSV without a header: class value, then the required features.
    """
    values = schema.value_array[schema.codes(part)]
    features = part[list(schema.required)].astype("float64")
    table = pd.concat([pd.Series(values, index=part.index), features], axis=1)
    return table.to_csv(index=False, header=False, lineterminator="\n").encode()


def _require_numbers(schema: FeatureSchema) -> None:
    words = [name for name in schema.required if name in schema.words]
    if words:
        raise ConfigurationError(
            f"The XGBoost container takes numbers only, and {', '.join(words)} are words. Train "
            "with kedro run --pipelines=training."
        )
