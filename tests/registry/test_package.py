"""Packages that are not as they should be, as a server or an approval meets them."""

import io
import json
import tarfile

import pytest
from tests.serving.models import packaged

from clientela.exceptions import ModelFileError
from clientela.registry.package import (
    FORMAT,
    MANIFEST,
    MODEL_FOLDER,
    encode_json,
    extract_archive,
    load_package_files,
    make_archive,
    open_package,
)
from clientela.storage import compute_sha256


@pytest.fixture(scope="module")
def content():
    return packaged()[0]


@pytest.fixture
def files(content):
    return extract_archive(content)


def with_manifest(files, **changes):
    """With changes of the manifest and, unless one is given, the version that they make."""
    told = json.loads(files[MANIFEST]) | {"version": "0" * 12} | changes
    version = {"version": compute_sha256(encode_json(told))[:12]} | changes
    return {**files, MANIFEST: encode_json(told | version)}


def test_a_manifest_that_was_changed_under_its_version_is_refused(files):
    told = json.loads(files[MANIFEST])
    changed = with_manifest(files, labels={"edad": "otra"}, version=told["version"])
    with pytest.raises(ModelFileError, match=told["version"]):
        load_package_files(changed, "here")


def test_an_archive_with_an_extended_header_is_refused_before_it_is_parsed(files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo(MANIFEST)
        entry.size = len(files[MANIFEST])
        entry.pax_headers = {"comment": "1" * 50_000_000}
        archive.addfile(entry, io.BytesIO(files[MANIFEST]))
    assert len(packed.getvalue()) < 1_000_000
    with pytest.raises(ModelFileError, match="something else than files"):
        open_package(packed.getvalue(), "here")


def test_what_was_packaged_opens(content):
    _, manifest = packaged()
    assert open_package(content, "here").manifest == manifest


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_package_that_was_written_in_part_is_refused(content, share):
    part = content[: int(len(content) * share)]
    with pytest.raises(ModelFileError, match=r"The package here can't be read as a \.tar\.gz"):
        open_package(part, "here")


def test_a_registered_package_has_every_byte_that_was_registered(content):
    whole = compute_sha256(content)
    with pytest.raises(ModelFileError, match=r"not the one that was registered \(the SHA-256 diff"):
        open_package(content[:-1], "here", whole)


def test_a_changed_model_is_refused(files):
    changed = bytearray(files[MODEL_FOLDER])
    changed[len(changed) // 2] ^= 1
    with pytest.raises(ModelFileError, match=r"model\.skops in the package here is not what the"):
        load_package_files({**files, MODEL_FOLDER: bytes(changed)}, "here")


def test_a_file_too_many_or_too_few_is_refused(files):
    holds = r"should hold manifest\.json, model\.skops; it holds "
    with pytest.raises(ModelFileError, match=holds + r"extra\.py, manifest\.json, model\.skops"):
        load_package_files({**files, "extra.py": b""}, "here")
    with pytest.raises(ModelFileError, match=holds + r"manifest\.json\."):
        load_package_files({MANIFEST: files[MANIFEST]}, "here")
    with pytest.raises(ModelFileError, match=r"holds no manifest\.json"):
        open_package(make_archive({MODEL_FOLDER: files[MODEL_FOLDER]}), "here")


def test_a_package_of_another_format_is_refused(files):
    with pytest.raises(ModelFileError, match=f"of format {FORMAT}; it is of format 2"):
        load_package_files(with_manifest(files, format=2), "here")
    with pytest.raises(ModelFileError, match="is no JSON"):
        load_package_files({**files, MANIFEST: b"{"}, "here")


def test_a_manifest_that_lacks_something_says_what(files):
    told = json.loads(files[MANIFEST])
    del told["fields"][0]["kind"]
    with pytest.raises(ModelFileError, match=r"is not whole: fields\.0\.kind: Field required"):
        load_package_files(with_manifest(files, fields=told["fields"]), "here")


def test_a_package_from_before_fields_said_whether_they_are_read_opens_as_it_was_meant(files):
    told = [field for field in json.loads(files[MANIFEST])["fields"] if field["read"]]
    for field in told:
        del field["read"]
    manifest = load_package_files(with_manifest(files, fields=told), "here").manifest
    # then a manifest named only what its model read
    assert manifest.read == [*manifest.fields]
    assert "saldo_mora" not in {field.name for field in manifest.fields}
