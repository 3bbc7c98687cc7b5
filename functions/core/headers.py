"""The headers that are kept of a record: a few hundred bytes in a compressed batch may be thousands of headers.

Only dead letters hold headers, so a record with too many of them can still be settled.
"""

from itertools import accumulate
from typing import Final

from functions.core.redrive import REDRIVEN_FROM, REDRIVES
from functions.core.slice import Headers

MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 64 * 1024  # names and values of all headers
MAX_OWN_BYTES: Final = 1024  # of the value of a header that Tandem wrote
OMITTED: Final = "tandem-omitted-headers"
OWN: Final = (REDRIVEN_FROM, REDRIVES, OMITTED)


def capped(headers: Headers) -> Headers:
    """Return the first headers, up to the limits, and one that says how many more there were.

    Those that a redrive adds are kept in any case: they count the redrives of a record.
    """
    if len(headers) <= MAX_HEADERS and header_bytes(headers) <= MAX_HEADER_BYTES:
        return headers
    others = [header for header in headers if header[0] not in OWN]
    sizes = accumulate(len(name) + len(value or b"") for name, value in others)
    kept = sum(size <= MAX_HEADER_BYTES for size in sizes)
    small = [header for header in headers if header[0] in OWN and len(header[1] or b"") <= MAX_OWN_BYTES]
    own = dict(small)
    first = next((header for header in small if header[0] == REDRIVEN_FROM), None)
    omitted = len(others) - min(kept, MAX_HEADERS)
    if omitted:
        own[OMITTED] = b"and %d more" % omitted
    # Of several places that a record was redriven from, the first and the last one count.
    origin = [first] if first is not None and first[1] != own[REDRIVEN_FROM] else []
    return [*others[: min(kept, MAX_HEADERS)], *origin, *own.items()]


def header_bytes(headers: Headers) -> int:
    """Return the bytes of all names and values, with a name's characters counted as bytes."""
    return sum(len(name) + len(value or b"") for name, value in headers)
