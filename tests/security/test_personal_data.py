"""What identifies a person leaves a pipeline masked, or whole in a dead letter, and in no other way."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from functions.core.dead_letter import Reason
from functions.core.errors import Refused, Reject, Unavailable
from functions.pipelines.logins import Login, ProcessedLogin, process
from tests.security.conftest import Told, Value
from tests.unit.runtimes.world import DEVICE, IP, login

Run = Callable[[Told, Sequence[Value]], None]
BAD = [
    login(ip=f"{IP}/x"), login(locale=f"{IP} {DEVICE}"), login(timestamp=DEVICE), login(device_id=[DEVICE]),
    login(app_version=DEVICE), login(timestamp=10**30), login(device_id=""), f"{IP} {DEVICE}".encode(),
    login()[:-1] + f', "{IP}": "{DEVICE}"'.encode(), b"[" + login(), None,
]  # fmt: skip


def quotes(event: Login) -> ProcessedLogin:
    raise ValueError(f"cannot take {event!r}")


def rejects(event: Login) -> ProcessedLogin:
    raise Reject(f"{event.ip} and {event.device_id} are not welcome")


def chains(event: Login) -> ProcessedLogin:
    try:
        return process(event.model_copy(update={"timestamp": int(event.device_id)}))
    except ValueError as error:
        raise RuntimeError(event.ip) from error


def breaks_the_row(event: Login) -> ProcessedLogin:
    return ProcessedLogin.model_validate(event.model_dump() | {"logged_in_at": event.ip})


def returns_the_event(event: Login) -> Any:
    return event


def test_valid_and_invalid_records(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    told = Told()
    run(told, [login(), *BAD, login()])
    assert len(told.world.letters.letters) >= 8
    said = told.everything(capsys)
    assert "settled" in said
    assert IP not in said
    assert DEVICE not in said


@pytest.mark.parametrize("process", [quotes, rejects, chains, breaks_the_row, returns_the_event])
def test_a_process_that_quotes_its_event(
    process: Callable[[Login], Any], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    told = Told(process)
    run(told, [login()])
    (letter,) = told.world.letters.letters.values()
    assert letter.reason in {Reason.FAILED, Reason.REJECTED}
    assert letter.value == login()  # a dead letter is for mending the record: by design it holds all of it
    said = told.everything(capsys)
    assert f'"rejects":{{"{letter.reason.value}":1}}' in said
    assert IP not in said
    assert DEVICE not in said


@pytest.mark.parametrize("store", ["letters", "lake", "table", "topic", "ledger"])
@pytest.mark.parametrize("error", [Unavailable("away"), Refused("no"), RuntimeError("a bug")])
def test_stores_that_fail(
    store: str, error: Exception, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback of the error is logged, and all that it passed through."""
    told = Told()

    def fail(*_: object, **__: object) -> None:
        raise error

    for method in ("store", "put", "send", "open", "advance"):
        if hasattr(getattr(told.world, store), method):
            monkeypatch.setattr(type(getattr(told.world, store)), method, fail)
    try:
        run(told, [login(), *BAD])
    except RuntimeError:  # a bug ends the worker, which logs it so
        told.logs.log.exception("worker is broken")
    said = told.everything(capsys)
    assert "not settled" in said or "worker is broken" in said
    assert IP not in said
    assert DEVICE not in said


def test_no_store_but_the_dead_letters_is_given_what_is_masked(run: Run) -> None:
    told = Told()
    run(told, [login(), *BAD])
    world = told.world
    kept = repr((world.lake, world.table, world.topic, world.ledger))
    assert "u-1" in kept
    assert IP not in kept
    assert DEVICE not in kept
    assert IP in repr(world.letters)
