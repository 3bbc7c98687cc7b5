"""Declarations: what cannot work is refused when it is declared, by name."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel

from functions.core.errors import InvalidPipeline
from functions.core.flood import FloodLimit
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
    ("changes", "told"),
    [
        ({"name": "Click_s"}, "name: takes 2 to 48 lower-case letters"),
        ({"topic": "a b"}, "topic: Kafka takes no topic named 'a b'"),
        ({"topic": ".."}, "topic: Kafka takes no topic"),
        ({"row": dict}, "row: takes a pydantic model, got <class 'dict'>"),
        ({"process": None}, "process: takes a function, got None"),
        ({"event": object()}, "event: takes a pydantic model"),
        ({"sinks": ()}, "sinks: takes at least one"),
        ({"sinks": (Lake(), Lake())}, "sinks: takes one Lake"),
        ({"sinks": tuple(Counters(f"c{n}", (), 60, "at") for n in range(99))}, "sinks: takes at most 98 Counters"),
        ({"sinks": (SINKS[2], SINKS[2])}, "sinks: Table 'last-click' is declared twice"),
        ({"limits": Limits(slice_records=0)}, "limits.slice_records: takes a number above 0, got 0"),
        ({"limits": Limits(flood=FloodLimit(0, 10))}, r"limits.flood: takes a ratio in \(0, 1\]"),
        ({"topic_config": TopicConfig(partitions=0)}, "topic_config: partitions: takes 1 or more, got 0"),
        ({"topic_config": TopicConfig(retention_hours=0)}, "topic_config: retention_hours: takes 1 or more, got 0"),
        (
            {"sinks": (Topic("tt", "user", TopicConfig(min_insync_replicas=3)),)},
            "Topic 'tt' config: min_insync_replicas: takes 1 or 2 of 3 replicas, got 3",
        ),
        ({"sinks": (Counters("C", (), 60, "at"),)}, "Counters 'C' name: takes"),
        (
            {"sinks": (Counters("cc", ("nope",), 60, "at"),)},
            "Counters 'cc' by: the row has no field 'nope', it has user",
        ),
        ({"sinks": (Counters("cc", ("at",), 60, "at"),)}, "Counters 'cc' by: field 'at' is Timestamp, takes Text or"),
        ({"sinks": (Counters("cc", (), 60, "user"),)}, "Counters 'cc' at: field 'user' is Text, takes Timestamp"),
        ({"sinks": (Counters("cc", (), 0, "at"),)}, "Counters 'cc' every: takes seconds, 1 or more, got 0"),
        ({"sinks": (Table("tt", "at", "at"),)}, "Table 'tt' key: field 'at' is Timestamp"),
        ({"sinks": (Table("tt", "page", "at"),)}, "Table 'tt' key: field 'page' may be None"),
        ({"sinks": (Table("tt", "user", "user"),)}, "Table 'tt' newest_by: field 'user' is Text"),
        ({"sinks": (Topic("click", "user"),)}, "Topic 'click': is the pipeline's own source"),
        ({"sinks": (SINKS[0],), "tombstones": DELETE}, "tombstones: DELETE takes a Table"),
    ],
)
def test_what_cannot_work_is_refused_by_name(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidPipeline, match=told):
        pipeline(**changes)


def test_deleting_needs_tables_that_can_tell_what_is_newer() -> None:
    with pytest.raises(InvalidPipeline, match="whose newest_by is a datetime, 'tt' has 'number'"):
        odd(Table("tt", "number", "number"), tombstones=DELETE)
    with pytest.raises(InvalidPipeline, match="whose key is not masked, 'tt' has 'hidden'"):
        odd(Table("tt", "hidden", "at"), tombstones=DELETE)


def test_counting_needs_a_time_that_is_always_there() -> None:
    with pytest.raises(InvalidPipeline, match="field 'maybe_at' may be None"):
        odd(Counters("cc", (), 60, "maybe_at"))


def test_a_row_that_cannot_be_stored_is_refused_with_the_fields_name() -> None:
    with pytest.raises(
        InvalidPipeline, match=r"pipeline 'clicks': row: Unstorable.tags: cannot store set\[str\]; a row holds"
    ):
        pipeline(row=Unstorable, sinks=(Lake(),))


def test_sinks_are_found_by_kind() -> None:
    declared = pipeline()
    assert (declared.has_lake, declared.counters, declared.tables, declared.topics) == (
        True,
        *[(s,) for s in SINKS[1:]],
    )
    assert declared.masked == ("secret",)
