import re

import pytest

from clientela.exceptions import ConfigurationError
from clientela.registry.sagemaker_registry import get_prebuilt_image, load_prebuilt_images


def test_the_image_of_a_region_is_that_of_its_account():
    assert get_prebuilt_image("sa-east-1", None) == (
        "737474898029.dkr.ecr.sa-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
    )
    assert get_prebuilt_image("cn-north-1", None).endswith(
        ".dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.2-0"
    )


def test_an_image_of_ones_own_wins():
    assert get_prebuilt_image("us-east-1", "own:1") == "own:1"


def test_an_unknown_region_says_which_parameter_to_set():
    with pytest.raises(ConfigurationError, match=r"mars-1\..*prebuilt_image in conf/aws/aws\.yml"):
        get_prebuilt_image("mars-1", None)


def test_the_table_is_well_formed():
    images = load_prebuilt_images()
    assert images.framework_version == "3.2"
    assert len(images.accounts) > 25
    for region, account in images.accounts.items():
        assert re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region)
        assert re.fullmatch(r"\d{12}", account)
    # one account per region, none twice
    assert len(set(images.accounts.values())) == len(images.accounts)
