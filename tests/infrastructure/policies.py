"""Evaluates policies. The part of IAM's logic that Tandem's policies use; anything else is an error, not a guess.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators": an explicit
denial wins, then any allowance, else no; a condition on a key that the request lacks does not hold, but for
`ForAllValues` it does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One action on one resource, and what else IAM knows of the request: keys such as dynamodb:LeadingKeys."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Permission:
    """One action on one resource of an allowing statement; some request must use it."""

    sid: str
    action: str
    resource: str


def allowed(statements: Sequence[Statement], call: Call) -> bool:
    """Whether these statements allow the call."""
    matching = [statement["Effect"] for statement in statements if _matches(statement, call)]
    return "Allow" in matching and "Deny" not in matching


def permissions(statements: Sequence[Statement]) -> Iterator[Permission]:
    """All permissions of these statements, one by one."""
    for statement in statements:
        if statement["Effect"] == "Allow":
            for action in several(statement["Action"]):
                for resource in several(statement["Resource"]):
                    yield Permission(statement["Sid"], action, resource)


def uses(permission: Permission, call: Call) -> bool:
    """Whether the call needs this permission."""
    return like(permission.action, call.action) and like(permission.resource, call.resource)


def several(value: str | Sequence[str]) -> Sequence[str]:
    """A list; IAM accepts one value or a list."""
    return [value] if isinstance(value, str) else value


def like(pattern: str, value: str) -> bool:
    """`*` is any text, `?` any character; `${*}` and `${?}` are the characters themselves."""
    return _compiled(pattern).fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    special = {"*": ".*", "?": ".", "${*}": re.escape("*"), "${?}": re.escape("?")}
    parts = re.split(r"(\$\{[*?]\}|[*?])", pattern)
    return re.compile("".join(special.get(part) or re.escape(part) for part in parts), re.DOTALL)


def _matches(statement: Statement, call: Call) -> bool:
    unknown = set(statement) - {"Sid", "Effect", "Action", "Resource", "Condition"}
    assert not unknown, f"unsupported: {unknown}"
    return (
        any(like(action, call.action) for action in several(statement["Action"]))
        and any(like(resource, call.resource) for resource in several(statement["Resource"]))
        and all(
            _holds(operator, several(expected), call.context.get(key))
            for operator, keys in statement.get("Condition", {}).items()
            for key, expected in keys.items()
        )
    )


def _holds(operator: str, expected: Sequence[str], actual: Sequence[str] | None) -> bool:
    every, _, kind = operator.rpartition(":")
    if operator == "Null":  # whether the request lacks the key
        return all((str(value).lower() == "true") is (actual is None) for value in expected)
    if actual is None:
        return every == "ForAllValues"
    match kind:
        case "StringEquals" | "Bool":
            return all(value in expected for value in actual)
        case "StringLike" | "ArnEquals" | "ArnLike":
            return all(any(like(pattern, value) for pattern in expected) for value in actual)
        case _:
            raise AssertionError(f"unsupported condition operator {operator}")
