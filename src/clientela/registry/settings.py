"""What a person decides about registering models: the typed form of their parameters."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from clientela.inference.manifest import Role, ServedTask

Group: TypeAlias = Annotated[str, Field(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
"""As SageMaker allows them: letters, digits and dashes inside, 63 at most."""


class DeploymentSettings(BaseModel):
    """Parameters of the deployment stage.

    Attributes:
        groups: Role to the model package group that it is registered in; others are called after
            the use case.
        roles: Which models are registered: the best one that training found (`champion`), the one
            that the requirement names (`required`). Segments have a champion only.
        event: What `clientela invoke` calls the positive class in its records; None: by its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    groups: dict[Role, Group] = {}
    roles: tuple[Role, ...] = Field(default=("champion", "required"), min_length=1)
    event: str | None = None

    def group(self, use_case: str, task: ServedTask, role: Role) -> str:
        """The group of a model: as configured, else after its use case.

        Args:
            use_case: Whose model.
            task: Kind of answer; segments, which have one role, are called after the use case
                alone.
            role: `champion` or `required`.

        Returns:
            Name of the group.
        """
        dashed = use_case.replace("_", "-")
        return self.groups.get(role, dashed if task == "segments" else f"{dashed}-{role}")

    def registered(self, task: ServedTask) -> list[Role]:
        """The roles that are registered, champion first.

        Args:
            task: Kind of answer.

        Returns:
            Roles.
        """
        there: tuple[Role, ...] = ("champion",) if task == "segments" else ("champion", "required")
        return [role for role in there if role in self.roles]
