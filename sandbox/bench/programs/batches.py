"""Lambda events full of logins."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sandbox.bench.load import SMALLEST, Load

PARTITIONS: Final = 4


@dataclass
class Context:
    """What the handler uses of Lambda's context."""

    function_name: str = "bench"
    memory_limit_in_mb: int = 1024
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id: str = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


def events(load: Load, size: int, topic: str = "user-login") -> Iterator[dict[str, Any]]:
    """Yield events of `size` records over four partitions, with offsets that go on."""
    encoded = [b64encode(value).decode() for value in load.values()]
    for begin in range(0, len(encoded), size):
        values = encoded[begin : begin + size]
        yield {
            "eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/bench/1",
            "bootstrapServers": "b-1.bench:9098",
            "records": {
                f"{topic}-{partition}": [
                    _record(topic, partition, begin // PARTITIONS + offset, value)
                    for offset, value in enumerate(values[partition::PARTITIONS])
                ]
                for partition in range(PARTITIONS)
            },
        }


def one_record(topic: str = "user-login") -> dict[str, Any]:
    """Return an event of one record."""
    value = b64encode(json.dumps(SMALLEST).encode()).decode()
    return {
        "eventSource": "aws:kafka",
        "bootstrapServers": "b-1.bench:9098",
        "records": {f"{topic}-0": [_record(topic, 0, 0, value)]},
    }


def _record(topic: str, partition: int, offset: int, value: str) -> dict[str, Any]:
    return {
        "topic": topic, "partition": partition, "offset": offset, "timestamp": 1_772_474_400_000,
        "timestampType": "CREATE_TIME", "key": "a2V5", "value": value, "headers": [],
    }  # fmt: skip
