"""The names of the messages in a .proto file's text, by the indexes with which registries' framings name them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

# Comments and texts that do not end reach the end of the file: a search for each end would take quadratic time.
WORD: Final = re.compile(
    r"""//[^\n]* | /\*.*?(?:\*/|\Z) | "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? | [A-Za-z_][\w.]* | [^\s\w]""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
OPAQUE: Final = ("/", '"', "'")
MAX_LEVELS: Final = 32


@dataclass(slots=True)
class _Message:
    """`is_entry`: the message that protoc makes for a map field; not every client counts it."""

    name: str
    is_entry: bool = False
    messages: list["_Message"] = field(default_factory=list)


def message_names(text: str) -> Mapping[tuple[int, ...] | int, frozenset[str]]:
    """Return the full names that Confluent's indexes (tuples) and Glue's (integers) may mean.

    Several are possible where clients count differently. Source of Confluent's: its documentation, "Wire format"; of
    Glue's: MessageIndexFinder of awslabs/aws-glue-schema-registry, which sorts the full names.
    """
    package, root = _parsed(text)
    found: dict[tuple[int, ...] | int, set[str]] = {}
    for entries in (True, False):
        for indexes, name in _numbered(root, package, (), entries=entries):
            found.setdefault(indexes, set()).add(name)
    names = sorted({name for _, name in _numbered(root, package, (), entries=True)})
    return {index: frozenset(values) for index, values in found.items()} | {
        index: frozenset({name}) for index, name in enumerate(names)
    }


def _numbered(
    parent: _Message, prefix: str, indexes: tuple[int, ...], *, entries: bool
) -> Iterator[tuple[tuple[int, ...], str]]:
    counted = [message for message in parent.messages if entries or not message.is_entry]
    for index, message in enumerate(counted):
        name = f"{prefix}.{message.name}" if prefix else message.name
        yield (*indexes, index), name
        yield from _numbered(message, name, (*indexes, index), entries=entries)


def _parsed(text: str) -> tuple[str, _Message]:
    """Return the package, and a message that holds the file's."""
    package, root = "", _Message("")
    words = [word for word in WORD.findall(text) if not word.startswith(OPAQUE)]
    stack: list[_Message | None] = [root]  # None: a block in which no message is counted
    for index, word in enumerate(words):
        after = words[index + 1 : index + 3]
        top = stack[-1]
        if word == "{":
            stack.append(_opened(words, index, top) if len(stack) <= MAX_LEVELS else None)
        elif word == "}" and len(stack) > 1:
            stack.pop()
        elif word == "package" and len(stack) == 1 and after[1:] == [";"]:
            package = after[0]
        elif word == "map" and after[:1] == ["<"] and top is not None:
            top.messages += _entry(words[index : index + 7])
    return package, root


def _opened(words: list[str], index: int, parent: _Message | None) -> _Message | None:
    """Return the message whose fields follow the `{` at an index; None for other blocks."""
    if parent is None:
        return None
    before = words[max(0, index - 2) : index]
    match before:
        case ["message", name]:
            pass
        case [name, "="] if index > 2 and words[index - 3] == "group":  # noqa: PLR2004 - its number is no word
            pass
        case ["oneof", _]:
            return parent
        case _:
            return None
    message = _Message(name)
    parent.messages.append(message)
    return message


def _entry(words: list[str]) -> list[_Message]:
    """`map < K , V > name` -> the message nameEntry, as protoc names it."""
    match words:
        case ["map", "<", _, ",", _, ">", name]:
            return [_Message("".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry", is_entry=True)]
        case _:
            return []
