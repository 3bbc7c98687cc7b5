"""The kinds of faults. Each function injects its fault, removes it, and returns a short description."""

from collections.abc import Callable
from threading import Event
from typing import Final, NamedTuple

from sandbox.broker import kraft
from tests.chaos.context import FaultContext
from tests.chaos.load import BALLAST, BOMB
from tests.chaos.monitor import Stuck
from tests.chaos.runtimes import WORKERS, RuntimeName, StallMemory
from tests.proxy import faults as store_faults
from tests.proxy.proxy import FaultRule

NOTICE_SECONDS: Final = 240.0
LETHAL_SECONDS: Final = 300.0
FIRST_SECONDS: Final = 60.0  # until the first record of a new partition is settled, if there are any
BOMBS: Final = 20
TABLE_WRITES: Final = 50.0  # a second, for all partitions together
CALL_SECONDS: Final = 5.0  # how long the runtimes wait for DynamoDB


class FaultKind(NamedTuple):
    """`runtime` must be active before, None for either; `then` is active afterwards, None for no change.

    `contained`: it concerns one record or one store; partitions that it does not concern must progress meanwhile.
    """

    name: str
    inject: Callable[[FaultContext], str]
    runtime: RuntimeName | None = None
    then: RuntimeName | None = None
    contained: bool = False


def kill_worker(context: FaultContext) -> str:
    """SIGKILL and an immediate replacement, as by Kubernetes; the group waits for the dead worker's session to end."""
    target = context.random.choice(context.runtimes.workers)
    target.kill()
    context.runtimes.replace(target)
    return target.name


def freeze_worker(context: FaultContext) -> str:
    """SIGSTOP beyond the session timeout, with slices in flight: others take over, then the zombie continues."""
    target = context.random.choice(context.runtimes.workers)
    with context.store_fault(store_faults.slow(context.random, 0.1, 0.5)):
        context.wait(0.5)
        target.freeze()
    seconds = context.sessions(1.3, 2) + 0.5
    context.wait(seconds)
    target.thaw()
    context.wait(1)
    return f"{target.name} for {seconds:.1f} s"


def hand_over_past_a_zombie(context: FaultContext) -> str:
    """A worker is frozen while Lambda takes over, and continues when Lambda is active."""
    runtimes = context.runtimes
    zombie = context.random.choice(runtimes.workers)
    with context.store_fault(store_faults.slow(context.random, 0.1, 0.5)):
        context.wait(0.5)
        zombie.freeze()
    runtimes.workers.remove(zombie)
    runtimes.to_msk()
    context.wait(context.options.session)
    context.moves_on()
    zombie.thaw()
    context.wait(context.options.session)
    zombie.terminate()
    runtimes.await_end(zombie)
    return zombie.name


def storm(context: FaultContext) -> str:
    """Workers join and leave faster than the group can rebalance."""
    runtimes, changes = context.runtimes, context.random.randint(4, 6)
    for _ in range(changes):
        if len(runtimes.workers) == 1 or (len(runtimes.workers) < WORKERS + 2 and context.random.random() < 0.6):
            runtimes.start_workers()
        else:
            runtimes.drain(context.random.choice(runtimes.workers))
        context.wait(context.sessions(0.1, 0.4))
    while len(runtimes.workers) > WORKERS:
        runtimes.drain(runtimes.workers[0])
    runtimes.start_workers(WORKERS - len(runtimes.workers))
    return f"{changes} changes"


def to_msk(context: FaultContext) -> str:
    """The workers drain and leave; the mapping is enabled."""
    context.runtimes.to_msk()
    context.moves_on()
    return ""


def to_workers(context: FaultContext) -> str:
    """The mapping is disabled; workers start."""
    context.runtimes.to_workers()
    context.moves_on()
    return ""


def kill_environment(context: FaultContext) -> str:
    """SIGKILL to Lambda environments with a batch in flight, a few times."""
    times = context.random.randint(1, 3)
    for _ in range(times):
        context.until(context.runtimes.source.kill_environment, 60)
        context.wait(context.random.uniform(0.2, 1))
    return f"{times} times"


def restart_broker(context: FaultContext) -> str:
    """SIGKILL to the broker, and a restart later."""
    seconds = context.sessions(0.2, 1.3)
    context.stack.broker.kill()
    context.wait(seconds)
    context.stack.broker.start()
    return f"down for {seconds:.1f} s"


def more_partitions(context: FaultContext) -> str:
    """The topic grows while it is read and written; the active runtime must notice."""
    began = context.watch.now
    count = context.stack.add_partitions(context.random.randint(1, 2))
    noticed = context.until(lambda: count - 1 in context.watch.positions, NOTICE_SECONDS)
    return f"now {count}, " + (f"noticed after {context.watch.now - began:.0f} s" if noticed else "not noticed yet")


def refuse(context: FaultContext) -> str:
    """The stores refuse connections, and cut open ones."""
    seconds = context.sessions(0.5, 1.5)
    context.stack.proxy.refuse()
    try:
        context.wait(seconds)
    finally:
        context.stack.proxy.accept()
    return f"for {seconds:.1f} s"


def stall(context: FaultContext) -> str:
    """The stores answer nothing while large records arrive: memory must stay bounded."""
    moving = Event()
    heavy = min(context.options.records // context.options.faults, 40 * context.options.bytes_in_flight // BALLAST)
    context.load.burst(heavy)
    seconds = context.options.session + 3
    try:
        with context.store_fault(store_faults.stalled(moving)):
            measured = [(worker, worker.start_measuring()) for worker in context.runtimes.workers]
            context.wait(seconds)
            for worker, before in measured:
                worker.measure()
                context.runtimes.stalls.append(StallMemory(worker.name, before, worker.high))
    finally:
        moving.set()
    return f"for {seconds:.1f} s, {heavy * BALLAST / 2**20:.0f} MiB of records"


def late(context: FaultContext) -> str:
    """Writes to DynamoDB take effect after the client has timed out."""
    bad = store_faults.slow(context.random, CALL_SECONDS + 0.1, CALL_SECONDS + 2)
    with context.store_fault(
        store_faults.only(store_faults.is_dynamodb, store_faults.sometimes(context.random, 0.02, bad))
    ):
        context.wait(CALL_SECONDS + context.sessions(0.2, 1))
    return "2% of the requests"


def lethal_record(context: FaultContext) -> str:
    """A record that ends every process that evaluates it, until it is set aside."""
    letters, ends = _lethal_letters(context), context.runtimes.lethal_ends
    context.load.send_lethal()
    if not context.until(lambda: context.load.lethal is not None, LETHAL_SECONDS):
        raise Stuck("no lethal record was produced")
    context.watch.excused.add(context.load.lethal or 0)
    if not context.until(lambda: _lethal_letters(context) > letters, LETHAL_SECONDS):
        raise Stuck(f"the lethal record was not set aside within {LETHAL_SECONDS:.0f} s")
    ended = f" after it ended {context.runtimes.lethal_ends - ends} workers" if context.runtimes.workers else ""
    return f"set aside{ended}"


def _lethal_letters(context: FaultContext) -> int:
    stage = context.stack.stage
    prefix = f"{stage.pipeline.name}/reason=lethal/"
    return stage.s3.list_objects_v2(Bucket=stage.dead_letters, Prefix=prefix)["KeyCount"]


def release(context: FaultContext) -> str:
    """Workers of a release with another row model join, one of the old release is killed, the others drain."""
    runtimes, old = context.runtimes, list(context.runtimes.workers)
    name = runtimes.next_release()
    with context.store_fault(store_faults.slow(context.random, 0.05, 0.3)):
        runtimes.start_workers()
        context.wait(context.options.session)
        killed = context.random.choice([worker for worker in old if worker in runtimes.workers] or runtimes.workers)
        killed.kill()
        runtimes.replace(killed)
        context.wait(context.sessions(0.3, 1))
    for worker in old:
        if worker in runtimes.workers:
            runtimes.drain(worker)
            runtimes.start_workers(max(0, WORKERS - len(runtimes.workers)))
    while len(runtimes.workers) > WORKERS:
        runtimes.drain(runtimes.workers[0])
    return f"the {name} one"


def leaderless(context: FaultContext) -> str:
    """A partition loses its only broker, and is assigned anew while it has no leader."""
    stack, watch, load = context.stack, context.watch, context.load
    load.allow(load.sent)  # keep the rest for the partition
    second = stack.second_broker()
    partition = stack.add_partitions(1, kraft.SECOND) - 1
    watch.excused.add(partition)
    load.allow(load.sent + context.options.records // context.options.faults)
    context.until(lambda: watch.positions.get(partition, 0) > 0, FIRST_SECONDS)
    second.kill()
    context.wait(context.options.session)
    context.runtimes.drain(context.random.choice(context.runtimes.workers))
    context.runtimes.start_workers()
    seconds = context.sessions(1, 2) + 3
    context.wait(seconds)
    second.start()
    context.until(lambda: watch.positions.get(partition, 0) >= load.ends[partition], LETHAL_SECONDS)
    return f"partition {partition} of {load.ends[partition]:,} records for {seconds:.1f} s"


def header_bomb(context: FaultContext) -> str:
    """Records with as many headers as fit: memory must stay bounded, and they must settle."""
    context.load.send_bombs(BOMBS)
    context.until(lambda: not context.load.bombs, LETHAL_SECONDS)
    sent = sum(context.load.ends.values())
    context.until(lambda: context.watch.settled >= sent, LETHAL_SECONDS)
    return f"{BOMBS - context.load.bombs} records of {len(BOMB):,} headers"


def throttle_table(context: FaultContext) -> str:
    """The table of rows accepts few writes a second, and throttles all others."""
    seconds = context.sessions(1, 2) + 2
    with context.store_fault(store_faults.limited(TABLE_WRITES)):
        context.wait(seconds)
    return f"{TABLE_WRITES:.0f} rows a second for {seconds:.1f} s"


def _share(share: float, bad: Callable[[FaultContext], FaultRule]) -> Callable[[FaultContext], str]:
    """Return a fault for this share of the requests, for a while."""

    def inject(context: FaultContext) -> str:
        seconds = context.sessions(0.5, 1.5) + 1
        with context.store_fault(store_faults.sometimes(context.random, share, bad(context))):
            context.wait(seconds)
        return f"{share:.0%} of the requests for {seconds:.1f} s"

    return inject


KINDS: Final = {
    kind.name: kind
    for kind in (
        FaultKind("kill worker", kill_worker, "worker"),
        FaultKind("freeze worker", freeze_worker, "worker"),
        FaultKind("hand over past a zombie", hand_over_past_a_zombie, "worker", "msk"),
        FaultKind("rebalance storm", storm, "worker"),
        FaultKind("hand over to msk", to_msk, "worker", "msk"),
        FaultKind("hand over to worker", to_workers, "msk", "worker"),
        FaultKind("kill environment", kill_environment, "msk"),
        FaultKind("lethal record", lethal_record, "worker", contained=True),
        FaultKind("lethal record on msk", lethal_record, "msk"),
        FaultKind("release", release, "worker", contained=True),
        FaultKind("partition without leader", leaderless, "worker", contained=True),
        FaultKind("header bomb", header_bomb, "worker", contained=True),
        FaultKind("table throttled", throttle_table, contained=True),
        FaultKind("restart broker", restart_broker),
        FaultKind("more partitions", more_partitions),
        FaultKind("stores refuse", refuse),
        FaultKind("stores stall", stall, "worker"),
        FaultKind("stores late", late),
        FaultKind("stores slow", _share(0.3, lambda context: store_faults.slow(context.random, 0.05, 0.5))),
        FaultKind("stores reset", _share(0.05, lambda _: store_faults.reset)),
        FaultKind("stores throttle", _share(0.1, lambda context: store_faults.throttled(context.random))),
        FaultKind("stores contended", _share(0.1, lambda _: store_faults.contended)),
        FaultKind("answers cut", _share(0.05, lambda context: store_faults.cut(context.random))),
    )
}
HANDOVER: Final[dict[RuntimeName, FaultKind]] = {
    "worker": KINDS["hand over to msk"],
    "msk": KINDS["hand over to worker"],
}
