"""Who is on duty: a few workers, or Lambda behind its mapping. Replaces what ends by itself, as Kubernetes would."""

import signal
from pathlib import Path
from typing import Final, Literal, NamedTuple

from functions.core.backoff import Backoff
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.patience import Patience
from functions.local.event_source.source import EventSource
from tests.chaos.ground import Ground
from tests.chaos.member import Member
from tests.chaos.options import Options


class Stall(NamedTuple):
    """A worker while the stores stood still: bytes before, and at most."""

    worker: str
    before: int
    peak: int


Duty = Literal["worker", "msk"]
WORKERS: Final = 2
BATCH: Final = 2000  # records
INVOCATION_SECONDS: Final = 15.0
END_SECONDS: Final = 15.0  # beyond the drain time: to end in good order


class Crew:
    """`surprises` tells what ended by itself, or not in good order; `stalls` how heavy workers became in each."""

    def __init__(self, ground: Ground, options: Options) -> None:
        self.duty: Duty = "worker"
        self.members: list[Member] = []
        self.everyone: list[Member] = []  # that ever was
        self.surprises: list[str] = []
        self.stalls: list[Stall] = []
        stage = self._stage = ground.stage
        self._options = options
        self.source = EventSource(
            Mapping(
                stage.pipeline.topic,
                stage.group,
                stage.broker.bootstrap,
                stage.function(options.out / "lambda.log"),
                batch_size=BATCH,
                concurrency=2,
                timeout=INVOCATION_SECONDS,
                session_timeout=stage.session_seconds,
                patience=Patience(backoff=Backoff(first=0.2, most=2.0)),
            )
        )

    def hire(self, count: int = 1) -> Member:
        """Start workers; the last of them."""
        for _ in range(count):
            name = f"worker-{len(self.everyone) + 1}"
            member = Member(name, self._stage.environment, self._options.out / f"{name}.log")
            self.members.append(member)
            self.everyone.append(member)
        return self.members[-1]

    def replace(self, member: Member) -> None:
        """Somebody new for one that is gone."""
        self.members.remove(member)
        self.hire()

    def dismiss(self, *members: Member) -> None:
        """SIGTERM all of them, and wait for their end."""
        for member in members:
            self.members.remove(member)
            member.terminate()
        for member in members:
            self.ended(member)

    def ended(self, member: Member) -> None:
        """Wait for the end of one that was told to."""
        young = not member.up  # it had no handler of the signal yet
        code = member.wait(2 * self._options.session + END_SECONDS)
        if code and not (young and code == -signal.SIGTERM):
            self.surprises.append(f"{member.name} ended with {code} after SIGTERM")

    def to_msk(self) -> None:
        """The workers drain, then the mapping is enabled."""
        self.dismiss(*self.members)
        self.duty = "msk"
        self.source.start()

    def to_workers(self) -> None:
        """The mapping is disabled, batches in flight end, then the workers start."""
        self.source.stop()
        self.duty = "worker"
        self.hire(WORKERS)

    def tend(self) -> None:
        """Replace what has ended by itself."""
        for member in list(self.members):
            if member.exit_code is not None:
                self.surprises.append(f"{member.name} ended by itself with {member.exit_code}")
                self.replace(member)
        if self.duty == "msk" and self.source.error:
            self.surprises.append(f"the mapping ended by itself: {self.source.error!r}")
            try:
                self.source.stop()
            except Exception:  # noqa: BLE001 - the very same error
                self.source.start()

    def go_home(self) -> None:
        """Whatever state things are in."""
        for member in self.everyone:
            if member.exit_code is None:
                member.kill()
        if self.duty == "msk":
            self.source.stop(within=0)

    def logs(self) -> list[Path]:
        """Of everybody who is on duty."""
        return [member.log for member in self.members] if self.duty == "worker" else [self._options.out / "lambda.log"]
