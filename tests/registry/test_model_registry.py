import pytest
from pydantic import ValidationError
from tests.datasets.test_package_store import manifest

from clientela.registry.manifest import MetricEstimate
from clientela.registry.model_registry import (
    DeploymentSettings,
    RegisteredModel,
    compare_with_rule,
    describe_model,
    describe_registration,
    format_interval,
)


def graded(**grades):
    return manifest().model_copy(update={"grades": grades})


def test_measures_come_by_what_they_gain_over_the_rule_and_costs_are_better_when_smaller():
    found = compare_with_rule(
        graded(
            roc_auc=MetricEstimate(value=0.8, lower=0.7, upper=0.9, rule=0.5),
            accuracy=MetricEstimate(value=0.90, rule=0.95),
            log_loss=MetricEstimate(value=0.3, rule=0.2),
            brier=MetricEstimate(value=0.1, lower=0.05, upper=0.3, rule=0.2),
            f1=MetricEstimate(value=0.4, rule=0.4),
            recall=MetricEstimate(value=0.4),
        )
    )
    assert [(one.measure, one.verdict) for one in found] == [
        ("log_loss", "worse"),
        ("accuracy", "worse"),
        ("f1", "equal"),
        ("roc_auc", "better"),
        ("brier", "not proven"),
        ("recall", "no rule"),
    ]


def test_two_zeros_are_equal():
    (one,) = compare_with_rule(graded(gini=MetricEstimate(value=0.0, rule=0.0)))
    assert one.verdict == "equal"


def test_a_model_that_does_not_beat_the_rule_says_so_in_its_description():
    worse = graded(roc_auc=MetricEstimate(value=0.45, lower=0.4, upper=0.5, rule=0.5))
    assert describe_model(worse).endswith("roc_auc 0.450 [0.400, 0.500], best rule 0.500: worse.")


def test_segments_are_described_by_their_first_grade_and_a_model_without_grades_by_its_rows():
    segments = graded(silhouette=MetricEstimate(value=0.2)).model_copy(
        update={"primary_metric": None, "task": "segments"}
    )
    assert describe_model(segments) == (
        "credit_payment, required, learned from 80 rows; silhouette 0.200."
    )
    assert describe_model(graded()) == "credit_payment, required, learned from 80 rows."


def test_a_figure_without_an_interval_stands_alone():
    assert format_interval(MetricEstimate(value=0.12345)) == "0.123"


@pytest.mark.parametrize(
    ("statuses", "end"),
    [
        (("pending", "pending"), " Approve with: clientela approve credit_payment"),
        (
            ("approved", "pending"),
            " Approve with: clientela approve credit_payment --role required",
        ),
        (("approved", "approved"), "number 2 of group-required (approved)."),
    ],
)
def test_what_is_registered_ends_with_the_command_that_is_still_to_be_run(statuses, end):
    entries = {
        role: RegisteredModel(
            group=f"group-{role}",
            number=number,
            status=status,
            use_case="credit_payment",
            role=role,
            version="0123456789ab",
            package="/x",
            package_sha256="a" * 64,
            address="models:/x/1",
        )
        for number, (role, status) in enumerate(
            zip(("champion", "required"), statuses, strict=True), start=1
        )
    }
    sentence = describe_registration(entries)
    assert sentence.startswith("credit_payment is registered: champion 0123456789ab, number 1 of ")
    assert sentence.endswith(end)


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


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="instance"):
        DeploymentSettings.model_validate({"instance": "ml.m5.large"})
