"""Measurements of devices, which send an event again until it is acknowledged.

A value is JSON, compressed if the header `content-encoding` says gzip. Repeated events are dropped for a day. With
`codec=Avro(Confluent())`, from functions.codecs.avro and functions.core.registries, the values are Avro instead.
"""

from datetime import timedelta
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, FiniteFloat

from functions.core.compression import ByHeader, Gzip
from functions.core.dedup import Dedup
from functions.core.pipeline import Limits, Pipeline
from functions.core.sinks import MINUTE, Counters, Lake, Table


class Telemetry(BaseModel):
    """An event: what a device measured at one time, by sensor."""

    event_id: UUID
    device: str
    measured_at: AwareDatetime
    readings: dict[str, FiniteFloat]


class Reading(BaseModel):
    """The row of one sensor's measurement."""

    device: str
    sensor: str
    value: float
    measured_at: AwareDatetime


def process(telemetry: Telemetry) -> list[Reading]:
    """Return a row for each sensor."""
    return [
        Reading(device=telemetry.device, sensor=sensor, value=value, measured_at=telemetry.measured_at)
        for sensor, value in telemetry.readings.items()
    ]


PIPELINE = Pipeline(
    name="telemetry",
    topic="telemetry",
    event=Telemetry,
    row=Reading,
    process=process,
    codec=ByHeader({"gzip": Gzip(max_bytes=1024 * 1024)}),
    dedup=Dedup(by="event_id", within=timedelta(hours=24)),
    limits=Limits(max_rows_per_record=100),
    sinks=(
        Lake(),
        Counters(
            "readings-per-minute", by=("sensor",), every=MINUTE, at="measured_at", expire_after=timedelta(days=30)
        ),
        Table("last-reading", key=("device", "sensor"), newest_by="measured_at", expire_after=timedelta(days=30)),
    ),
)
