from itertools import product

import pytest

from clientela.decisions.case_file import DecisionSettings, build_case_files
from clientela.exceptions import ConfigurationError


def refused(files):
    return [file for file in files if file.decision == "refuse"]


def test_every_refused_case_has_one_to_four_reasons_against_it(lender, files):
    scorer, *_ = lender
    assert len(refused(files)) > 50
    codes = scorer.manifest.model["reasons"]["codes"]
    for file in refused(files):
        assert 1 <= len(file.reasons) <= 4
        assert all(reason.amount > 0 and "es" in codes[reason.code] for reason in file.reasons)
        amounts = [reason.amount for reason in file.reasons]
        assert amounts == sorted(amounts, reverse=True)
    used = {feature for code in codes.values() for feature in code["features"]}
    assert not used & {"edad_cliente", "grupo_edad", "Age", "Sex"}


def test_every_proposed_change_leads_to_an_approval(lender, files):
    scorer, settings, _ = lender
    changed = [file for file in refused(files) if file.change is not None]
    assert changed
    cases = [
        file.case | {name: after for name, (_, after) in file.change.columns.items()}
        for file in changed
    ]
    assert {each.decision for each in build_case_files(scorer, cases, settings)} == {"approve"}
    allowed = {*settings.actionable} | {n for r in settings.actionable.values() for n in r.along}
    for file in changed:
        assert set(file.change.columns) <= allowed
        for name, (before, after) in file.change.columns.items():
            assert before == pytest.approx(file.case[name])
            assert after < before


def test_no_cheaper_change_was_passed_over(lender, files):
    """All combinations of steps of one case, by loops."""
    scorer, settings, _ = lender
    for file in refused(files)[:12]:
        cheapest = None
        for steps in product(range(settings.most_steps + 1), repeat=len(settings.actionable)):
            if not 1 <= sum(step > 0 for step in steps) <= settings.most_changed:
                continue
            case, cost, possible = dict(file.case), 0.0, True
            for (name, rule), step in zip(settings.actionable.items(), steps, strict=True):
                before = case.get(name)
                if step == 0:
                    continue
                field = next(field for field in scorer.manifest.fields if field.name == name)
                lowest = field.seen_minimum if rule.lowest is None else rule.lowest
                if before is None:
                    possible = False
                    continue
                after = before - rule.step * (abs(before) if rule.relative else 1) * step
                after = round(after, 2)
                possible &= after != before and after >= lowest
                for other in rule.along:
                    case[other] = case[other] * after / before if before else case[other]
                case[name], cost = after, cost + step * rule.cost
            if possible and (cheapest is None or cost < cheapest):
                (changed,) = build_case_files(scorer, [case], DecisionSettings())
                cheapest = cost if changed.decision == "approve" else cheapest
        assert (None if file.change is None else file.change.cost) == cheapest


def test_settings_that_name_no_number_of_the_model_are_refused(lender):
    scorer, _, requests = lender
    wrong = DecisionSettings.model_validate(
        {"actionable": {"edad_cliente": {"direction": "down", "step": 1}}}
    )
    with pytest.raises(ConfigurationError, match="edad_cliente"):
        build_case_files(scorer, requests[:1], wrong)
