"""What the bucket itself refuses, whoever asks."""

from typing import Any, Final

from clientela.aws.statements import VERSION, Scope

OLDEST_TLS: Final = 1.2


def bucket_policy(scope: Scope) -> dict[str, Any]:
    """Nothing but encrypted connections; and, where a key is set, no file under another key.

    Args:
        scope: Which bucket.

    Returns:
        A bucket policy.

    Raises:
        ConfigurationError: No bucket is set.
    """
    everything = [*scope.objects("", "*")]
    refused: dict[str, dict[str, Any]] = {
        "RefuseConnectionsWithoutTls": {"Bool": {"aws:SecureTransport": "false"}},
        "RefuseOldTls": {"NumericLessThan": {"s3:TlsVersion": OLDEST_TLS}},
    }
    statements = [
        {
            "Sid": sid,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": everything,
            "Condition": condition,
        }
        for sid, condition in refused.items()
    ]
    if scope.settings.kms_key is not None:
        name = "s3:x-amz-server-side-encryption-aws-kms-key-id"
        statements.append(
            {
                "Sid": "RefuseAnotherKey",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": [*scope.objects("*")],
                # a write that names no key is encrypted by the bucket's own setting
                "Condition": {"StringNotEqualsIfExists": {name: scope.settings.kms_key}},
            }
        )
    return {"Version": VERSION, "Statement": statements}
