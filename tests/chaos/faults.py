"""The kinds of faults. Each does its harm, undoes it, and says in a few words what it was."""

from collections.abc import Callable
from threading import Event
from typing import Final, NamedTuple

from tests.chaos.crew import WORKERS, Duty, Stall
from tests.chaos.load import BALLAST
from tests.chaos.scene import Scene
from tests.proxy import weather
from tests.proxy.proxy import Weather

NOTICE_SECONDS: Final = 60.0
CALL_SECONDS: Final = 5.0  # how long the runtimes wait for DynamoDB


class Kind(NamedTuple):
    """`duty`: who must be on duty before, None anybody; `then`: who is on duty afterwards, None as before."""

    name: str
    harm: Callable[[Scene], str]
    duty: Duty | None = None
    then: Duty | None = None


def kill_worker(scene: Scene) -> str:
    """SIGKILL; Kubernetes starts another one at once, and the group waits for the dead one's session to end."""
    victim = scene.random.choice(scene.crew.members)
    victim.kill()
    scene.crew.replace(victim)
    return victim.name


def freeze_worker(scene: Scene) -> str:
    """SIGSTOP beyond the session timeout, with slices in flight: others take over, then the zombie wakes up."""
    victim = scene.random.choice(scene.crew.members)
    with scene.weather(weather.slow(scene.random, 0.1, 0.5)):
        scene.wait(0.5)
        victim.freeze()
    seconds = scene.sessions(1.3, 2) + 0.5
    scene.wait(seconds)
    victim.thaw()
    scene.wait(1)
    return f"{victim.name} for {seconds:.1f} s"


def hand_over_past_a_zombie(scene: Scene) -> str:
    """A worker is frozen while Lambda takes over, and wakes up when Lambda is at work."""
    crew = scene.crew
    zombie = scene.random.choice(crew.members)
    with scene.weather(weather.slow(scene.random, 0.1, 0.5)):
        scene.wait(0.5)
        zombie.freeze()
    crew.members.remove(zombie)
    crew.to_msk()
    scene.wait(scene.options.session)
    scene.moves_on()
    zombie.thaw()
    scene.wait(scene.options.session)
    zombie.terminate()
    crew.ended(zombie)
    return zombie.name


def storm(scene: Scene) -> str:
    """Workers come and go faster than the group settles down."""
    crew, changes = scene.crew, scene.random.randint(4, 6)
    for _ in range(changes):
        if len(crew.members) == 1 or (len(crew.members) < WORKERS + 2 and scene.random.random() < 0.6):
            crew.hire()
        else:
            crew.dismiss(scene.random.choice(crew.members))
        scene.wait(scene.sessions(0.1, 0.4))
    while len(crew.members) > WORKERS:
        crew.dismiss(crew.members[0])
    crew.hire(WORKERS - len(crew.members))
    return f"{changes} changes"


def to_msk(scene: Scene) -> str:
    """The workers drain and leave; the mapping is enabled."""
    scene.crew.to_msk()
    scene.moves_on()
    return ""


def to_workers(scene: Scene) -> str:
    """The mapping is disabled; workers start."""
    scene.crew.to_workers()
    scene.moves_on()
    return ""


def kill_environment(scene: Scene) -> str:
    """SIGKILL with a batch in flight, a few times."""
    times = scene.random.randint(1, 3)
    for _ in range(times):
        scene.until(scene.crew.source.kill_environment, 10)
        scene.wait(scene.random.uniform(0.2, 1))
    return f"{times} times"


def restart_broker(scene: Scene) -> str:
    """SIGKILL, and later the same broker again."""
    seconds = scene.sessions(0.2, 1.3)
    scene.ground.broker.kill()
    scene.wait(seconds)
    scene.ground.broker.start()
    return f"down for {seconds:.1f} s"


def more_partitions(scene: Scene) -> str:
    """The topic grows while it is read and written; whoever is on duty has to notice."""
    began = scene.watch.now
    count = scene.ground.add_partitions(scene.random.randint(1, 2))
    noticed = scene.until(lambda: count - 1 in scene.watch.positions, NOTICE_SECONDS)
    return f"now {count}, " + (f"noticed after {scene.watch.now - began:.0f} s" if noticed else "not noticed yet")


def refuse(scene: Scene) -> str:
    """The stores' addresses refuse connections; those that are open are cut."""
    seconds = scene.sessions(0.5, 1.5)
    scene.ground.proxy.refuse()
    try:
        scene.wait(seconds)
    finally:
        scene.ground.proxy.accept()
    return f"for {seconds:.1f} s"


def stall(scene: Scene) -> str:
    """The stores answer nothing while heavy records pour in: memory must not follow."""
    moving = Event()
    heavy = min(scene.options.records // scene.options.faults, 40 * scene.options.bytes_in_flight // BALLAST)
    scene.load.burst(heavy)
    seconds = scene.options.session + 3
    try:
        with scene.weather(weather.stalled(moving)):
            weighed = [(member, member.begin_to_weigh()) for member in scene.crew.members]
            scene.wait(seconds)
            for member, before in weighed:
                member.weigh()
                scene.crew.stalls.append(Stall(member.name, before, member.high))
    finally:
        moving.set()
    return f"for {seconds:.1f} s, {heavy * BALLAST / 2**20:.0f} MiB of records"


def late(scene: Scene) -> str:
    """Writes to DynamoDB take effect after the client has given them up."""
    bad = weather.slow(scene.random, CALL_SECONDS + 0.1, CALL_SECONDS + 2)
    with scene.weather(weather.only(weather.is_dynamodb, weather.sometimes(scene.random, 0.02, bad))):
        scene.wait(CALL_SECONDS + scene.sessions(0.2, 1))
    return "2% of the requests"


def _spell(share: float, bad: Callable[[Scene], Weather]) -> Callable[[Scene], str]:
    """Bad weather for this share of the requests, for a while."""

    def harm(scene: Scene) -> str:
        seconds = scene.sessions(0.5, 1.5) + 1
        with scene.weather(weather.sometimes(scene.random, share, bad(scene))):
            scene.wait(seconds)
        return f"{share:.0%} of the requests for {seconds:.1f} s"

    return harm


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("kill worker", kill_worker, "worker"),
        Kind("freeze worker", freeze_worker, "worker"),
        Kind("hand over past a zombie", hand_over_past_a_zombie, "worker", "msk"),
        Kind("rebalance storm", storm, "worker"),
        Kind("hand over to msk", to_msk, "worker", "msk"),
        Kind("hand over to worker", to_workers, "msk", "worker"),
        Kind("kill environment", kill_environment, "msk"),
        Kind("restart broker", restart_broker),
        Kind("more partitions", more_partitions),
        Kind("stores refuse", refuse),
        Kind("stores stall", stall, "worker"),
        Kind("stores late", late),
        Kind("stores slow", _spell(0.3, lambda scene: weather.slow(scene.random, 0.05, 0.5))),
        Kind("stores reset", _spell(0.05, lambda _: weather.reset)),
        Kind("stores throttle", _spell(0.1, lambda scene: weather.throttled(scene.random))),
        Kind("stores contended", _spell(0.1, lambda _: weather.contended)),
        Kind("answers cut", _spell(0.05, lambda scene: weather.cut(scene.random))),
    )
}
HANDOVER: Final[dict[Duty, Kind]] = {"worker": KINDS["hand over to msk"], "msk": KINDS["hand over to worker"]}
