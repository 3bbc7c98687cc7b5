"""Column types: what a field of a row can hold. Parquet, Glue and Redshift types follow from them.

Each docstring names the type's canonical Python values: those that `evaluate` makes from a model's values. An object
read back from the lake gives the same values, equal in value and type.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mask:
    """The mark of a text that is stored as a keyed hash only. Fields with the same `join` have equal masks."""

    join: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """str; string enums and literals as their values."""

    mask: Mask | None = None


@dataclass(frozen=True, slots=True)
class Integer:
    """int of 64 bits; integer enums and literals as their values."""


@dataclass(frozen=True, slots=True)
class Float:
    """float of 64 bits."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """bool."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """datetime in UTC, to the microsecond."""


@dataclass(frozen=True, slots=True)
class Day:
    """date without a time."""


@dataclass(frozen=True, slots=True)
class Number:
    """Decimal with `precision` digits in total, `scale` of them after the decimal point."""

    precision: int
    scale: int


@dataclass(frozen=True, slots=True)
class Uuid:
    """UUID; its canonical value is its text, because every reader of a lake understands text."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """list of canonical values of `item`."""

    item: "ColumnType"
    nullable: bool  # whether items may be None


@dataclass(frozen=True, slots=True)
class Struct:
    """A nested model; its canonical value is a dict."""

    fields: tuple["Field", ...]


ColumnType = Text | Integer | Float | Boolean | Timestamp | Day | Number | Uuid | ListOf | Struct


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row or a nested model."""

    name: str
    column_type: ColumnType
    nullable: bool
