import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from string import ascii_letters

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.registry.agreement import as_bytes, assert_same, imputed_names, split
from tests.registry.loans import CANDIDATES, EVERY_CANDIDATE, ONLY_LOANS, scores, served

from clientela.exceptions import ModelFileError
from clientela.features.columns import build_columns
from clientela.features.table_settings import feature_schema
from clientela.pipelines.deployment.case_inputs import select_model_fields
from clientela.registry.scorers import build_scorer

LOANS = [*CANDIDATES, *ONLY_LOANS]


@pytest.mark.parametrize(("name", "candidate"), EVERY_CANDIDATE)
def test_every_row_of_the_sample_is_answered_as_batch_scoring_does(
    use_case, learned, scorer, name, candidate
):
    asked, found = use_case(name), scorer(name, candidate)
    expected = scores(learned(name, candidate), asked.sample_features)
    answers = found.answers(build_columns(asked.requests, asked.fields))
    assert_same(answers, found.manifest, expected, "probabilidad")
    assert imputed_names(answers, found.manifest) == expected["imputadas"].tolist()


STRANGE_NUMBERS = [0.0, -0.0, -1.0, 17.9, 18.0, 100.0, 122.0, 700.0, 1e9, 2.2e10, 1e30, -1e30]
NUMBERS = (
    st.none()
    | st.sampled_from([*STRANGE_NUMBERS, np.nan, np.inf, -np.inf])
    | st.integers(-10, 10**7).map(float)
    # beyond these a ratio may be larger than scikit-learn's forests take
    | st.floats(1e-6, 1e30)
    | st.floats(-1e30, -1e-6)
)
BLANKS = [" ", "\t", ""]
WORDS = (
    st.none()
    | st.sampled_from(["Empleado", "empleado ", "EMPLEÁDO", "Independiente", "Pensionado", "OTRO"])
    | st.sampled_from(["Creciente", "ESTABLE", "decreciente", "-8500", "4", "4.0", "nunca visto"])
    | st.text(ascii_letters + "áÑß\x1c " + "".join(BLANKS), max_size=6)
)
ODD_DAYS = ["2025-02-30", "pronto", "", "2024-02-29", "1969-12-31T23:59:59.5", " 2025-3-9"]
DAYS = st.dates(date(1700, 1, 1), date(2200, 12, 31)).map(date.isoformat)
CLOCK = st.sampled_from(["", "T00:00:00", " 23:59", "T12:30:59.123456", "T05:00:00Z"])
MOMENTS = st.none() | st.sampled_from(ODD_DAYS) | st.builds(str.__add__, DAYS, CLOCK)


def requests_of(asked):
    """Requests with anything in any field; an integer is a word too."""
    kinds = {"number": NUMBERS, "word": WORDS, "moment": MOMENTS}
    fields = {each.name: kinds[each.kind] for each in asked.fields}
    one = st.fixed_dictionaries(fields)
    coded = st.fixed_dictionaries(fields | {"tipo_credito": st.none() | st.integers(-1, 12)})
    return st.lists(one, min_size=1, max_size=6) | st.lists(coded, min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_request_holds_is_answered_as_batch_scoring_does(
    use_case, learned, scorer, data
):
    asked = use_case("loans")
    requests = data.draw(requests_of(asked))
    features, columns = asked.features(requests), build_columns(requests, asked.fields)
    for candidate in LOANS:
        found, expected = scorer("loans", candidate), scores(learned("loans", candidate), features)
        answers = found.answers(columns)
        assert_same(answers, found.manifest, expected, "probabilidad")
        assert imputed_names(answers, found.manifest) == expected["imputadas"].tolist()


@pytest.mark.parametrize("candidate", LOANS)
@pytest.mark.parametrize("number", [1e308, -1e308, 5e-324])
def test_numbers_beyond_all_measure_get_an_answer(use_case, scorer, candidate, number):
    asked, found = use_case("loans"), scorer("loans", candidate)
    case = asked.requests[0]
    numbers = [each.name for each in asked.fields if each.kind == "number"]
    cases = [case | {name: number} for name in numbers] + [case | dict.fromkeys(numbers, number)]
    answers = found.answers(build_columns(cases, asked.fields))
    assert np.isfinite(answers.probabilities).all()
    assert np.isfinite(answers.expected).all()


@pytest.mark.parametrize(("name", "candidate"), EVERY_CANDIDATE)
def test_a_case_gets_the_same_bytes_in_any_company(use_case, scorer, name, candidate):
    asked, found = use_case(name), scorer(name, candidate)
    cases = asked.requests[:200]
    whole = as_bytes(found.answers(build_columns(cases, asked.fields)))
    for size in (1, 3, 64, 199):
        parts = [found.answers(build_columns(p, asked.fields)) for p in split(cases, size)]
        assert as_bytes(*parts) == whole
    mirrored = found.answers(build_columns(cases[::-1], asked.fields))
    assert mirrored.expected[::-1].tobytes() == whole[2]


@pytest.mark.parametrize("candidate", ["xgboost_ajustado", "puntos", "histogramas"])
def test_threads_do_not_disturb_each_other(use_case, scorer, candidate):
    asked, found = use_case("loans"), scorer("loans", candidate)
    parts = [build_columns(part, asked.fields) for part in split(asked.requests[:400], 20)]
    alone = [as_bytes(found.answers(part)) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        explained = [pool.submit(found.reasons, part, 2) for part in parts[:3]]
        together = list(pool.map(lambda part: as_bytes(found.answers(part)), parts * 5))
    assert together == alone * 5
    assert [each.result() for each in explained] == [found.reasons(p, 2) for p in parts[:3]]


@pytest.mark.parametrize("candidate", ["logistica_ajustada", "puntos", "xgboost", "histogramas"])
def test_reasons_are_those_of_batch_scoring(use_case, learned, scorer, candidate):
    asked, found = use_case("loans"), scorer("loans", candidate)
    features = asked.sample_features.head(40)
    expected = scores(learned("loans", candidate), features, 3).filter(like="razon")
    given_reasons = found.reasons(build_columns(asked.requests[:40], asked.fields), 3)
    assert given_reasons == [list(row.dropna()) for _, row in expected.iterrows()]


def test_no_reasons_are_given_that_nobody_asks_for(use_case, scorer):
    asked, found = use_case("loans"), scorer("loans", "xgboost")
    assert found.reasons(build_columns(asked.requests[:2], asked.fields), 0) == [[], []]


def test_no_cases_get_no_answers(use_case, scorer):
    for name, candidate in EVERY_CANDIDATE:
        if candidate in {"xgboost", "logistica", "puntos", "todos"}:
            answers = scorer(name, candidate).answers(build_columns([], use_case(name).fields))
            assert answers.probabilities.shape == (0, 2)
            assert answers.imputed.shape == (0, len(use_case(name).fields))


def flagged(answers, manifest, which):
    names = np.array([each.name for each in manifest.fields])
    return [set(names[flags]) for flags in getattr(answers, which)]


def test_what_the_model_never_learned_from_is_told(use_case, scorer):
    asked, found = use_case("loans"), scorer("loans", "xgboost_ajustado")
    ordinary = asked.requests[0]
    usual = flagged(
        found.answers(build_columns([ordinary], asked.fields)), found.manifest, "unseen"
    )
    changes = [
        {"capital_prestado": 1e12},  # beyond all loans
        {"tipo_laboral": "EMPLEADO "},  # known, in another spelling
        {"tipo_laboral": "Pensionado"},  # not believed, so imputed as well
        {"tipo_credito": 99},  # grouped, and no loan of the sample was in the group
        {"salario_cliente": None},  # a gap is no news
    ]
    cases = [ordinary | change for change in changes]
    answers = found.answers(build_columns(cases, asked.fields))
    news = [each - usual[0] for each in flagged(answers, found.manifest, "unseen")]
    assert news == [{"capital_prestado"}, set(), {"tipo_laboral"}, {"tipo_credito"}, set()]
    imputed = flagged(answers, found.manifest, "imputed")
    assert "tipo_laboral" in imputed[2]
    assert "salario_cliente" in imputed[4]


@pytest.mark.parametrize(("name", "candidate"), EVERY_CANDIDATE)
def test_the_fields_that_count_as_read_are_those_that_the_scorer_reads(
    use_case, learned, scorer, name, candidate
):
    asked, model = use_case(name), learned(name, candidate)
    fields = select_model_fields(
        asked.fields, model.features, feature_schema(asked.params)["sources"]
    )
    read = {field.name for field in fields if field.read}
    assert read == scorer(name, candidate).maker.inputs


def test_a_field_that_the_model_does_not_read_changes_nothing(use_case, learned):
    asked, model = use_case("loans"), learned("loans", "xgboost")
    fields = select_model_fields(
        asked.fields, model.features, feature_schema(asked.params)["sources"]
    )
    found = build_scorer(served(model, fields, asked.params))
    case = asked.requests[0]
    cases = [case | {"saldo_mora": value} for value in (None, 1e12)]
    answers = found.answers(build_columns(cases, found.manifest.read))
    without, beyond = answers.expected
    assert without == beyond
    place = [each.name for each in found.manifest.fields].index("saldo_mora")
    assert not answers.imputed[:, place].any()
    assert not answers.unseen[:, place].any()
    assert answers.imputed.shape == (2, len(asked.fields))


def test_a_manifest_that_lacks_a_field_of_the_model_is_refused(use_case, learned):
    asked = use_case("loans")
    fields = [each for each in asked.fields if each.name not in {"plazo_meses", "edad_cliente"}]
    with pytest.raises(ModelFileError, match="its manifest lacks edad_cliente, plazo_meses"):
        build_scorer(served(learned("loans", "puntos"), fields, asked.params))


def test_serving_loads_no_engine():
    code = (
        "import sys, clientela.registry.scorers, clientela.registry.package;"
        "training = {'ibis', 'duckdb', 'kedro', 'optuna', 'matplotlib', 'fairlearn', 'tqdm'};"
        "print(*(training & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
