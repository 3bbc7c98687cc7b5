"""FastStream's batch subscriber on confluent-kafka, which validates each message as a pydantic model."""

import logging
from typing import Final
from uuid import uuid4

import anyio
from faststream import FastStream
from faststream.confluent import KafkaBroker

from functions.pipelines.logins import Login
from sandbox.bench.programs.meter import Meter, given

READ: Final = 5000


async def read() -> None:
    """Read and validate all records of a topic."""
    asked = given()
    broker = KafkaBroker(asked["bootstrap"], logger=None, log_level=logging.ERROR)
    app = FastStream(broker, logger=None)
    meter, seen = Meter(), 0

    @broker.subscriber(
        asked["topic"], batch=True, max_records=READ, group_id=f"faststream-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
    )  # fmt: skip
    async def handle(logins: list[Login]) -> None:
        nonlocal seen
        seen += len(logins)
        if seen >= asked["records"]:
            app.exit()

    @app.after_startup
    async def begin() -> None:
        meter.begin()

    await app.run()
    meter.end(seen)


if __name__ == "__main__":
    anyio.run(read)
