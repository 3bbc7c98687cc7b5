"""The SCRAM users of a stage that does not use IAM: one for each pipeline, one for operators, one for KEDA.

Each has its own secret, which only its own role may read. What a user may do is up to the cluster's ACLs, which
`tandem acls` creates: see docs/decisions/0019-acls-by-a-command-before-the-setting.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk import names
from cdk.choices import ExistingKafka
from cdk.config import StageConfig
from cdk.removal import removal
from functions.core.names import admin_user, kafka_user, scaler_user

PASSWORD_LENGTH: Final = 40
ANY_PIPELINE: Final = "{pipeline}"  # functions.settings fills it in


@dataclass(frozen=True, slots=True)
class ScramUsers:
    """The secrets {"username", "password"} of a stage's users."""

    pipelines: Mapping[str, secretsmanager.ISecret]
    admin: secretsmanager.ISecret
    scaler: secretsmanager.ISecret
    location: str
    """Where a pipeline finds its user, with {pipeline} for its name: one value for the workers of all pipelines."""


def create(
    scope: Construct, stage: StageConfig, key: kms.IKey, cluster_arn: str, pipelines: Sequence[str]
) -> tuple[ScramUsers, msk.CfnBatchScramSecret]:
    """Create users of the cluster, and their association with it. MSK requires that a customer key encrypts them."""
    users = ScramUsers(
        {name: _secret(scope, f"ScramUser-{name}", stage, key, kafka_user(stage.name, name)) for name in pipelines},
        admin=_secret(scope, "ScramAdmin", stage, key, admin_user(stage.name)),
        scaler=_secret(scope, "ScramScaler", stage, key, scaler_user(stage.name)),
        location=Stack.of(scope).format_arn(
            service="secretsmanager",
            resource="secret",
            resource_name=names.scram_secret(kafka_user(stage.name, ANY_PIPELINE)),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        ),
    )
    secrets = [users.admin, users.scaler, *users.pipelines.values()]
    association = msk.CfnBatchScramSecret(
        scope, "ScramUsers", cluster_arn=cluster_arn, secret_arn_list=[secret.secret_arn for secret in secrets]
    )
    return users, association


def given(scope: Construct, existing: ExistingKafka, pipelines: Sequence[str]) -> ScramUsers | None:
    """The one user of an existing cluster, whose users are managed there; None if it has none."""
    if existing.scram_secret is None or existing.scram_key is None:
        return None
    secret = secretsmanager.Secret.from_secret_attributes(
        scope,
        "ScramUser",
        secret_complete_arn=existing.scram_secret,
        encryption_key=kms.Key.from_key_arn(scope, "ScramKey", existing.scram_key),
    )
    return ScramUsers(dict.fromkeys(pipelines, secret), secret, secret, existing.scram_secret)


def _secret(scope: Construct, name: str, stage: StageConfig, key: kms.IKey, user: str) -> secretsmanager.Secret:
    return secretsmanager.Secret(
        scope,
        name,
        secret_name=names.scram_secret(user),
        description="A user of the stage's Kafka cluster",
        encryption_key=key,
        removal_policy=removal(stage),
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template=f'{{"username": "{user}"}}',
            generate_string_key="password",
            password_length=PASSWORD_LENGTH,
            exclude_punctuation=True,
        ),
    )
