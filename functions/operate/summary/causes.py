"""What a letter was rejected for, without what is particular to its record, so that letters can be counted by it."""

import re
from typing import Final

from functions.core.dead_letter import DeadLetter, Reason

MAX_CHARACTERS: Final = 60
FIELD: Final = re.compile(r"([\w.\-\[\]|(),{}' ]+?): ")
WITH_DIGIT: Final = re.compile(r"[\w.:\-]*\d[\w.:\-]*")
QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def causes_of(letter: DeadLetter) -> set[str]:
    """Return the fields that an invalid event names, of any other letter its detail with placeholders.

    Numbers, and words with digits, become `#`, quoted texts `'...'`, and an index in a field's path `*`.
    """
    if letter.reason is not Reason.INVALID:
        return {_placeholders(letter.detail)}
    fields = {_field(match[1]) for part in letter.detail.split("; ") if (match := FIELD.match(part))}
    return fields or {_placeholders(letter.detail)}


def _field(path: str) -> str:
    return _shortened(".".join("*" if part.isdecimal() else part for part in path.split(".")))


def _placeholders(detail: str) -> str:
    text = WITH_DIGIT.sub("#", QUOTED.sub("'...'", " ".join(detail.split())))
    return _shortened(text) or "no detail"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."
