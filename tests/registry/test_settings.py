import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clientela.registry.manifest import ServedManifest
from clientela.registry.model_registry import DeploymentSettings


def test_groups_are_called_after_the_use_case_and_segments_have_one():
    settings = DeploymentSettings()
    assert settings.group("credit_payment", "binary", "champion") == "credit-payment-champion"
    assert settings.group("credit_payment", "binary", "required") == "credit-payment-required"
    assert settings.group("customer_segments", "segments", "champion") == "customer-segments"


def test_a_configured_group_wins_for_its_role_alone():
    settings = DeploymentSettings(groups={"required": "xgboost-ordinal-tecnologia"})
    required = settings.group("purchase_intensity", "ordinal", "required")
    champion = settings.group("purchase_intensity", "ordinal", "champion")
    assert (required, champion) == ("xgboost-ordinal-tecnologia", "purchase-intensity-champion")


@pytest.mark.parametrize(
    ("roles", "task", "registered"),
    [
        (("champion", "required"), "binary", ["champion", "required"]),
        (("required", "champion"), "ordinal", ["champion", "required"]),
        (("required",), "binary", ["required"]),
        (("champion", "required"), "segments", ["champion"]),
    ],
)
def test_the_roles_that_are_registered_are_those_configured_that_the_task_has(
    roles, task, registered
):
    assert DeploymentSettings(roles=roles).list_roles(task) == registered


@given(st.text(alphabet="aZ9-_. /é", max_size=70))
def test_a_group_that_settings_take_is_one_that_a_manifest_takes(name):
    (pattern,) = [
        found.pattern
        for found in ServedManifest.model_fields["group"].metadata
        if hasattr(found, "pattern")
    ]
    import re

    try:
        DeploymentSettings(groups={"champion": name})
    except ValidationError:
        assert re.search(pattern, name) is None
    else:
        assert re.search(pattern, name) is not None


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="instance"):
        DeploymentSettings.model_validate({"instance": "ml.m5.large"})
