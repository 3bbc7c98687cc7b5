"""`tandem demo` with any pipeline: its comparison finds every planted flaw, and none in a faultless run."""

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.core import names
from functions.core.effects import Message
from functions.pipelines.logins import PIPELINE
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.demo.expectation import Expectation, settle_again
from sandbox.demo.read_back import objects
from sandbox.demo.records import Fate, Place, Produced, Record
from sandbox.demo.verify import Verdict
from sandbox.demo.verify_any import AnyVerification
from sandbox.stage import LocalStage
from tests.integration.conftest import MASK_KEY
from tests.integration.records import logins

TOPIC = PIPELINE.topics[0].name
COUNT = 60
FLAWLESS: tuple[Any, ...] = (0, 0, 0, True, True, True, True)


class Ran:
    """A stage in which records were settled twice: as if by the runtimes, and as what is expected."""

    def __init__(self, aws: LocalAws, folder: Path, name: str) -> None:
        values = [(each.key, each.value) for each in logins(COUNT)] + [(b"u", b"nonsense"), (b"u", None)]
        self.produced: Produced = {
            (number % 4, number // 4): Record(key, value, (), Fate.ONE, 1_795_440_410_000 + number)
            for number, (key, value) in enumerate(values)
        }
        broker = Broker("external", "127.0.0.1:9")
        (folder / "x").mkdir(parents=True)
        origin = LocalStage(name, PIPELINE, broker, aws, folder, 5.0, {}, MASK_KEY)
        run = settle_again(origin, self.produced, folder)
        self.stage, messages = run.stage, run.messages[TOPIC]
        self.expected: Expectation = settle_again(self.stage, self.produced, folder / "x")
        self.messages = [(source(each), each.value) for each in messages]
        self.announced: set[tuple[Place, str]] = {((0, 15), "undecodable")}

    def verdict(self) -> Verdict:
        messages = {TOPIC: self.messages}
        return AnyVerification(self.produced, self.stage, self.expected, messages, self.announced).verdict()

    def lake_key(self) -> str:
        return str(next(iter(objects(self.stage.s3, self.stage.lake, "logins/", lambda key, _: key))))


def source(message: Message) -> bytes:
    value = dict(message.headers)["tandem-source"]
    return value.encode() if isinstance(value, str) else value or b""


def found(verdict: Verdict) -> tuple[Any, ...]:
    return (
        verdict.missing, verdict.duplicates, verdict.wrong, verdict.counters_match, verdict.table_match,
        verdict.topic_unique_match, verdict.announcements_match,
    )  # fmt: skip


@pytest.fixture
def ran(aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    return Ran(aws, tmp_path, f"any{secrets.token_hex(4)}")


def test_a_faultless_run_is_exact(ran: Ran) -> None:
    verdict = ran.verdict()
    assert found(verdict) == FLAWLESS, verdict.problems
    assert (verdict.exact, verdict.records_in, verdict.dropped) == (True, COUNT + 2, 1)
    assert verdict.dead_letters_by_reason == {"undecodable": 1}
    assert verdict.rows_in_lake == COUNT


def lose_rows(ran: Ran) -> None:
    ran.stage.s3.delete_object(Bucket=ran.stage.lake, Key=ran.lake_key())


def double_rows(ran: Ran) -> None:
    source = {"Bucket": ran.stage.lake, "Key": ran.lake_key()}
    ran.stage.s3.copy_object(Bucket=ran.stage.lake, Key=f"{ran.lake_key()}.again", CopySource=source)  # type: ignore[arg-type]


def lose_a_letter(ran: Ran) -> None:
    (key,) = objects(ran.stage.s3, ran.stage.dead_letters, "logins/", lambda key, _: key)
    ran.stage.s3.delete_object(Bucket=ran.stage.dead_letters, Key=key)


def miscount(ran: Ran) -> None:
    change(ran, names.counters_table(ran.stage.name), "amount", 7)


def change_a_row(ran: Ran) -> None:
    change(ran, names.rows_table(ran.stage.name, "last-login"), "locale", "XX")


def change(ran: Ran, name: str, attribute: str, value: int | str) -> None:
    table = ran.stage.dynamodb.Table(name)
    item = table.scan()["Items"][0]
    table.put_item(Item=item | {attribute: value})


def change_a_record(ran: Ran) -> None:
    ran.produced[0, 15] = ran.produced[0, 15]._replace(value=b"other nonsense")


def lose_a_message(ran: Ran) -> None:
    ran.messages.pop()


def change_a_message(ran: Ran) -> None:
    source, value = ran.messages.pop()
    ran.messages.append((source, json.dumps(json.loads(value) | {"locale": "XX"}).encode()))


def announce_nothing(ran: Ran) -> None:
    ran.announced.clear()


@pytest.mark.parametrize(
    ("flaw", "wrong"),
    [
        (lose_rows, 0), (double_rows, 1), (lose_a_letter, 0), (miscount, 3), (change_a_row, 4), (change_a_record, 2),
        (lose_a_message, 5), (change_a_message, 5), (announce_nothing, 6),
    ],
    ids=lambda flaw: getattr(flaw, "__name__", ""),
)  # fmt: skip
def test_a_planted_flaw_is_found(ran: Ran, flaw: Callable[[Ran], None], wrong: int) -> None:
    flaw(ran)
    verdict = ran.verdict()
    assert not verdict.exact
    assert found(verdict)[wrong] != FLAWLESS[wrong]
    assert verdict.problems or wrong == 6


def test_a_repeated_message_is_counted_and_allowed(ran: Ran) -> None:
    ran.messages.append(ran.messages[0])
    verdict = ran.verdict()
    assert (verdict.exact, verdict.topic_repeated) == (True, 1)
