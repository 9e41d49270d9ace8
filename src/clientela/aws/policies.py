"""Who may do what: every policy of the project, made of the settings and of the calls it makes."""

from typing import Any, Final

from clientela.aws.bucket_policy import bucket_policy
from clientela.aws.deployer_policy import deployer_statements
from clientela.aws.execution_policy import execution_statements
from clientela.aws.statements import Scope, Statement, document, key_statements, trust

LLM: Final = "meta.llama3-70b-instruct-v1:0"
"""The model that the pre-authorisation requirement names."""

POLICIES: Final = (
    "deployer",
    "execution",
    "api",
    "caller",
    "scheduler",
    "bedrock",
    "bucket",
    "execution-trust",
    "scheduler-trust",
)
"""Their names: `…-trust` says who may take a role on, `bucket` goes to the bucket."""


def policies(scope: Scope) -> dict[str, dict[str, Any]]:
    """Every policy by its name.

    Args:
        scope: What they are about.

    Returns:
        Name to a policy document, in the order of `POLICIES`.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    made = {name: document(statements) for name, statements in allowed(scope).items()} | {
        "bucket": bucket_policy(scope),
        "execution-trust": trust("sagemaker.amazonaws.com", scope.place),
        "scheduler-trust": trust("scheduler.amazonaws.com", scope.place),
    }
    return {name: made[name] for name in POLICIES}


def allowed(scope: Scope) -> dict[str, list[Statement]]:
    """What each role or user may do.

    Args:
        scope: What the policies are about.

    Returns:
        Name to statements.

    Raises:
        ConfigurationError: A needed setting is missing.
    """
    return {
        "deployer": deployer_statements(scope),
        "execution": execution_statements(scope),
        "api": _api(scope),
        "caller": [Statement("Ask", ("sagemaker:InvokeEndpoint",), scope.endpoints)],
        "scheduler": [
            Statement(
                "StartThePipeline",
                ("sagemaker:StartPipelineExecution",),
                scope.sagemaker(f"pipeline/{scope.settings.workflow.name}"),
            )
        ],
        "bedrock": [
            Statement(
                "AskTheModelThatWritesAndReads",
                ("bedrock:InvokeModel",),
                (scope.place.of_aws("bedrock", f"foundation-model/{LLM}"),),
            )
        ],
    }


def _api(scope: Scope) -> list[Statement]:
    """An API outside SageMaker, which reads what is approved, and nothing else."""
    return [
        Statement(
            "FindApprovedModels",
            ("s3:ListBucket",),
            scope.objects(""),
            {"StringLike": {"s3:prefix": ["models/served", "models/served/*"]}},
        ),
        Statement("ReadApprovedModels", ("s3:GetObject",), scope.objects("models/served/*")),
        *key_statements(scope.settings, volumes=False),
    ]
