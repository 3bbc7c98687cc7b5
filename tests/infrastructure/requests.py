"""The permissions that a request needs: of AWS services, and of Kafka's brokers with MSK's IAM access control.

An operation that is not listed is an error, so that a new one cannot go unnoticed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.infrastructure.policies import Call
from tests.infrastructure.resolve import ACCOUNT, REGION

LEADING: Final = "dynamodb:LeadingKeys"
# A transaction is allowed item by item (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
IN_TRANSACTIONS: Final = {
    "Update": "UpdateItem",
    "Put": "PutItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# Kafka documentation, "Operations and resources on protocols", in MSK's words (MSK developer guide, "Semantics of IAM
# authorization policy actions and resources"). Every request also needs `Connect`.
KAFKA: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "ApiVersion": (),
    "SaslHandshake": (),
    "SaslAuthenticate": (),
    "GetTelemetrySubscriptions": (),  # KIP-714: for every client that is connected
    "PushTelemetry": (),
    "Metadata": (("DescribeTopic", "topic"),),
    "ListOffsets": (("DescribeTopic", "topic"),),
    "OffsetForLeaderEpoch": (("DescribeTopic", "topic"),),
    "Fetch": (("ReadData", "topic"),),
    "FindCoordinator": (("DescribeGroup", "group"),),
    "OffsetFetch": (("DescribeGroup", "group"), ("DescribeTopic", "topic")),
    "OffsetCommit": (("AlterGroup", "group"), ("ReadData", "topic")),
    "JoinGroup": (("AlterGroup", "group"),),
    "SyncGroup": (("AlterGroup", "group"),),
    "Heartbeat": (("AlterGroup", "group"),),
    "LeaveGroup": (("AlterGroup", "group"),),
    "InitProducerId": (("WriteDataIdempotently", "cluster"),),
    "Produce": (("WriteData", "topic"),),
}  # fmt: skip


@dataclass(frozen=True)
class Aws:
    """`keys` are the tables' partition keys by table; everything is encrypted with one key."""

    keys: Mapping[str, str]
    key_arn: str

    def calls(self, service: str, operation: str, request: Mapping[str, Any]) -> Iterator[Call]:
        """The permissions that a request of botocore needs."""
        match service, operation:
            case "dynamodb", "TransactWriteItems":
                for item in request["TransactItems"]:
                    ((kind, write),) = item.items()
                    yield from self._item(IN_TRANSACTIONS[kind], write)
            case "dynamodb", "GetItem" | "PutItem" | "UpdateItem":
                yield from self._item(operation, request)
            case "s3", "GetObject" | "PutObject":
                condition = {"s3:if-none-match": [request["IfNoneMatch"]]} if "IfNoneMatch" in request else {}
                yield Call(f"s3:{operation}", f"arn:aws:s3:::{request['Bucket']}/{request['Key']}", condition)
                yield self._key("s3", "Decrypt" if operation == "GetObject" else "GenerateDataKey")
            case "secretsmanager", "GetSecretValue":
                yield Call("secretsmanager:GetSecretValue", request["SecretId"])
                yield self._key("secretsmanager", "Decrypt")
            case "cloudwatch", "PutMetricData":
                yield Call("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": [request["Namespace"]]})
            case _:
                raise AssertionError(f"no permissions known for {service} {operation}")

    def _item(self, operation: str, request: Mapping[str, Any]) -> Iterator[Call]:
        table, item = request["TableName"], request.get("Key") or request["Item"]
        (leading,) = item[self.keys[table]].values()
        yield Call(f"dynamodb:{operation}", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}", {LEADING: [leading]})
        yield self._key("dynamodb", "Decrypt")  # it encrypts the table's own key

    def _key(self, service: str, action: str) -> Call:
        return Call(f"kms:{action}", self.key_arn, {"kms:ViaService": [f"{service}.{REGION}.amazonaws.com"]})


def kafka_calls(kind: str, cluster_arn: str, topic: str, group: str | None = None) -> Iterator[Call]:
    """The permissions that a kind of request to the brokers needs for this topic and group."""
    assert kind in KAFKA, f"no permissions known for Kafka's {kind}"
    yield Call("kafka-cluster:Connect", cluster_arn)
    for action, on in KAFKA[kind]:
        name = {"cluster": None, "topic": topic, "group": group}[on]
        arn = cluster_arn if on == "cluster" else f"{cluster_arn.replace(':cluster/', f':{on}/')}/{name}"
        yield Call(f"kafka-cluster:{action}", arn)
