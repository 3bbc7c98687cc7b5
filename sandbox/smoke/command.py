"""`tandem smoke`, after its options are read: starts the run where it reaches the stage, and hands over on demand."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from functions.core.errors import Misconfigured, Unavailable
from sandbox.aws import LocalAws
from sandbox.broker.choose import choose
from sandbox.broker.errors import BrokerUnavailable
from sandbox.smoke.local import local_smoke_stage
from sandbox.smoke.pod import pod_of

SANDBOX: Final = "sandbox"
PROGRAM: Final = (sys.executable, "-m", "sandbox.smoke")
LOGS: Final = Path("build/smoke")

HandOver = Callable[[], None]


@dataclass(frozen=True, slots=True)
class SmokeOptions:
    """The options of the command line. `handover`: a command line that hands over; `pod`: NAMESPACE/POD."""

    stage: str
    records: int
    seed: int
    pod: str | None = None
    handover: str | None = None
    keep: bool = False
    broker: str = "auto"
    as_json: bool = False


def smoke(options: SmokeOptions) -> int:
    """Run it; return exit code 1 if anything was lost, doubled, wrong or left behind."""
    signal.signal(signal.SIGTERM, _interrupted)  # like ctrl-C: everything that was started is stopped
    if options.stage != SANDBOX:
        command = pod_of(options.pod).prepare() if options.pod else list(PROGRAM)
        hand_over = None if options.handover is None else _by_command(options.handover)
        return follow([*command, *_arguments(options, options.stage, hand_over)], os.environ, hand_over, options)
    if options.pod or options.handover:
        raise Misconfigured("--pod and --handover: expected a deployed stage, the sandbox hands over itself")
    try:
        broker = choose(options.broker, _say)
    except BrokerUnavailable as error:
        raise Misconfigured(str(error)) from None
    with broker, LocalAws() as aws, local_smoke_stage(broker, aws, LOGS) as local:
        arguments = _arguments(options, local.stack.stage.name, local.hand_over)
        return follow([*PROGRAM, *arguments], os.environ | local.environment, local.hand_over, options)


def follow(command: Sequence[str], environment: Mapping[str, str], hand_over: HandOver | None, options: Any) -> int:  # noqa: ANN401
    """Run the program, show its events, and hand over when it asks; return its exit code."""
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - pipes, as asked for
        try:
            for line in process.stdout:
                event = _parsed(line)
                sys.stdout.write(line if options.as_json else f"{text(event)}\n")
                sys.stdout.flush()
                if event.get("event") == "handover" and hand_over is not None:
                    hand_over()
                    process.stdin.write("done\n")
                    process.stdin.flush()
        except BaseException:
            process.kill()
            raise
        return process.wait()


def text(event: Mapping[str, Any]) -> str:
    """Return an event for people."""
    match event["event"]:
        case "begun":
            return f"run {event['run']}: {event['records']:,} logins to stage {event['stage']}"
        case "settled":
            return f"  settled {event['settled']:,} of {event['produced']:,} produced"
        case "handed over":
            return f"  handed over, while {event['during']:,} more were produced"
        case "result":
            return _result(event)
        case _:
            return "  ".join(str(value) for value in event.values())


def _result(event: Mapping[str, Any]) -> str:
    checks = {
        "rows in the lake": event["rows_in_lake"], "dead letters": event["dead_letters"], "dropped": event["dropped"],
        "missing": event["missing"], "doubled": event["duplicates"], "wrong": event["wrong"],
        "counters": _sign(event["counters_match"]), "table": _sign(event["table_match"]),
        "output topic": _sign(event["topic_unique_match"]), "announcements": _sign(event["announcements_match"]),
        "cleaned up": _sign(event["clean"]),
    }  # fmt: skip
    lines = [f"  {name:<16}  {value}" for name, value in checks.items()]
    verdict = "exact" if event["exact"] else "NOT exact: everything is kept"
    return "\n".join([*lines, *(f"  {problem}" for problem in event["problems"]), verdict])


def _sign(good: object) -> str:
    return "yes" if good else "NO"


def _parsed(line: str) -> dict[str, Any]:
    try:
        event: dict[str, Any] = json.loads(line)
        return event if "event" in event else {"event": line.strip()}
    except ValueError:
        return {"event": line.strip()}  # of kubectl, or of a library


def _arguments(options: SmokeOptions, stage: str, hand_over: HandOver | None) -> list[str]:
    arguments = ["--stage", stage, "--records", str(options.records), "--seed", str(options.seed)]
    return [*arguments, *(["--handover"] if hand_over else []), *(["--keep"] if options.keep else [])]


def _by_command(command: str) -> HandOver:
    def hand_over() -> None:
        code = subprocess.run(["bash", "-c", command], check=False, stdout=sys.stderr).returncode
        if code:
            raise Unavailable(f"--handover: {command!r} ended with {code}")

    return hand_over


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt
