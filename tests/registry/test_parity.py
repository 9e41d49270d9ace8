"""The same row gets the same answer from a run, the API, `clientela invoke` and `/invocations`."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.registry.loans import packaged, scores
from tests.serving.models import publish_bytes
from tests.serving.running import Running, running

from clientela.column_rules import CellFormat, IntakeRules
from clientela.features.case_table import case_features, model_input
from clientela.features.columns import InputField
from clientela.features.table_settings import TabularFeatureParams, feature_schema
from clientela.models.problem import create_problem
from clientela.models.settings import ScoringSettings, TrainingSettings
from clientela.models.stored_model import StoredModel
from clientela.pipelines.deployment import nodes
from clientela.pipelines.deployment.case_inputs import format_example
from clientela.pipelines.ingestion.validation import validate_rows
from clientela.pipelines.training.model_selection import fit_model, get_configured_candidate
from clientela.registry.manifest import build_class_example
from clientela.registry.scorers import build_scorer
from clientela.serving.client import ApiModel, predict_in_batches, read_applicants

Row = Mapping[str, str]
TARGET = {
    "column": "baja",
    "negative": {"label": "No", "name": "se_queda"},
    "positive": {"label": "Yes", "name": "se_va"},
}
KEYED = {"id": {"type": "id", "missing": "quarantine"}, "baja": {"type": "text"}}

# as exports of telephone companies are: a blank where nothing was charged yet
TELCO = {
    "rules": {
        "key": ["id"],
        "columns": {
            **KEYED,
            "tenure": {"type": "integer", "missing": "quarantine", "minimum": 0},
            "cargo [mensual] <= $": {"type": "float", "missing": "quarantine", "minimum": 0},
            "TotalCharges": {"type": "float", "minimum": 0},
            "SeniorCitizen": {"type": "integer", "invalid": "set_missing", "maximum": 1},
            "alta": {"type": "timestamp", "earliest": "2000-01-01"},
        },
    },
    "features": {
        "key": "id",
        "target": TARGET,
        "required": ["tenure", "cargo [mensual] <= $", "TotalCharges", "Contract"],
        "numeric": ["tenure", "cargo [mensual] <= $", "TotalCharges"],
        "categorical": ["SeniorCitizen", "Contract", 'gé.nero "ñ"'],
        "enrichment": {
            "dates": {"parts": {"alta": ["month", "hour"]}},
            "ratios": {"columns": {"meses": ["TotalCharges", "cargo [mensual] <= $"]}},
        },
    },
    "clean": {
        "tenure": ["0", "12", "72"],
        "cargo [mensual] <= $": ["20.25", "52.55", "118"],
        "TotalCharges": [" ", "1840.75", "108.15"],
        "SeniorCitizen": ["0", "1"],
        "alta": ["2024-03-01 10:15:00", "2023-11-30T23:00:00", "2022-05-05"],
        "Contract": ["Two year", "Month-to-month"],
        'gé.nero "ñ"': ["Female", "Male", ""],
    },
}
# as banks of Latin America write them: a point where nothing is known, 1.234,5 and 31/12/2024
HMEQ = {
    "rules": {
        "key": ["id"],
        "decimal": ",",
        "thousands": ".",
        "date_formats": ["%d/%m/%Y", "%d/%m/%Y %H:%M"],
        "missing_words": [".", "sin dato", "-999"],
        "columns": {
            **KEYED,
            "LOAN": {"type": "float", "missing": "quarantine", "minimum": 100},
            "VALUE": {"type": "decimal"},
            "DEROG": {"type": "integer", "invalid": "set_missing", "minimum": 0, "maximum": 20},
            "REASON": {"type": "text", "allowed": ["HomeImp", "DebtCon", "Otró"]},
            "zona": {"type": "integer"},
            "apertura": {"type": "date", "latest": "2030-12-31"},
        },
    },
    "features": {
        "key": "id",
        "target": TARGET,
        "required": ["LOAN"],
        "numeric": ["LOAN", "VALUE", "DEROG"],
        "categorical": ["REASON", "JOB", "zona"],
        "cleaning": {"words": {"JOB": {"missing": "ninguno"}}},
        "enrichment": {"dates": {"parts": {"apertura": ["month", "weekday"]}}},
    },
    "clean": {
        "LOAN": ["1.100", "25000", "2000,5"],
        "VALUE": [".", "39.025,10", "68400"],
        "DEROG": ["0", "3", "."],
        "REASON": ["HomeImp", "DEBTCON", "otro", ""],
        "JOB": ["Other", "Office", ""],
        "zona": ["1", "02", "3"],
        "apertura": ["31/12/2024", "1/3/2023 10:15", "."],
    },
}
DIRT = [
    *("", "  ", ".", "NA", "nan", "null", "sin dato", "SIN DATO", "-999", "-999.0", "1.234,5"),
    *("1,234.5", "1.234", "12,5", " 12.5 ", "5.", ".5", "5,", "-3", "+7", "007", "12.0", "12.00"),
    *("12.345", "1e5", "1e400", "9" * 20, "treinta", "Ñandú", "Two  year", "two year", "OTRO"),
    *("31/12/2024", "30/02/2024", "2024-12-31", "2024-02-30", "31/12/2024 10:15", "1/1/2031"),
    *("2024-12-31 10:15:00.123456", "2024-12-31T10:15:00", "1999-12-31", "true", "1_000"),
    *("\uff11\uff12", "\u00a0", "x\u00a0", " Male", "Otro\u0301"),
]


@dataclass
class FourWays:
    """A model of a table, and the four ways to ask it; each gives one answer per row.

    An answer is class, probability and imputed columns, or the reasons why there is none.
    """

    rules: IntakeRules
    params: TabularFeatureParams
    model: StoredModel
    server: Running
    folder: Path

    def run(self, rows: Sequence[Row]) -> list[Any]:
        checked = ingest(rows, self.rules)
        reasons = dict(zip(checked["id"].to_pylist(), checked["_reason"].to_pylist(), strict=True))
        accepted = checked.filter(checked["_reason"].is_null())
        scored = scores(self.model, case_features(accepted, self.params)).set_index("id")
        return [
            {reasons[row["id"]]} if reasons[row["id"]] else answer_of_run(scored.loc[row["id"]])
            for row in rows
        ]

    def api(self, rows: Sequence[Row], *, numbers: bool = False) -> list[Any]:
        return [self._post(json.dumps({"data": [self._case(row, numbers)]}), row) for row in rows]

    def invocations(self, rows: Sequence[Row]) -> list[Any]:
        return [self._post(to_csv([self._case(row)]), row, csv=True) for row in rows]

    def invoke(self, rows: Sequence[Row]) -> list[Any]:
        path = self.folder / "asked.csv"
        path.write_text(to_csv(rows), "utf-8")
        with closing(ApiModel(self.server.url, "prueba", None)) as model:
            return self._invoke(model, path)

    def _invoke(self, model: ApiModel, path: Path) -> list[Any]:
        about = model.fetch_description()
        fields = [InputField.model_validate(field) for field in about["fields"]]
        form = CellFormat.model_validate(about["text"])
        applicants = read_applicants(str(path), fields, "id", ",", form).rows
        sent = [applicant.case for applicant in applicants if not applicant.problem]
        outcomes = predict_in_batches(model, sent, 500)
        return [
            None if applicant.problem else answer_of_api(next(outcomes).prediction)
            for applicant in applicants
        ]

    def _case(self, row: Row, numbers: bool = False) -> dict[str, Any]:
        """What the model asks for; text that is a plain number as a number of JSON."""
        case: dict[str, Any] = {name: row[name] for name in self.params.inputs}
        if numbers:
            plain = {name: text for name, text in case.items() if is_plain_number(text)}
            case |= {name: json.loads(text) for name, text in plain.items()}
        return case

    def _post(self, content: str, row: Row, *, csv: bool = False) -> Any:
        place = "/invocations" if csv else "/models/prueba/predict"
        headers = {"content-type": "text/csv" if csv else "application/json"}
        headers["accept"] = "application/json"
        reply = self.server.client.post(place, content=content.encode(), headers=headers)
        if reply.status_code == 422:
            return {problem["reason"] for problem in reply.json()["error"]["problems"]}
        assert reply.status_code == 200, (row, reply.text)
        return answer_of_api(reply.json()["predictions"][0])


def answer_of_run(scored: "pd.Series[Any]") -> Any:
    imputed = set(scored["imputadas"].split(", ")) - {""}
    return scored["clase"], pytest.approx(scored["probabilidad"], abs=1e-9), imputed


def answer_of_api(prediction: Any) -> Any:
    return prediction["clase"], prediction["probabilidad"], set(prediction["imputed"])


def is_plain_number(text: str) -> bool:
    return text.strip().isdecimal() and text.isascii() and str(int(text)) == text.strip()


def to_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def ingest(rows: Sequence[Row], rules: IntakeRules) -> Any:
    place = {"_file": "a.csv", "_raw": "", "_problem": None}
    raw = pd.DataFrame([{**row, **place, "_line": n} for n, row in enumerate(rows)])
    types = {name: "int64" if name == "_line" else "string" for name in raw}
    (table,) = rules.tables.values()
    return validate_rows(ibis.memtable(raw, schema=types), table, "tabla").to_pyarrow()


def sample_rows(clean: Mapping[str, Sequence[str]], rows: int = 200) -> list[Row]:
    rng = np.random.default_rng(5)
    drawn = {name: rng.choice(texts, rows) for name, texts in clean.items()}
    frame = pd.DataFrame(drawn).assign(id=[f"C{n:03}" for n in range(rows)])
    first = next(iter(clean))
    odds = (frame[first] == clean[first][0]) * 2.0 - 1
    frame["baja"] = np.where(rng.random(rows) < 1 / (1 + np.exp(-odds)), "Yes", "No")
    return frame.to_dict("records")


CANDIDATES = {
    "todos": {"kind": "majority", "role": "rule", "decisions": ["half"]},
    "xgboost": {
        "kind": "xgboost_classifier",
        "role": "required",
        "decisions": ["half"],
        "params": {"n_estimators": 8, "max_depth": 3},
    },
}


@pytest.fixture(scope="module", params=[TELCO, HMEQ], ids=["telco", "hmeq"])
def ways(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FourWays]:
    """A small model learned from rows as ingestion reads them, and served."""
    folder = tmp_path_factory.mktemp("parity")
    rules = IntakeRules.model_validate({"tables": {"tabla": request.param["rules"]}})
    params = TabularFeatureParams.model_validate(request.param["features"])
    table = ingest(sample_rows(request.param["clean"]), rules)
    learned = model_input(table, params)
    few = {"primary_metric": "roc_auc", "folds": 2, "inner_folds": 2, "workers": 1}
    options = TrainingSettings.model_validate({**few, "candidates": CANDIDATES})
    problem = create_problem("binary", feature_schema(params), options)
    model = fit_model(learned, get_configured_candidate("xgboost", problem), problem)
    hours = nodes.compute_case_hours(ibis.memtable(table), params)["hours"].to_pandas()
    account = nodes.describe_case_inputs(
        learned, {"hours": hours}, params, rules, ScoringSettings()
    )
    fields = [InputField.model_validate(field) for field in account["fields"]]
    form = next(iter(rules.tables.values())).cell_format
    case = format_example(account["example"], fields, form)
    example = build_class_example(model, case, nodes.compute_example_features(account, params))
    changes = {"text": form, "example": example, "score_name": "probabilidad"}
    content, manifest = packaged(model, fields, params, **changes)
    publish_bytes(folder / "served", content, manifest)
    with pytest.MonkeyPatch.context() as patch:
        # tests of the server have it answer by a formula
        patch.setattr("clientela.serving.model_store.build_scorer", build_scorer)
        with running(served=str(folder / "served"), use_case="prueba") as server:
            yield FourWays(rules, params, model, server, folder)


def draw_rows(clean: Mapping[str, Sequence[str]]) -> st.SearchStrategy[list[dict[str, str]]]:
    """Clean rows and dirty ones, half of each; a dirty one has some cells of another form."""
    junk = st.sampled_from(DIRT) | st.text("0129.,-+eE/: TáÑx", max_size=9)
    row = st.fixed_dictionaries({name: st.sampled_from(texts) for name, texts in clean.items()})
    dirt = st.dictionaries(st.sampled_from([*clean]), junk, min_size=1, max_size=3)
    return st.lists(row | st.builds(dict.__or__, row, dirt), min_size=20, max_size=30)


def test_columns_of_any_name_stand_in_the_description(ways: FourWays):
    document = ways.server.client.get("/openapi.json").json()
    case = document["components"]["schemas"]["prueba_case"]["properties"]
    assert set(ways.params.inputs) < set(case)
    assert ways.server.client.get("/docs").status_code == 200


@settings(max_examples=8, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_row_gets_the_same_answer_four_ways(ways: FourWays, data: st.DataObject):
    clean = TELCO["clean"] if "tenure" in ways.params.inputs else HMEQ["clean"]
    drawn = data.draw(draw_rows(clean))
    rows = [{"id": f"N{n:02}", **row, "baja": ""} for n, row in enumerate(drawn)]
    expected = ways.run(rows)
    for answers in (ways.api(rows), ways.api(rows, numbers=True), ways.invocations(rows)):
        for row, truth, answer in zip(rows, expected, answers, strict=True):
            if isinstance(truth, set):  # a run stops at the first reason, the API lists all
                assert isinstance(answer, set), (row, truth)
                assert truth <= answer, row
            else:
                assert answer == truth, row
    for row, truth, answer in zip(rows, expected, ways.invoke(rows), strict=True):
        assert answer == (None if isinstance(truth, set) else truth), row
