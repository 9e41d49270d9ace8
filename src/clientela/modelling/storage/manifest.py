"""The account of a trained model: what it answers, from what, and how it was made."""

from typing import Any

import pandas as pd

from clientela.modelling.problem import Contender, Problem
from clientela.modelling.storage.stored_model import frame_sha256, library_versions


def model_manifest(train: pd.DataFrame, contender: Contender, problem: Problem) -> dict[str, Any]:
    """What a model is; the same for the same data, settings and libraries.

    Args:
        train: The rows it was fitted on.
        contender: Which candidate, with which parameters, features and decision rule.
        problem: What it learned.

    Returns:
        JSON-ready mapping.
    """
    schema, settings = problem.schema, problem.settings
    candidate = settings.candidates[contender.candidate]
    tabular = schema.tabular
    described = {} if tabular is None else {"tabular": tabular.model_dump(mode="json")}
    return described | {
        "candidate": contender.candidate,
        "kind": candidate.kind,
        "role": candidate.role,
        "task": problem.task.name,
        "problem_type": problem.task.problem_type,
        "key": schema.key,
        "target": schema.target,
        "features": schema.features(contender.features),
        "classes": list(schema.classes),
        "values": list(schema.values),
        "decision": contender.decision,
        "params": dict(contender.params),
        "primary_metric": settings.primary_metric,
        "seed": settings.seed,
        "training_rows": len(train),
        "training_data_sha256": frame_sha256(train),
        "versions": library_versions(),
    }
