"""What keeps data: private, encrypted, and gone only where the stage says so."""

import json
from typing import Any

import pytest

from functions.core import names
from functions.local import stores
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import CONTEXT, Templates, synthesise

STAGES = ["dev", "prod"]
ACCOUNT = {"Ref": "AWS::AccountId"}


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
def test_a_bucket_is_private_and_takes_tls_only(templates: Templates, stage: str, what: str) -> None:
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
def test_data_is_encrypted_versioned_and_read_under_log(templates: Templates, stage: str, what: str) -> None:
    properties = buckets(templates, stage)[what]["Properties"]
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["BucketKeyEnabled"] is True
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert "tandem" in encryption["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::ImportValue"]
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert properties["LoggingConfiguration"]["LogFilePrefix"]


@pytest.mark.parametrize("what", ["lake", "dead letters"])
def test_what_was_deleted_can_be_had_back_for_a_month(templates: Templates, stage: str, what: str) -> None:
    found = rules(buckets(templates, stage)[what])
    assert found["undo"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert found["undo"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert found["markers"]["ExpiredObjectDeleteMarker"] is True


def test_dead_letters_never_expire(templates: Templates, stage: str) -> None:
    found = rules(buckets(templates, stage)["dead letters"])
    assert not [rule for rule in found.values() if "ExpirationInDays" in rule or "Transitions" in rule]


def test_the_lake_ages_as_the_stage_says(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> None:
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
    told = {}
    if "infrequent" in found:
        (move,) = found["infrequent"]["Transitions"]
        assert move["StorageClass"] == "STANDARD_IA"
        told["infrequent"] = move["TransitionInDays"]
    if "expire" in found:
        told["expire"] = found["expire"]["ExpirationInDays"]
    return told


def test_the_lake_tells_nobody_of_its_objects_but_redshift(templates: Templates, stage: str) -> None:
    """Redshift's integration takes no other notification of new objects on the bucket, and makes its own."""
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


def test_the_queue_is_encrypted_and_takes_only_the_buckets_messages(templates: Templates, stage: str) -> None:
    queue = templates.one(stage, "stores", "AWS::SQS::Queue")
    assert queue["QueueName"] == names.dead_letter_queue(stage)
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


def test_tables_have_the_keys_that_the_local_stack_gives_them(templates: Templates, stage: str) -> None:
    asked: dict[str, Any] = {}
    stores.create(lambda _: Recorder(asked), stage, [PIPELINE], "lake", "dead")
    made = tables(templates, stage)
    assert {name: (each["KeySchema"], each["AttributeDefinitions"]) for name, each in made.items()} == asked


class Recorder:
    """A client that notes which tables it is asked for."""

    meta = type("Meta", (), {"region_name": "us-east-1"})

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked

    def create_table(self, **how: Any) -> None:
        self._asked[how["TableName"]] = (how["KeySchema"], how["AttributeDefinitions"])

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


def test_what_is_kept_outlives_a_protected_stack(templates: Templates, stage: str) -> None:
    kept = ("AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::SecretsManager::Secret")
    policies = {each["DeletionPolicy"] for kind in kept for each in templates.resources(stage, "stores", kind).values()}
    assert policies == {"RetainExceptOnCreate" if stage == "prod" else "Delete"}


def test_the_mask_key_is_as_long_as_the_hash_takes(templates: Templates, stage: str) -> None:
    secret = templates.one(stage, "stores", "AWS::SecretsManager::Secret")
    assert secret["Name"] == names.mask_key_secret(stage)
    assert secret["GenerateSecretString"] == {"PasswordLength": 64, "ExcludePunctuation": True, "IncludeSpace": False}


def test_the_stage_tells_where_things_are(templates: Templates, stage: str) -> None:
    found = templates.resources(stage, "stores", "AWS::SSM::Parameter").values()
    told = ("lake-bucket", "dead-letter-bucket", "dead-letter-queue-url", "mask-key-secret-arn")
    assert {each["Properties"]["Name"] for each in found} == {names.parameter(stage, name) for name in told}
