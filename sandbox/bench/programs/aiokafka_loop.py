"""aiokafka's `getmany` with pydantic, in the peers' environment."""

import asyncio
from typing import Final
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from pydantic import ValidationError

from functions.pipelines.logins import Login
from sandbox.bench.programs.meter import Meter, given

READ: Final = 5000


async def read() -> None:
    """Read and validate all records of a topic."""
    asked = given()
    consumer = AIOKafkaConsumer(
        asked["topic"], bootstrap_servers=asked["bootstrap"], group_id=f"aiokafka-{uuid4().hex[:8]}",
        auto_offset_reset="earliest", enable_auto_commit=False,
    )  # fmt: skip
    await consumer.start()
    meter, seen = Meter(), 0
    while seen < asked["records"]:
        if consumer.assignment() and not meter.began:
            meter.begin()
        for records in (await consumer.getmany(timeout_ms=1000, max_records=READ)).values():
            for record in records:
                try:
                    Login.model_validate_json(record.value)
                except ValidationError:
                    continue
            seen += len(records)
    meter.end(seen)
    await consumer.stop()


if __name__ == "__main__":
    asyncio.run(read())
