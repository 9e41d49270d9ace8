"""What is served: of each use case one package, and a pointer to it that is written last."""

from typing import Final

from fsspec.core import url_to_fs
from pydantic import Field, PositiveInt

from clientela.exceptions import ModelFileError
from clientela.registry.manifest import Role
from clientela.registry.package import encode_json
from clientela.settings_base import FrozenSettings
from clientela.storage import (
    compute_sha256,
    ensure_file,
    read_and_verify,
    read_file_if_present,
    write_file_atomically,
)

POINTER: Final = ".json"


class PublishedModel(FrozenSettings):
    """The model of a use case that servers answer with.

    Attributes:
        number: Of the entry in the registry.
        version: Of the manifest: made of the content.
        package: Name of the package in the folder of served models.
    """

    use_case: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    role: Role
    group: str
    number: PositiveInt
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    package: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]*$")
    package_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def package_name(use_case: str, role: Role, version: str) -> str:
    """How a package is called in the folder of served models, as no other one is."""
    return f"{use_case}-{role}-{version}.tar.gz"


class PublishedModelStore:
    """The folder that servers watch: packages, and one pointer per use case.

    A pointer appears after its package is whole and verified, in one step: killed anywhere,
    publishing leaves the former model served. Packages that are no longer pointed at stay, since a
    server may be loading one.

    Args:
        folder: Local, or an address such as `s3://bucket/models/served`.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder.rstrip("/")

    def publish(self, package: bytes, pointer: PublishedModel) -> None:
        """Serve a package from now on.

        Args:
            pointer: What it is, and where it goes.

        Raises:
            ModelFileError: The bytes are not those of the pointer, or can't be read back equal.
        """
        if compute_sha256(package) != pointer.package_sha256:
            raise ModelFileError(
                f"The package of {pointer.use_case} is not the one that was registered (the "
                "SHA-256 differs); it is not served. Run the deployment stage again."
            )
        ensure_file(self._build_address(pointer.package), package)
        record = pointer.model_dump(mode="json")
        write_file_atomically(
            self._build_address(f"{pointer.use_case}{POINTER}"), encode_json(record)
        )

    def served(self) -> dict[str, PublishedModel]:
        """What is served now: use case to its pointer, by name.

        Raises:
            ModelFileError: A pointer can't be read.
        """
        fs, folder = url_to_fs(self.folder)
        fs.invalidate_cache(folder)
        names = sorted(str(path).rsplit("/", 1)[-1] for path in fs.glob(f"{folder}/*{POINTER}"))
        pointers = {}
        for name in names:
            text = read_file_if_present(self._build_address(name))
            if text is not None:  # it may have been withdrawn since the folder was listed
                pointer = self._parse_pointer(name, text)
                pointers[pointer.use_case] = pointer
        return pointers

    def package(self, pointer: PublishedModel) -> bytes:
        """The package that a pointer names, verified.

        Raises:
            ModelFileError: It is absent, or not the one that was published.
        """
        return read_and_verify(self._build_address(pointer.package), pointer.package_sha256)

    def stop_serving(self, use_case: str) -> bool:
        """Serve a use case no longer; its packages stay."""
        address = self._build_address(f"{use_case}{POINTER}")
        if read_file_if_present(address) is None:
            return False
        fs, path = url_to_fs(address)
        fs.rm_file(path)
        return True

    def _build_address(self, name: str) -> str:
        return f"{self.folder}/{name}"

    def _parse_pointer(self, name: str, text: bytes) -> PublishedModel:
        use_case = name.removesuffix(POINTER)
        again = f"Approve one again: clientela approve {use_case}"
        try:
            pointer = PublishedModel.model_validate_json(text)
        except ValueError as err:
            raise ModelFileError(
                f"{self._build_address(name)} should say which model is served, but can't be read. "
                f"{again}"
            ) from err
        if pointer.use_case != use_case:
            raise ModelFileError(
                f"{self._build_address(name)} should point at a model of {use_case}, but points at "
                f"one of {pointer.use_case}. {again}"
            )
        return pointer
