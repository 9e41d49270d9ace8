"""The analyst's desk: `streamlit run src/clientela/dashboard/desk.py -- --env=local`.

It shows one application at a time, with personal data, so it is an app of its own: the dashboard
shows aggregated figures only.
"""

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from clientela.cli.decisions import load_served_scorer, open_register, read_accepted_cases
from clientela.cli.environment import Environment
from clientela.dashboard.components import select_language
from clientela.dashboard.data import Options, parse_options
from clientela.dashboard.texts import Language
from clientela.decisions.case_file import CaseFile, DecisionSettings, build_case_files
from clientela.decisions.letters import write_letter
from clientela.decisions.register import DecisionRegister, HumanDecision
from clientela.exceptions import ClientelaError
from clientela.features.columns import NUMBERS, InputField
from clientela.models.metrics import compute_wilson_intervals
from clientela.models.scoring import CHAMPION
from clientela.registry.scorers import CompiledScorer
from clientela.serving.case_reader import CaseReader
from clientela.serving.client import LIMITS
from clientela.storage import compute_sha256

# Distance of the probability within which tested cases count as similar, and how many are enough.
SIMILAR = 0.05
ENOUGH = 30


def main() -> None:
    """Draws the desk."""
    st.set_page_config(page_title="Clientela", layout="wide")
    language = select_language()
    st.title(language.text("desk_title"), anchor=False)
    try:
        options = parse_options(sys.argv[1:])
        names = _list_use_cases(options)
        if not names:
            st.info(language.text("desk_none"))
            return
        use_case = st.sidebar.radio(language.text("model"), names)
        _show_desk(Desk(options, use_case, language))
    except ClientelaError as err:
        st.error(str(err))


class Desk:
    """What one use case needs: its package, settings and register."""

    def __init__(self, options: Options, use_case: str, language: Language) -> None:
        self.options, self.use_case, self.language = options, use_case, language
        self.scorer, self.settings, self.register = _open_use_case(options, use_case)

    @property
    def cases(self) -> Mapping[str, dict[str, Any]]:
        """The applications that ingestion accepted, by their key (PII)."""
        return _read_cases(self.options, self.use_case)


def _open_environment(options: Options) -> Environment:
    return Environment.named(options.env, options.conf_source)


@st.cache_data(show_spinner=False)
def _list_use_cases(options: Options) -> list[str]:
    environment = _open_environment(options)
    served = environment.served.served()
    return [name for name in served if "decisions" in environment.parameters.get(name, {})]


@st.cache_resource(show_spinner="…", ttl=300)
def _open_use_case(
    options: Options, use_case: str
) -> tuple[CompiledScorer, DecisionSettings, DecisionRegister]:
    environment = _open_environment(options)
    settings = environment.settings(use_case, "decisions", DecisionSettings)
    return load_served_scorer(environment, use_case), settings, open_register(environment)


@st.cache_resource(show_spinner="…", ttl=300)
def _read_cases(options: Options, use_case: str) -> dict[str, dict[str, Any]]:
    scorer, *_ = _open_use_case(options, use_case)
    return dict(read_accepted_cases(_open_environment(options), use_case, scorer))


@st.cache_resource(show_spinner="…", ttl=300)
def _read_tested(options: Options, use_case: str) -> pd.DataFrame:
    environment = _open_environment(options)
    (tested,) = environment.load_datasets([f"{use_case}.test_predictions"], f"--tags={use_case}")
    return pd.DataFrame(tested[tested["model"] == CHAMPION])


def _show_desk(desk: Desk) -> None:
    text = desk.language.text
    known, new = st.tabs([text("desk_find"), text("desk_new")])
    with known:
        key = st.text_input(text("desk_key"), key=f"find-{desk.use_case}").strip()
        if key and key in desk.cases:
            _show_case(desk, key, desk.cases[key], "find")
        elif key:
            st.warning(text("desk_unknown"))
    with new:
        _show_form(desk)


def _show_form(desk: Desk) -> None:
    """An application that is entered by hand, read as the API reads a row of a CSV."""
    text, fields = desk.language.text, desk.scorer.manifest.fields
    with st.form(f"new-{desk.use_case}"):
        key = st.text_input(text("desk_key"), key=f"new-key-{desk.use_case}").strip()
        columns = st.columns(3)
        shown = [field for field in fields if field.read or field.required]
        entered = {
            field.name: _show_field(field, columns[place % 3], desk)
            for place, field in enumerate(shown)
        }
        sent = st.form_submit_button(text("desk_assess"), type="primary")
    state = f"case-{desk.use_case}"
    if sent:
        reader = CaseReader(fields, LIMITS, form=desk.scorer.manifest.text)
        (case,), problems = reader.read_texts([{n: w for n, w in entered.items() if w}])
        st.session_state[state] = None if problems or not key else (key, case)
        for problem in problems:
            st.error(f"{problem.field}: {problem.problem}")
        if not key:
            st.error(text("desk_needs_key"))
    if st.session_state.get(state):
        key, case = st.session_state[state]
        _show_case(desk, key, case, "new")


def _show_field(field: InputField, column: Any, desk: Desk) -> str:
    label, name = field.description or field.name, f"{desk.use_case}-{field.name}"
    if field.kind not in NUMBERS and field.words:
        return str(column.selectbox(label, ["", *field.words], key=name))
    return str(column.text_input(label, key=name))


def _show_case(desk: Desk, key: str, case: dict[str, Any], place: str) -> None:
    (file,) = build_case_files(desk.scorer, [case], desk.settings)
    language, manifest = desk.language, desk.scorer.manifest
    text, numbers = language.text, language.numbers
    labels = {field.name: field.description or field.name for field in manifest.fields}
    first, second, third = st.columns(3)
    first.metric(text("desk_model_says"), text(f"desk_{file.decision}"), border=True)
    score = text("desk_score", name=manifest.classes[1])
    second.metric(score, numbers.percent(file.score), border=True)
    third.metric(text("desk_threshold"), numbers.percent(file.threshold), border=True)
    why, what = st.columns(2)
    with why:
        st.subheader(text("desk_reasons"), anchor=False)
        for reason in file.reasons:
            shown = numbers.word(reason.value, text("desk_no_value"))
            label = manifest.labels.get(reason.feature, labels.get(reason.feature, reason.feature))
            st.markdown(f"- {reason.sentences[language.code]} ({label} = {shown})")
        if file.decision == "refer":
            st.warning(text("desk_must_refer"))
        if file.unseen:
            st.warning(text("desk_unseen", fields=", ".join(labels[name] for name in file.unseen)))
        if file.imputed:
            st.info(text("desk_imputed", fields=", ".join(labels[name] for name in file.imputed)))
    with what:
        st.subheader(text("desk_change"), anchor=False)
        if file.change is not None:
            for name, (before, after) in file.change.columns.items():
                pair = {"before": numbers.readable(before), "after": numbers.readable(after)}
                st.markdown(f"- {text('desk_changed', label=labels[name], **pair)}")
        elif file.decision == "refuse":
            st.markdown(text("desk_no_change"))
        st.subheader(text("desk_similar"), anchor=False)
        st.markdown(_describe_similar(desk, file))
    _show_decision(desk, key, file, place)


def _describe_similar(desk: Desk, file: CaseFile) -> str:
    """What became of tested cases with a similar score, in numbers; too few say nothing."""
    tested = _read_tested(desk.options, desk.use_case)
    near = tested[(tested["expected"] - file.score).abs() <= SIMILAR]
    if len(near) < ENOUGH:
        return desk.language.text("desk_few", rows=len(near))
    hits = np.array([float(near["true"].sum())])
    lower, upper = compute_wilson_intervals(hits, np.array([float(len(near))]))
    percent = desk.language.numbers.percent
    return desk.language.text(
        "desk_near",
        rows=len(near),
        share=percent(hits[0] / len(near)),
        lower=percent(lower[0]),
        upper=percent(upper[0]),
        name=desk.scorer.manifest.classes[1],
    )


def _show_decision(desk: Desk, key: str, file: CaseFile, place: str) -> None:
    """What the analyst decides, and its record."""
    text, settings = desk.language.text, desk.settings
    with st.form(f"decide-{place}-{desk.use_case}-{key}"):
        decision = st.radio(
            text("desk_decision"),
            ["approve", "refer", "refuse"],
            index=None,
            horizontal=True,
            format_func=lambda each: text(f"desk_{each}"),
        )
        override = st.selectbox(
            text("desk_override"),
            [None, *settings.override_reasons],
            format_func=lambda code: "—" if code is None else settings.override_reasons[code],
        )
        one, other = st.columns(2)
        analyst = one.text_input(text("desk_analyst")).strip()
        second = other.text_input(text("desk_second")).strip()
        if not st.form_submit_button(text("desk_record"), type="primary"):
            return
    if decision is None or not analyst:
        st.error(text("desk_choose" if decision is None else "desk_sign"))
        return
    human = HumanDecision(
        decision=decision, analyst=analyst, second=second or None, override=override
    )
    if problem := human.find_problem(file, settings):
        st.error(text(f"desk_needs_{problem}"))
        return
    manifest, letter, digest = desk.scorer.manifest, None, None
    if decision == file.decision == "refuse":
        letter = write_letter(file, key, manifest, settings, datetime.now().astimezone().date())
        digest = compute_sha256(letter.html().encode())
    record = desk.register.describe(manifest, key, file, digest, human)
    number = desk.register.append([record])
    st.success(text("desk_recorded", number=number))
    if letter is not None:
        st.download_button(text("desk_letter"), letter.docx(), "letter.docx")


main()
