"""The SCRAM user of a stage, where it does not use IAM.

There is one user for all pipelines, and no ACL: Kafka lets every user do everything until the first ACL is made
(`allow.everyone.if.no.acl.found`). Who may read the secret is therefore who may use the cluster.
"""

from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_msk as msk
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal
from functions.core import names

USER: Final = "tandem"
LENGTH: Final = 40


def user(scope: Construct, stage: StageConfig, key: kms.IKey, cluster_arn: str) -> secretsmanager.Secret:
    """A secret {"username", "password"} that the cluster knows. MSK takes none under Secrets Manager's own key."""
    secret = secretsmanager.Secret(
        scope,
        "ScramUser",
        secret_name=names.scram_secret(stage.name),
        description="The user of both runtimes",
        encryption_key=key,
        removal_policy=removal(stage),
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template=f'{{"username": "{USER}"}}',
            generate_string_key="password",
            password_length=LENGTH,
            exclude_punctuation=True,
        ),
    )
    msk.CfnBatchScramSecret(scope, "ScramUsers", cluster_arn=cluster_arn, secret_arn_list=[secret.secret_arn])
    return secret
