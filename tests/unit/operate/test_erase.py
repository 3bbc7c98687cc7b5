"""Erasing one person: what is found, what is left alone, and that settling stays exact."""

import json
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.cli.main import app
from functions.core.dedup import Dedup
from functions.core.erase_ports import ErasureStores
from functions.core.errors import InvalidSetting
from functions.core.intent import Intent
from functions.core.sinks import Counters, CustomSink, Lake
from functions.operate import context
from functions.operate.erase.report import ErasureReport, StoreReport, unreached
from functions.operate.erase.run import EraseRequest, run
from functions.operate.erase.text import report_text
from functions.pipelines.logins import PIPELINE
from tests.unit.operate.settling import NEWEST, settler_of, slice_of
from tests.unit.operate.test_given_up import put, record
from tests.unit.operate.test_quarantine import DeadError, Dying
from tests.unit.operate.test_verbs import VARIABLES
from tests.unit.operate.world import TOPIC, World, letter, source

ALICE = "user-7"  # of the users 0 to 49
BATCH = f"aws/lambda/0b7f/{TOPIC}-1/2026/11/23/a"


def erase(world: World, key: str = ALICE, **request: Any) -> ErasureReport:
    return run(world.context, EraseRequest(key, **request))


def of(report: ErasureReport, store: str) -> StoreReport:
    (found,) = (each for each in report.stores if each.store == store)
    return found


@pytest.fixture
def stocked(world: World) -> World:
    """A stage with two settled slices of partition 3, that have two rows of each user each, and a letter of each."""
    settler = settler_of(world)
    settler.settle(slice_of(0, good=100))
    settler.settle(slice_of(100, good=100))
    world.letters.store([letter(5, key=ALICE.encode()), letter(6, key=b"user-8"), letter(900, key=ALICE.encode())])
    records = [record(1), record(2) | {"key": b64encode(ALICE.encode()).decode()}]
    put(world, "a", *records)
    return world


def users(world: World) -> list[Any]:
    return [user for intent in world.lake.objects.values() for user in intent.rows.columns["user_id"]]


def everything(world: World) -> tuple[Any, ...]:
    rows = {name: dict(table.rows) for name, table in world.tables.items()}
    return dict(world.lake.objects), dict(world.letters.bucket), rows, dict(world.discarded.objects)


def test_without_execute_it_shows_what_is_there_and_changes_nothing(stocked: World) -> None:
    before = everything(stocked)
    report = erase(stocked)
    assert everything(stocked) == before
    assert (of(report, "lake").found, of(report, "lake").parts, of(report, "lake").erased) == (2, 4, 0)
    assert (of(report, "dead letters").found, of(report, "dead letters").unsettled) == (2, 1)
    assert (of(report, "given-up batches").found, of(report, "given-up batches").parts) == (1, 1)
    assert of(report, "table last-login").found == 1
    assert not report.is_clean
    assert report_text(report).splitlines()[-1] == "logins: nothing was erased: add --execute"


def test_with_execute_it_is_gone_and_all_else_is_as_before(stocked: World) -> None:
    objects, letters, tables, _ = everything(stocked)
    ledger, counters = dict(stocked.ledger.positions), dict(stocked.ledger.counters)
    report = erase(stocked, execute=True)
    assert (of(report, "lake").erased, of(report, "table last-login").erased) == (2, 1)
    assert "user-8" in users(stocked)
    assert ALICE not in users(stocked)
    assert stocked.lake.objects.keys() == objects.keys()
    for key, intent in stocked.lake.objects.items():
        assert_same_but_for_rows(objects[key], intent)
    assert {key: letter for key, (letter, _) in letters.items() if letter.offset != 5} == {
        key: letter for key, (letter, _) in stocked.letters.bucket.items()
    }
    assert stocked.tables["last-login"].rows == {
        key: row for key, row in tables["last-login"].items() if key != (ALICE,)
    }
    (batch,) = stocked.discarded.objects.values()
    assert [each["offset"] for each in json.loads(json.loads(batch)["payload"])["records"][f"{TOPIC}-1"]] == [1]
    assert (stocked.ledger.positions, stocked.ledger.counters) == (ledger, counters)


def assert_same_but_for_rows(before: Intent, after: Intent) -> None:
    assert replace(after, rows=before.rows) == before
    kept = [index for index, user in enumerate(before.rows.columns["user_id"]) if user != ALICE]
    assert list(after.rows.offsets) == [before.rows.offsets[index] for index in kept]
    assert list(after.rows.numbers) == [before.rows.numbers[index] for index in kept]
    for name, column in after.rows.columns.items():
        assert list(column) == [before.rows.columns[name][index] for index in kept]


def test_a_second_run_finds_only_what_is_not_settled(stocked: World) -> None:
    erase(stocked, execute=True)
    report = erase(stocked, execute=True)
    assert [(each.store, each.found) for each in report.stores if each.found] == [("dead letters", 1)]
    assert "the ledger has not passed the records of 1: run this again later" in report_text(report)
    stocked.settle(3, 901, NEWEST)
    assert erase(stocked, execute=True).is_clean
    report = erase(stocked)
    assert all(not each.found for each in report.stores)
    assert report_text(report).splitlines()[-1] == "logins: nothing is left in these stores"


def test_an_object_that_a_writer_may_roll_forward_is_left_alone(stocked: World) -> None:
    settler, records = settler_of(stocked, "died"), slice_of(200, good=50)
    dying: Any = Dying(stocked.ledger, 0, "advance")
    with pytest.raises(DeadError):
        replace(settler, stores=replace(settler.stores, ledger=dying)).settle(records)
    key = (source(3), stocked.clock().date(), 200)
    before = stocked.lake.objects[key]
    lake = of(erase(stocked, execute=True), "lake")
    assert (lake.found, lake.erased, lake.unsettled) == (3, 2, 1)
    assert stocked.lake.objects[key] is before
    settler_of(stocked, "next").settle(records)
    assert of(erase(stocked, execute=True), "lake").erased == 1
    assert ALICE not in users(stocked)


def test_an_object_of_a_partition_that_the_ledger_does_not_have_is_left_alone(stocked: World) -> None:
    del stocked.ledger.positions[source(3)]
    lake = of(erase(stocked, execute=True), "lake")
    assert (lake.unsettled, lake.erased) == (2, 0)


def test_a_writer_that_had_read_the_ledger_and_was_suspended_settles_nothing_twice(stocked: World) -> None:
    """It opened the position of a slice that another writer settled, and whose object was rewritten since."""
    settler, records = settler_of(stocked, "late"), slice_of(200, good=50)
    opened = stocked.open(3, owner="late")
    settler_of(stocked, "first").settle(records)
    erase(stocked, execute=True)
    counters, objects = dict(stocked.ledger.counters), dict(stocked.lake.objects)
    stale: Any = Stale(stocked.ledger, opened)
    replace(settler, stores=replace(settler.stores, ledger=stale)).settle(records)
    assert (stocked.ledger.counters, stocked.lake.objects) == (counters, objects)
    assert ALICE not in users(stocked)


class Stale:
    """A ledger of which the first `open` returns a position of before."""

    def __init__(self, ledger: Any, opened: Any) -> None:
        self.ledger, self.opened = ledger, [opened]

    def open(self, *arguments: Any) -> Any:
        return (self.opened.pop(), None) if self.opened else self.ledger.open(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)


WRITES = ["letters.remove", "batches.replace", "lake.replace", "tables.remove"]


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("calls", [0, 1])
def test_after_a_crash_at_any_write_it_is_run_again(stocked: World, write: str, calls: int) -> None:
    stocked.settle(3, 901, NEWEST)
    whole = stocked.context
    stocked.context = replace(whole, erasure=dying(whole.erasure, write, calls))
    try:
        erase(stocked, execute=True)
    except DeadError:
        stocked.context = whole
        assert not erase(stocked).is_clean
    stocked.context = whole
    erase(stocked, execute=True)
    assert erase(stocked).is_clean
    assert ALICE not in users(stocked)


def dying(stores: ErasureStores, write: str, calls: int) -> ErasureStores:
    store, _, method = write.partition(".")
    if store == "tables":
        return replace(stores, tables={name: dies(table, calls, method) for name, table in stores.tables.items()})
    changed: Any = {store: dies(getattr(stores, store), calls, method)}
    return replace(stores, **changed)


def dies(store: Any, calls: int, method: str) -> Any:
    return Dying(store, calls, method)


def test_what_changes_while_it_runs_is_reported(stocked: World) -> None:
    erasure = stocked.context.erasure
    changing: Any = Refusing()
    stores = ErasureStores(
        erasure.letters, changing(erasure.batches), changing(erasure.lake),
        {name: changing(table, "remove") for name, table in erasure.tables.items()},
    )  # fmt: skip
    stocked.context = replace(stocked.context, erasure=stores)
    before = users(stocked)
    report = erase(stocked, execute=True)
    assert [of(report, name).changed for name in ("given-up batches", "lake", "table last-login")] == [1, 2, 1]
    assert users(stocked) == before
    assert "lake: 2 changed while this ran: run it again" in report_text(report)


class Refusing:
    """Makes stores whose conditional writes find another content."""

    def __call__(self, store: Any, method: str = "replace") -> Any:
        class Store:
            def __getattr__(self, name: str) -> Any:
                return (lambda *_: False) if name == method else getattr(store, name)

        return Store()


def test_old_versions_and_copies_are_removed(stocked: World) -> None:
    key, intent = next(iter(stocked.lake.objects.items()))
    erase(stocked, execute=True)
    stocked.lake_eraser.old[key] = [intent, replace(stocked.lake.objects[key], rejects=5)]
    lake = of(erase(stocked, execute=True), "lake")
    assert (lake.searched, lake.found, lake.erased) == (4, 1, 1)
    assert [old.rejects for old in stocked.lake_eraser.old[key]] == [5]


def test_an_old_batch_is_removed_and_one_that_holds_nothing_else_too(world: World) -> None:
    mine = record(2) | {"key": b64encode(ALICE.encode()).decode()}
    put(world, "a", mine)
    eraser: Any = world.context.erasure.batches
    put(world, "b", record(1), mine)
    eraser.old["v1"] = (BATCH, world.discarded.objects.pop(BATCH.removesuffix("a") + "b"))
    assert of(erase(world, execute=True), "given-up batches").erased == 2
    assert (world.discarded.objects, eraser.old) == ({}, {})


def test_what_cannot_be_read_is_reported_and_the_rest_is_erased(stocked: World) -> None:
    stocked.lake.damaged[next(iter(stocked.lake.objects))] = "all"
    stocked.discarded.objects.update({f"aws/lambda/{number}": b"{}" for number in range(7)})
    report = erase(stocked, execute=True)
    assert (of(report, "lake").erased, len(of(report, "lake").unreadable)) == (1, 1)
    text = report_text(report)
    assert "given-up batches: not searched: aws/lambda/0: not a batch that was given up: KeyError" in text
    assert "given-up batches: 2 more objects not searched: see --json" in text
    assert text.endswith("logins: something is left, see above")


def test_what_disappears_while_it_runs_is_nothing(stocked: World) -> None:
    stocked.settle(3, 901, NEWEST)
    erasure = stocked.context.erasure

    def blind(store: Any) -> Any:
        class Store:
            def __getattr__(self, name: str) -> Any:
                return (lambda *_: None) if name == "read" else getattr(store, name)

        return Store()

    gone = ErasureStores(blind(erasure.letters), blind(erasure.batches), blind(erasure.lake), {})
    stocked.context = replace(stocked.context, erasure=gone)
    assert erase(stocked, execute=True).is_clean


def test_letters_that_mention_the_key_are_erased_on_request(world: World) -> None:
    world.settle(3, 10)
    world.letters.store([letter(1, key=None, value=b'{"user_id": "user-7"}'), letter(2, key=None)])
    report = erase(world, execute=True)
    assert (of(report, "dead letters").mentions, of(report, "dead letters").found) == (1, 0)
    assert not report.is_clean
    assert "dead letters: 1 more mention KEY: see --mentions" in report_text(report)
    assert of(erase(world, execute=True, mentions=True), "dead letters").erased == 1
    assert [each.place.offset for each in world.letters.entries()] == [2]


def test_a_masked_column_is_searched_by_its_mask(stocked: World) -> None:
    report = erase(stocked, "d-7", column="device_id", execute=True)
    assert (of(report, "lake").parts, of(report, "table last-login").found) == (1, 0)
    lake = [device for intent in stocked.lake.objects.values() for device in intent.rows.columns["device_id"]]
    assert len(lake) == 199


def test_a_wrong_column_is_refused(world: World) -> None:
    with pytest.raises(InvalidSetting, match="--column: expected a field of logins's rows"):
        erase(world, column="name")


def test_the_copies_that_are_not_reached() -> None:
    class Own(CustomSink):
        adapter = "a:b"

    by_user = Counters("by-user", by=("user_id",), every=60, at="logged_in_at")
    declared = replace(PIPELINE, sinks=(*PIPELINE.sinks, Own("own"), by_user))
    assert [copy.where for copy in unreached(declared, "user_id")] == [
        "topic user-login", "topic processed-user-login", "Own own", "counter by-user",
        "DynamoDB's point-in-time recovery", "Redshift, and other readers of the lake",
    ]  # fmt: skip
    assert [copy.where for copy in unreached(replace(PIPELINE, sinks=(by_user,)), "locale")] == ["topic user-login"]
    deduplicated = replace(PIPELINE, sinks=(by_user,), dedup=Dedup(by="device_id", within=timedelta(days=1)))
    assert [copy.where for copy in unreached(deduplicated, "locale")][-1] == "table of seen events"


def test_without_a_lake_there_is_none_to_search(stocked: World) -> None:
    without_lake = replace(PIPELINE, sinks=tuple(sink for sink in PIPELINE.sinks if not isinstance(sink, Lake)))
    stocked.context = replace(stocked.context, pipeline=without_lake)
    assert [each.store for each in erase(stocked).stores] == ["dead letters", "given-up batches", "table last-login"]


@pytest.fixture
def verb(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(context, "connect", lambda _: world.context)

    def output(*arguments: str, exit_code: int, stdin: str | None = None) -> str:
        result = CliRunner().invoke(app, ["erase", *arguments], input=stdin, catch_exceptions=False)
        assert result.exit_code == exit_code, result.output
        return result.output

    return output


def test_the_verb_for_people_and_for_programs(stocked: World, verb: Callable[..., str]) -> None:
    assert "nothing was erased: add --execute" in verb(ALICE, exit_code=3)
    report = json.loads(verb("-", "--json", exit_code=3, stdin=f"{ALICE}\n"))
    assert (report["pipeline"], report["column"], report["executed"], report["clean"]) == (
        "logins", "user_id", False, False,
    )  # fmt: skip
    assert ALICE not in json.dumps(report), "reports are kept"
    stocked.settle(3, 901, NEWEST)
    assert "nothing is left" in verb(ALICE, "--execute", exit_code=0)
    assert "nothing is left" in verb(ALICE, exit_code=0)


def test_objects_of_other_days_and_pipelines(pool: ThreadPoolExecutor) -> None:
    world = World(pool)
    world.settle(0, 5)
    world.store_object(0, date(2026, 11, 1), 1)
    world.lake.put(replace(source(0), pipeline="other"), date(2026, 11, 1), next(iter(world.lake.objects.values())))
    assert of(erase(world), "lake").searched == 1
    assert world.clock() == datetime(2026, 11, 23, 12, tzinfo=UTC)
