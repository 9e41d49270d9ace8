"""Every error that Clientela raises on purpose.

ClientelaError
├── ConfigurationError      a setting is wrong, or contradicts another
├── RawDataError            the raw files can't be used as they are
│   ├── RawFileNotFoundError    nothing lies where the catalog looks
│   ├── RawFileUnreadableError  it is there, but no table can be read from it
│   ├── InvalidColumnsError     required columns are absent from the header
│   ├── TooManyBadRowsError     the quarantine holds more rows than is tolerated
│   ├── TooManyBadValuesError   a column lost more of its values than is tolerated
│   └── ForeignRawDataError     sample data would overwrite somebody's own file
├── MissingStageInputError  an earlier stage has not run yet
├── RowAccountingError      accepted + quarantined rows differ from the rows read
├── TrainingDataError       the model input can't be learned from
│   └── InvalidTargetError      a target column is not ordinal codes, or has one class only
├── ScoringDataError        rows to be scored lack what the model needs
├── LabellingError          labels can't be made, or too many rows went without
├── LeakageError            a feature knows what it can't know at decision time
├── ModelFileError          a stored model is damaged, foreign, or of another version
├── InvalidCaseError        a case to be answered online breaks the fields of the model
├── ServingError            models can't be registered, deployed, served or asked
│   ├── RegistryError           the model registry can't be reached, or refuses
│   ├── DeploymentError         an endpoint could not be brought up, or failed its test
│   └── NoApprovedModelError    no approved model is there to be served
├── ModelCardError          a model card's figures are missing or contradict each other
├── DatabaseError           a table could not be loaded into a database
│   ├── DatabaseConnectionError  no connection: address, network, password, or driver
│   ├── DatabaseOperationError  connected, but it does not let the table be read or written
│   └── InvalidTableError       the rows, or the table that stands there, have another form
└── DriftError              current data can't be compared with a baseline
    ├── InvalidProfileError     the baseline profile is damaged, foreign, or can't be made
    ├── IncompatibleDataError   the current data lack rows, columns or types of the baseline
    └── MonitoringLogError      the log of former periods was cut short, or is not ours

Messages say what was expected, what came, and how to mend it. They never hold personal data.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class ClientelaError(Exception):
    """Base of every error that Clientela raises on purpose."""


class ConfigurationError(ClientelaError):
    """A setting is wrong, or contradicts another."""


class RawDataError(ClientelaError):
    """The raw files can't be used as they are."""


class RawFileNotFoundError(RawDataError):
    """Nothing lies where the catalog looks for raw data."""


class RawFileUnreadableError(RawDataError):
    """A raw file exists, but no table can be read from it."""


class InvalidColumnsError(RawDataError):
    """Required columns are absent from a raw file's header."""


class TooManyBadRowsError(RawDataError):
    """The quarantine holds a larger share of the rows than is tolerated."""


class TooManyBadValuesError(RawDataError):
    """A larger share of a column's values than is tolerated can't be read."""


class ForeignRawDataError(RawDataError):
    """Sample data would overwrite a raw file that the project did not write."""


class MissingStageInputError(ClientelaError):
    """An earlier stage has not written its output yet."""


class RowAccountingError(ClientelaError):
    """Accepted and quarantined rows do not add up to the rows read."""


class TrainingDataError(ClientelaError):
    """The model input can't be learned from."""


class InvalidTargetError(TrainingDataError, ValueError):
    """A target column is not ordinal codes, or has one class only."""


class ScoringDataError(ClientelaError):
    """Rows to be scored lack what the model needs."""


class LabellingError(ClientelaError):
    """Labels can't be made, or too many rows went without one."""


class LeakageError(ClientelaError):
    """A feature knows what can't be known at decision time."""


class ModelFileError(ClientelaError):
    """A stored model is damaged, foreign, or of another version."""


class InvalidCaseError(ClientelaError):
    """A case to be answered online breaks the fields of the model; no value is in the message."""


class ServingError(ClientelaError):
    """Models can't be registered, deployed, served or asked."""


class RegistryError(ServingError):
    """The model registry can't be reached, or refuses."""


class DeploymentError(ServingError):
    """An endpoint could not be brought up, or failed its test."""


class NoApprovedModelError(ServingError):
    """No approved model is there to be served."""


class ModelCardError(ClientelaError):
    """A model card's figures are missing or contradict each other."""


class DatabaseError(ClientelaError):
    """A table could not be loaded into a database."""


class DatabaseConnectionError(DatabaseError):
    """There is no connection: address, network, password, or driver."""


class DatabaseOperationError(DatabaseError):
    """The database is reached, but does not let the table be read or written."""


class InvalidTableError(DatabaseError):
    """The rows, or the table that stands in the database, have another form than expected."""


class DriftError(ClientelaError):
    """Current data can't be compared with a baseline."""


class InvalidProfileError(DriftError):
    """A baseline profile is damaged, of another version, or can't be made from the data."""


class IncompatibleDataError(DriftError):
    """The current data lack rows, columns, or types that the baseline has."""


class MonitoringLogError(DriftError):
    """The log of former periods was cut short, or something else wrote it."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint naming the nearest known words, or all of them when none is near."""
    words = sorted(set(known))
    near = get_close_matches(wrong.casefold(), [word.casefold() for word in words], n=3, cutoff=0.5)
    matches = [word for word in words if word.casefold() in near]
    if matches:
        return f"Did you mean {' or '.join(repr(word) for word in matches)}?"
    return f"Known: {', '.join(words) or 'none'}."
