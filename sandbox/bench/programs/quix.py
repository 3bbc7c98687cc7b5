"""Quix Streams: a dataframe that validates each message as a pydantic model."""

import logging
from tempfile import TemporaryDirectory
from uuid import uuid4

from quixstreams import Application

from functions.pipelines.logins import Login
from sandbox.bench.programs.meter import Meter, given


def main() -> None:
    """Read and validate all records of a topic."""
    asked = given()
    meter, seen = Meter(), 0

    def handle(value: bytes) -> Login:
        nonlocal seen
        if not meter.began:
            meter.begin()  # the group has been joined, and the first message is here
        seen += 1
        if seen >= asked["records"]:
            app.stop()
        return Login.model_validate_json(value)

    with TemporaryDirectory() as folder:
        app = Application(
            broker_address=asked["bootstrap"], consumer_group=f"quix-{uuid4().hex[:8]}", auto_offset_reset="earliest",
            state_dir=folder, loglevel=logging.ERROR,
        )  # fmt: skip
        topic = app.topic(asked["topic"], value_deserializer="bytes")
        app.dataframe(topic).apply(handle)
        app.run()
    meter.end(seen)


if __name__ == "__main__":
    main()
