import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError
from tests.features.cases import CONFIGURED, PARAMS

from clientela.features.table_settings import ClassLabel, TabularFeatureParams


def changed(path: str, value: Any) -> dict[str, Any]:
    """The configuration with one field, at a dotted path, replaced."""
    config = copy.deepcopy(CONFIGURED)
    *parents, last = path.split(".")
    place = config
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("numerics", ["edad"], "Extra inputs are not permitted"),
        ("numeric", ["edad", "salario", "cuota", "saldo", "tipo"], "'tipo' is given 2 meanings"),
        ("numeric", ["edad", "salario", "cuota", "saldo", "fecha"], "fecha: a date, and a number"),
        ("key", "pago", "'pago' is given 2 meanings"),
        ("key", "p_paga", "archivo_p_paga"),
        ("sensitive", ["clase"], "archivo_clase"),
        ("time", "id_credito", "can't be the key or the target"),
        ("required", ["fecha"], "required must name at least one"),
        ("required", ["edadd"], "Did you mean 'ciudad' or 'edad'"),
        ("excluded", {"puntaje": "  "}, "at least 1 character"),
        ("ordinal.tendencia", ["Estable", "ESTABLE"], "levels that can't be told apart"),
        ("cleaning.numbers.eda", {"minimum": 1}, "cleaning.numbers: 'eda' is not known"),
        ("cleaning.numbers.edad", {}, "a minimum, a maximum, or both"),
        ("cleaning.numbers.edad", {"minimum": 5, "maximum": 5}, "must be below"),
        ("cleaning.words.ciudad", {"allowed": ["Cali", "CALI"]}, "can't be told apart: cali"),
        ("cleaning.words.tendencia", {"other": "group"}, "leave allowed and other away"),
        ("cleaning.words.ciudad", {"missing": "Ninguna"}, "beside 'ninguna'; write it that way"),
        ("cleaning.words.tendencia", {"missing": "Estabel"}, "Did you mean 'Estable'"),
        ("cleaning.words.tendencia", {"missing": "Estable"}, "remove one of the two"),
        ("enrichment.ratios.columns", {"carga": ["puntaje", "salario"]}, "'puntaje' is not known"),
        ("enrichment.sums.columns", {"deuda": ["saldo"]}, "at least 2 items"),
        ("enrichment.sums.columns", {"deuda": ["carga", "cuota"]}, "'carga' is not known there"),
        ("enrichment.logs.columns", ["tipo"], "'tipo' is not known there"),
        ("enrichment.bands.columns.edades", {"column": "edad", "edges": [40, 25]}, "must increase"),
        ("enrichment.missing_flags.columns", ["deuda"], "'deuda' is not known there"),
        ("enrichment.ratios.columns", {"deuda": ["cuota", "salario"]}, "'deuda' is given 2"),
        ("enrichment.dates.parts", {"fecha": ["year"]}, "'month', 'weekday' or 'hour'"),
        ("maturity", {"date_column": "fecha"}, "either months, or term_column"),
        ("target.negative", {"label": "1", "name": "otra"}, "labels and names of their own"),
    ],
)
def test_a_contradiction_in_the_configuration_is_named(
    path: str, value: Any, complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TabularFeatureParams.model_validate(changed(path, value))


@pytest.mark.parametrize("block", ["categorical", "ordinal", "excluded", "sensitive", "enrichment"])
def test_an_emptied_block_is_as_good_as_none(block: str) -> None:
    bare = {"key": "id", "target": CONFIGURED["target"], "numeric": ["edad"]}
    params = TabularFeatureParams.model_validate(bare | {block: None})
    assert params == TabularFeatureParams.model_validate(bare)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("numeric", "edad", r"numeric\n.*valid tuple"),
        ("numeric", [["edad"]], r"numeric.0\n.*valid string"),
        ("ordinal", ["tendencia"], r"ordinal\n.*valid dictionary"),
        ("excluded", ["puntaje"], r"excluded\n.*valid dictionary"),
        ("key", None, r"key\n.*required"),
    ],
)
def test_a_block_of_another_type_is_named(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        TabularFeatureParams.model_validate(changed(path, value))


def test_an_excluded_column_is_no_feature_until_its_line_is_removed() -> None:
    config = changed("numeric", ["edad", "salario", "cuota", "saldo", "puntaje"])
    assert TabularFeatureParams.model_validate(config) == PARAMS
    config["excluded"] = None  # what YAML reads where the only line was removed
    assert "puntaje" in TabularFeatureParams.model_validate(config).numeric


def test_an_excluded_date_makes_no_features() -> None:
    config = changed("excluded", {"fecha": "tells when the campaign ran"})
    with pytest.raises(ValidationError, match="excluded columns: fecha"):
        TabularFeatureParams.model_validate(config)


def test_a_table_without_features_is_refused() -> None:
    bare = {name: CONFIGURED[name] for name in ("key", "target")}
    with pytest.raises(ValidationError, match="at least one column must be numeric"):
        TabularFeatureParams.model_validate(bare)


def test_an_unquoted_yes_in_yaml_is_explained() -> None:
    with pytest.raises(ValidationError, match="YAML reads yes as true"):
        ClassLabel.model_validate({"label": True, "name": "fuga"})


@pytest.mark.parametrize(("label", "word"), [(1, "1"), (" Sí ", "si"), ("Yes", "yes")])
def test_a_label_is_compared_as_folded_text(label: Any, word: str) -> None:
    assert ClassLabel.model_validate({"label": label, "name": "x"}).word == word


def test_without_a_list_every_input_is_needed() -> None:
    assert TabularFeatureParams.model_validate(CONFIGURED | {"required": []}).needed == [
        *("edad", "salario", "cuota", "saldo", "tipo", "ciudad", "tendencia", "fecha", "alta")
    ]
    assert PARAMS.needed == ["edad", "salario", "cuota", "tipo"]


def test_parameters_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PARAMS.key = "otra"  # type: ignore[misc]


@pytest.mark.parametrize("use_case", ["credit_payment", "credit_preauth", "customer_churn"])
def test_no_shipped_model_learns_when_it_was_asked(project_root: Path, use_case: str) -> None:
    text = (project_root / f"conf/base/parameters/{use_case}.yml").read_text("utf-8")
    settings = OmegaConf.to_container(OmegaConf.create(text))[use_case]["features"]
    params = TabularFeatureParams.model_validate(settings)
    assert params.time not in params.dates_of_features
