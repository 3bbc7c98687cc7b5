"""What the runtimes of one pipeline may do, resource by resource: one source for the function's and the worker's role.

Laws: every statement names exact resources, and `*` stands only where the service has nothing finer, with the reason
beside it; what both runtimes need is written once. tests/infrastructure/test_grants.py compares this with what they do.

The stage's key may be used through any service: it opens nothing that the service itself does not let out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, Fn
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import StageConfig
from cdk.policies import Conditions, acknowledge_wildcards, allow
from cdk.stacks.kafka import Kafka
from cdk.stacks.stores import Stores
from functions.core import names
from functions.core.metrics import NAMESPACE
from functions.core.pipeline import AnyPipeline

GIVEN_UP: Final = "aws/lambda/*"  # where event source mappings leave what they gave up on
LONGEST_NAME: Final = 64
INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
)  # fmt: skip
PREFIXES: Final = "A pipeline's objects, and what mappings give up on, lie under prefixes of their own."
WITHOUT_RESOURCES: Final = (
    "No resources to name: metrics, held to a namespace; traces; network interfaces, denied to the function's own code."
)


@dataclass(frozen=True)
class Grants:
    """Of one pipeline in one stage."""

    stage: StageConfig
    pipeline: AnyPipeline
    key: kms.IKey
    kafka: Kafka
    stores: Stores

    def worker(self) -> list[iam.PolicyStatement]:
        """The worker asks the ledger where to begin, and sends its metrics itself; Lambda's mapping and log do."""
        metrics = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}  # the only thing that narrows a metric down
        return [
            *self._both(),
            allow(["dynamodb:GetItem"], [self.stores.ledger.table_arn], self._own_items(), sid="Position"),
            allow(["cloudwatch:PutMetricData"], ["*"], metrics, sid="Metrics"),
        ]

    def function(self, function_arn: str, log_arn: str) -> list[iam.PolicyStatement]:
        """The function's, and its event source mapping's, which has no role of its own.

        Sources: AWS Lambda developer guide, "Configuring Lambda permissions for Amazon MSK event source mappings" and
        "Giving Lambda functions access to resources in an Amazon VPC", which also has the denial: network interfaces
        are for Lambda to make, before any code runs, and not for the code. A log group's ARN ends in `:*`: its streams.
        """
        code = {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}}
        traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        return [
            *self._both(),
            *self._mapping(),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_arn], sid="Log"),
            allow(traces, ["*"], sid="Traces"),  # X-Ray has no resources for these
            allow(INTERFACES, ["*"], sid="Interfaces"),  # Lambda documents no narrower way
            _deny("InterfacesOfCode", INTERFACES, ["*"], code),
        ]

    def _both(self) -> Iterator[iam.PolicyStatement]:
        own, stores, pipeline = f"{self.pipeline.name}/*", self.stores, self.pipeline
        ledger = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
        yield allow(ledger, [stores.ledger.table_arn], self._own_items(), sid="Ledger")
        if pipeline.counters:
            shards = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": self._own_counters()}}
            yield allow(["dynamodb:UpdateItem"], [stores.counters.table_arn], shards, sid="Counters")
        if pipeline.tables:
            tables = [stores.tables[sink.name].table_arn for sink in pipeline.tables]
            yield allow(["dynamodb:PutItem"], tables, sid="Tables")
        if pipeline.has_lake:
            yield allow(["s3:GetObject", "s3:PutObject"], [self._objects(names.lake_bucket, own)], sid="Lake")
        yield allow(["s3:PutObject"], [self._objects(names.dead_letter_bucket, own)], sid="DeadLetters")
        yield from self._secrets()
        if self.stage.kafka_auth == "iam":
            yield from self._kafka()

    def _secrets(self) -> Iterator[iam.PolicyStatement]:
        scram = self.kafka.scram_secret
        secrets = [self.stores.mask_key.secret_arn, *([scram.secret_arn] if scram else [])]
        keys = [self.key.key_arn]
        if scram and scram.encryption_key and scram.encryption_key is not self.key:
            keys.append(scram.encryption_key.key_arn)  # of a cluster that somebody else keeps
        yield allow(["secretsmanager:GetSecretValue"], secrets, sid="Secrets")
        yield allow(["kms:Decrypt", "kms:GenerateDataKey"], keys, sid="Key")

    def _kafka(self) -> Iterator[iam.PolicyStatement]:
        """What MSK calls the actions of Kafka's requests; SCRAM users have the cluster's own ACLs instead."""
        outputs = [self._kafka_arn("topic", sink.name) for sink in self.pipeline.topics]
        idempotence = ["kafka-cluster:WriteDataIdempotently"] if outputs else []
        yield allow(["kafka-cluster:Connect", *idempotence], [self.kafka.cluster_arn], sid="Connect")
        yield allow(["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], [self.source], sid="Source")
        yield allow(["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], [self.group], sid="Group")
        if outputs:
            yield allow(["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], outputs, sid="Outputs")

    def _mapping(self) -> Iterator[iam.PolicyStatement]:
        """What the mapping does with the function's role besides reading the topic."""
        cluster = [self.kafka.cluster_arn]
        scram = self.stage.kafka_auth == "scram"
        auth = "kafka:ListScramSecrets" if scram else "kafka-cluster:DescribeClusterDynamicConfiguration"
        yield allow(["kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", auth], cluster, sid="Cluster")
        yield allow(["s3:PutObject"], [self._objects(names.dead_letter_bucket, GIVEN_UP)], sid="GivenUp")
        yield allow(["s3:ListBucket"], [self.stores.dead_letters.bucket_arn], sid="GivenUpBucket")

    def _objects(self, bucket: Callable[[str, str, str], str], keys: str) -> str:
        """By name and not by reference, so that what is said of it can name it, too."""
        name = bucket(self.stage.name, self.stage.account or Aws.ACCOUNT_ID, self.stage.region)
        return f"arn:{Aws.PARTITION}:s3:::{name}/{keys}"

    def _own_items(self) -> Conditions:
        """In the ledger a partition key is a pipeline's name."""
        return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [self.pipeline.name]}}

    def _own_counters(self) -> list[str]:
        """A counter's partition key is its name, or its name, a question mark and the group; `${?}` is a plain one."""
        return [key for sink in self.pipeline.counters for key in (sink.name, f"{sink.name}${{?}}*")]

    @property
    def source(self) -> str:
        """The ARN of the source topic."""
        return self._kafka_arn("topic", self.pipeline.topic)

    @property
    def group(self) -> str:
        """The ARN of the consumer group."""
        return self._kafka_arn("group", names.group(self.stage.name, self.pipeline.name))

    def _kafka_arn(self, kind: str, name: str) -> str:
        """arn:...:cluster/NAME/UUID -> arn:...:topic/NAME/UUID/TOPIC (Service Authorization Reference)."""
        parts = Fn.split(":cluster/", self.kafka.cluster_arn)
        return f"{Fn.select(0, parts)}:{kind}/{Fn.select(1, parts)}/{name}"


def of_scaler(grants: Sequence[Grants]) -> list[iam.PolicyStatement]:
    """What KEDA's operator may do to ask for the groups' lag, for the pipelines of one stage. It reads no record."""
    kafka, key = grants[0].kafka, grants[0].key
    if secret := kafka.scram_secret:
        return [
            allow(["secretsmanager:GetSecretValue"], [secret.secret_arn], sid="User"),
            allow(["kms:Decrypt"], [(secret.encryption_key or key).key_arn], sid="Key"),
        ]
    return [
        allow(["kafka-cluster:Connect"], [kafka.cluster_arn], sid="Connect"),
        allow(["kafka-cluster:DescribeTopic"], [each.source for each in grants], sid="Sources"),
        allow(["kafka-cluster:DescribeGroup"], [each.group for each in grants], sid="Groups"),
    ]


def role(
    scope: Construct, name: str, role_name: str, principal: iam.IPrincipal, may: Sequence[iam.PolicyStatement]
) -> iam.Role:
    """A role that may do that and nothing else. A name that IAM has no room for is left to CloudFormation."""
    made = iam.Role(
        scope,
        name,
        role_name=role_name if len(role_name) <= LONGEST_NAME else None,
        assumed_by=principal,
        inline_policies={"tandem": iam.PolicyDocument(statements=may)},
    )
    wild = sorted({resource for statement in may for resource in statement.resources if "*" in resource})
    acknowledge_wildcards(made, {each: WITHOUT_RESOURCES if each == "*" else PREFIXES for each in wild})
    return made


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, effect=iam.Effect.DENY, actions=list(actions), resources=list(resources), conditions=conditions
    )
