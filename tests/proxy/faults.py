"""Faults between a runtime and its stores that AWS documents or networks cause."""

import json
import time
from collections.abc import Callable
from random import Random
from threading import Event, Lock
from typing import Final

from tests.proxy.proxy import Cut, FaultRule, Forward, Request, Response

TYPE: Final = "com.amazonaws.dynamodb.v20120810#"


def sometimes(random: Random, share: float, fault: FaultRule) -> FaultRule:
    """Return a rule that applies `fault` to a share of the requests."""
    return lambda request, forward: fault(request, forward) if random.random() < share else forward()


def only(condition: Callable[[Request], bool], fault: FaultRule) -> FaultRule:
    """Return a rule that applies `fault` to the requests that meet the condition."""
    return lambda request, forward: fault(request, forward) if condition(request) else forward()


def is_dynamodb(request: Request) -> bool:
    """Whether a request is for DynamoDB; all others are for S3."""
    return bool(request.target)


def reset(_: Request, forward: Forward) -> Response:
    """Reset the connection before the request has an effect."""
    raise Cut


def cut(random: Random) -> FaultRule:
    """Return a rule that lets the request take effect, but sends none or half of the response."""

    def fault(_: Request, forward: Forward) -> Response:
        response = forward()
        raise Cut(response if random.random() < 0.5 else None)

    return fault


def slow(random: Random, shortest: float, longest: float) -> FaultRule:
    """Return a rule that delays the request by a number of seconds, which may exceed the client's timeout."""

    def fault(_: Request, forward: Forward) -> Response:
        time.sleep(random.uniform(shortest, longest))
        return forward()

    return fault


def stalled(until: Event) -> FaultRule:
    """Return a rule that holds every request until the event is set; then all of them take effect."""

    def fault(_: Request, forward: Forward) -> Response:
        until.wait()
        return forward()

    return fault


class HeldRequest:
    """Holds the first request whose method, path and target contain `pattern`, or its response, until `release`."""

    def __init__(self, pattern: str, *, before: bool = True) -> None:
        self.holding = Event()
        self._pattern, self._before = pattern, before
        self._released, self._first = Event(), Lock()

    def release(self) -> None:
        """Release the request, and hold no others."""
        self._released.set()

    def __call__(self, request: Request, forward: Forward) -> Response:
        """Apply as a fault rule."""
        if self._pattern not in " ".join(request) or not self._first.acquire(blocking=False):
            return forward()
        if self._before:
            self._hold()
            return forward()
        response = forward()
        self._hold()
        return response

    def _hold(self) -> None:
        self.holding.set()
        self._released.wait()


def throttled(random: Random) -> FaultRule:
    """Return a rule that responds as AWS does when it throttles or has an internal error."""

    def fault(request: Request, _: Forward) -> Response:
        if is_dynamodb(request):
            return random.choice(
                (
                    _dynamodb(400, "ProvisionedThroughputExceededException"),
                    _dynamodb(400, "ThrottlingException"),
                    _dynamodb(500, "InternalServerError"),
                )
            )
        return random.choice((_s3(503, "SlowDown"), _s3(500, "InternalError"), _s3(503, "ServiceUnavailable")))

    return fault


def limited(per_second: float, clock: Callable[[], float] = time.monotonic) -> FaultRule:
    """Return a rule that lets so many writes to tables of rows take effect, and throttles all others, as DynamoDB does.

    Those tables alone are written by PutItem: the ledger and the counters are updated.
    """
    lock, room, last = Lock(), per_second, clock()

    def fault(request: Request, forward: Forward) -> Response:
        nonlocal room, last
        if not request.target.endswith(".PutItem"):
            return forward()
        with lock:
            now = clock()
            room, last = min(per_second, room + (now - last) * per_second), now
            if room < 1:
                return _dynamodb(400, "ProvisionedThroughputExceededException")
            room -= 1
        return forward()

    return fault


def contended(request: Request, forward: Forward) -> Response:
    """Respond as if another writer wrote the same item at this moment: 409 on S3, a conflict on DynamoDB."""
    if request.target.endswith("TransactWriteItems"):
        reasons = [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]
        return _dynamodb(400, "TransactionCanceledException", CancellationReasons=reasons)
    if is_dynamodb(request) and not request.target.endswith(("GetItem", "Query")):
        return _dynamodb(400, "TransactionConflictException")
    if request.method == "PUT":
        return _s3(409, "ConditionalRequestConflict")
    return forward()


def _dynamodb(status: int, code: str, **more: object) -> Response:
    body = json.dumps({"__type": TYPE + code, "message": "chaos", **more}).encode()
    return Response(status, [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))], body)


def _s3(status: int, code: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>chaos</Message></Error>".encode()
    return Response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body)
