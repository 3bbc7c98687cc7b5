"""Exactly once: the stores hold the expected result of each produced record, once."""

from base64 import b64decode
from collections import Counter
from datetime import datetime
from urllib.parse import parse_qs

from functions.pipelines.logins import PIPELINE
from tests.integration import found
from tests.integration.found import Place, StageContents
from tests.integration.records import ExpectedRow, ProducedRecord

COUNTER = PIPELINE.counters[0].name


def account(
    produced: dict[Place, ProducedRecord], stores: StageContents, *, given_up: frozenset[Place] = frozenset()
) -> None:
    """Fail with what is lost, doubled, wrong or miscounted; `given_up` are places that must have no effects."""
    due = {place: record.outcome for place, record in produced.items() if place not in given_up}
    rows = {place: outcome for place, outcome in due.items() if isinstance(outcome, ExpectedRow)}
    letters = {place: outcome for place, outcome in due.items() if isinstance(outcome, str)}
    same("rows", Counter(place for place, _ in stores.rows), Counter(rows.keys()))
    same("rows", {place: _row(row) for place, row in stores.rows}, rows)
    same("dead letters", Counter(place for place, _ in stores.letters), Counter(letters.keys()))
    same("dead letters", {place: letter["reason"] for place, letter in stores.letters}, letters)
    for place, letter in stores.letters:
        record = produced[place]
        assert (found.decoded(letter["key"]), found.decoded(letter["value"])) == (record.key, record.value), place
        # In Lambda's events a header without a value looks like one with an empty value.
        kept = record.headers if record.kept is None else record.kept
        due_headers = [(name, value or b"") for name, value in kept]
        assert [(name, b64decode(value or "")) for name, value in letter["headers"]] == due_headers, place
    same("counters", _counted(stores), dict(Counter((r.device_type, r.at // 60 * 60) for r in rows.values())))
    same("table", _placed(stores), _newest(rows))
    same("messages", {message.source for message in stores.messages}, set(rows))


def same(what: str, is_: object, due: object) -> None:
    """Compare, and fail with the first differences."""
    if is_ == due:
        return
    if isinstance(is_, dict | Counter) and isinstance(due, dict | Counter):
        keys = sorted((key for key in is_.keys() | due.keys() if is_.get(key) != due.get(key)), key=str)
        differences = [f"{key}: {is_.get(key)} for {due.get(key)}" for key in keys]
    elif isinstance(is_, set) and isinstance(due, set):
        differences = [f"missing {sorted(due - is_)[:5]}, unexpected {sorted(is_ - due)[:5]}"]
    else:
        differences = [f"{is_!r} for {due!r}"]
    raise AssertionError(f"{what}: {len(differences)} differ: " + "; ".join(differences[:5]))


def _row(row: dict[str, object]) -> ExpectedRow:
    at = row["logged_in_at"]
    assert isinstance(at, datetime)
    return ExpectedRow(str(row["user_id"]), str(row["device_type"]), int(at.timestamp()))


def _counted(stores: StageContents) -> dict[tuple[str, int], int]:
    counted = {}
    for (counter, bucket), amount in stores.counters.items():
        name, _, group = counter.partition("?")
        assert name == COUNTER, counter
        counted[parse_qs(group)["device_type"][0], int(datetime.fromisoformat(bucket).timestamp())] = amount
    return counted


def _newest(rows: dict[Place, ExpectedRow]) -> dict[str, tuple[int, int, int]]:
    """Return time, offset and partition by user; in a draw the greater offset wins, then the greater partition."""
    newest: dict[str, tuple[int, int, int]] = {}
    for (partition, offset), row in rows.items():
        newest[row.user_id] = max(newest.get(row.user_id, (0, 0, 0)), (row.at, offset, partition))
    return newest


def _placed(stores: StageContents) -> dict[str, tuple[int, int, int]]:
    def of(item: dict[str, str]) -> tuple[int, int, int]:
        _, offset, partition, _ = item["_order"].split("-")
        return int(datetime.fromisoformat(item["logged_in_at"]).timestamp()), int(offset), int(partition)

    return {user: of(item) for user, item in stores.table.items()}
