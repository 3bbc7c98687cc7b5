"""What a row can hold: the kinds of storage, from which Parquet's schema, Glue's columns and Redshift's tables follow.

Each kind knows its canonical Python values: what `evaluate` makes of a model's values, and what reading an object back
gives again, equal in value and type.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """str; string enums and literals as their values."""


@dataclass(frozen=True, slots=True)
class Integer:
    """int of 64 bits; integer enums and literals as their values."""


@dataclass(frozen=True, slots=True)
class Float:
    """float."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """bool."""


@dataclass(frozen=True, slots=True)
class Timestamp:
    """datetime in UTC, to the microsecond."""


@dataclass(frozen=True, slots=True)
class Day:
    """date."""


@dataclass(frozen=True, slots=True)
class Number:
    """Decimal of `scale` decimals and `precision` digits in all."""

    precision: int
    scale: int


@dataclass(frozen=True, slots=True)
class Uuid:
    """UUID; its canonical value is its text, which every reader of a lake understands."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """list."""

    item: "Kind"
    nullable: bool  # whether items may be None


@dataclass(frozen=True, slots=True)
class Struct:
    """A nested model; its canonical value is a dict."""

    fields: tuple["Field", ...]


Kind = Text | Integer | Float | Boolean | Timestamp | Day | Number | Uuid | ListOf | Struct


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a row or a nested model."""

    name: str
    kind: Kind
    nullable: bool
