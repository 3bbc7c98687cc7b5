"""Which lost records an operator means, and what becomes of them: the plan is told, and with `--go` carried out."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Producer

from functions import registry
from functions.adapters.topic import PRODUCER
from functions.core.dead_letter import Reason
from functions.core.errors import Refused
from functions.core.ports import Source
from functions.operate import redrive_text
from functions.operate.desk import Desk, now
from functions.operate.given_up import GivenUp
from functions.operate.place import Place
from functions.operate.plan import Plan, plan
from functions.operate.records import LetterSource
from functions.operate.records import Source as Records
from functions.operate.redrive import Redrive
from functions.operate.sender import Sender

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which letters, or instead what the mapping gave up on. No places: all. `day` reads YYYY-MM-DD.

    `again`: also what was redriven before. `go`: send, and do not only say what would be sent.
    """

    reason: Reason | None = None
    day: str | None = None
    places: Sequence[Place] = ()
    given_up: bool = False
    again: bool = False
    go: bool = False


def resend(desk: Desk, choice: Choice, say: Say) -> None:
    """Say what would be sent, or send it. Refused when some of it could not be."""
    source = _given_up(desk) if choice.given_up else _letters(desk, choice)
    places = [place for place in source.places() if not choice.places or place in choice.places]
    _all_there(choice, places)
    made = plan(places, desk.marks.all(), _settled(desk), now(), again=choice.again)
    topic = desk.pipeline.topic
    say(redrive_text.planned(made, topic, go=choice.go))
    for key in source.unreadable if isinstance(source, GivenUp) else ():
        say(f"s3://{desk.settings.dead_letter_bucket}/{key}: holds no event, left out")
    if others := _others(desk):
        say(f"note: {', '.join(others)} read {topic} as well, and will take what is sent for new records")
    if choice.go:
        _go(desk, source, made, say)


def _go(desk: Desk, source: Records, made: Plan, say: Say) -> None:
    sender = Sender(Producer({**desk.app.kafka, **PRODUCER, "log_level": 0}), desk.pipeline.topic)
    done = Redrive(desk.marks, desk.brokers, sender, source, desk.pool, uuid.uuid4().hex).go(made, say)
    say(redrive_text.done(done, desk.pipeline.topic))
    if done.refused:
        place, why = next(iter(done.refused.items()))
        raise Refused(f"the brokers refused {len(done.refused):,} records, such as {place}: {why}")


def _letters(desk: Desk, choice: Choice) -> LetterSource:
    some = [found for place in choice.places for found in desk.letters.at(place)]
    chosen = some if choice.places else desk.letters.found(choice.reason, choice.day)
    return LetterSource(desk.letters, {letter.place: letter for letter in chosen}, desk.pool)


def _given_up(desk: Desk) -> GivenUp:
    topic, ledger = desk.pipeline.topic, desk.ledger
    numbers = ledger.positions(desk.pipeline.name, topic)
    gaps = {number: ledger.gaps(Source(desk.pipeline.name, topic, number)) for number in numbers}
    return GivenUp(desk.s3, desk.settings.dead_letter_bucket, topic, gaps)


def _all_there(choice: Choice, places: Sequence[Place]) -> None:
    if missing := [str(place) for place in choice.places if place not in places]:
        raise Refused(f"nothing to redrive at {', '.join(missing)}: no letter there, or no gap with --given-up")


def _settled(desk: Desk) -> Callable[[Place], bool]:
    """Whether the ledger has passed a place. If not, the record itself comes again, and may become a row."""
    stands: dict[str, Any] = {}

    def settled(place: Place) -> bool:
        if place.topic not in stands:
            stands[place.topic] = desk.ledger.positions(desk.pipeline.name, place.topic)
        at = stands[place.topic].get(place.partition)
        return at is not None and place.offset < at.next

    return settled


def _others(desk: Desk) -> list[str]:
    every = registry.load_all().values()
    return [one.name for one in every if one.topic == desk.pipeline.topic and one.name != desk.pipeline.name]
