"""The logins pipeline on in-memory stores, and logs and events to read back, for tests of both runtimes."""

import json
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits
from functions.core.ports import Stores
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings

EVENTS = Path(__file__).parents[2] / "events"
KEY = b"0123456789abcdef"
IP, DEVICE = "203.0.113.7", "593-47-5928"  # never in a log, metric or error message
NO_FLOOD = Limits(slice_seconds=0.05, flood=FloodLimit(1.0, 1000))
SETTINGS = Settings(
    stage="test",
    pipeline="logins",
    lake_bucket="lake",
    dead_letter_bucket="letters",
    mask_key_from="file:/key",
    bootstrap_servers="localhost:9092",
    kafka_auth="plaintext",
    http_host="127.0.0.1",
    http_port=0,
)


def recorded(name: str) -> Any:
    """An event from tests/events."""
    return json.loads((EVENTS / f"{name}.json").read_text())


def login(**changes: Any) -> bytes:
    """A valid login, but for the changes."""
    good = {
        "user_id": "u-1", "app_version": "2.3.0", "device_type": "android", "ip": IP, "locale": "RU",
        "device_id": DEVICE, "timestamp": 1694479551,
    }  # fmt: skip
    return json.dumps(good | changes).encode()


def slice_of(*values: bytes | None, partition: int = 0, start: int = 0) -> Slice:
    """Return a slice of the source topic with these values."""
    n = len(values)
    offsets = list(range(start, start + n))
    return Slice("user-login", partition, start, start + n - 1, offsets, offsets, [None] * n, values, [()] * n)


def event(**partitions: list[bytes | None]) -> dict[str, Any]:
    """Return an event of the mapping: `p3=[value, ...]` are the records of partition 3, starting at offset 0."""
    records: dict[str, list[dict[str, Any]]] = {
        f"user-login-{name[1:]}": [
            {
                "topic": "user-login",
                "partition": int(name[1:]),
                "offset": offset,
                "timestamp": 1694479551000,
                "timestampType": "CREATE_TIME",
                "value": None if value is None else b64encode(value).decode(),
                "headers": [],
            }
            for offset, value in enumerate(values)
        ]
        for name, values in partitions.items()
    }
    return {"eventSource": "aws:kafka", "records": records}


class World:
    """In-memory stores and a settler on them."""

    def __init__(self, declared: AnyPipeline = PIPELINE) -> None:
        self.pipeline = declared
        self.ledger, self.lake, self.letters = MemoryLedger(), MemoryLake(), MemoryDeadLetters()
        self.table, self.topic = MemoryTable(), MemoryTopic()
        self.stores = Stores(
            self.ledger, self.lake, {"last-login": self.table}, {"processed-user-login": self.topic}, self.letters,
            lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        self.settler = Settler(declared, self.stores, KEY)

    def next(self) -> dict[int, int]:
        """The ledger's next offset of each partition."""
        return {source.partition: at.next for source, at in self.ledger.positions.items()}


class StubSettlement:
    """A settlement whose attempts are calls of a function."""

    def __init__(self, settle: Callable[[Slice], Settled], slice_: Slice) -> None:
        self.evaluating, self.evaluations, self.releases = False, 0, 0
        self._settle, self._slice = settle, slice_

    def run(self) -> Settled:
        return self._settle(self._slice)

    def abandon(self) -> None:
        self.releases += 1


def beginning(settle: Callable[[Slice], Settled]) -> Any:
    """What begins stub settlements, as `Settler.begin` does real ones."""
    return lambda slice_: StubSettlement(settle, slice_)


class Logs:
    """A logger and its lines, which must be JSON objects."""

    def __init__(self) -> None:
        self.text = StringIO()
        self.log = Logger(service=f"test-{uuid4()}", level="DEBUG", stream=self.text)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def lines_of(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["message"] == message]
