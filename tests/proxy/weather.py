"""What can go wrong between a runtime and its stores, as AWS documents it or as networks do it."""

import json
import time
from collections.abc import Callable
from random import Random
from threading import Event, Lock
from typing import Final

from tests.proxy.proxy import Answer, Cut, Forward, Request, Weather

TYPE: Final = "com.amazonaws.dynamodb.v20120810#"


def sometimes(random: Random, share: float, bad: Weather) -> Weather:
    """Bad for this share of the requests."""
    return lambda request, forward: bad(request, forward) if random.random() < share else forward()


def only(which: Callable[[Request], bool], bad: Weather) -> Weather:
    """Bad for these requests."""
    return lambda request, forward: bad(request, forward) if which(request) else forward()


def is_dynamodb(request: Request) -> bool:
    """Or else S3."""
    return bool(request.target)


def reset(_: Request, forward: Forward) -> Answer:
    """Connection reset before the request took effect."""
    raise Cut


def cut(random: Random) -> Weather:
    """The request takes effect, and the client does not hear of it, or hears half of it."""

    def weather(_: Request, forward: Forward) -> Answer:
        answer = forward()
        raise Cut(answer if random.random() < 0.5 else None)

    return weather


def slow(random: Random, least: float, most: float) -> Weather:
    """The request takes effect late, by so many seconds: later than the client waits for it, if they are many."""

    def weather(_: Request, forward: Forward) -> Answer:
        time.sleep(random.uniform(least, most))
        return forward()

    return weather


def stalled(until: Event) -> Weather:
    """Nothing moves; whoever has the patience is answered in the end, and all that was asked takes effect then."""

    def weather(_: Request, forward: Forward) -> Answer:
        until.wait()
        return forward()

    return weather


class Held:
    """Holds the first request whose method, path and target contain `pattern`, or else its answer, until `go_on`."""

    def __init__(self, pattern: str, *, before: bool = True) -> None:
        self.holding = Event()
        self._pattern, self._before = pattern, before
        self._going_on, self._first = Event(), Lock()

    def go_on(self) -> None:
        """Hold nothing any more."""
        self._going_on.set()

    def __call__(self, request: Request, forward: Forward) -> Answer:
        """Serves as weather."""
        if self._pattern not in " ".join(request) or not self._first.acquire(blocking=False):
            return forward()
        if self._before:
            self._hold()
            return forward()
        answer = forward()
        self._hold()
        return answer

    def _hold(self) -> None:
        self.holding.set()
        self._going_on.wait()


def throttled(random: Random) -> Weather:
    """AWS asks for patience, or has an accident of its own."""

    def weather(request: Request, _: Forward) -> Answer:
        if is_dynamodb(request):
            return random.choice(
                (
                    _dynamodb(400, "ProvisionedThroughputExceededException"),
                    _dynamodb(400, "ThrottlingException"),
                    _dynamodb(500, "InternalServerError"),
                )
            )
        return random.choice((_s3(503, "SlowDown"), _s3(500, "InternalError"), _s3(503, "ServiceUnavailable")))

    return weather


def contended(request: Request, forward: Forward) -> Answer:
    """Somebody else is writing the same thing at this moment: 409 on S3, a conflict on DynamoDB."""
    if request.target.endswith("TransactWriteItems"):
        reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
        return _dynamodb(400, "TransactionCanceledException", CancellationReasons=reasons)
    if is_dynamodb(request) and not request.target.endswith(("GetItem", "Query")):
        return _dynamodb(400, "TransactionConflictException")
    if request.method == "PUT":
        return _s3(409, "ConditionalRequestConflict")
    return forward()


def _dynamodb(status: int, code: str, **more: object) -> Answer:
    body = json.dumps({"__type": TYPE + code, "message": "chaos", **more}).encode()
    return Answer(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))], body)


def _s3(status: int, code: str) -> Answer:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>chaos</Message></Error>".encode()
    return Answer(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)
