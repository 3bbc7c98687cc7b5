"""The one composition root: settings -> adapters -> settler. Nothing is built at import, and no client twice."""

import gc
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any, Final

from functions import registry
from functions.adapters.aws import Aws
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.kafka import connection
from functions.adapters.lake import S3Lake
from functions.adapters.ledger import DynamoLedger
from functions.adapters.secrets import secret
from functions.adapters.table import DynamoTable
from functions.core import names
from functions.core.errors import InvalidSetting
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Stores, Topic
from functions.core.settle import Settler
from functions.settings import Settings

SHORTEST_KEY: Final = 16  # bytes: 128 bits, as much as the masks have


@dataclass(frozen=True)
class App:
    """What a runtime drives: everything of one pipeline in one process, each part built when first asked for."""

    settings: Settings

    @cached_property
    def pipeline(self) -> AnyPipeline:
        """The declaration, with the stage's overrides of its limits."""
        declared, settings = registry.load(self.settings.pipeline), self.settings
        limits = declared.limits
        if settings.flood_ratio is not None:
            limits = replace(limits, flood=FloodLimit(settings.flood_ratio, limits.flood.over))
        if settings.slice_seconds is not None:
            limits = replace(limits, slice_seconds=settings.slice_seconds)
        return replace(declared, limits=limits)

    @cached_property
    def settler(self) -> Settler:
        """The settler on the real stores."""
        return Settler(self.pipeline, self._stores, self._mask_key())

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The ledger of the stage."""
        stage = self.settings.stage
        return DynamoLedger(self.aws.dynamodb, names.ledger_table(stage), names.counters_table(stage))

    @cached_property
    def kafka(self) -> dict[str, Any]:
        """How Kafka clients connect and authenticate."""
        return connection(self.settings, self._secret)

    @cached_property
    def aws(self) -> Aws:
        """The clients of this process."""
        return Aws(self.settings.region, self.settings.settle_threads)

    @cached_property
    def _stores(self) -> Stores:
        settings, pipeline, aws = self.settings, self.pipeline, self.aws
        return Stores(
            ledger=self.ledger,
            lake=S3Lake(aws.s3, settings.lake_bucket, pipeline.schema) if pipeline.has_lake else None,
            tables={
                sink.name: DynamoTable(aws.dynamodb, names.rows_table(settings.stage, sink.name), sink.key, aws.pool)
                for sink in pipeline.tables
            },
            topics=self._topics(),
            dead_letters=S3DeadLetters(aws.s3, settings.dead_letter_bucket, aws.pool),
            today=today,
        )

    def _topics(self) -> dict[str, Topic]:
        if not self.pipeline.topics:
            return {}
        # Imported here: a pipeline without topic sinks does not load librdkafka on Lambda.
        from confluent_kafka import Producer  # noqa: PLC0415

        from functions.adapters.topic import PRODUCER, KafkaTopic  # noqa: PLC0415

        producer = Producer(self.kafka | PRODUCER)
        return {sink.name: KafkaTopic(producer, sink.name) for sink in self.pipeline.topics}

    def _mask_key(self) -> bytes:
        key = self._secret(self.settings.mask_key_from)
        if not SHORTEST_KEY <= len(key) <= blake2b.MAX_KEY_SIZE:
            takes = f"takes a key of {SHORTEST_KEY} to {blake2b.MAX_KEY_SIZE} bytes"
            raise InvalidSetting(
                f"TANDEM_MASK_KEY_FROM: {takes}, the one at {self.settings.mask_key_from} has {len(key)}"
            )
        return key

    def _secret(self, source: str) -> bytes:
        return secret(source, lambda: self.aws.secretsmanager)


def tune_collector() -> None:
    """Let the cycle collector look less often: records and rows hold no cycles, and searching them took a fifth.

    What is loaded by now is never searched again, and a whole slice fits between two looks at the youngest objects.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def today() -> date:
    """The date in UTC, by the clock of this process."""
    return datetime.now(UTC).date()
