"""The ports of `tandem erase`: every version of what the stores keep. One contract suite holds for all implementations.

Every method may raise Unavailable when a store does not answer, and Refused when it answers no. Calling any of them
again is harmless: an erasure that was interrupted is run again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from functions.core.dead_letter import DeadLetter
from functions.core.intent import Intent
from functions.core.record_place import RecordPlace


class StoredVersion(NamedTuple):
    """A version of an object. `place`: the first record that it is about; None if its key is none of Tandem's.

    `replaceable`: whether it is what readers get, so that something must stay there. Any other one can be removed.
    """

    url: str
    version: str
    place: RecordPlace | None
    replaceable: bool = False


class TaggedIntent(NamedTuple):
    """The intent of a lake object; `tag` identifies its content."""

    intent: Intent
    tag: str


class LakeEraser(Protocol):
    """The lake objects of one pipeline, their old versions, and the copies that were set aside."""

    def versions(self) -> Iterator[StoredVersion]:
        """List all of them."""

    def read(self, version: StoredVersion) -> TaggedIntent | None:
        """Return what a version holds; None if it is gone. Corrupt if this release cannot read the whole of it."""

    def replace(self, version: StoredVersion, tag: str, intent: Intent) -> bool:
        """Replace an object by one with another intent, if it still has this tag, and remove the version before.

        Readers find the one or the other at any time. False: there is another object, and nothing changed.
        """

    def remove(self, version: StoredVersion) -> None:
        """Remove a version, so that it cannot be restored."""


class LetterEraser(Protocol):
    """The dead letters of one pipeline, and their old versions."""

    def versions(self) -> Iterator[StoredVersion]:
        """List all of them."""

    def read(self, version: StoredVersion) -> DeadLetter | None:
        """Return a letter; None if it is gone. Corrupt if it is no letter."""

    def remove(self, version: StoredVersion) -> None:
        """Remove a version, so that it cannot be restored."""


class TaggedBody(NamedTuple):
    """The content of an object; `tag` identifies it."""

    body: bytes
    tag: str


class BatchEraser(Protocol):
    """The batches that Lambda's event source mappings gave up on, of all pipelines, and their old versions."""

    def versions(self) -> Iterator[StoredVersion]:
        """List all of them."""

    def read(self, version: StoredVersion) -> TaggedBody | None:
        """Return what a version holds; None if it is gone."""

    def replace(self, version: StoredVersion, tag: str, body: bytes) -> bool:
        """Replace an object, if it still has this tag, and remove the version before. False: nothing changed."""

    def remove(self, version: StoredVersion) -> None:
        """Remove a version, so that it cannot be restored."""


class TableItem(NamedTuple):
    """An item of a table: the values of its key, and the order that it has been written with."""

    key: Mapping[str, str | int]
    order: str


class TableEraser(Protocol):
    """One table: rows, and the marks that deleted rows have left."""

    def find(self, column: str, values: Collection[str | int]) -> Sequence[TableItem]:
        """Return the items that have one of these values in a column."""

    def remove(self, item: TableItem) -> bool:
        """Remove an item; return whether it is gone. False: it has been written again since."""


@dataclass(frozen=True, slots=True)
class ErasureStores:
    """The stores that an erasure reaches; `tables` by the name of the Table sink."""

    letters: LetterEraser
    batches: BatchEraser
    lake: LakeEraser
    tables: Mapping[str, TableEraser]
