"""What happens from outside: an operator resumes a partition, a topic is created again."""

from dataclasses import replace

from functions.core.ports import StopReason
from functions.core.stops import resumed
from tests.simulation import visits
from tests.simulation.world import Partition, World


def resume(world: World, partition: Partition) -> None:
    """Resume a partition, if the ledger has a stop.

    A flood: its rejects are accepted. Offsets that went back: the records below the ledger's offset count as settled.
    A corrupt object: it has been restored.
    """
    position, history = partition.position(world), world.histories[partition.source]
    if position is None or position.stop is None:
        return
    stop = position.stop
    after = resumed(position, stop)
    match stop.reason:
        case StopReason.FLOOD:
            history.accepted = after.accepted
            history.resets.append(len(history.moves))
        case StopReason.OFFSETS_WENT_BACK:
            after = replace(after, topic_id=partition.topic_id)
        case StopReason.CORRUPT:
            world.lake.damaged.clear()
    world.ledger.positions[partition.source] = after
    history.stopped = False
    world.tally["resumed"] += 1
    world.note(f"an operator resumes partition {partition.number} at {position.next}: {stop.reason.value}")


def can_be_recreated(world: World, partition: Partition) -> bool:
    """Whether the first log is settled; what of it is lost is then not a question of the protocol.

    Only a worker reads a topic's ID. Where the ledger has none, a worker that starts cannot tell one log from another.
    """
    position = partition.position(world)
    return (
        partition.generation == 0
        and not partition.future
        and position is not None
        and bool(partition.entries)
        and world.is_settled(partition)
        and position.stop is None
        and position.topic_id is not None
    )


def recreate(world: World, partition: Partition) -> None:
    """Replace the log by another one with newer records, from offset 0 on."""
    position = partition.position(world)
    assert position is not None
    times = [entry.timestamp for entry in partition.entries if entry.timestamp < visits.FUTURE_MS]
    newest = max(times, default=visits.BEGINNING * 1000)
    mix = replace(world.mix(partition.number), future=False)
    log = visits.log(world.rng, world.rng.randint(1, 30), mix, 0, newest // 1000 + 1000)
    partition.settled += partition.entries
    partition.entries, partition.future = log[:1], log[1:]
    partition.first, partition.committed = 0, 0
    partition.generation += 1
    partition.floor = position.next
    world.histories[partition.source].recreated = True
    world.tally["topics recreated"] += 1
    world.note(f"the topic is recreated, partition {partition.number} was settled up to {position.next}")
