"""A function of the operator's that fixes values on the way: from the bytes of a record's value to those to send.

It is called in this process, once for each record of a dry run and once more before the record is claimed.
"""

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Final

from functions.core.errors import InvalidSetting
from functions.core.foreign import PROCESS_ERRORS, text_of, type_name
from functions.core.record_place import RecordPlace
from functions.operate.formatting import printable
from functions.operate.redrive.records import LostRecord, LostRecords, SkippedRecord

MODULE: Final = "redrive_map"  # what the file is imported as

ValueMap = Callable[[bytes], object]  # it should return bytes; what it returns is checked


def load(argument: str) -> ValueMap:
    """Return the function that `FILE.py:FUNCTION` names. InvalidSetting if there is none, or the file fails."""
    file, _, name = argument.rpartition(":")
    if not file or not name:
        raise InvalidSetting(f"--map {argument}: expected FILE.py:FUNCTION")
    function = getattr(_module(Path(file), argument), name, None)
    if not callable(function):
        raise InvalidSetting(f"--map {argument}: the file has no function {name}")
    return function  # type: ignore[no-any-return] # any callable: what it returns is checked


def _module(file: Path, argument: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(MODULE, file)
    if spec is None or spec.loader is None:
        raise InvalidSetting(f"--map {argument}: expected a Python file, like fix.py, got {file}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except OSError as error:
        raise InvalidSetting(f"--map {argument}: {error.strerror or error}") from None
    except PROCESS_ERRORS:
        raise
    except BaseException as error:  # noqa: BLE001 - the file is the operator's
        raise InvalidSetting(f"--map {argument}: importing it raised {_described(error)}") from None
    return module


@dataclass(slots=True)
class MappedRecords:
    """See LostRecords. A record without a value, or that the function raises for, is skipped."""

    records: LostRecords
    function: ValueMap
    unchanged: set[RecordPlace] = field(default_factory=set)

    def places(self) -> Iterator[RecordPlace]:
        """See LostRecords."""
        return self.records.places()

    def read(self, places: Sequence[RecordPlace]) -> list[LostRecord | SkippedRecord]:
        """See LostRecords."""
        return [
            record if isinstance(record, SkippedRecord) else self._mapped(record)
            for record in self.records.read(places)
        ]

    def _mapped(self, record: LostRecord) -> LostRecord | SkippedRecord:
        if record.value is None:
            return SkippedRecord(record.place, "it has no value to map")
        try:
            value = self.function(record.value)
        except PROCESS_ERRORS:
            raise
        except BaseException as error:  # noqa: BLE001 - the function is the operator's
            return SkippedRecord(record.place, f"the map raised {_described(error)}")
        if not isinstance(value, bytes):
            return SkippedRecord(record.place, f"the map returned {type_name(value)}, expected bytes")
        if value == record.value:
            self.unchanged.add(record.place)
        return record._replace(value=value)


def _described(error: BaseException) -> str:
    return printable(" ".join(f"{type_name(error)}: {text_of(error)}".split()))
