"""A whole run: load and faults together, then calm, then the reckoning."""

from collections.abc import Callable
from contextlib import ExitStack
from random import Random
from typing import Any, Final

from functions.local.demo.announcements import Announcements
from tests.chaos import log
from tests.chaos.crew import WORKERS, Crew
from tests.chaos.faults import Kind
from tests.chaos.ground import set_up
from tests.chaos.load import Load
from tests.chaos.options import Options
from tests.chaos.report import Fault, report
from tests.chaos.scene import Scene
from tests.chaos.schedule import schedule
from tests.chaos.verdict import verdict
from tests.chaos.watch import Stuck, Watch

DRAIN_SECONDS: Final = 900.0
ROUNDS: Final = 4.0  # how much longer than planned a round may take before the next begins all the same


def run(options: Options, say: Callable[[str], None]) -> dict[str, Any]:
    """The report. Raises Stuck when the run cannot come to its end, Unavailable without Apache Kafka."""
    with ExitStack() as stack:
        ground = stack.enter_context(set_up(options, say))
        load = Load(ground, options)
        announcements = Announcements(ground.stage.sqs, ground.stage.queue)
        stack.callback(announcements.stop)
        crew = Crew(ground, options)
        stack.callback(crew.go_home)
        watch = Watch(ground, load, crew, say)
        stack.callback(watch.stop)
        stack.callback(load.stop)
        random = Random(f"{options.seed}/harm")  # noqa: S311 - reproducible on purpose
        scene = Scene(ground, load, crew, watch, random, options)
        faults = _play(scene, schedule(options.seed, options.faults, options.only), say)
        _drain(scene, say)
        watch.stop()
        say("reading everything back")
        return report(options, faults, verdict(ground, load, announcements), watch, crew)


def _play(scene: Scene, kinds: list[Kind], say: Callable[[str], None]) -> list[Fault]:
    scene.crew.hire(WORKERS)
    scene.load.start()
    faults = []
    for number, kind in enumerate(kinds, 1):
        scene.load.allow(scene.options.records * number // len(kinds))
        began = scene.watch.now
        scene.wait(scene.random.uniform(0.1, 0.3) * scene.options.round_seconds)
        say(f"fault {number} of {len(kinds)}: {kind.name}")
        faults.append(_inflict(scene, kind))
        say(f"  {faults[-1].note or 'done'}: took {faults[-1].seconds:.1f} s, recovered in {faults[-1].recovery:.1f} s")
        left = began + ROUNDS * scene.options.round_seconds - scene.watch.now
        quota = scene.options.records * number // len(kinds)
        scene.until(lambda quota=quota: scene.load.sent >= quota, left)  # type: ignore[misc]
    return faults


def _inflict(scene: Scene, kind: Kind) -> Fault:
    at = scene.watch.now
    note = kind.harm(scene)
    over = scene.watch.now
    scene.moves_on()
    return Fault(round(at, 1), kind.name, round(over - at, 1), round(scene.watch.now - over, 1), note)


def _drain(scene: Scene, say: Callable[[str], None]) -> None:
    """The others go; somebody who has seen nothing of it settles what is left."""
    say("calm: a healthy worker settles the rest")
    crew, load, watch = scene.crew, scene.load, scene.watch
    load.allow(len(load.records))
    if crew.duty == "msk":
        crew.source.stop()
        crew.duty = "worker"
    crew.dismiss(*crew.members)
    crew.hire()
    if not scene.until(lambda: load.ended, DRAIN_SECONDS):
        raise Stuck(f"not everything was produced: {watch.where()}")
    ground = scene.ground
    ends = log.ends(ground.broker.bootstrap, ground.stage.pipeline.topic, ground.partitions)
    if not scene.until(lambda: watch.positions == ends, DRAIN_SECONDS):
        raise Stuck(f"not everything was settled: {watch.positions} of {ends}")
    crew.dismiss(*crew.members)
