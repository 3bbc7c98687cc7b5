"""Where the time of a slice goes, step by step, and what the Lambda handler takes, in CPU time of one thread."""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from functions.adapters.parquet import encode
from functions.core import effects
from functions.core.decode import decode
from functions.core.evaluate import evaluate
from functions.core.slice import Slice
from functions.local.bench.memory import KEY, MemoryApp, settings
from functions.runtimes.msk.batch import Batch
from functions.runtimes.msk.event import slices

ROUNDS = 5


def steps(logins: list[bytes]) -> Iterator[tuple[str, float]]:
    """Microseconds a record of each step, the best of several rounds; `evaluate` includes `decode`."""
    app = MemoryApp(settings("unused:9", "bench"))
    pipeline, part = app.pipeline, _slice(logins)
    rows = evaluate(pipeline, part, KEY).rows
    kind = pipeline.schema.kind(pipeline.tables[0].key)
    timed: dict[str, Callable[[], object]] = {
        "decode": lambda: decode(pipeline, part.values),
        "evaluate": lambda: evaluate(pipeline, part, KEY),
        "counts": lambda: [effects.counts(sink, rows) for sink in pipeline.counters],
        "table rows": lambda: effects.newest(pipeline.tables[0], kind, 0, rows),
        "messages": lambda: effects.messages(pipeline.topics[0], "user-login/0", rows),
        "settle, all in memory": lambda: MemoryApp(settings("unused:9", "bench")).settler.settle(part),
        "Parquet, besides": lambda: encode(pipeline.schema, 0, rows),
    }
    for name, step in timed.items():
        yield name, min(_cpu(step) for _ in range(ROUNDS)) / len(logins) * 1e6


def handler(logins: list[bytes]) -> tuple[float, float]:
    """CPU milliseconds per 1,000 records: of parsing the event's JSON, and of the handler."""
    text = json.dumps(_event(logins))
    event = json.loads(text)
    parsing = min(_cpu(lambda: json.loads(text)) for _ in range(ROUNDS))
    handling = min(_cpu(lambda: _handle(event)) for _ in range(ROUNDS))
    return parsing / len(logins) * 1e6, handling / len(logins) * 1e6


def _handle(event: dict[str, Any]) -> None:
    app = MemoryApp(settings("unused:9", "bench"))
    with ThreadPoolExecutor(1) as threads:
        outcomes = Batch(app.settler.settle, threads).run(list(slices(event)), time.monotonic() + 60)
    for outcome in outcomes:
        if isinstance(outcome.result, BaseException):
            raise outcome.result


def _cpu(step: Callable[[], object]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


def _slice(logins: list[bytes]) -> Slice:
    n = len(logins)
    return Slice("user-login", 0, 0, n - 1, range(n), [0] * n, [b"key"] * n, logins, [()] * n)


def _event(logins: list[bytes]) -> dict[str, Any]:
    records = [
        {
            "topic": "user-login", "partition": 0, "offset": offset, "timestamp": 1_700_000_000_000,
            "timestampType": "CREATE_TIME", "key": b64encode(b"key").decode(), "value": b64encode(value).decode(),
            "headers": [],
        }
        for offset, value in enumerate(logins)
    ]  # fmt: skip
    return {"eventSource": "aws:kafka", "bootstrapServers": "b:9098", "records": {"user-login-0": records}}
