"""Declarations: one that cannot work fails when it is declared, with the field's name."""

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from functions.core.dedup import Dedup
from functions.core.errors import InvalidPipeline
from functions.core.flood import FloodLimit
from functions.core.keys import TextKey
from functions.core.masking import Masked
from functions.core.pipeline import Limits
from functions.core.sinks import Counters, Lake, Table, Topic
from functions.core.topic_config import TopicConfig
from tests.unit.core.clicks import DELETE, SINKS, pipeline


class Odd(BaseModel):
    maybe_key: str | None
    maybe_at: datetime | None
    at: datetime
    number: int
    amount: Decimal
    hidden: Masked


class Unstorable(BaseModel):
    tags: set[str]


def odd(*sinks: Any, **changes: Any) -> Any:
    return pipeline(row=Odd, process=lambda _: None, sinks=sinks, **changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "Click_s"}, "name: expected 2 to 48 lower-case letters"),
        ({"topic": "a b"}, "topic: expected a valid Kafka topic name, got 'a b'"),
        ({"topic": ".."}, "topic: expected a valid Kafka topic name"),
        ({"row": dict}, "row: expected a pydantic model or a msgspec.Struct, got <class 'dict'>"),
        ({"process": None}, "process: expected a function, got None"),
        ({"event": object()}, "event: expected a pydantic model"),
        ({"sinks": ()}, "sinks: expected at least one"),
        ({"sinks": (Lake(), Lake())}, "sinks: expected at most one Lake"),
        ({"sinks": tuple(Counters(f"c{n}", (), 60, "at") for n in range(99))}, "sinks: expected at most 98 Counters"),
        ({"sinks": (SINKS[2], SINKS[2])}, "sinks: Table 'last-click' is declared twice"),
        ({"limits": Limits(slice_records=0)}, "limits.slice_records: expected a number above 0, got 0"),
        ({"limits": Limits(flood=FloodLimit(0, 10))}, r"limits.flood: expected a ratio in \(0, 1\]"),
        ({"topic_config": TopicConfig(partitions=0)}, "topic_config: partitions: expected at least 1, got 0"),
        ({"topic_config": TopicConfig(retention_hours=0)}, "topic_config: retention_hours: expected at least 1, got 0"),
        (
            {"sinks": (Topic("tt", "user", TopicConfig(min_insync_replicas=3)),)},
            "Topic 'tt' config: min_insync_replicas: expected 1 or 2 of 3 replicas, got 3",
        ),
        ({"sinks": (Counters("C", (), 60, "at"),)}, "Counters 'C' name: expected"),
        (
            {"sinks": (Counters("cc", ("nope",), 60, "at"),)},
            "Counters 'cc' by: the row has no field 'nope', its fields are user",
        ),
        (
            {"sinks": (Counters("cc", ("at",), 60, "at"),)},
            "Counters 'cc' by: expected a field of type Text or .*, got 'at' of Timestamp",
        ),
        (
            {"sinks": (Counters("cc", (), 60, "user"),)},
            "Counters 'cc' at: expected a field of type Timestamp, got 'user' of Text",
        ),
        ({"sinks": (Counters("cc", (), 0, "at"),)}, "Counters 'cc' every: expected at least 1 second, got 0"),
        ({"sinks": (Table("tt", "at", "at"),)}, "Table 'tt' key: expected .*, got 'at' of Timestamp"),
        ({"sinks": (Table("tt", "page", "at"),)}, "Table 'tt' key: field 'page' may be None"),
        ({"sinks": (Table("tt", "user", "user"),)}, "Table 'tt' newest_by: expected .*, got 'user' of Text"),
        ({"sinks": (Topic("click", "user"),)}, "Topic 'click': is the pipeline's own source"),
        ({"sinks": (SINKS[0],), "tombstones": DELETE}, "tombstones: DELETE needs a Table"),
    ],
)
def test_a_declaration_that_cannot_work_fails_with_the_fields_name(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"start": "latest"}, "start: expected Start, got 'latest'"),
        ({"tombstones": "delete"}, "tombstones: expected Tombstones, got 'delete'"),
        ({"limits": None}, "limits: expected Limits, got None"),
        ({"limits": Limits(slice_records="10")}, "limits.slice_records: expected int, got '10'"),  # type: ignore[arg-type]
        ({"limits": Limits(slice_seconds=math.nan)}, "limits.slice_seconds: expected a number above 0, got nan"),
        ({"limits": Limits(flood=None)}, "limits.flood: expected FloodLimit, got None"),  # type: ignore[arg-type]
        ({"topic_config": None}, "topic_config: expected TopicConfig, got None"),
        ({"topic_config": TopicConfig(partitions="3")}, "topic_config: partitions: expected int, got '3'"),  # type: ignore[arg-type]
        ({"dedup": True}, r"dedup: expected functions.core.dedup.Dedup \| None, got True"),
        ({"dedup": Dedup("user", 60)}, "dedup within: expected timedelta, got 60"),  # type: ignore[arg-type]
        ({"key_codec": TextKey}, r"key_codec: expected a codec such as TextKey\(\)"),
        ({"event": "Click"}, "event: expected a pydantic model, got 'Click'"),
        ({"sinks": (Counters("cc", "page", 60, "at"),)}, r"by: expected tuple\[str, ...\], got 'page'"),  # type: ignore[arg-type]
        ({"sinks": (Counters("cc", (), 1.5, "at"),)}, "every: expected int, got 1.5"),  # type: ignore[arg-type]
        ({"sinks": (Counters("cc", (), 10**18, "at"),)}, "every: expected at most 1000000000000 seconds"),
        ({"sinks": (Table("tt", ()),)}, r"key: expected a field, or two different ones, got \(\)"),  # type: ignore[arg-type]
        ({"sinks": (Table(None, "user"),)}, "name: expected str, got None"),  # type: ignore[arg-type]
        ({"sinks": (Table("tt", "user", expire_after=60),)}, "expire_after: expected .*timedelta"),  # type: ignore[arg-type]
    ],
)
def test_a_value_of_another_type_is_refused_with_the_fields_name(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(**changes)


def test_deleting_needs_keys_that_a_tombstone_can_name() -> None:
    with pytest.raises(InvalidPipeline, match=r"TextKey\(\) names one field, the tables' keys are number, hidden"):
        odd(Table("tt", "number", "at"), Table("uu", "hidden", "at"), tombstones=DELETE)
    with pytest.raises(InvalidPipeline, match="whose key is not masked, 'tt' has 'hidden'"):
        odd(Table("tt", "hidden", "at"), tombstones=DELETE)


def test_counting_needs_a_time_in_every_row() -> None:
    with pytest.raises(InvalidPipeline, match="field 'maybe_at' may be None"):
        odd(Counters("cc", (), 60, "maybe_at"))


def test_a_row_that_cannot_be_stored_is_refused_with_the_fields_name() -> None:
    with pytest.raises(
        InvalidPipeline, match=r"pipeline 'clicks': row: Unstorable.tags: cannot store set\[str\]; a row holds"
    ):
        pipeline(row=Unstorable, sinks=(Lake(),))


def test_sinks_are_grouped_by_type() -> None:
    declared = pipeline()
    assert (declared.has_lake, declared.counters, declared.tables, declared.topics) == (
        True,
        *[(s,) for s in SINKS[1:]],
    )
    assert declared.masked == ("secret",)
