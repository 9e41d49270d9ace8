"""Which container runs a model: our own image, or the prebuilt XGBoost one of the region."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import yaml

from clientela.exceptions import ConfigurationError, did_you_mean

TABLE: Final = "xgboost_images.yml"


@dataclass(frozen=True)
class PrebuiltImages:
    """The prebuilt XGBoost images that are known.

    Attributes:
        repository: Their name in ECR.
        version: `<XGBoost>-<container>`.
        accounts: Region to the account that holds it.
    """

    repository: str
    version: str
    accounts: MappingProxyType[str, str]

    @property
    def framework_version(self) -> str:
        """The version of XGBoost itself, e.g. `3.2`."""
        return self.version.partition("-")[0]


@cache
def prebuilt_images() -> PrebuiltImages:
    """The table of the prebuilt images, read once."""
    table: dict[str, Any] = yaml.safe_load(
        files("clientela.aws").joinpath(TABLE).read_text("utf-8")
    )
    return PrebuiltImages(
        table["repository"], table["version"], MappingProxyType(table["accounts"])
    )


def prebuilt_image(region: str, chosen: str | None) -> str:
    """The address of the prebuilt XGBoost image.

    Args:
        region: Where the container will run.
        chosen: The setting `prebuilt_image`; None: the table decides.

    Returns:
        An image address.

    Raises:
        ConfigurationError: The table does not know the region.
    """
    if chosen is not None:
        return chosen
    images = prebuilt_images()
    if region not in images.accounts:
        raise ConfigurationError(
            f"No account is known that holds the prebuilt XGBoost image in {region}. Look it up in "
            "AWS's list of SageMaker images and set prebuilt_image in conf/aws/aws.yml: "
            f"<account>.dkr.ecr.{region}.amazonaws.com/{images.repository}:{images.version}. "
            + did_you_mean(region, images.accounts)
        )
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    account = images.accounts[region]
    return f"{account}.dkr.ecr.{region}.{domain}/{images.repository}:{images.version}"
