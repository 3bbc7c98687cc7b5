"""Personal data leaves a pipeline only masked, or complete in a dead letter."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from functions.core.dead_letter import Reason
from functions.core.errors import Refused, Reject, Unavailable
from functions.pipelines.logins import Login, ProcessedLogin, process
from tests.security.conftest import Observed, Value
from tests.unit.runtimes.world import DEVICE, IP, login

Run = Callable[[Observed, Sequence[Value]], None]
BAD = [
    login(ip=f"{IP}/x"), login(locale=f"{IP} {DEVICE}"), login(timestamp=DEVICE), login(device_id=[DEVICE]),
    login(app_version=DEVICE), login(timestamp=10**30), login(device_id=""), f"{IP} {DEVICE}".encode(),
    login()[:-1] + f', "{IP}": "{DEVICE}"'.encode(), b"[" + login(), None,
]  # fmt: skip


def quotes(event: Login) -> ProcessedLogin:
    raise ValueError(f"cannot take {event!r}")


def rejects(event: Login) -> ProcessedLogin:
    raise Reject(f"{event.ip} and {event.device_id} are not accepted")


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
    observed = Observed()
    run(observed, [login(), *BAD, login()])
    assert len(observed.world.letters.letters) >= 8
    output = observed.all_output(capsys)
    assert "settled" in output
    assert IP not in output
    assert DEVICE not in output


@pytest.mark.parametrize("process", [quotes, rejects, chains, breaks_the_row, returns_the_event])
def test_a_process_that_quotes_its_event_in_its_error(
    process: Callable[[Login], Any], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    observed = Observed(process)
    run(observed, [login()])
    (letter,) = observed.world.letters.letters.values()
    assert letter.reason in {Reason.FAILED, Reason.REJECTED}
    assert letter.value == login()  # a dead letter contains the whole record by design
    output = observed.all_output(capsys)
    assert f'"rejects":{{"{letter.reason.value}":1}}' in output
    assert IP not in output
    assert DEVICE not in output


@pytest.mark.parametrize("store", ["letters", "lake", "table", "topic", "ledger"])
@pytest.mark.parametrize("error", [Unavailable("away"), Refused("no"), RuntimeError("a bug")])
def test_stores_that_fail(
    store: str, error: Exception, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The logged traceback includes every frame that the error passed through."""
    observed = Observed()

    def fail(*_: object, **__: object) -> None:
        raise error

    for method in ("store", "put", "send", "open", "advance"):
        if hasattr(getattr(observed.world, store), method):
            monkeypatch.setattr(type(getattr(observed.world, store)), method, fail)
    try:
        run(observed, [login(), *BAD])
    except RuntimeError:  # a bug ends the worker, which logs it like this
        observed.logs.log.exception("worker is broken")
    output = observed.all_output(capsys)
    assert "not settled" in output or "worker is broken" in output
    assert IP not in output
    assert DEVICE not in output


def test_only_dead_letters_contain_unmasked_data(run: Run) -> None:
    observed = Observed()
    run(observed, [login(), *BAD])
    world = observed.world
    stored = repr((world.lake, world.table, world.topic, world.ledger))
    assert "u-1" in stored
    assert IP not in stored
    assert DEVICE not in stored
    assert IP in repr(world.letters)
