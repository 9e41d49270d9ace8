"""From a package to a model on the shelf, after it gave the answer that it should."""

import math
from pathlib import Path
from typing import Final

import orjson

from clientela.exceptions import ModelFileError, NothingApproved
from clientela.inference.columns import columns_of
from clientela.inference.package import ServedModel, from_files
from clientela.inference.scorers import scorer_of
from clientela.serving.case_reader import CaseReader, Limits
from clientela.serving.refusals import Refusal
from clientela.serving.replies import Replies
from clientela.serving.shelf import ShelvedModel

TOLERANCE: Final = 1e-5
"""Between the answer to the example and the one that was written when the model was packaged."""


def shelved(served: ServedModel, limits: Limits, number: int | None, where: str) -> ShelvedModel:
    """A model that is ready to answer.

    Args:
        served: Of a package that was verified.
        limits: How much a request may hold.
        number: Of the entry in the registry.
        where: What to call the package in errors.

    Returns:
        The model, which answered its example as it should.

    Raises:
        ModelFileError: It does not.
    """
    manifest = served.manifest
    reader = CaseReader(manifest.fields, limits)
    model = ShelvedModel(scorer_of(served), reader, Replies(manifest), number)
    _require_example(model, where)
    return model


def unpacked_model(folder: Path, limits: Limits) -> ShelvedModel:
    """The model of a package that was unpacked into a folder, as SageMaker does.

    Args:
        folder: `/opt/ml/model`.
        limits: How much a request may hold.

    Returns:
        The model.

    Raises:
        NothingApproved: There is nothing in the folder.
        ModelFileError: The package is damaged, foreign, or does not answer its example.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise NothingApproved(
            f"Expected an unpacked package in {folder}; there are no files. Mount one there, or "
            "name the folder in CLIENTELA_API_MODEL."
        )
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return shelved(from_files(files, str(folder)), limits, None, str(folder))


def _require_example(model: ShelvedModel, where: str) -> None:
    example = model.manifest.example
    try:
        batch = model.reader.batch(orjson.dumps({"data": [example.case]}))
    except Refusal as err:
        problems = "; ".join(f"{problem.field}: {problem.problem}" for problem in err.problems)
        raise ModelFileError(
            f"The package {where} refuses the example in its own manifest ({problems}). Run the "
            "deployment stage again."
        ) from err
    answers = model.scorer.answers(columns_of(batch.cases, model.manifest.read))
    label = model.manifest.classes[int(answers.codes[0])]
    close = math.isclose(
        float(answers.expected[0]), example.expected, rel_tol=TOLERANCE, abs_tol=TOLERANCE
    )
    if label != example.label or not close:
        raise ModelFileError(
            f"The package {where} should answer its own example with {example.label} "
            f"({example.expected:g}); it answers {label} ({float(answers.expected[0]):g}). Was it "
            "made with other versions of the libraries? Run the deployment stage again."
        )
