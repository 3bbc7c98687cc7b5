"""The records that the tests send to the pipelines of docs/examples."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.core.slice import Headers
from tests.docs.pages import ROOT

EXAMPLES = ROOT / "docs" / "examples"
MS = 1_795_608_000_000  # NOW
SHOP: Headers = [("tenant", b"paris")]
GZIPPED: Headers = [("content-encoding", b"gzip")]
ORDER = {
    "customer": "ada",
    "placed_at": "2026-11-25T12:30:00Z",
    "items": [
        {"sku": "tea", "quantity": 3, "price": 0.10},
        {"sku": "cup", "quantity": 1, "price": "9007199254740993.01"},
    ],
}
KEY = b'{"tenant": "paris", "id": 7}'
CREATED = {"op": "c", "before": None, "after": {"tenant": "paris", "id": 7, "email": "ada@example.com"}, "ts_ms": MS}
DELETED = {"op": "d", "before": {"tenant": "paris", "id": 7}, "after": None, "ts_ms": MS}
EVENT_ID = "5b8f3c1e-0000-4000-8000-000000000001"
MEASURED = {
    "event_id": EVENT_ID, "device": "d1", "measured_at": "2026-11-25T12:00:00Z", "readings": {"heat": 21.5, "dust": 0},
}  # fmt: skip

LEVEL = {"warehouse": "lyon", "sku": "tea", "quantity": 5, "counted_at": "2026-11-25T12:00:00Z"}
STOCK_KEY = b'{"warehouse": "lyon", "sku": "tea"}'


@dataclass(frozen=True)
class Sent:
    """A record that a test sends."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()


def sent(value: object, key: bytes | None = None, headers: Headers = ()) -> Sent:
    return Sent(None if value is None else json.dumps(value).encode(), key, headers)


RECORDS: Mapping[str, Sequence[Sent]] = {
    "orders": [
        sent(ORDER, b"o1", SHOP),
        sent(ORDER | {"items": []}, b"o2", SHOP),
        sent(ORDER, b"o3"),
        sent(ORDER | {"placed_at": "2026-11-25T12:59:59Z"}, b"o1", SHOP),
        Sent(b"{", b"o4", SHOP),
    ],
    "customers": [
        sent(CREATED, KEY),
        sent(CREATED | {"after": {"tenant": "oslo", "id": 7, "email": "b@example.com", "country": "NO"}}, KEY),
        sent(DELETED, KEY),
        sent(None, KEY),
        sent(None, b"7"),
        sent({"op": "t", "after": None}, KEY),
    ],
    "inventory": [
        sent(LEVEL, STOCK_KEY),
        sent(LEVEL | {"sku": "cup"}, b'{"warehouse": "lyon", "sku": "cup"}'),
        sent(LEVEL | {"quantity": 3}, STOCK_KEY),
        sent(LEVEL | {"quantity": -1}, STOCK_KEY),
        sent(None, b'{"warehouse": "lyon", "sku": "cup"}'),
        sent(None, b'"tea"'),
    ],
    "telemetry": [
        sent(MEASURED),
        Sent(gzip.compress(json.dumps(MEASURED).encode()), None, GZIPPED),
        sent(MEASURED | {"event_id": EVENT_ID[:-1] + "2", "measured_at": "2026-11-25T12:00:59Z"}),
        Sent(b"not gzip", None, GZIPPED),
    ],
}
