"""The claim of a handover as an item of the ledger's table, and its choice as an SSM parameter.

`pipeline`, `partition` ("#handover") -> target, owner, at. No topic name begins with #, so the ledger never reads it as
its own. Releases read the parameter, and may read no table: cdk/handovers.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.adapters.conditional import claimed
from functions.core.errors import Corrupt
from functions.core.handover_ports import HandoverClaim, Runtime

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION: Final = "#handover"


@dataclass(frozen=True, slots=True)
class DynamoHandoverClaims:
    """See handover_ports.HandoverClaims. `table` is the ledger's."""

    dynamodb: "DynamoDBClient"
    table: str
    pipeline: str

    def read(self) -> HandoverClaim | None:
        """See handover_ports.HandoverClaims. One consistent read."""
        with calling(f"table {self.table}"):
            item: Any = self.dynamodb.get_item(TableName=self.table, Key=self._key(), ConsistentRead=True).get("Item")
        if item is None:
            return None
        moment = datetime.fromisoformat(item["at"]["S"])
        return HandoverClaim(Runtime(item["target"]["S"]), item["owner"]["S"], moment)

    def put(self, claim: HandoverClaim, expected: HandoverClaim | None) -> bool:
        """See handover_ports.HandoverClaims."""
        condition = {"ConditionExpression": "attribute_not_exists(pipeline)"} if expected is None else _same(expected)
        attributes = _attributes(claim)
        return claimed(self.dynamodb.put_item, self.table, attributes, Item=self._key() | attributes, **condition)

    def remove(self, claim: HandoverClaim) -> bool:
        """See handover_ports.HandoverClaims."""
        return claimed(self.dynamodb.delete_item, self.table, _attributes(claim), Key=self._key(), **_same(claim))

    def _key(self) -> dict[str, Any]:
        return {"pipeline": {"S": self.pipeline}, "partition": {"S": PARTITION}}


def _same(claim: HandoverClaim) -> dict[str, Any]:
    return {
        "ConditionExpression": "#owner = :owner AND #at = :at",
        "ExpressionAttributeNames": {"#owner": "owner", "#at": "at"},
        "ExpressionAttributeValues": {":owner": {"S": claim.owner}, ":at": {"S": claim.seen_at.isoformat()}},
    }


def _attributes(claim: HandoverClaim) -> dict[str, Any]:
    return {"target": {"S": claim.target}, "owner": {"S": claim.owner}, "at": {"S": claim.seen_at.isoformat()}}


@dataclass(frozen=True, slots=True)
class ParameterChoice:
    """See handover_ports.RuntimeChoice. `client` returns SSM's, `name` is the parameter's."""

    client: Callable[[], Any]
    name: str

    def read(self) -> Runtime | None:
        """See handover_ports.RuntimeChoice."""
        with calling(f"parameter {self.name}"):
            try:
                value = str(self.client().get_parameter(Name=self.name)["Parameter"]["Value"])
            except ClientError as error:
                if code(error) != "ParameterNotFound":
                    raise
                return None
        if value not in set(Runtime):
            raise Corrupt(f"parameter {self.name}: expected msk or worker, got {value!r}")
        return Runtime(value)

    def write(self, runtime: Runtime) -> None:
        """See handover_ports.RuntimeChoice."""
        with calling(f"parameter {self.name}"):
            self.client().put_parameter(Name=self.name, Value=runtime.value, Type="String", Overwrite=True)
