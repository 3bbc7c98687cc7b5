"""Was anything lost, doubled or miscounted, with any pipeline? Compares two stages, as expectation.py describes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.core import names
from sandbox.demo.expectation import Expectation
from sandbox.demo.read_back import dead_letters, objects
from sandbox.demo.records import Place, Produced, StoredLetter
from sandbox.demo.verify import MAX_EXAMPLES, Verdict
from sandbox.stage import LocalStage
from sandbox.tail.reading import lake_rows

HEADER: Final = "tandem-source"
Row = tuple[Place, str]  # a place and a row as JSON


@dataclass
class AnyVerification:
    """Compares what a stage stores with an expectation. `messages`: source and value of each message, by topic."""

    produced: Produced
    stage: LocalStage
    expected: Expectation
    messages: Mapping[str, list[tuple[bytes, bytes]]]
    announced: set[tuple[Place, str]]
    problems: list[str] = field(default_factory=list)

    def verdict(self) -> Verdict:
        """Compare everything."""
        rows, right_rows = (Counter(_rows(stage)) for stage in (self.stage, self.expected.stage))
        letters, right = (_letters(stage) for stage in (self.stage, self.expected.stage))
        stored = {place for place, _ in rows} | {each.place for each in letters}
        needed = {place for place, _ in right_rows} | {each.place for each in right}
        more = _places(rows) - _places(right_rows)
        doubled = [*more.elements(), *_repeated(each.place for each in letters)]
        wrong_letters = [each.place for each in letters if not self._is_right(each, right)]
        wrong_rows = [place for place, _ in (rows - right_rows).elements() if place not in set(doubled)]
        return Verdict(
            records_in=len(self.produced),
            rows_in_lake=rows.total(),
            dead_letters=len(letters),
            dead_letters_by_reason=dict(sorted(Counter(each.reason for each in letters).items())),
            dropped=len(self.produced.keys() - needed),
            missing=self._note("missing", needed - stored),
            duplicates=self._note("doubled", doubled),
            wrong=self._note("wrong row", wrong_rows) + self._note("wrong dead letter", wrong_letters),
            counters_match=self._same("counters", _counters),
            table_match=self._same("tables", _tables),
            topic_unique_match=self._topics(),
            announcements_match={(each.place, each.reason) for each in letters} == self.announced,
            topic_repeated=sum(len(sent) - len({source for source, _ in sent}) for sent in self.messages.values()),
            problems=tuple(self.problems),
        )

    def _is_right(self, letter: StoredLetter, right: list[StoredLetter]) -> bool:
        """Whether a letter is of a record as it was produced, and has the expected reason."""
        record = self.produced.get(letter.place)
        if record is None or (letter.key, letter.value) != (record.key, record.value):
            return False
        return any((each.place, each.reason) == (letter.place, letter.reason) for each in right)

    def _same(self, name: str, read: Callable[[LocalStage], Mapping[str, str]]) -> bool:
        found, right = read(self.stage), read(self.expected.stage)
        keys = found.keys() | right.keys()
        return not self._note(f"different {name}", [key for key in keys if found.get(key) != right.get(key)])

    def _topics(self) -> bool:
        """Whether each topic holds the expected messages, apart from repetitions."""
        wrong = []
        for name, right in self.expected.messages.items():
            sources = {dict(message.headers)[HEADER]: message.value for message in right}
            expected = {_bytes(source): value for source, value in sources.items()}
            found = dict(self.messages[name])
            wrong += [
                (name, source.decode(errors="replace"))
                for source in found.keys() | expected.keys()
                if source not in found
                or source not in expected
                or (isinstance(expected[source], bytes) and found[source] != expected[source])
            ]
        return not self._note("different messages", wrong)

    def _note(self, problem: str, found: Iterable[Any]) -> int:
        """Note the first few examples of a problem; return how many there are."""
        listed = list(found)
        self.problems += [f"{problem}: {each}" for each in sorted(listed, key=str)[:MAX_EXAMPLES]]
        return len(listed)


def _bytes(text: str | bytes | None) -> bytes:
    return text if isinstance(text, bytes) else (text or "").encode()


def _places(rows: Counter[Row]) -> Counter[Place]:
    return Counter(place for place, _ in rows.elements())


def _repeated(places: Iterable[Place]) -> Iterator[Place]:
    counted = Counter(places)
    return (counted - Counter(counted.keys())).elements()


def _rows(stage: LocalStage) -> Iterator[Row]:
    prefix = f"{stage.pipeline.name}/"
    for rows in objects(stage.s3, stage.lake, prefix, lambda _, body: lake_rows(body)):
        for row in rows:
            yield (row["_partition"], row["_offset"]), json.dumps(row, default=str, sort_keys=True)


def _letters(stage: LocalStage) -> list[StoredLetter]:
    return dead_letters(stage.s3, stage.dead_letters, stage.pipeline.name)


def _counters(stage: LocalStage) -> dict[str, str]:
    table = names.counters_table(stage.name)
    return {json.dumps([item["counter"], item["bucket"]]): _json(item) for item in _items(stage, table)}


def _tables(stage: LocalStage) -> dict[str, str]:
    """Return the declared fields of each item: how items are ordered depends on the run."""
    fields = {each.name for each in stage.pipeline.schema.fields}
    return {
        json.dumps([sink.name, *(str(item[name]) for name in sink.key_fields)]):
            _json({name: value for name, value in item.items() if name in fields})
        for sink in stage.pipeline.tables
        for item in _items(stage, names.rows_table(stage.name, sink.name))
    }  # fmt: skip


def _json(item: Mapping[str, Any]) -> str:
    return json.dumps(item, default=str, sort_keys=True)


def _items(stage: LocalStage, table: str) -> Iterator[dict[str, Any]]:
    pages = stage.dynamodb.meta.client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    return (item for page in pages for item in page["Items"])
