"""Powertools' `kafka_consumer` with a pydantic model, which decodes and validates every record, and no more."""

from typing import Any, cast

from aws_lambda_powertools.utilities.kafka import ConsumerRecords, SchemaConfig, kafka_consumer

from functions.pipelines.logins import Login
from sandbox.bench.load import Load
from sandbox.bench.programs.batches import Context, events
from sandbox.bench.programs.meter import Meter, given

SCHEMA = SchemaConfig(value_schema_type="JSON", value_output_serializer=Login)


@kafka_consumer(schema_config=SCHEMA)
def handler(event: ConsumerRecords, context: Any) -> int:  # noqa: ANN401, ARG001 - Lambda's signature
    """Return the number of valid logins."""
    return sum(isinstance(record.value, Login) for record in event.records)


def main() -> None:
    """Handle all events but the first, which warms up, with the clock running."""
    asked = given()
    context = cast("Any", Context())
    first, *rest = events(Load(asked["records"] + asked["batch"]), asked["batch"])
    handler(first, context)
    meter = Meter()
    meter.begin()
    handled = sum(handler(event, context) for event in rest)
    meter.end(handled)


if __name__ == "__main__":
    main()
