"""DynamoDB's tables in memory: conditional writes, transactions and statements, as far as Tandem uses them."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sandbox.bench.stores.expressions import Condition, Item, Parser, Unsupported, Update, plain

Request = Mapping[str, Any]
Response = dict[str, Any]
Key = tuple[Any, ...]

STATEMENT: Final = re.compile(r'\s*(INSERT\s+INTO|UPDATE)\s+"?([\w.-]+)"?', re.IGNORECASE)
COLUMN: Final = re.compile(r"""["']?(\w+)["']?\s*(:|=|<=|<)\s*\?""")


class Refused(Exception):  # noqa: N818 - what DynamoDB did with the request
    """An error response: its code, message and further fields."""

    def __init__(self, code: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **fields}


FAILED: Final = "ConditionalCheckFailed"


@cache
def condition(expression: str, names: tuple[tuple[str, str], ...]) -> Condition:
    """Return a compiled condition."""
    return Parser(expression, dict(names)).condition()


@cache
def update(expression: str, names: tuple[tuple[str, str], ...]) -> Update:
    """Return a compiled update."""
    return Parser(expression, dict(names)).update()


@dataclass(slots=True)
class Tables:
    """`calls` counts requests by operation, `rows` the written items of tables that are neither ledger nor counters.

    `unread` counts statements that were answered as successful without being understood.
    """

    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    items: dict[str, dict[Key, Item]] = field(default_factory=lambda: defaultdict(dict))
    calls: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    unread: int = 0

    def call(self, operation: str, request: Request) -> Response:
        """Return the response. Raises Refused or Unsupported."""
        self.calls[operation] += 1
        operations: dict[str, Callable[[Request], Response]] = {
            "CreateTable": self._create,
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "TransactWriteItems": self._transact,
            "BatchExecuteStatement": self._statements,
            "BatchGetItem": self._get_batch,
            "BatchWriteItem": self._write_batch,
        }
        if operation not in operations:
            raise Unsupported(operation)
        return operations[operation](request)

    def positions(self, stage: str) -> int:
        """Return the sum of the next offsets in the ledger of a stage."""
        ledger = self.items.get(f"tandem-{stage}-ledger", {})
        return sum(int(item["next"]["N"]) for item in ledger.values() if "next" in item)

    def _create(self, request: Request) -> Response:
        name = request["TableName"]
        self.keys[name] = tuple(element["AttributeName"] for element in request["KeySchema"])
        return {"TableDescription": {"TableName": name, "TableStatus": "ACTIVE"}}

    def _key(self, table: str, item: Mapping[str, Any]) -> Key:
        return tuple(plain(item[name]) for name in self.keys[table])

    def _get(self, request: Request) -> Response:
        table = request["TableName"]
        item = self.items[table].get(self._key(table, request["Key"]))
        return {} if item is None else {"Item": item}

    def _get_batch(self, request: Request) -> Response:
        found = {
            table: [item for key in asked["Keys"] if (item := self.items[table].get(self._key(table, key)))]
            for table, asked in request["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _write_batch(self, request: Request) -> Response:
        for table, writes in request["RequestItems"].items():
            for write in writes:
                item = write["PutRequest"]["Item"]
                self._store(table, self._key(table, item), item)
        return {"UnprocessedItems": {}}

    def _put(self, request: Request) -> Response:
        table, item = request["TableName"], request["Item"]
        key = self._key(table, item)
        self._check(request, table, key)
        self._store(table, key, item)
        return {}

    def _update(self, request: Request) -> Response:
        table = request["TableName"]
        key = self._key(table, request["Key"])
        old = dict(self.items[table].get(key, {}))
        self._check(request, table, key)
        new = self._apply(request, table, key)
        match request.get("ReturnValues", "NONE"):
            case "ALL_NEW":
                return {"Attributes": new}
            case "ALL_OLD":
                return {"Attributes": old} if old else {}
            case _:
                return {}

    def _transact(self, request: Request) -> Response:
        writes = [next(iter(write.items())) for write in request["TransactItems"]]
        keyed = [
            (kind, write, self._key(write["TableName"], write["Item"] if kind == "Put" else write["Key"]))
            for kind, write in writes
        ]
        met = [self._met(write, write["TableName"], key) for _, write, key in keyed]
        if not all(met):
            reasons = [{"Code": "None"} if one else {"Code": FAILED} for one in met]
            raise Refused("TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons)
        for kind, write, key in keyed:
            if kind == "Put":
                self._store(write["TableName"], key, write["Item"])
            elif kind == "Update":
                self._apply(write, write["TableName"], key)
        return {}

    def _statements(self, request: Request) -> Response:
        return {"Responses": [self._statement(statement) for statement in request["Statements"]]}

    def _statement(self, request: Request) -> Response:
        """Execute an INSERT or UPDATE whose values are all parameters."""
        text, parameters = request["Statement"], request.get("Parameters", [])
        head = STATEMENT.match(text)
        columns = COLUMN.findall(text)
        self.rows += 1
        if head is None or len(columns) != len(parameters) or head[2] not in self.keys:
            self.unread += 1
            return {}
        table = head[2]
        given = {name: value for (name, _), value in zip(columns, parameters, strict=True)}
        key = tuple(plain(given[name]) for name in self.keys[table])
        stored = self.items[table].get(key)
        if head[1].upper() != "UPDATE":
            if stored is not None:
                return {"Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}}
            self.items[table][key] = given
            return {"TableName": table}
        below = [(name, value) for (name, sign), value in zip(columns, parameters, strict=True) if sign == "<"]
        if stored is None or any(plain(stored.get(name)) >= plain(value) for name, value in below if name in stored):
            return {"Error": {"Code": FAILED, "Message": "The conditional request failed"}}
        stored |= {name: value for (name, sign), value in zip(columns, parameters, strict=True) if sign == "="}
        return {"TableName": table}

    def _met(self, request: Request, table: str, key: Key) -> bool:
        expression = request.get("ConditionExpression")
        if expression is None:
            return True
        test = condition(expression, tuple(request.get("ExpressionAttributeNames", {}).items()))
        return test(self.items[table].get(key, {}), request.get("ExpressionAttributeValues", {}))

    def _check(self, request: Request, table: str, key: Key) -> None:
        if self._met(request, table, key):
            return
        old = self.items[table].get(key)
        wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old
        fields = {"Item": old} if wanted else {}
        raise Refused(f"{FAILED}Exception", "The conditional request failed", **fields)

    def _store(self, table: str, key: Key, item: Item) -> None:
        self.items[table][key] = item
        self.rows += "-table-" in table

    def _apply(self, request: Request, table: str, key: Key) -> Item:
        item = self.items[table].setdefault(key, dict(request["Key"]))
        change = update(request["UpdateExpression"], tuple(request.get("ExpressionAttributeNames", {}).items()))
        change(item, request.get("ExpressionAttributeValues", {}))
        return item
