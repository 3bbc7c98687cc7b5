"""DynamoDB's condition and update expressions, as far as Tandem uses them, compiled once and then called.

Attributes stay as DynamoDB's JSON has them ({"N": "5"}). Values compare as numbers or as text.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Item = dict[str, Any]
Values = Mapping[str, Any]
Condition = Callable[[Item, Values], bool]
Operand = Callable[[Item, Values], Any]
Update = Callable[[Item, Values], None]
Change = Callable[[Item, Item, Values], None]  # of an item, given the item as it was before the update

TOKEN: Final = re.compile(r"\s*([#:]?\w+|<=|>=|<>|[=<>(),+-])")
SECTIONS: Final = ("SET", "REMOVE", "ADD")
COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda left, right: bool(left == right),
    "<>": lambda left, right: bool(left != right),
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}


class Unsupported(Exception):  # noqa: N818 - what the expression is
    """An expression that this parser does not know."""


def plain(attribute: Mapping[str, Any] | None) -> Any:  # noqa: ANN401 - as DynamoDB's types
    """Return an attribute as a value that compares; None if it is absent."""
    if attribute is None:
        return None
    ((kind, value),) = attribute.items()
    return int(value) if kind == "N" else value


class Parser:
    """Reads one expression from left to right."""

    def __init__(self, expression: str, names: Mapping[str, str]) -> None:
        self._tokens = TOKEN.findall(expression)
        self._names = names
        if "".join(self._tokens) != "".join(expression.split()):
            raise Unsupported(expression)

    def condition(self) -> Condition:
        """Return the whole expression as a condition."""
        parsed = self._or()
        if self._tokens:
            raise Unsupported(" ".join(self._tokens))
        return parsed

    def update(self) -> Update:
        """Return the whole expression as an update, which changes the item in place."""
        steps: list[Change] = []
        while self._tokens:
            section = self._next().upper()
            if section not in SECTIONS:
                raise Unsupported(section)
            steps.append(self._change(section))
            while self._tokens and self._tokens[0] == ",":
                self._next()
                steps.append(self._change(section))

        def update(item: Item, values: Values) -> None:
            before = dict(item)
            for step in steps:
                step(before, item, values)

        return update

    def _next(self) -> str:
        if not self._tokens:
            raise Unsupported("the expression ends too early")
        return str(self._tokens.pop(0))

    def _expect(self, token: str) -> None:
        if (found := self._next()) != token:
            raise Unsupported(f"expected {token}, got {found}")

    def _ahead(self, word: str) -> bool:
        return bool(self._tokens) and self._tokens[0].upper() == word

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._ahead("OR"):
            self._next()
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda item, values: any(part(item, values) for part in parts)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._ahead("AND"):
            self._next()
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda item, values: all(part(item, values) for part in parts)

    def _not(self) -> Condition:
        if self._ahead("NOT"):
            self._next()
            negated = self._not()
            return lambda item, values: not negated(item, values)
        if self._ahead("("):
            self._next()
            inner = self._or()
            self._expect(")")
            return inner
        return self._test()

    def _test(self) -> Condition:
        if self._tokens and self._tokens[0] in {"attribute_exists", "attribute_not_exists"}:
            exists = self._next() == "attribute_exists"
            self._expect("(")
            name = self._name()
            self._expect(")")
            return lambda item, _: (name in item) is exists
        left = self._operand()
        compare = COMPARISONS.get(self._next())
        if compare is None:
            raise Unsupported("a comparison")
        right = self._operand()

        def test(item: Item, values: Values) -> bool:
            one, other = plain(left(item, values)), plain(right(item, values))
            return one is not None and other is not None and type(one) is type(other) and compare(one, other)

        return test

    def _name(self) -> str:
        token = self._next()
        return self._names[token] if token.startswith("#") else token

    def _operand(self) -> Operand:
        token = self._tokens[0] if self._tokens else ""
        if token.startswith(":"):
            value = self._next()
            return lambda _, values: values[value]
        if token == "if_not_exists":  # noqa: S105 - of an expression
            self._next()
            self._expect("(")
            name = self._name()
            self._expect(",")
            otherwise = self._operand()
            self._expect(")")
            return lambda item, values: item[name] if name in item else otherwise(item, values)
        attribute = self._name()
        return lambda item, _: item.get(attribute)

    def _change(self, section: str) -> Change:
        name = self._name()
        if section == "REMOVE":
            return lambda _, item, __: item.pop(name, None)
        if section == "ADD":
            return _addition(name, self._operand())
        self._expect("=")
        return _assignment(name, self._sum())

    def _sum(self) -> Operand:
        left = self._operand()
        if not self._tokens or self._tokens[0] not in {"+", "-"}:
            return left
        sign = 1 if self._next() == "+" else -1
        right = self._operand()
        return lambda item, values: {"N": str(plain(left(item, values)) + sign * plain(right(item, values)))}


def _addition(name: str, operand: Operand) -> Change:
    def add(before: Item, item: Item, values: Values) -> None:
        item[name] = {"N": str((plain(before.get(name)) or 0) + plain(operand(before, values)))}

    return add


def _assignment(name: str, operand: Operand) -> Change:
    def assign(before: Item, item: Item, values: Values) -> None:
        item[name] = operand(before, values)

    return assign
