"""Every failure, named by what the runtime must do about it.

    TandemError
    ├── Retry              come again later; nothing is wrong with the records
    │   └── Unavailable        a store or broker is throttled, unreachable or timed out
    ├── Stop               a person must look; coming again would change nothing
    │   ├── Flood              too many rejects: most likely our fault, not the records'
    │   ├── OffsetsWentBack    new records under settled offsets: topic recreated or cluster restored
    │   ├── Corrupt            a store holds what this protocol never writes
    │   └── Refused            a store or broker will never take it: no permission, no such place, not valid
    ├── Fatal              a client is beyond repair: end the process, a new one may go on
    └── Misconfigured      do not start
        ├── InvalidPipeline    a declaration cannot work; names pipeline and field
        └── InvalidSetting     names the setting, what it got and what it takes

`Reject` stands apart: `process` raises it about one record, and no runtime ever sees it.
"""


class TandemError(Exception):
    """Whatever Tandem raises on purpose."""


class Retry(TandemError):
    """Leave the slice unacknowledged and come again: settling is idempotent."""


class Unavailable(Retry):
    """A store or broker did not do its work in time; whether the write took effect is unknown."""


class Stop(TandemError):
    """Leave the slice unacknowledged and stop this partition until a person has looked."""


class Flood(Stop):
    """The rejects of a partition exceed the pipeline's flood limit."""


class OffsetsWentBack(Stop):
    """Records under settled offsets carry newer timestamps than anything settled."""


class Corrupt(Stop):
    """A store returned what the settlement protocol never writes."""


class Refused(Stop):
    """A store or broker answered no, and would again; the message names the operation and the answer."""


class Fatal(TandemError):
    """A client of this process is beyond repair; only a new process can go on."""


class Misconfigured(TandemError):
    """The process must not start."""


class InvalidPipeline(Misconfigured):
    """A pipeline declaration cannot work; the message names the pipeline and the field."""


class InvalidSetting(Misconfigured):
    """A setting is missing or wrong; the message names it, what it got and what it takes."""


class Reject(Exception):  # users read `raise Reject("why")`: a verb, not an error of theirs
    """Raised by `process`: this record can never succeed as it is. The text says why."""
