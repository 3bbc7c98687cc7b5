"""All errors, classified by what the runtime must do.

    TandemError
    ├── Retry              try again later; nothing is wrong with the records
    │   ├── Unavailable        a store or broker is throttled, unreachable or timed out
    │   │   └── Incomplete         a part of the writes is durable; the rest is attached
    │   └── Busy               another slice of this process must end first
    ├── Stop               an operator must act; trying again would change nothing
    │   ├── Flood              too many rejects: probably a fault of the pipeline, not of the records
    │   ├── OffsetsWentBack    new records at settled offsets: topic recreated or cluster restored
    │   ├── Corrupt            a store holds what this protocol never writes
    │   └── Refused            a store or broker refuses permanently: no permission, no such resource, not valid
    ├── Fatal              a client has failed permanently: end the process, a new one can continue
    └── Misconfigured      do not start
        ├── InvalidPipeline    a declaration cannot work; names pipeline and field
        └── InvalidSetting     names the setting, its value and what was expected

`Reject` and `Undecodable` are separate: `process` and codecs raise them for one record, and they never reach a runtime.
"""

from collections.abc import Sequence
from typing import Any


class TandemError(Exception):
    """The base of every error that Tandem raises on purpose."""


class Retry(TandemError):
    """Leave the slice unacknowledged and settle it again later: settling is idempotent."""


class Unavailable(Retry):
    """A store or broker did not answer in time; whether the write took effect is unknown."""


class Incomplete(Unavailable):
    """Of several independent writes, all but `remaining` are durable; a retry continues with those."""

    def __init__(self, message: str, remaining: Sequence[Any]) -> None:
        super().__init__(message)
        self.remaining = remaining


class Busy(Retry):
    """Suspect slices are settled one at a time in a process, and another one is in flight."""


class Stop(TandemError):
    """Leave the slice unacknowledged and stop this partition until an operator has acted."""


class Flood(Stop):
    """The rejects of a partition exceed the pipeline's flood limit."""


class OffsetsWentBack(Stop):
    """Records at settled offsets have newer timestamps than all settled records."""


class Corrupt(Stop):
    """A store returned what the settlement protocol never writes."""


class Refused(Stop):
    """A store or broker refused, and would refuse again; the message names the operation and the answer."""


class Fatal(TandemError):
    """A client of this process has failed permanently; only a new process can continue."""


class Misconfigured(TandemError):
    """The process must not start."""


class InvalidPipeline(Misconfigured):
    """A pipeline declaration cannot work; the message names the pipeline and the field."""


class InvalidSetting(Misconfigured):
    """A setting is missing or wrong; the message names it, its value and what was expected."""


class Reject(Exception):  # no suffix Error: pipelines say `raise Reject("why")`
    """Raised by `process`: this record can never succeed as it is. The text is the reason."""


class Undecodable(ValueError):
    """Raised by a codec: these bytes are not what it decodes. The text says what is wrong, without the bytes."""
