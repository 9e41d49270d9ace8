"""The account of a served model: everything that a server, a registry and a person need of it."""

from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from clientela.inference.fields import InputField

FORMAT: Final = 1
"""Of the package; one of another format is refused."""

Role: TypeAlias = Literal["champion", "required"]
"""The best model that training found, and the one that the requirement names."""

ServedTask: TypeAlias = Literal["binary", "ordinal", "segments"]
JsonValue: TypeAlias = str | int | float | bool | None


class Grade(BaseModel):
    """One measure of the model on the test part.

    Attributes:
        value: Of the model.
        lower: Of its 95 % interval; None where there is none.
        upper: Likewise.
        rule: The same measure of the best business rule or constant; None where none was graded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    lower: float | None = None
    upper: float | None = None
    rule: float | None = None


class Example(BaseModel):
    """A made-up case of typical values, nobody's, with the answer that the model should give.

    It is what every deployment is tested with before anybody else asks.

    Attributes:
        case: Field to value, as JSON carries it.
        label: The class, or the name of the segment.
        expected: Probability of the positive class, expected class value, or id of the segment.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: dict[str, JsonValue]
    label: str
    expected: float


class ServedManifest(BaseModel):
    """What a package says of its model.

    Attributes:
        format: Of the package.
        use_case: Whose model.
        role: `champion` or `required`.
        group: Model package group that it is registered in.
        version: Made of the content: the same model has the same one, and no other has.
        task: Kind of answer.
        problem_type: As registries call it.
        fields: What a case brings, in order: the fields of every model of the use case.
        classes: In order; for segments their names.
        target: Class to its number; segment name to its id.
        score_name: What the expected value is called (`probabilidad`, `valor_esperado`).
        grades: Measure to its grade on the test part.
        primary_metric: The measure that chose the champion; None for segments.
        example: What a deployment is tested with.
        labels: Feature to words for people.
        model: The manifest of the stored model (`clientela.modelling.storage.manifest`): kind,
            features, decision, parameters, seed, training rows and their hash, versions.
        feature_rules: `TabularFeatureParams` as JSON, for a use case on a table: how features are
            made of the fields. None where the fields are the features.
        segment_rules: `SegmentationParams` as JSON, for segments; else None.
        files: Path in the package to the SHA-256 of its content; the manifest is not among them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = FORMAT
    use_case: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    role: Role
    group: str = Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")
    version: str = Field(pattern=r"^[0-9a-f]{12}$")
    task: ServedTask
    problem_type: str
    fields: tuple[InputField, ...] = Field(min_length=1)
    classes: tuple[str, ...] = Field(min_length=1)
    target: dict[str, float]
    score_name: str
    grades: dict[str, Grade] = {}
    primary_metric: str | None = None
    example: Example
    labels: dict[str, str] = {}
    model: dict[str, Any]
    feature_rules: dict[str, Any] | None = None
    segment_rules: dict[str, Any] | None = None
    files: dict[str, str]

    @property
    def read(self) -> list[InputField]:
        """The fields that this model reads."""
        return [field for field in self.fields if field.read]
