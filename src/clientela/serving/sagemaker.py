"""How an endpoint is asked what it is, which SageMaker's contract leaves to its container."""

from typing import Final

ATTRIBUTES: Final = b"x-amzn-sagemaker-custom-attributes"
"""The header that SageMaker hands on to the container as it is."""

DESCRIBE: Final = "describe"
"""Its value where the fields of the model are asked for instead of predictions."""
