"""The logins pipeline on in-memory stores, and logs and events to read back, for tests of both runtimes."""

import json
from base64 import b64encode
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from aws_lambda_powertools import Logger

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits
from functions.core.ports import Stores
from functions.core.settle import Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings

EVENTS = Path(__file__).parents[2] / "events"
KEY = b"0123456789abcdef"
IP, DEVICE = "203.0.113.7", "593-47-5928"  # what no log, metric or error message may hold
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


def part(*values: bytes | None, partition: int = 0, start: int = 0) -> Slice:
    """A slice of the source topic."""
    n = len(values)
    offsets = list(range(start, start + n))
    return Slice("user-login", partition, start, start + n - 1, offsets, offsets, [None] * n, values, [()] * n)


def event(**partitions: list[bytes | None]) -> dict[str, Any]:
    """What the mapping sends: `p3=[value, ...]` are the records of partition 3, from offset 0 on."""
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
    """One set of stores."""

    def __init__(self, declared: AnyPipeline = PIPELINE) -> None:
        self.pipeline = declared
        self.ledger, self.lake, self.letters = MemoryLedger(), MemoryLake(), MemoryDeadLetters()
        self.table, self.topic = MemoryTable(), MemoryTopic()
        self.stores = Stores(
            self.ledger, self.lake, {"last-login": self.table}, {"processed-user-login": self.topic}, self.letters,
            lambda: date(2026, 1, 1),
        )  # fmt: skip
        self.settler = Settler(declared, self.stores, KEY)

    def next(self) -> dict[int, int]:
        """The ledger's next offset of each partition."""
        return {source.partition: at.next for source, at in self.ledger.positions.items()}


class Logs:
    """A logger, and the lines it wrote, each of which must be a JSON object."""

    def __init__(self) -> None:
        self.text = StringIO()
        self.log = Logger(service=f"test-{uuid4()}", level="DEBUG", stream=self.text)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.getvalue().splitlines()]

    def said(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["message"] == message]
