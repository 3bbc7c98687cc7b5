"""Rows in a table of PostgreSQL, exactly once. Extra: postgres."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from functions.core.column_types import Field
from functions.core.sinks import CustomSink

TABLE: Final = re.compile(r"[A-Za-z_]\w{0,62}(\.[A-Za-z_]\w{0,62})?", re.ASCII)  # PostgreSQL cuts names after 63 bytes


@dataclass(frozen=True)
class Postgres(CustomSink):
    """The row that was written last per `key`, in a table of PostgreSQL, exactly once: docs/postgres.md.

    The table must exist, with a column of each field's name and a primary key, or another unique index, of the columns
    of `key`. The records of one key come from one partition, as those of one Kafka key do.
    """

    table: str = ""
    """The table: `TABLE` or `SCHEMA.TABLE`."""

    key: str | tuple[str, ...] = ()
    """The field, or the fields, that identify a row."""

    adapter: ClassVar[str] = "functions.adapters.postgres:make"
    secret: ClassVar[bool] = True
    egress: ClassVar[tuple[int, ...]] = (5432,)
    extras: ClassVar[tuple[str, ...]] = ("postgres",)

    @property
    def key_fields(self) -> tuple[str, ...]:
        """See CustomSink."""
        return (self.key,) if isinstance(self.key, str) else self.key

    def problems(self, fields: Mapping[str, Field]) -> Iterator[str]:  # noqa: ARG002 - the key's are checked by the core
        """See CustomSink."""
        if not TABLE.fullmatch(self.table):
            yield f"table: expected TABLE or SCHEMA.TABLE, got {self.table!r}"
        if not self.key_fields:
            yield "key: expected a field, or several"
