"""A recorded event settles on stores and secrets that CloudFormation creates from the templates."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from cdk import names
from functions import settings
from functions.adapters.lake import S3Lake
from functions.bootstrap import App
from functions.core.names import counters_table, dead_letter_queue, ledger_table, rows_table
from functions.core.ports import Source
from functions.pipelines.logins import PIPELINE
from functions.runtimes.msk.event import slices
from sandbox.broker.embedded import Embedded
from sandbox.stores import Client
from tests.emulator import account
from tests.infrastructure.conftest import Templates
from tests.infrastructure.emulated import Emulated

EVENT = json.loads((Path(__file__).parents[1] / "events" / "msk_partitions.json").read_text())
SETTLED = {0: 6, 2: 43, 11: 2}  # the ledger's next offset by partition
NOT_JSON = "user-login-11-00000000000000000001"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with account() as empty:
        yield empty


@pytest.fixture(scope="module", params=["dev", "prod"])
def stage(request: pytest.FixtureRequest, templates: Templates, client: Client) -> str:
    """A stage whose keys and stores are deployed."""
    emulated = Emulated(client)
    for stack in ("keys", "stores"):
        emulated.deploy(f"tandem-{request.param}-{stack}", templates[request.param, stack])
    return str(request.param)


@pytest.fixture(scope="module")
def app(stage: str, client: Client) -> Iterator[App]:
    """The function's composition root, configured by the stack's parameters, after it has settled the event."""
    with Embedded() as kafka:
        published = published_by(client, stage)
        built = App(settings.read({
            "TANDEM_STAGE": stage,
            "TANDEM_PIPELINE": PIPELINE.name,
            "TANDEM_LAKE_BUCKET": published["lake-bucket"],
            "TANDEM_DEAD_LETTER_BUCKET": published["dead-letter-bucket"],
            "TANDEM_MASK_KEY_FROM": published["mask-key-secret-arn"],
            "TANDEM_BOOTSTRAP_SERVERS": kafka.bootstrap,
            "TANDEM_KAFKA_AUTH": "plaintext",
        }))  # fmt: skip
        for part in slices(EVENT):
            built.settler.settle(part)
        yield built
        built.aws.pool.shutdown()


def published_by(client: Client, stage: str) -> Mapping[str, str]:
    """The stage's parameters by name."""
    found = client("ssm").get_parameters_by_path(Path=names.parameter(stage, ""))["Parameters"]
    return {each["Name"].removeprefix(names.parameter(stage, "")): each["Value"] for each in found}


def test_buckets_have_the_names_of_cdk_names(stage: str, client: Client) -> None:
    account = client("sts").get_caller_identity()["Account"]
    published = published_by(client, stage)
    assert published["lake-bucket"] == names.lake_bucket(stage, account, "us-east-1")
    assert published["dead-letter-bucket"] == names.dead_letter_bucket(stage, account, "us-east-1")
    assert published["dead-letter-queue-url"].endswith(f"/{account}/{dead_letter_queue(stage)}")
    assert published["mask-key-secret-arn"].split(":")[-1].startswith(names.mask_key_secret(stage))


def test_the_ledger_has_advanced(app: App) -> None:
    positions = app.stage_ledger.positions(PIPELINE.name, PIPELINE.topic)
    assert {partition: position.next for partition, position in positions.items()} == SETTLED


def test_rows_are_in_the_lake_at_the_location_in_the_catalog(app: App, client: Client) -> None:
    bucket = app.settings.lake_bucket
    keys = [each["Key"] for each in client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    lake, users = S3Lake(app.aws.s3, bucket), list[str]()
    for key in sorted(keys):
        pipeline, day, name = key.split("/")
        assert (pipeline, day[:4]) == (PIPELINE.name, "day=")
        topic, partition, offset = name.removesuffix(".parquet").rsplit("-", 2)
        intent = lake.get(Source(pipeline, topic, int(partition)), date.fromisoformat(day[4:]), int(offset))
        assert intent is not None
        users += intent.rows.columns["user_id"]
    assert sorted(users) == ["a", "c", "d", "e"]


def test_counters_and_table_rows_are_written(stage: str, app: App, client: Client) -> None:
    counters = client("dynamodb").scan(TableName=counters_table(stage))["Items"]
    assert sum(int(each["amount"]["N"]) for each in counters) == 4
    rows = client("dynamodb").scan(TableName=rows_table(stage, "last-login"))["Items"]
    assert sorted(each["user_id"]["S"] for each in rows) == ["a", "c", "d", "e"]


def test_the_dead_letter_is_stored_and_announced(stage: str, app: App, client: Client) -> None:
    bucket, queue = app.settings.dead_letter_bucket, published_by(client, stage)["dead-letter-queue-url"]
    (stored,) = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert NOT_JSON in stored["Key"]
    heard = client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)["Messages"]
    announced = [record for each in heard for record in json.loads(each["Body"]).get("Records", [])]
    assert [(each["s3"]["bucket"]["name"], NOT_JSON in each["s3"]["object"]["key"]) for each in announced] == [
        (bucket, True)
    ]


def test_a_second_delivery_changes_nothing(stage: str, app: App, client: Client) -> None:
    before = client("dynamodb").scan(TableName=counters_table(stage))["Items"]
    for part in slices(EVENT):
        app.settler.settle(part)
    assert client("dynamodb").scan(TableName=counters_table(stage))["Items"] == before
    versions = client("s3").list_object_versions(Bucket=app.settings.lake_bucket)["Versions"]
    assert len({each["Key"] for each in versions}) == len(versions) == len(SETTLED)


def test_data_is_protected_if_the_stage_is(stage: str, client: Client) -> None:
    for table in (ledger_table(stage), counters_table(stage), rows_table(stage, "last-login")):
        table_ = client("dynamodb").describe_table(TableName=table)["Table"]
        assert table_["DeletionProtectionEnabled"] is (stage == "prod")
