import io
from functools import partial

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from clientela.aws.plan import apply_plan
from clientela.aws.training import (
    TrainingSpec,
    build_channels,
    build_training_plan,
    build_tuning_plan,
    convert_hyperparameters,
    format_channel_csv,
)
from clientela.exceptions import ConfigurationError
from clientela.models.training_data import FeatureSchema, split_stratified

# as the requirement lists them
REQUIRED = {
    "n_estimators": 300,
    "max_depth": 4,
    "learning_rate": 0.05,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "objective": "reg:squarederror",
}
SCHEMA = FeatureSchema(
    key="id_cliente",
    target="target_compra_tecnologia",
    required=("num_tx_total", "gasto_3m", "edad"),
    extra=("sin_historial",),
    classes=("sin_compra", "baja", "media", "alta"),
    values=(0, 1, 2, 4),
)


def learning(**changes):
    fields = {
        "use_case": "purchase_intensity",
        "params": REQUIRED,
        "seed": 42,
        "data": {
            "train": "s3://una-tienda/processed/model_input/a/train.csv",
            "validation": "s3://una-tienda/processed/model_input/a/validation.csv",
        },
    }
    return TrainingSpec(**(fields | changes))


@pytest.fixture(scope="module")
def part():
    draw = np.random.default_rng(5)
    size = 400
    frame = pd.DataFrame(
        {
            "id_cliente": [f"{i:05d}" for i in range(size)],
            "num_tx_total": draw.poisson(6, size).astype(float),
            "gasto_3m": draw.gamma(2.0, 100.0, size).round(2),
            "edad": draw.integers(18, 80, size).astype(float),
            "sin_historial": 0.0,
        }
    )
    pull = np.digitize(frame["num_tx_total"] + draw.normal(0, 1.5, size), [4, 7, 10])
    frame["target_compra_tecnologia"] = np.array(SCHEMA.classes)[pull]
    frame.loc[::17, "edad"] = np.nan
    return frame


def test_the_job_asks_for_what_the_requirement_lists(settings):
    (action,) = build_training_plan(learning(), settings, "us-east-1").validate().actions
    request = action.request
    assert request["HyperParameters"] == {
        "colsample_bytree": "0.8",
        "eta": "0.05",
        "eval_metric": "rmse",
        "max_depth": "4",
        "num_round": "300",
        "objective": "reg:squarederror",
        "seed": "42",
        "subsample": "0.8",
    }
    assert request["AlgorithmSpecification"]["TrainingImage"].startswith("683313688378.dkr.ecr")
    assert request["RoleArn"] == settings.execution_role
    assert request["OutputDataConfig"]["S3OutputPath"].startswith("s3://una-tienda/models/")
    assert {"Key": "managed-by", "Value": "clientela"} in request["Tags"]


def test_keys_and_network_go_into_the_job(settings):
    key = "arn:aws:kms:us-east-1:123456789012:key/0a1b"
    network = {"subnets": ("subnet-0a",), "security_groups": ("sg-0a",)}
    changed = type(settings).model_validate(
        settings.model_dump() | {"kms_key": key, "network": network}
    )
    plan = build_training_plan(learning(), changed, "us-east-1").validate()
    request = plan.actions[0].request
    assert request["OutputDataConfig"]["KmsKeyId"] == key
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == key
    assert request["VpcConfig"] == {"Subnets": ["subnet-0a"], "SecurityGroupIds": ["sg-0a"]}


def test_a_search_asks_for_the_ranges_of_the_other_requirement(settings):
    params = {"objective": "binary:logistic", "scale_pos_weight": 2.3, "max_depth": 6}
    plan = build_tuning_plan(
        learning(use_case="credit_preauth", params=params), settings, "sa-east-1", trials=10
    )
    request = plan.validate().actions[0].request
    config = request["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == "Bayesian"
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Maximize",
        "MetricName": "validation:auc",
    }
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 10
    ranges = [each for kind in config["ParameterRanges"].values() for each in kind]
    assert {each["Name"]: (each["MinValue"], each["MaxValue"]) for each in ranges} == {
        "max_depth": ("3", "10"),
        "eta": ("0.01", "0.3"),
        "subsample": ("0.6", "1"),
        "colsample_bytree": ("0.6", "1"),
        "min_child_weight": ("1", "10"),
    }
    fixed = request["TrainingJobDefinition"]["StaticHyperParameters"]
    assert fixed["scale_pos_weight"] == "2.3"
    assert set(fixed) & {each["Name"] for each in ranges} == set()


def test_a_weight_that_follows_from_rows_has_to_be_written_as_a_number(settings):
    params = {"scale_pos_weight": "balanced"}
    with pytest.raises(ConfigurationError, match="scale_pos_weight: balanced is a ratio of rows"):
        build_training_plan(learning(params=params), settings, "us-east-1")


def test_ordered_classes_are_searched_by_the_error_of_their_values(settings):
    request = build_tuning_plan(learning(), settings, "us-east-1", 10).validate().actions[0].request
    objective = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    assert objective == {"Type": "Minimize", "MetricName": "validation:rmse"}


@pytest.mark.parametrize("use_case", ["a", "purchase_intensity", "x" * 60])
def test_names_of_searches_are_as_short_as_aws_wants_them(settings, use_case):
    plan = build_tuning_plan(learning(use_case=use_case), settings, "us-east-1", 10).validate()
    name = plan.actions[0].request["HyperParameterTuningJobName"]
    assert name.startswith("clientela-")
    assert len(name) <= 32


@pytest.mark.parametrize("make", [build_training_plan, partial(build_tuning_plan, trials=4)])
def test_the_stand_in_takes_the_job_and_a_rerun_makes_no_second(settings, clients, gateway, make):
    plan = make(learning(), settings, "us-east-1")
    assert [done.kept for done in apply_plan(plan, clients)] == [False]
    assert [done.kept for done in apply_plan(plan, clients)] == [True]


def test_other_data_is_another_job(settings):
    def name(**changes):
        plan = build_training_plan(learning(**changes), settings, "us-east-1")
        return plan.actions[0].request["TrainingJobName"]

    other = {"train": "s3://una-tienda/b/train.csv"}
    assert name() == name()
    assert len({name(), name(data=other), name(seed=1)}) == 3


def test_parameters_that_the_container_lacks_are_refused():
    with pytest.raises(
        ConfigurationError, match=r"no parameter 'max_deph'\. Did you mean .*'max_depth'"
    ):
        convert_hyperparameters({"max_deph": 4}, 1)
    with pytest.raises(ConfigurationError, match="measures reg:squarederror and binary:logistic"):
        convert_hyperparameters({"objective": "rank:ndcg"}, 1)


def test_the_file_has_the_target_first_and_no_header_or_key(part):
    text = format_channel_csv(part.head(2), SCHEMA).decode()
    rows = part.head(2)
    values = dict(zip(SCHEMA.classes, SCHEMA.values, strict=True))
    expected = [
        [values[row.target_compra_tecnologia], row.num_tx_total, row.gasto_3m, row.edad]
        for row in rows.itertuples()
    ]
    found = [[float(cell or "nan") for cell in line.split(",")] for line in text.splitlines()]
    np.testing.assert_array_equal(found, expected)


def test_the_validation_part_is_drawn_from_the_training_part_alone(part):
    files = build_channels(part, SCHEMA, seed=42)
    sizes = {name: len(content.splitlines()) for name, content in files.items()}
    assert sizes == {"train": 320, "validation": 80}
    shuffled = part.sample(frac=1, random_state=3)
    assert build_channels(shuffled, SCHEMA, seed=42) == files


def test_words_are_refused(part):
    table = {
        "classes": ("se_queda", "devuelve"),
        "values": (0, 1),
        "sources": {},
        "inputs": (),
        "needed": (),
        "categorical": ("edad",),
    }
    words = FeatureSchema.model_validate(SCHEMA.model_dump(exclude={"tabular"}) | table)
    with pytest.raises(ConfigurationError, match="takes numbers only, and edad are words"):
        build_channels(part, words, seed=1)


def test_what_the_job_asks_for_is_the_model_that_is_trained_here(part):
    """The native library reads the files as the container does, and learns the same trees."""
    learn, watch = split_stratified(
        part, key=SCHEMA.key, target=SCHEMA.target, test_share=0.2, seed=42
    )
    files = build_channels(part, SCHEMA, seed=42)
    asked = dict(convert_hyperparameters(REQUIRED, 42))
    rounds = int(asked.pop("num_round"))
    table = pd.read_csv(io.BytesIO(files["train"]), header=None)
    data = xgb.DMatrix(table.iloc[:, 1:].to_numpy(), label=table[0].to_numpy())
    theirs = xgb.train(asked, data, num_boost_round=rounds)

    features = list(SCHEMA.required)
    ours = xgb.XGBRegressor(**REQUIRED, random_state=42)
    ours.fit(learn[features].to_numpy(), SCHEMA.value_array[SCHEMA.codes(learn)])
    rows = watch[features].to_numpy()
    np.testing.assert_allclose(theirs.predict(xgb.DMatrix(rows)), ours.predict(rows), atol=1e-5)
