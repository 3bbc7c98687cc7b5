"""The permissions of one pipeline's runtimes: one source for the function's and the worker's role.

Laws: every statement names exact resources; `*` appears only if the service supports nothing narrower, with the reason
next to it; what both runtimes need is written once. tests/infrastructure/test_grants.py compares the statements with
the calls that the runtimes make.

Keys can be used only through the services that hold what they encrypt, so a stolen ciphertext is of no use.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk import external, names
from cdk.config import StageConfig
from cdk.kafka.cluster import KafkaCluster
from cdk.policies import Conditions, acknowledge_wildcards, allow
from cdk.stores.stores import Stores
from functions.core.metrics import NAMESPACE
from functions.core.names import consumer_group
from functions.core.pipeline import AnyPipeline

ENCRYPTED_STORES: Final = ("dynamodb", "s3", "secretsmanager")
GIVEN_UP: Final = "aws/lambda/*"  # keys of the batches that event source mappings gave up
MAX_ROLE_NAME_LENGTH: Final = 64
INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
    "ec2:UnassignPrivateIpAddresses",
)  # fmt: skip
PREFIXES: Final = "A pipeline's objects, and the batches that mappings give up, have separate prefixes."
WITHOUT_RESOURCES: Final = (
    "Without resources: metrics, limited to a namespace; traces; network interfaces, denied to the code."
)


@dataclass(frozen=True)
class Grants:
    """The permissions of one pipeline in one stage."""

    stage: StageConfig
    pipeline: AnyPipeline
    key: kms.IKey
    kafka: KafkaCluster
    stores: Stores

    def worker(self) -> list[iam.PolicyStatement]:
        """The worker's statements. Unlike the function, it reads its start from the ledger and sends its metrics."""
        metrics = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}  # the only condition that metrics support
        return [
            *self._both(ENCRYPTED_STORES),
            allow(["dynamodb:GetItem"], [self.stores.ledger.table_arn], self._own_items(), sid="Position"),
            allow(["cloudwatch:PutMetricData"], ["*"], metrics, sid="Metrics"),
        ]

    def function(self, function_arn: str, log_arn: str) -> list[iam.PolicyStatement]:
        """The statements of the function and of its event source mapping, which uses the function's role.

        Sources: AWS Lambda developer guide, "Configuring Lambda permissions for Amazon MSK event source mappings" and
        "Giving Lambda functions access to resources in an Amazon VPC", which also has the denial: Lambda creates
        network interfaces before any code runs, and the code must not. A log group's ARN ends in `:*`, its streams.
        """
        code = {"ArnEquals": {"lambda:SourceFunctionArn": function_arn}}
        traces = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        return [
            *self._both(("lambda", *ENCRYPTED_STORES)),  # Lambda decrypts the variables with the function's role
            *self._mapping(),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_arn], sid="Log"),
            allow(traces, ["*"], sid="Traces"),  # X-Ray has no resources for these
            allow(INTERFACES, ["*"], sid="Interfaces"),  # Lambda documents nothing narrower
            _deny("InterfacesOfCode", INTERFACES, ["*"], code),
            # The mapping writes there with this role. The code could overwrite what other pipelines' mappings gave up.
            _deny("GivenUpOfCode", ["s3:PutObject"], [self._objects(names.dead_letter_bucket, GIVEN_UP)], code),
        ]

    def _both(self, key_users: Sequence[str]) -> Iterator[iam.PolicyStatement]:
        own, stores, pipeline = f"{self.pipeline.name}/*", self.stores, self.pipeline
        absent = {"Null": {"s3:if-none-match": "false"}}  # only requests with If-None-Match: an object never changes
        ledger = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
        yield allow(ledger, [stores.ledger.table_arn], self._own_items(), sid="Ledger")
        if pipeline.counters:
            shards = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": self._own_counters()}}
            yield allow(["dynamodb:UpdateItem"], [stores.counters.table_arn], shards, sid="Counters")
        if pipeline.tables:
            tables = [stores.tables[sink.name].table_arn for sink in pipeline.tables]
            yield allow(["dynamodb:PutItem"], tables, sid="Tables")
        if pipeline.dedup and stores.seen:
            events = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{pipeline.name}#*"]}}
            yield allow(["dynamodb:PutItem"], [stores.seen.table_arn], events, sid="Seen")
        if pipeline.has_lake:
            objects = [self._objects(names.lake_bucket, own)]
            yield allow(["s3:GetObject"], objects, sid="Lake")
            yield allow(["s3:PutObject"], objects, absent, sid="NewLakeObjects")
        yield allow(["s3:PutObject"], [self._objects(names.dead_letter_bucket, own)], absent, sid="DeadLetters")
        yield from self.schemas()
        yield from self._secrets(key_users)
        if self.stage.kafka_auth == "iam":
            yield from self._kafka()

    def schemas(self) -> Iterator[iam.PolicyStatement]:
        """What looking up a schema of Glue's registry needs. The request names a version's UUID, and so no resource."""
        if "glue" in self.pipeline.registries:
            yield allow(["glue:GetSchemaVersion"], ["*"], sid="Schemas")  # a request by UUID names no resource

    def _secrets(self, key_users: Sequence[str]) -> Iterator[iam.PolicyStatement]:
        scram = self.kafka.scram.pipelines[self.pipeline.name] if self.kafka.scram else None
        external_secrets = external.secrets(self.stage, self.pipeline)
        secrets = [self.stores.mask_key.secret_arn, *([scram.secret_arn] if scram else [])]
        secrets += [each.arn for each in external_secrets]
        yield allow(["secretsmanager:GetSecretValue"], secrets, sid="Secrets")
        uses = ["kms:Decrypt", "kms:GenerateDataKey"]
        yield allow(uses, [self.key.key_arn], _through(self.stage, key_users), sid="Key")
        if given := sorted({each.key for each in external_secrets if each.key} - {self.key.key_arn}):
            yield allow(["kms:Decrypt"], given, _through(self.stage, ["secretsmanager"]), sid="ExternalKeys")
        if scram and scram.encryption_key and scram.encryption_key is not self.key:  # an existing cluster's secret
            only_secrets = _through(self.stage, ["secretsmanager"])
            yield allow(["kms:Decrypt"], [scram.encryption_key.key_arn], only_secrets, sid="ScramKey")

    def _kafka(self) -> Iterator[iam.PolicyStatement]:
        """MSK's actions for Kafka's requests. For SCRAM users the cluster's ACLs apply instead."""
        outputs = [self.kafka.arn_of("topic", sink.name) for sink in self.pipeline.topics]
        idempotence = ["kafka-cluster:WriteDataIdempotently"] if outputs else []
        yield allow(["kafka-cluster:Connect", *idempotence], [self.kafka.cluster_arn], sid="Connect")
        yield allow(["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], [self.source], sid="Source")
        yield allow(["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], [self.group], sid="Group")
        if outputs:
            yield allow(["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], outputs, sid="Outputs")

    def _mapping(self) -> Iterator[iam.PolicyStatement]:
        """What the mapping needs of the function's role in addition to reading the topic."""
        cluster = [self.kafka.cluster_arn]
        scram = self.stage.kafka_auth == "scram"
        auth = "kafka:ListScramSecrets" if scram else "kafka-cluster:DescribeClusterDynamicConfiguration"
        yield allow(["kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", auth], cluster, sid="Cluster")
        if (connection := self.kafka.event_source_arn) != self.kafka.cluster_arn:
            yield allow(["kafka:DescribeVpcConnection"], [connection], sid="Connection")
        yield allow(["s3:PutObject"], [self._objects(names.dead_letter_bucket, GIVEN_UP)], sid="GivenUp")
        yield allow(["s3:ListBucket"], [self.stores.dead_letters.bucket_arn], sid="GivenUpBucket")

    def _objects(self, bucket: Callable[[str, str, str], str], keys: str) -> str:
        """The ARN by name and not by reference, so that an acknowledgment can contain it."""
        name = bucket(self.stage.name, self.stage.account or Aws.ACCOUNT_ID, self.stage.region)
        return f"arn:{Aws.PARTITION}:s3:::{name}/{keys}"

    def _own_items(self) -> Conditions:
        """The condition that an item is this pipeline's: the ledger's partition key is the pipeline's name."""
        return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [self.pipeline.name]}}

    def _own_counters(self) -> list[str]:
        """Patterns of partition keys: a counter's name, or name, `?` and group. `${?}` is a literal ? in IAM."""
        return [key for sink in self.pipeline.counters for key in (sink.name, f"{sink.name}${{?}}*")]

    @property
    def source(self) -> str:
        """The ARN of the source topic."""
        return self.kafka.arn_of("topic", self.pipeline.topic)

    @property
    def group(self) -> str:
        """The ARN of the consumer group."""
        return self.kafka.arn_of("group", consumer_group(self.stage.name, self.pipeline.name))


def scaler_statements(grants: Sequence[Grants]) -> list[iam.PolicyStatement]:
    """The permissions with which KEDA's operator reads the lag of the groups of one stage. It reads no record."""
    stage, kafka, key = grants[0].stage, grants[0].kafka, grants[0].key
    if kafka.scram:
        secret = kafka.scram.scaler
        return [
            allow(["secretsmanager:GetSecretValue"], [secret.secret_arn], sid="User"),
            allow(
                ["kms:Decrypt"],
                [(secret.encryption_key or key).key_arn],
                _through(stage, ["secretsmanager"]),
                sid="Key",
            ),
        ]
    return [
        allow(["kafka-cluster:Connect"], [kafka.cluster_arn], sid="Connect"),
        allow(["kafka-cluster:DescribeTopic"], [grant.source for grant in grants], sid="Sources"),
        allow(["kafka-cluster:DescribeGroup"], [grant.group for grant in grants], sid="Groups"),
    ]


def role(
    scope: Construct, name: str, role_name: str, principal: iam.IPrincipal, statements: Sequence[iam.PolicyStatement]
) -> iam.Role:
    """A role with these statements and no others. CloudFormation names it if `role_name` is too long for IAM."""
    created = iam.Role(
        scope,
        name,
        role_name=role_name if len(role_name) <= MAX_ROLE_NAME_LENGTH else None,
        assumed_by=principal,
        inline_policies={"tandem": iam.PolicyDocument(statements=statements)},
    )
    wild = sorted({resource for statement in statements for resource in statement.resources if "*" in resource})
    reasons = {resource: WITHOUT_RESOURCES if resource == "*" else PREFIXES for resource in wild}
    acknowledge_wildcards(created, reasons)
    return created


def _through(stage: StageConfig, services: Sequence[str]) -> Conditions:
    """The condition that one of these services uses the key for the caller: AWS KMS, "kms:ViaService"."""
    return {"StringEquals": {"kms:ViaService": [f"{service}.{stage.region}.amazonaws.com" for service in services]}}


def _deny(sid: str, actions: Sequence[str], resources: Sequence[str], conditions: Conditions) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, effect=iam.Effect.DENY, actions=list(actions), resources=list(resources), conditions=conditions
    )
