"""The package of a served model, and the store that says which package is served."""

import gzip
import hashlib
import hmac
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from fsspec.core import url_to_fs
from pydantic import Field, PositiveInt, ValidationError
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from xgboost import XGBModel

from clientela.exceptions import ConfigurationError, ModelFileError
from clientela.features.preprocessing import LOGGED, NOMINAL, output_columns
from clientela.models.binary_decision import BinaryDecisionClassifier
from clientela.models.ordinal_estimators import OrdinalRegressor
from clientela.models.stored_model import StoredModel, decode_model, encode_estimator
from clientela.registry.manifest import FORMAT, Role, ServedManifest
from clientela.registry.model_registry import Submission, describe_model
from clientela.settings_base import FrozenSettings
from clientela.storage import (
    compute_sha256,
    ensure_file,
    read_and_verify,
    read_file_if_present,
    write_file_atomically,
)

# Packages: a model as one `model.tar.gz`, its bytes a function of its content alone.
#
# For our own image:
#
#     manifest.json    the account of the model, with the SHA-256 of every other file
#     model.skops      the fitted estimator; skops runs no code of the file when it is loaded
#
# A package is verified before anything in it is loaded: its own SHA-256 where one is known, the
# list of its files, and the SHA-256 of each. For the prebuilt XGBoost container and other machines:
# the native model, and what its columns and its score mean.


def make_archive(files: Mapping[str, bytes]) -> bytes:
    """A `.tar.gz` archive, the same for the same files: sorted, without dates, owners or name."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(files[name]), 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()


def extract_archive(content: bytes, largest: int | None = None) -> dict[str, bytes]:
    """The files of an archive, read in memory.

    Args:
        largest: Bytes that its files may have together, and then nothing but files may be in it;
            None: any number of anything.

    Raises:
        tarfile.TarError: It is no archive, or holds something else or more than that.
    """
    files: dict[str, bytes] = {}
    if largest is not None:
        _require_plain_files(content, largest)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                files[entry.name] = file.read()
    return files


def _require_plain_files(content: bytes, largest: int) -> None:
    """Refuse an archive by its headers, before tarfile parses them or a file is unpacked.

    A small one with an extended header could hang a server, or fill its memory.
    """
    left = largest
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
        while (header := unpacked.read(tarfile.BLOCKSIZE)).strip(b"\0"):
            entry = tarfile.TarInfo.frombuf(header, tarfile.ENCODING, "surrogateescape")
            if entry.type not in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}:
                raise tarfile.ReadError("it holds something else than files")
            left -= entry.size
            if entry.size < 0 or left < 0:
                raise tarfile.ReadError(f"its files are larger than {largest} bytes")
            blocks = -(-entry.size // tarfile.BLOCKSIZE)
            unpacked.seek(blocks * tarfile.BLOCKSIZE, io.SEEK_CUR)


def describe_matrix_columns(fitted: ColumnTransformer) -> list[dict[str, Any]]:
    """One entry per column of the matrix, in its order: how it comes from one feature.

    Returns:
        `column` and `feature`; `from`: `number`, `log` (log(1 + x), negative ones counting as 0),
        `word` (1 where the word is `is`, else 0), `level` (its place in `levels`) or `missing` (1
        where there is no value, else 0); `imputed`: what a missing value, or an unknown level,
        counts as, before the logarithm for none and after it for `log`; `centre` and `scale`: the
        column less the one, divided by the other.
    """
    origins = output_columns(fitted).to_dict("records")
    steps = (
        step
        for name, transformer, columns in fitted.transformers_
        if name != "remainder" and len(columns)
        for step in _describe_steps(name, transformer)
    )
    return [
        {"column": origin["output"], "feature": origin["feature"], **step}
        for origin, step in zip(origins, steps, strict=True)
    ]


def _describe_steps(name: str, fitted: Pipeline) -> Iterator[dict[str, Any]]:
    imputer = fitted.named_steps["impute"]
    if name == NOMINAL:
        categories = fitted.named_steps["encode"].categories_
        for usual, words in zip(imputer.statistics_, categories, strict=True):
            yield from ({"from": "word", "is": str(word), "imputed": str(usual)} for word in words)
        return
    levels = fitted.named_steps["encode"].categories_ if "encode" in fitted.named_steps else None
    steps = []
    for place, value in enumerate(imputer.statistics_):
        step: dict[str, Any] = {"from": "log" if name == LOGGED else "number"}
        if levels is not None:
            step = {"from": "level", "levels": [str(level) for level in levels[place]]}
        steps.append({**step, "imputed": float(value)})
    if imputer.add_indicator:
        steps += [{"from": "missing"} for _ in imputer.indicator_.features_]
    yield from _add_scaling(fitted, steps)


def _add_scaling(fitted: Pipeline, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps with what scaling does to each; it reads indicators too."""
    scaler = fitted.named_steps.get("scale")
    if scaler is None:
        yield from steps
        return
    centres = scaler.mean_ if hasattr(scaler, "mean_") else scaler.center_
    for step, centre, scale in zip(steps, centres, np.asarray(scaler.scale_), strict=True):
        yield {**step, "centre": float(centre), "scale": float(scale)}


# The only file at the top of `model.tar.gz`: with any other one there, the prebuilt XGBoost
# container refuses to start.
NATIVE_MODEL = "xgboost-model"

# Steps of a pipeline behind a binary model.
PREPROCESS, MODEL = "preprocess", "model"


def is_native_xgboost(model: StoredModel) -> bool:
    """Whether one booster makes the score of a model, so that it can be given away natively.

    That is a regressor of ordinal classes, or a classifier behind the preprocessing of a table.
    """
    return _get_xgboost_model(model.estimator) is not None


def build_archive_files(model: StoredModel) -> dict[str, bytes]:
    """What `model.tar.gz` holds: the native model on top, its meaning in `code/`.

    Returns:
        Path to content: `xgboost-model`; in `code/` `manifest.json`, `features.json` (the columns
        of the matrix that the booster reads, in their order), `thresholds.json` (from its score to
        a class), and behind preprocessing `preprocessing.json` (from features to the matrix; see
        `clientela.registry.package`).
    """
    native, meaning = _export_booster(model), _build_metadata_files(model)
    return {NATIVE_MODEL: native} | {f"code/{name}": content for name, content in meaning.items()}


def build_folder_files(model: StoredModel) -> dict[str, bytes]:
    """The same files as a folder to read from: native model and manifest side by side."""
    return {f"{NATIVE_MODEL}.ubj": _export_booster(model)} | _build_metadata_files(model)


def _get_xgboost_model(estimator: Any) -> XGBModel | None:
    inner = None
    if isinstance(estimator, OrdinalRegressor):
        inner = estimator.regressor_
    elif isinstance(estimator, BinaryDecisionClassifier):
        pipeline = estimator.classifier_
        inner = pipeline.named_steps.get(MODEL) if isinstance(pipeline, Pipeline) else None
    return inner if isinstance(inner, XGBModel) else None


def _export_booster(model: StoredModel) -> bytes:
    inner = _get_xgboost_model(model.estimator)
    if inner is None:
        raise ConfigurationError(
            "The required model is packaged as a native XGBoost model, but "
            f"training.candidates.{model.manifest['candidate']} is of kind "
            f"{model.manifest['kind']!r}. Give the role 'required' to a candidate of kind "
            "'xgboost_regressor' (ordinal classes) or 'xgboost_classifier' (two classes)."
        )
    return bytes(inner.get_booster().save_raw("ubj"))


def _build_metadata_files(model: StoredModel) -> dict[str, bytes]:
    manifest, estimator = model.manifest, model.estimator
    stored = manifest | {"native_model_sha256": compute_sha256(_export_booster(model))}
    classes = {name: manifest[name] for name in ("classes", "values")}
    more: dict[str, bytes] = {}
    if isinstance(estimator, OrdinalRegressor):
        columns = list(manifest["features"])
        thresholds = {
            "decision": manifest["decision"],
            "cut_points": estimator.cut_points_.tolist(),
            **classes,
            "rule": "class = number of cut points strictly below the score",
        }
    else:
        recipe = describe_matrix_columns(estimator.classifier_.named_steps[PREPROCESS])
        columns = [step["column"] for step in recipe]
        more = {"preprocessing.json": encode_json(recipe)}
        thresholds = {
            "decision": manifest["decision"],
            "threshold": float(estimator.threshold_),
            "calibrate": estimator.calibrate,
            "calibration": estimator.calibration_.tolist(),
            **classes,
            "rule": "second class where the calibrated probability is not below the threshold",
        }
    return {
        "thresholds.json": encode_json(thresholds),
        "features.json": encode_json(columns),
        "manifest.json": encode_json(stored),
        **more,
    }


def encode_json(content: Mapping[str, Any] | list[Any]) -> bytes:
    """JSON as bytes, indented, ending in a newline."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


MANIFEST: Final = "manifest.json"
MODEL_FOLDER: Final = "model.skops"
VERSION_DIGITS: Final = 12
# Bytes that all files of a package may have together: an archive can grow a thousandfold.
LARGEST: Final = 2 * 1024**3

AGAIN = "Run the deployment stage again, or take the package from a copy."


@dataclass(frozen=True)
class ModelPackage:
    """A package that was opened.

    Attributes:
        model: The fitted model with the manifest of its training.
    """

    manifest: ServedManifest
    model: StoredModel


def build_package(
    model: StoredModel, description: Mapping[str, Any]
) -> tuple[bytes, ServedManifest]:
    """A model as the bytes of its package.

    Args:
        description: The fields of `ServedManifest` but `format`, `version`, `model` and `files`.

    Returns:
        Bytes of `model.tar.gz`, the same for the same model and fields; its manifest.
    """
    content = encode_estimator(model.estimator)
    files = {MODEL_FOLDER: compute_sha256(content)}
    # the hash of its file stands with the others
    stored = {name: value for name, value in model.manifest.items() if name != "sha256"}
    account = {**description, "model": stored, "files": files}
    # the version is made of everything else, so that another text of a label is another version
    draft = ServedManifest.model_validate({**account, "version": "0" * VERSION_DIGITS})
    version = compute_sha256(_encode_manifest(draft))[:VERSION_DIGITS]
    manifest = draft.model_copy(update={"version": version})
    return make_archive({MANIFEST: _encode_manifest(manifest), MODEL_FOLDER: content}), manifest


def open_package(content: bytes, where: str, sha256: str | None = None) -> ModelPackage:
    """The model of a package, after checking every byte of it.

    Args:
        sha256: What its own SHA-256 should be; None where nobody knows.

    Raises:
        ModelFileError: It is damaged, was changed, is of another format, or a library has changed.
    """
    if sha256 is not None and compute_sha256(content) != sha256:
        raise ModelFileError(
            f"The package {where} is not the one that was registered (the SHA-256 differs): it "
            f"was changed, or not written to its end. {AGAIN}"
        )
    try:
        files = extract_archive(content, LARGEST)
    except (tarfile.TarError, OSError, EOFError) as err:
        raise ModelFileError(
            f"The package {where} can't be read as a .tar.gz archive ({err}). {AGAIN}"
        ) from err
    return load_package_files(files, where)


def load_package_files(files: Mapping[str, bytes], where: str) -> ModelPackage:
    """The model of the files of a package, as a container finds them unpacked."""
    manifest = _parse_manifest(files.get(MANIFEST), where)
    undated = json.loads(files[MANIFEST]) | {"version": "0" * VERSION_DIGITS}
    if compute_sha256(encode_json(undated))[:VERSION_DIGITS] != manifest.version:
        raise ModelFileError(
            f"The package {where} says that it is version {manifest.version}, and its content is "
            f"another one: it was changed. {AGAIN}"
        )
    if set(files) - {MANIFEST} != set(manifest.files):
        raise ModelFileError(
            f"The package {where} should hold {', '.join(sorted({MANIFEST, *manifest.files}))}; it "
            f"holds {', '.join(sorted(files)) or 'nothing'}. {AGAIN}"
        )
    for name, expected in manifest.files.items():
        if compute_sha256(files[name]) != expected:
            raise ModelFileError(
                f"{name} in the package {where} is not what the manifest describes (the SHA-256 "
                f"differs). {AGAIN}"
            )
    stored = {**manifest.model, "sha256": manifest.files[MODEL_FOLDER]}
    return ModelPackage(manifest, decode_model(files[MODEL_FOLDER], stored, where))


def _parse_manifest(content: bytes | None, where: str) -> ServedManifest:
    if content is None:
        raise ModelFileError(f"The package {where} holds no {MANIFEST}. {AGAIN}")
    try:
        stored = json.loads(content)
    except ValueError as err:
        raise ModelFileError(f"{MANIFEST} in {where} is no JSON ({err}). {AGAIN}") from err
    version = stored.get("format") if isinstance(stored, dict) else None
    if version != FORMAT:
        raise ModelFileError(
            f"The package {where} should be of format {FORMAT}; it is of format {version!r}. "
            f"{AGAIN}"
        )
    try:
        return ServedManifest.model_validate(stored)
    except ValidationError as err:
        problem = err.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"]))
        raise ModelFileError(
            f"{MANIFEST} in {where} is not whole: {place}: {problem['msg']}. {AGAIN}"
        ) from err


def _encode_manifest(manifest: ServedManifest) -> bytes:
    return encode_json(manifest.model_dump(mode="json"))


@dataclass(frozen=True)
class NewPackage:
    """The files of one model, not yet stored.

    Attributes:
        manifest: What the package says of its model.
        content: Bytes of `model.tar.gz` for our own image.
        prebuilt: Path to content of the archive for the prebuilt XGBoost container; None where the
            model is no native XGBoost model, or not the required one.
        metrics: Measures in the form that the SageMaker console draws; None without.
    """

    manifest: ServedManifest
    content: bytes
    prebuilt: Mapping[str, bytes] | None = None
    metrics: Mapping[str, Any] | None = None


class StoredPackage(FrozenSettings):
    """The files of one model, stored; they never change.

    Attributes:
        manifest: What the package says of its model.
        package: Address of `model.tar.gz` for our own image.
        prebuilt: Address of the archive for the prebuilt XGBoost container; None without.
        metrics: Address of the measures that the SageMaker console draws; None without.
    """

    manifest: ServedManifest
    package: str
    package_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    prebuilt: str | None = None
    metrics: str | None = None

    @property
    def submission(self) -> Submission:
        """The model on its way into a registry."""
        manifest = self.manifest
        return Submission(
            group=manifest.group,
            use_case=manifest.use_case,
            role=manifest.role,
            version=manifest.version,
            package=self.package,
            package_sha256=self.package_sha256,
            prebuilt=self.prebuilt,
            metrics=self.metrics,
            grades={name: grade.value for name, grade in manifest.grades.items()},
            description=describe_model(manifest),
            problem_type=manifest.problem_type,
            training_data_sha256=manifest.model["training_data_sha256"],
        )


# What is served: of each use case one package, and a pointer to it that is written last.


POINTER: Final = ".json"
# Environment variable with the key that approvals are signed with; unset: they are not.
SIGNING_KEY: Final = "CLIENTELA_SIGNING_KEY"
PointerT = TypeVar("PointerT", bound=FrozenSettings)


class PublishedModel(FrozenSettings):
    """The model of a use case that servers answer with.

    Attributes:
        version: Of the manifest: made of the content.
        package: Name of the package in the folder of served models.
        signature: See `sign`; None where no key was set when it was approved.
    """

    use_case: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    role: Role
    group: str
    number: PositiveInt
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    package: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")
    package_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    signature: str | None = None

    def sign(self, key: str) -> str:
        """HMAC-SHA256 of what is served, by the key of whoever approves."""
        text = f"{self.use_case}|{self.role}|{self.version}|{self.package_sha256}"
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def package_name(use_case: str, role: Role, version: str) -> str:
    """How a package is called in the folder of served models, as no other one is."""
    return f"{use_case}-{role}-{version}.tar.gz"


class PackageStore:
    """A folder of packages that never change, and of pointers that say which one counts.

    A pointer is written after its package is whole, in one step: killed anywhere, the former one
    counts.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder.rstrip("/")

    def build_address(self, name: str) -> str:
        """Where a file of the store lies."""
        return f"{self.folder}/{name}"

    def store(self, name: str, content: bytes) -> str:
        """Write a file that is not there yet, or is damaged.

        Raises:
            ModelFileError: It can't be read back equal.
        """
        ensure_file(self.build_address(name), content)
        return self.build_address(name)

    def point(self, name: str, pointer: FrozenSettings) -> None:
        """Have a pointer count from now on; one that says the same stays untouched."""
        address = self.build_address(f"{name}{POINTER}")
        content = encode_json(pointer.model_dump(mode="json"))
        if read_file_if_present(address) != content:
            write_file_atomically(address, content)

    def read_pointer(self, name: str, kind: type[PointerT], advice: str) -> PointerT | None:
        """What counts; None where nothing does.

        Raises:
            ModelFileError: The pointer can't be read.
        """
        address = self.build_address(f"{name}{POINTER}")
        text = read_file_if_present(address)
        if text is None:
            return None
        try:
            return kind.model_validate_json(text)
        except ValueError as err:
            raise ModelFileError(
                f"{address} should name the package that counts, but can't be read. {advice}"
            ) from err


class PublishedModelStore(PackageStore):
    """The folder that servers watch: packages, and one pointer per use case.

    Packages that are no longer pointed at stay, since a server may be loading one.
    """

    def publish(self, package: bytes, pointer: PublishedModel) -> None:
        """Serve a package from now on.

        Raises:
            ModelFileError: The bytes are not those of the pointer, or can't be read back equal.
        """
        if compute_sha256(package) != pointer.package_sha256:
            raise ModelFileError(
                f"The package of {pointer.use_case} is not the one that was registered (the "
                "SHA-256 differs); it is not served. Run the deployment stage again."
            )
        if key := os.environ.get(SIGNING_KEY):
            pointer = pointer.model_copy(update={"signature": pointer.sign(key)})
        self.store(pointer.package, package)
        self.point(pointer.use_case, pointer)

    def served(self) -> dict[str, PublishedModel]:
        """What is served now: use case to its pointer, by name."""
        fs, folder = url_to_fs(self.folder)
        fs.invalidate_cache(folder)
        paths = sorted(str(path) for path in fs.glob(f"{folder}/*{POINTER}"))
        pointers = {}
        for use_case in [path.rsplit("/", 1)[-1].removesuffix(POINTER) for path in paths]:
            again = f"Approve one again: clientela approve {use_case}"
            pointer = self.read_pointer(use_case, PublishedModel, again)
            if pointer is None:  # it may have been withdrawn since the folder was listed
                continue
            if pointer.use_case != use_case:
                raise ModelFileError(
                    f"{self.build_address(use_case + POINTER)} should point at a model of "
                    f"{use_case}, but points at one of {pointer.use_case}. {again}"
                )
            pointers[use_case] = pointer
        return pointers

    def package(self, pointer: PublishedModel) -> bytes:
        """The package that a pointer names, verified.

        Raises:
            ModelFileError: It is absent, not the one that was published, or not signed by the key
                of `SIGNING_KEY` where that is set.
        """
        key = os.environ.get(SIGNING_KEY)
        if key and not hmac.compare_digest(pointer.signature or "", pointer.sign(key)):
            raise ModelFileError(
                f"The served model of {pointer.use_case} is not signed by the key in "
                f"{SIGNING_KEY}. Approve it again with that key set: clientela approve "
                f"{pointer.use_case}"
            )
        return read_and_verify(self.build_address(pointer.package), pointer.package_sha256)

    def stop_serving(self, use_case: str) -> bool:
        """Serve a use case no longer; its packages stay."""
        address = self.build_address(f"{use_case}{POINTER}")
        if read_file_if_present(address) is None:
            return False
        fs, path = url_to_fs(address)
        fs.rm_file(path)
        return True
