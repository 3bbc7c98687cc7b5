"""What the operator verbs work with: the stores and brokers of one pipeline in one stage."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from functions.adapters import kubernetes_api
from functions.adapters.aws import WRITERS
from functions.adapters.batch_eraser import S3BatchEraser
from functions.adapters.brokers import KafkaBrokers
from functions.adapters.dead_letter_archive import S3DeadLetterArchive
from functions.adapters.discarded_batches import S3DiscardedBatches
from functions.adapters.handover_records import DynamoHandoverClaims, ParameterChoice
from functions.adapters.kafka_acls import KafkaAccessControl
from functions.adapters.lake_eraser import S3LakeEraser
from functions.adapters.lake_listing import S3LakeListing
from functions.adapters.lake_quarantine import S3LakeQuarantine
from functions.adapters.ledger_repair import DynamoLedgerRepair
from functions.adapters.letter_eraser import S3LetterEraser
from functions.adapters.mapping_switch import MappingSwitch
from functions.adapters.record_sender import KafkaRecordSender
from functions.adapters.redrive_claims import DynamoClaimStore
from functions.adapters.redriven_search import KafkaRedrivenSearch
from functions.adapters.table_eraser import DynamoTableEraser
from functions.adapters.traffic_history import CloudWatchTraffic
from functions.adapters.worker_switch import WorkerSwitch
from functions.bootstrap import App
from functions.core import names
from functions.core.erase_ports import ErasureStores
from functions.core.handover_ports import HandoverClaims, Runtime, RuntimeChoice, RuntimeSwitch
from functions.core.operator_ports import (
    AccessControl,
    Brokers,
    ClaimStore,
    DeadLetterArchive,
    DiscardedBatches,
    LakeListing,
    LakeQuarantine,
    LedgerListing,
    LedgerRepair,
    RecordSender,
    RedrivenSearch,
    TrafficHistory,
)
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Ledger
from functions.settings import Settings


@dataclass(frozen=True, slots=True)
class OperatorContext:
    """The ports of every verb. `now` returns the time in UTC, `mask_key` the key of masked fields.

    `pool` runs many small requests in parallel.
    """

    stage: str
    pipeline: AnyPipeline
    group: str
    ledger: Ledger
    ledger_listing: LedgerListing
    repair: LedgerRepair
    letters: DeadLetterArchive
    claims: ClaimStore
    discarded: DiscardedBatches
    lake: LakeListing
    quarantine: LakeQuarantine
    erasure: ErasureStores
    brokers: Brokers
    sender: RecordSender
    search: RedrivenSearch
    access: AccessControl
    switches: Mapping[Runtime, RuntimeSwitch]
    handover_claims: HandoverClaims
    choice: RuntimeChoice
    traffic: TrafficHistory
    pool: Executor
    now: Callable[[], datetime]
    mask_key: Callable[[], bytes]


def connect(settings: Settings) -> OperatorContext:
    """Return the context of a stage's real stores, from the settings that the runtimes have.

    No request is made yet, and no Kafka client is built before a verb asks the brokers.
    """
    app = App(settings.for_operators())
    pipeline, aws = app.pipeline, app.aws
    group = names.consumer_group(settings.stage, pipeline.name)
    ledger = app.stage_ledger
    return OperatorContext(
        stage=settings.stage,
        pipeline=pipeline,
        group=group,
        ledger=ledger,
        ledger_listing=ledger,
        repair=DynamoLedgerRepair(aws.dynamodb, ledger.table, ledger.counters),
        letters=S3DeadLetterArchive(aws.s3, settings.dead_letter_bucket, pipeline.name),
        claims=DynamoClaimStore(aws.dynamodb, ledger.table, pipeline.name),
        discarded=S3DiscardedBatches(aws.s3, settings.dead_letter_bucket),
        lake=S3LakeListing(aws.s3, settings.lake_bucket),
        quarantine=S3LakeQuarantine(aws.s3, settings.lake_bucket, settings.dead_letter_bucket),
        erasure=_erasure(app),
        brokers=KafkaBrokers(lambda: app.kafka, group),
        sender=KafkaRecordSender(lambda: app.kafka),
        search=KafkaRedrivenSearch(lambda: app.kafka, group),
        access=KafkaAccessControl(lambda: app.kafka),
        switches=_switches(app),
        handover_claims=DynamoHandoverClaims(aws.dynamodb, ledger.table, pipeline.name),
        choice=ParameterChoice(lambda: aws.ssm, names.runtime_parameter(settings.stage, pipeline.name)),
        traffic=CloudWatchTraffic(lambda: aws.cloudwatch, settings.stage, pipeline.name),
        pool=ThreadPoolExecutor(WRITERS, "operate"),
        now=lambda: datetime.now(UTC),
        mask_key=lambda: app.mask_key,
    )


def _switches(app: App) -> dict[Runtime, RuntimeSwitch]:
    """Return the switches, which find the services of their runtime when they are used."""
    stage, pipeline = app.settings.stage, app.pipeline
    function = f"{names.function(stage, pipeline.name)}:{names.LIVE}"
    return {
        Runtime.MSK: MappingSwitch(lambda: app.aws.lambda_, function, pipeline.topic),
        Runtime.WORKER: WorkerSwitch(
            lambda: kubernetes_api.connect(names.namespace(stage)), names.worker(pipeline.name)
        ),
    }


def _erasure(app: App) -> ErasureStores:
    settings, pipeline, aws = app.settings, app.pipeline, app.aws
    lake, letters = settings.lake_bucket, settings.dead_letter_bucket
    return ErasureStores(
        letters=S3LetterEraser(aws.s3, letters, pipeline.name),
        batches=S3BatchEraser(aws.s3, letters),
        lake=S3LakeEraser(aws.s3, lake, letters, pipeline.name),
        tables={
            sink.name: DynamoTableEraser(aws.dynamodb, names.rows_table(settings.stage, sink.name), sink.key_fields)
            for sink in pipeline.tables
        },
    )
