"""`tandem up`, `down` and `env`, after their options are read."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from rich.console import Console

from functions import registry
from functions.core.errors import Misconfigured, TandemError
from functions.core.handover_ports import Runtime
from functions.operate.status.partition_status import inspect_pipeline
from sandbox.aws import LocalAws
from sandbox.broker.apache import Apache, fetched
from sandbox.broker.broker import Broker
from sandbox.broker.choose import choose
from sandbox.broker.errors import BrokerUnavailable
from sandbox.up.reload import prepared, watching
from sandbox.up.stack import RunningSandbox, SandboxStack
from sandbox.up.state import ALREADY, SandboxFolder
from sandbox.up.view import UpView, row

LOOK_SECONDS: Final = 1.0
START_SECONDS: Final = 300.0
END_SECONDS: Final = 120.0
END_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # a terminal that is closed ends it in good order


@dataclass(frozen=True, slots=True)
class UpOptions:
    """The options of the command line."""

    broker: str
    runtime: Runtime
    fresh: bool
    detach: bool


def up(options: UpOptions, folder: SandboxFolder) -> int:
    """Run the sandbox until ctrl-C or `tandem down`; with `detach`, return when it answers."""
    if options.detach:
        return _detached(options, folder)
    ended = Event()
    before = {number: signal.signal(number, lambda *_: ended.set()) for number in _end_signals()}
    console = Console(highlight=False)
    try:
        with folder.held(), UpView(console) as view:
            if options.fresh:
                folder.clear()
            view.header = "starting: broker, AWS emulator, topics, stores"
            with (
                _broker(options.broker, folder, view.note) as broker,
                LocalAws() as aws,
                SandboxStack(folder, broker, aws, options.runtime).running() as sandbox,
            ):
                _follow(sandbox, folder, view, broker, ended)
                view.note("ending what is in flight, and saving the stores; the next tandem up continues from here")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _end_signals() -> list[signal.Signals]:
    """Return the signals that end the sandbox in good order, without a hang-up that nohup ignores."""
    return [each for each in END_SIGNALS if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN]


def _follow(sandbox: RunningSandbox, folder: SandboxFolder, view: UpView, broker: Broker, ended: Event) -> None:
    """Announce the sandbox, and show it until the end."""
    saved = Event()
    view.header = f"tandem sandbox: {broker.kind} broker at {broker.bootstrap}, logs in {folder.logs}; ctrl-C ends it"
    folder.publish(sandbox.environment)
    view.note("ready: try tandem status, or eval $(tandem env) for other programs")
    with watching(saved.set):
        while not ended.is_set():
            try:
                view.update([row(inspect_pipeline(context)) for context in sandbox.contexts.values()])
            except TandemError as error:
                view.note(str(error))
            if saved.is_set():
                saved.clear()
                _reload(sandbox, view)
            ended.wait(LOOK_SECONDS)


def _reload(sandbox: RunningSandbox, view: UpView) -> None:
    problem = prepared(sandbox.environment)
    if problem is not None:
        view.note(f"saved, and the old code goes on, because of {problem}")
        return
    sandbox.restart()
    added = [name for name in registry.names() if name not in sandbox.runtimes]
    new = f". New, and not running: {', '.join(added)}: end this and run tandem up again" if added else ""
    view.note(f"saved: restarted the enabled runtimes{new}")


@contextmanager
def _broker(choice: str, folder: SandboxFolder, say: Callable[[str], None]) -> Iterator[Broker]:
    """Yield the broker. Apache Kafka keeps its data in the folder; with any other one nothing is kept.

    Misconfigured if it does not start, or if the data of Apache Kafka would be lost.
    """
    has_data = folder.kafka.exists()
    try:
        if choice in {"auto", "apache"}:
            with Apache(fetched(say), home=_made(folder)) as broker:
                yield broker
            return
    except BrokerUnavailable as reason:
        if choice == "apache":
            raise Misconfigured(f"--broker apache: {reason}") from None
        say(f"{reason}: this sandbox keeps nothing, because its broker does not")
    if has_data:
        raise Misconfigured(
            f"--broker {choice}: {folder.path} has data of Apache Kafka, no use to this broker: --fresh deletes it"
        )
    folder.clear()
    try:
        chosen = choose(choice, say)
    except BrokerUnavailable as error:
        raise Misconfigured(str(error)) from None
    with chosen:
        yield chosen


def _made(folder: SandboxFolder) -> Path:
    folder.kafka.mkdir(parents=True, exist_ok=True)
    return folder.kafka


def _detached(options: UpOptions, folder: SandboxFolder) -> int:
    """Start `tandem up` in a session of its own, and wait until it answers."""
    if folder.is_held:
        raise Misconfigured(ALREADY)
    folder.claim()
    command = [sys.executable, "-m", "functions.cli.main", "up"]
    command += ["--broker", options.broker, "--runtime", options.runtime, *(["--fresh"] if options.fresh else [])]
    with folder.log.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + START_SECONDS
    while folder.running() is None:
        if process.poll() is not None or time.monotonic() > end:
            last = folder.log.read_text(errors="replace").splitlines()[-1:]
            raise TandemError(f"the sandbox did not start: {' '.join(last) or 'no output'} ({folder.log})")
        time.sleep(0.1)
    sys.stdout.write(f"the sandbox is running, with its output in {folder.log}: see tandem status and tandem down\n")
    return 0


def down(folder: SandboxFolder, *, fresh: bool) -> int:
    """End the running sandbox in good order, and wait for its end. With `fresh`, delete its data, too."""
    running = folder.running()
    if running is None and folder.is_held:
        raise Misconfigured("the sandbox is starting or ending: try again in a moment")
    if running is not None:
        os.kill(int(running["pid"]), signal.SIGTERM)
        end = time.monotonic() + END_SECONDS
        while folder.is_held:
            if time.monotonic() > end:
                raise TandemError(f"process {running['pid']} did not end within {END_SECONDS:g} s")
            time.sleep(0.1)
    if fresh:
        with folder.held():
            folder.clear()
    ended = "ended the sandbox" if running else "no sandbox is running"
    sys.stdout.write(f"{ended}{', deleted its data' if fresh else ''}\n")
    return 0


def env(folder: SandboxFolder, *, as_json: bool) -> int:
    """Print the variables of the running sandbox."""
    running = folder.running()
    if running is None:
        raise Misconfigured("no sandbox is running in this checkout: start one by tandem up")
    environment: dict[str, str] = running["environment"]
    if as_json:
        sys.stdout.write(json.dumps(environment, indent=1) + "\n")
    else:
        sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()))
    return 0
