"""The one composition root: settings -> adapters -> settler. It builds nothing at import, and no client twice."""

import gc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from hashlib import blake2b
from threading import Lock
from typing import Any, Final
from uuid import uuid4

from functions import registry
from functions.adapters.aws import Aws
from functions.adapters.custom_sinks import ProcessContext, made
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.kafka import connection
from functions.adapters.lake import S3Lake
from functions.adapters.ledger import DynamoLedger
from functions.adapters.secrets import secret
from functions.adapters.seen import DynamoSeen
from functions.adapters.table import DynamoTable
from functions.core import names
from functions.core.errors import InvalidSetting
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Ledger, Schemas, Stores, TopicWriter
from functions.core.settle import Settler
from functions.core.sinks import CustomSink
from functions.settings import LOCATION, REGISTRY_URL, Settings

MIN_KEY_BYTES: Final = 16  # 128 bits, the size of a mask


@dataclass(frozen=True)
class App:
    """One pipeline in one process, each part built on first use. `stores` replaces those of the settings."""

    settings: Settings
    stores: Stores | None = None

    @cached_property
    def pipeline(self) -> AnyPipeline:
        """The declaration, with the stage's overrides of its limits."""
        declared, settings = registry.load(self.settings.pipeline), self.settings
        limits = declared.limits
        if settings.flood_ratio is not None:
            limits = replace(limits, flood=FloodLimit(settings.flood_ratio, limits.flood.over))
        if settings.slice_seconds is not None:
            limits = replace(limits, slice_seconds=settings.slice_seconds)
        if settings.max_text_bytes is not None:
            limits = replace(limits, max_text_bytes=settings.max_text_bytes)
        return replace(declared, limits=limits)

    @cached_property
    def settler(self) -> Settler:
        """The settler on the given stores, or on those that the settings name."""
        stores = self.stores or self._stage_stores()
        return Settler(self.pipeline, stores, self.mask_key, owner=uuid4().hex, alone=Lock())

    @property
    def ledger(self) -> Ledger:
        """The ledger that the settler advances."""
        return self.settler.stores.ledger

    @cached_property
    def stage_ledger(self) -> DynamoLedger:
        """The ledger in the stage's table, whatever stores were given."""
        stage = self.settings.stage
        lifetimes = {
            sink.name: sink.every + round(sink.expire_after.total_seconds())
            for sink in self.pipeline.counters
            if sink.expire_after is not None
        }
        tables = names.ledger_table(stage), names.counters_table(stage)
        return DynamoLedger(self.aws.dynamodb, *tables, lifetimes=lifetimes)

    @cached_property
    def kafka(self) -> dict[str, Any]:
        """The settings with which Kafka clients connect and authenticate."""
        return connection(self.settings, self._secret)

    @cached_property
    def aws(self) -> Aws:
        """The AWS clients of this process."""
        return Aws(self.settings.region, self.settings.settle_threads)

    def _stage_stores(self) -> Stores:
        settings, pipeline, aws = self.settings, self.pipeline, self.aws
        registries = {name: self.registry(name) for name in pipeline.registries}
        return Stores(
            ledger=self.stage_ledger,
            lake=S3Lake(aws.s3, settings.lake_bucket),
            tables={
                table.name: DynamoTable(aws.item_puts, names.rows_table(settings.stage, table.name), table.key_fields)
                for table in pipeline.tables
            },
            topics=self._topics(registries),
            dead_letters=S3DeadLetters(aws.object_puts, settings.dead_letter_bucket),
            now=now,
            seen=DynamoSeen(aws.item_puts, names.seen_table(settings.stage), aws.pool) if pipeline.dedup else None,
            sinks={sink.name: made(sink, self._sink_context(sink)) for sink in pipeline.custom_sinks},
            schemas=registries,
        )

    def registry(self, name: str) -> Schemas:
        """The schema registry that codecs of the pipeline use by this name. InvalidSetting if it is not configured."""
        # Imported here, as for topics: most pipelines have no registry.
        if name == "glue":
            from functions.adapters.glue_registry import GlueRegistry  # noqa: PLC0415

            return GlueRegistry(self.aws.glue)
        from functions.adapters.confluent_registry import ConfluentRegistry  # noqa: PLC0415

        settings = self.settings
        if settings.registry_url is None:
            raise InvalidSetting(f"TANDEM_REGISTRY_URL: missing, expected {REGISTRY_URL}, for {settings.pipeline!r}")
        given = settings.registry_from
        return ConfluentRegistry(settings.registry_url, None if given is None else self._secret(given))

    def _topics(self, registries: Mapping[str, Schemas]) -> dict[str, TopicWriter]:
        if not self.pipeline.topics:
            return {}
        # Imported here: a pipeline without topic sinks does not load librdkafka on Lambda.
        from confluent_kafka import Producer  # noqa: PLC0415

        from functions.adapters.encoded_topic import topic_writer  # noqa: PLC0415
        from functions.adapters.topic import PRODUCER, KafkaTopicWriter  # noqa: PLC0415

        producer = Producer(self.kafka | PRODUCER)
        return {
            sink.name: topic_writer(KafkaTopicWriter(producer, sink.name), sink, self.pipeline, registries)
            for sink in self.pipeline.topics
        }

    def _sink_context(self, sink: CustomSink) -> ProcessContext:
        location = self.settings.sinks_from.get(sink.name)

        def read_secret() -> bytes:
            if location is None:
                raise InvalidSetting(f"{names.sink_variable(sink.name)}: missing, expected {LOCATION}")
            return self._secret(location)

        return ProcessContext(self.settings.stage, self.pipeline.name, read_secret)

    @cached_property
    def mask_key(self) -> bytes:
        """The key that masks fields. InvalidSetting if it has the wrong length."""
        key = self._secret(self.settings.mask_key_from)
        if not MIN_KEY_BYTES <= len(key) <= blake2b.MAX_KEY_SIZE:
            expected = f"expected a key of {MIN_KEY_BYTES} to {blake2b.MAX_KEY_SIZE} bytes"
            raise InvalidSetting(f"TANDEM_MASK_KEY_FROM: {expected}, {self.settings.mask_key_from} has {len(key)}")
        return key

    def _secret(self, location: str) -> bytes:
        return secret(location, lambda: self.aws.secretsmanager)


def tune_collector() -> None:
    """Run the cycle collector less often: records and rows hold no cycles, and searching them took a fifth of the time.

    Objects that exist now are never searched again, and a whole slice fits between two searches of new objects.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def now() -> datetime:
    """Return the time in UTC, by the clock of this process."""
    return datetime.now(UTC)
