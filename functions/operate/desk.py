"""What the verbs work with: one stage's stores and brokers of one pipeline, each part built when first asked for."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from functions.adapters.aws import WRITERS
from functions.adapters.ledger import DynamoLedger
from functions.bootstrap import App
from functions.core import names
from functions.core.pipeline import AnyPipeline
from functions.operate.brokers import Brokers
from functions.operate.letters import Letters
from functions.operate.marks import Marks
from functions.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Desk:
    """It takes the settings of the runtimes, so that an operator and a runtime cannot mean different stages."""

    settings: Settings

    @cached_property
    def app(self) -> App:
        """The runtimes' own composition."""
        return App(self.settings)

    @cached_property
    def pipeline(self) -> AnyPipeline:
        """The declaration."""
        return self.app.pipeline

    @cached_property
    def ledger(self) -> DynamoLedger:
        """The stage's ledger."""
        return self.app.ledger

    @cached_property
    def s3(self) -> "S3Client":
        """For the lake's and the dead letters' buckets."""
        return self.app.aws.s3

    @cached_property
    def letters(self) -> Letters:
        """The pipeline's dead letters."""
        return Letters(self.s3, self.settings.dead_letter_bucket, self.pipeline.name)

    @cached_property
    def marks(self) -> Marks:
        """What was redriven: beside the ledger, for an object in the letters' bucket would be announced as a letter."""
        return Marks(self.ledger.dynamodb, self.ledger.table, self.pipeline.name, now)

    @cached_property
    def brokers(self) -> Brokers:
        """The Kafka cluster."""
        return Brokers(self.app.kafka, names.group(self.settings.stage, self.pipeline.name))

    @cached_property
    def pool(self) -> ThreadPoolExecutor:
        """For many small requests side by side."""
        return ThreadPoolExecutor(WRITERS, "operate")


def now() -> datetime:
    """In UTC."""
    return datetime.now(UTC)
