"""The stores: private, encrypted, and retained if the stage is protected."""

import json
from pathlib import Path
from typing import Any

import pytest

from cdk import names
from functions.core.names import dead_letter_queue
from functions.pipelines.logins import PIPELINE
from sandbox import stores
from tests.infrastructure.conftest import CONTEXT, Templates, synthesise
from tests.infrastructure.policies import Call, allowed

STAGES = ["dev", "prod"]
ACCOUNT = {"Ref": "AWS::AccountId"}
DENIAL = ("Effect", "Action", "Condition")


def joined(value: Any) -> str:
    """A name as text, its references as {name}."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(map(joined, parts))
        case {"Ref": str(name)}:
            return f"{{{name}}}"
        case _:
            return json.dumps(value)


def buckets(templates: Templates, stage: str) -> dict[str, dict[str, Any]]:
    """The buckets' resources by what they are for."""
    found = templates.resources(stage, "stores", "AWS::S3::Bucket").values()
    by_name = {joined(each["Properties"]["BucketName"]): each for each in found}
    place = (stage, "{AWS::AccountId}", "us-east-1")
    return {
        "lake": by_name[names.lake_bucket(*place)],
        "dead letters": by_name[names.dead_letter_bucket(*place)],
        "access logs": by_name[names.access_log_bucket(*place)],
    }


def rules(bucket: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Lifecycle rules by ID."""
    return {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("what", ["lake", "dead letters", "access logs"])
def test_a_bucket_is_private_and_requires_tls(templates: Templates, stage: str, what: str) -> None:
    bucket = buckets(templates, stage)[what]
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["Properties"]["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (logical,) = (name for name, each in templates[stage, "stores"]["Resources"].items() if each is bucket)
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in templates.resources(stage, "stores", "AWS::S3::BucketPolicy").values()
        if each["Properties"]["Bucket"] == {"Ref": logical}
    )
    denied = [each["Condition"] for each in policy if each["Effect"] == "Deny" and each["Action"] == "s3:*"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied


@pytest.mark.parametrize("what", ["lake", "dead letters"])
def test_data_is_encrypted_versioned_and_access_is_logged(templates: Templates, stage: str, what: str) -> None:
    properties = buckets(templates, stage)[what]["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["BucketKeyEnabled"] is True
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "tandem" in encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::ImportValue"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LoggingConfiguration"]["LogFilePrefix"]


@pytest.mark.parametrize(
    ("what", "key", "needs_condition"),
    [
        ("lake", "logins/day=2026-11-23/user-login-3-00000000000000000007.parquet", True),
        ("dead letters", "logins/reason=failed/day=2026-11-23/user-login-3-00000000000000000007.json", True),
        ("dead letters", "logins/quarantine/day=2026-11-23/user-login-3-00000000000000000007.1.parquet", True),
        ("dead letters", "aws/lambda/0b7f/user-login-1/2026/11/23/x", False),
    ],
)
def test_no_one_replaces_an_object_without_a_condition(
    templates: Templates, stage: str, what: str, key: str, needs_condition: object
) -> None:
    """A part of a multipart upload has no condition; its completion does."""
    (policy,) = (
        [statement for statement in each["Properties"]["PolicyDocument"]["Statement"] if "Sid" in statement]
        for each in templates.resources(stage, "stores", "AWS::S3::BucketPolicy").values()
        if each["Properties"]["Bucket"]["Ref"].startswith({"lake": "Lake", "dead letters": "DeadLetters"}[what])
    )
    (denial,) = (each for each in policy if each["Sid"] == "OnlyConditionalPuts")
    assert denial["Principal"] == {"AWS": "*"}
    arns = denial["Resource"] if isinstance(denial["Resource"], list) else [denial["Resource"]]
    resources = [arn.partition("/")[2] for arn in map(joined, arns)]
    administrator = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    statements = [administrator, {name: denial[name] for name in DENIAL} | {"Resource": resources}]

    def may_put(**context: str) -> bool:
        named = {f"s3:{name.replace('_', '-')}": [value] for name, value in context.items()}
        return allowed(statements, Call("s3:PutObject", key, named))

    assert may_put(ObjectCreationOperation="true") is not needs_condition
    assert may_put(ObjectCreationOperation="true", if_none_match="*")
    assert may_put(ObjectCreationOperation="true", if_match="etag")
    assert may_put(ObjectCreationOperation="false")


@pytest.mark.parametrize("what", ["lake", "dead letters"])
def test_a_deleted_object_can_be_restored_for_a_month(templates: Templates, stage: str, what: str) -> None:
    found = rules(buckets(templates, stage)[what])
    assert found["undo"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert found["undo"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert found["markers"]["ExpiredObjectDeleteMarker"] is True


def test_dead_letters_never_expire(templates: Templates, stage: str) -> None:
    found = rules(buckets(templates, stage)["dead letters"])
    assert not [rule for rule in found.values() if "ExpirationInDays" in rule or "Transitions" in rule]


def test_dead_letters_expire_if_the_stage_says_so(tmp_path: Path) -> None:
    """They contain whole records, unmasked."""
    stage = CONTEXT["stages"]["prod"] | {"dead_letters": {"expire_after_days": 60}}
    found = rules(buckets(synthesise(tmp_path, {"prod": stage}), "prod")["dead letters"])
    assert found["expire"]["ExpirationInDays"] == 60


def test_the_lake_has_the_stages_life_cycle(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert aging(templates) == {"infrequent": 90}
    for lake, expected in (
        ({"infrequent_after_days": 45, "expire_after_days": 400}, {"infrequent": 45, "expire": 400}),
        ({"infrequent_after_days": 45, "expire_after_days": 40}, {"expire": 40}),
    ):
        stages = CONTEXT["stages"]
        changed = {"prod": stages["prod"] | {"lake": lake}}
        assert aging(synthesise(tmp_path_factory.mktemp("cdk"), changed)) == expected


def aging(templates: Templates) -> dict[str, int]:
    """After how many days prod's lake moves and expires objects."""
    found = rules(buckets(templates, "prod")["lake"])
    days = {}
    if "infrequent" in found:
        (move,) = found["infrequent"]["Transitions"]
        assert move["StorageClass"] == "STANDARD_IA"
        days["infrequent"] = move["TransitionInDays"]
    if "expire" in found:
        days["expire"] = found["expire"]["ExpirationInDays"]
    return days


def test_the_lake_notifies_only_redshift(templates: Templates, stage: str) -> None:
    """Redshift's integration allows no other notification of new objects on the bucket, and creates its own."""
    assert "NotificationConfiguration" not in buckets(templates, stage)["lake"]["Properties"]
    statements = [
        statement
        for each in templates.resources(stage, "stores", "AWS::S3::BucketPolicy").values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if statement.get("Sid") == "RedshiftListens"
    ]
    assert len(statements) == (stage == "prod")
    for statement in statements:
        assert statement["Principal"] == {"Service": "redshift.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
        assert joined(statement["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(":integration:*")


def test_dead_letters_are_announced_without_a_function(templates: Templates, stage: str) -> None:
    bucket = buckets(templates, stage)["dead letters"]
    ((queue, _),) = templates.resources(stage, "stores", "AWS::SQS::Queue").items()
    ((policy, _),) = templates.resources(stage, "stores", "AWS::SQS::QueuePolicy").items()
    assert bucket["Properties"]["NotificationConfiguration"] == {
        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": {"Fn::GetAtt": [queue, "Arn"]}}]
    }
    assert bucket["DependsOn"] == [policy]
    assert not templates.resources(stage, "stores", "AWS::Lambda::Function")


def test_the_queue_is_encrypted_and_accepts_only_the_buckets_messages(templates: Templates, stage: str) -> None:
    queue = templates.one(stage, "stores", "AWS::SQS::Queue")
    assert queue["QueueName"] == dead_letter_queue(stage)
    assert "tandem" in queue["KmsMasterKeyId"]["Fn::ImportValue"]
    statements = templates.one(stage, "stores", "AWS::SQS::QueuePolicy")["PolicyDocument"]["Statement"]
    (deny,) = (each for each in statements if each["Effect"] == "Deny")
    (allow,) = (each for each in statements if each["Effect"] == "Allow")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (allow["Principal"], allow["Action"]) == ({"Service": "s3.amazonaws.com"}, "sqs:SendMessage")
    assert joined(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == (
        f"arn:aws:s3:::{names.dead_letter_bucket(stage, '{AWS::AccountId}', 'us-east-1')}"
    )


def test_s3_may_use_the_key_of_the_queue(templates: Templates, stage: str) -> None:
    statements = templates.one(stage, "keys", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (by_s3,) = (each for each in statements if each["Principal"] == {"Service": "s3.amazonaws.com"})
    assert sorted(by_s3["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert by_s3["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_tables_have_the_keys_of_the_local_stack(templates: Templates, stage: str) -> None:
    local: dict[str, Any] = {}
    stores.create(lambda _: Recorder(local), stage, [PIPELINE], "lake", "dead")
    deployed = tables(templates, stage)
    assert {name: (each["KeySchema"], each["AttributeDefinitions"]) for name, each in deployed.items()} == local


class Recorder:
    """A client that records the tables that it should create."""

    meta = type("Meta", (), {"region_name": "us-east-1"})
    exceptions = type("Exceptions", (), {"ResourceInUseException": KeyError, "BucketAlreadyOwnedByYou": KeyError})

    def __init__(self, local: dict[str, Any]) -> None:
        self._local = local

    def create_table(self, **how: Any) -> None:
        self._local[how["TableName"]] = (how["KeySchema"], how["AttributeDefinitions"])

    def __getattr__(self, _: str) -> Any:
        return lambda **_: {"QueueUrl": "", "Attributes": {"QueueArn": ""}}


def tables(templates: Templates, stage: str) -> dict[str, dict[str, Any]]:
    """The tables' properties by name."""
    found = templates.resources(stage, "stores", "AWS::DynamoDB::GlobalTable").values()
    return {each["Properties"]["TableName"]: each["Properties"] for each in found}


def test_tables_are_on_demand_encrypted_and_can_be_restored(templates: Templates, stage: str) -> None:
    for table in tables(templates, stage).values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        (replica,) = table["Replicas"]
        assert replica["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert "tandem" in replica["SSESpecification"]["KMSMasterKeyId"]["Fn::ImportValue"]
        assert replica["DeletionProtectionEnabled"] is (stage == "prod")


def test_a_protected_stack_retains_its_data(templates: Templates, stage: str) -> None:
    kept = ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret")
    policies = {each["DeletionPolicy"] for kind in kept for each in templates.resources(stage, "stores", kind).values()}
    assert policies == {"RetainExceptOnCreate" if stage == "prod" else "Delete"}


def test_the_mask_key_has_the_longest_length_of_the_hash(templates: Templates, stage: str) -> None:
    secret = templates.one(stage, "stores", "AWS::SecretsManager::Secret")
    assert secret["Name"] == names.mask_key_secret(stage)
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True, "IncludeSpace": False}


def test_the_stack_publishes_its_parameters(templates: Templates, stage: str) -> None:
    found = templates.resources(stage, "stores", "AWS::SSM::Parameter").values()
    published = ("lake-bucket", "dead-letter-bucket", "dead-letter-queue-url", "mask-key-secret-arn")
    assert {each["Properties"]["Name"] for each in found} == {names.parameter(stage, name) for name in published}
