import pandas as pd
import pytest
from pydantic import ValidationError

from clientela.exceptions import ConfigurationError, LeakageError
from clientela.features.leakage import (
    LeakageRules,
    leakage_report,
    require_known_names,
    require_no_leak,
)

HONEST = pd.Series({"gasto_3m": 0.71, "edad": 0.52})
TELLING = pd.Series({"puntaje": 0.9991, "gasto_3m": 0.71})
UNCHANGED = {"puntaje": 0, "gasto_3m": 0, "edad": 0}


def test_an_honest_use_case_says_what_was_proven() -> None:
    report = leakage_report(HONEST, {"gasto_3m": 0, "edad": 0}, 40, ["cuidado"], LeakageRules())
    assert report == {
        "sentence": "No feature of 40 customers changed when every row at or past its cutoff was "
        "scrambled, and none alone predicts the target suspiciously well.",
        "rows": 40,
        "refused": [],
        "sees_the_future": {},
        "suspicious": {},
        "concordance_limit": 0.95,
        "allowed": {},
        "warnings": ["cuidado"],
        "concordance": {"gasto_3m": 0.71, "edad": 0.52},
    }
    require_no_leak(report)


def test_without_a_cutoff_nothing_is_claimed_about_scrambling() -> None:
    report = leakage_report(HONEST, None, 40, [], LeakageRules())
    assert report["sentence"] == "No feature alone predicts the target suspiciously well."


def test_a_feature_that_changed_with_the_future_is_refused_by_name() -> None:
    report = leakage_report(HONEST, {"gasto_3m": 0, "edad": 17}, 40, [], LeakageRules())
    assert (report["refused"], report["sees_the_future"]) == (["edad"], {"edad": 17})
    assert report["sentence"] == "Refused until somebody looks: edad."
    with pytest.raises(
        LeakageError,
        match=r"edad \(changed for 17 customers when the future was scrambled\)\. Remove .*allowed",
    ):
        require_no_leak(report)


def test_a_feature_that_alone_orders_the_target_is_refused_by_name() -> None:
    report = leakage_report(TELLING, UNCHANGED, 40, [], LeakageRules())
    assert (report["refused"], report["suspicious"]) == (["puntaje"], {"puntaje": 0.9991})
    with pytest.raises(
        LeakageError,
        match=r"puntaje \(alone orders the target with concordance 0\.999, limit 0\.95",
    ):
        require_no_leak(report)


def test_every_cause_is_named_once_the_future_first() -> None:
    report = leakage_report(TELLING, {"puntaje": 3, "gasto_3m": 2}, 40, [], LeakageRules())
    assert report["refused"] == ["gasto_3m", "puntaje"]
    with pytest.raises(LeakageError, match=r"gasto_3m \(changed for 2 .*; puntaje \(changed for 3"):
        require_no_leak(report)


def test_the_limit_itself_is_not_yet_suspicious() -> None:
    at_limit = pd.Series({"gasto_3m": 0.95})
    assert leakage_report(at_limit, None, 40, [], LeakageRules())["refused"] == []
    strict = LeakageRules(concordance_limit=0.94)
    assert leakage_report(at_limit, None, 40, [], strict)["refused"] == ["gasto_3m"]


def test_a_feature_allowed_with_a_reason_stays_and_the_report_says_so() -> None:
    rules = LeakageRules(allowed={"puntaje": "known at decision time, see contract"})
    report = leakage_report(TELLING, UNCHANGED, 40, [], rules)
    assert report["refused"] == []
    assert report["suspicious"] == {"puntaje": 0.9991}
    assert report["allowed"] == {"puntaje": "known at decision time, see contract"}
    assert report["sentence"].startswith(
        "Allowed by name although suspicious: puntaje. Otherwise: "
    )
    require_no_leak(report)


@pytest.mark.parametrize("reason", ["", "   "])
def test_nothing_is_allowed_without_a_reason(reason: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        LeakageRules(allowed={"puntaje": reason})


@pytest.mark.parametrize("limit", [0.5, 1.01])
def test_a_limit_that_refuses_everything_or_nothing_is_no_limit(limit: float) -> None:
    with pytest.raises(ValidationError, match=r"greater than 0\.5|less than or equal to 1"):
        LeakageRules(concordance_limit=limit)


@pytest.mark.parametrize(
    ("rules", "complaint"),
    [
        (
            {"after_decision": {"deudas": "x"}},
            r"leakage\.after_decision: .*'deudas'.* mean 'deuda'",
        ),
        ({"after_decision": {"log_deuda": "x"}}, "no column of the features is called 'log_deuda'"),
        ({"allowed": {"log_deudas": "x"}}, r"leakage\.allowed: no feature .* mean 'log_deuda'"),
        ({"allowed": {"puntaje": "x"}}, r"no feature is called 'puntaje', so .* without effect"),
    ],
)
def test_a_rule_about_a_name_that_does_not_exist_is_refused(
    rules: dict[str, dict[str, str]], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        require_known_names(
            LeakageRules.model_validate(rules),
            features=["edad", "log_deuda"],
            columns=["edad", "deuda", "puntaje"],
        )


def test_rules_name_features_that_are_allowed_and_columns_that_come_late() -> None:
    rules = {"allowed": {"log_deuda": "x"}, "after_decision": {"deuda": "x", "puntaje": "x"}}
    require_known_names(
        LeakageRules.model_validate(rules),
        features=iter(["edad", "log_deuda"]),
        columns=iter(["edad", "deuda", "puntaje"]),
    )
