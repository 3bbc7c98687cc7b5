"""A pipeline's Lambda runtime as a construct, for CDK apps of your own: docs/construct.md.

It is made of the parts that our stacks use: stores, function, role, event source mapping and alarms.
"""

from typing import Final

from aws_cdk import Annotations, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk import context, external
from cdk.errors import InvalidConfig
from cdk.kafka.cluster import GivenCluster
from cdk.keys.key import new as new_key
from cdk.monitoring.alarm import RUNBOOKS, create
from cdk.monitoring.pipeline_alarms import of_pipeline
from cdk.network.ingress import admit, let_out
from cdk.runtimes.msk import bundle
from cdk.runtimes.msk.function import PipelineFunction, Placement
from cdk.stores.stores import Stores
from functions import registry
from functions.core.pipeline import AnyPipeline

HTTPS: Final = 443
STAGE: Final = "tandem:stage"  # the metadata entry that says which stage's names a TandemPipeline uses


class TandemPipeline(Construct):
    """A pipeline on Lambda, with its stores and alarms, in a stack of your own.

    Names are those of a stage with one pipeline, such as `tandem-STAGE-ledger`, so the operators' commands find all.
    """

    stores: Stores
    function: awslambda.Function
    mapping: awslambda.CfnEventSourceMapping | None
    clients: ec2.SecurityGroup
    """The function's group: admit it to what the pipeline's own sinks connect to."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        scope: Construct,
        id_: str,
        *,
        pipeline: AnyPipeline,
        stage: str,
        cluster: GivenCluster,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None = None,
        key: kms.IKey | None = None,
        alarm_topic: sns.ITopic | None = None,
        **settings: object,
    ) -> None:
        """Make all of it. InvalidConfig, in one line, if it could not work.

        `stage`: 2 to 8 lower-case letters and digits, another one for each TandemPipeline of an account and region.
        `vpc`: reaches Kafka and AWS, by NAT or endpoints; `vpc_subnets`: by default its private ones. `key`: encrypts
        all data; one is made if omitted. `settings`: those of a stage in cdk.json, such as `protected`, `log_days`,
        `lake`, `sinks` and `pipelines`.
        """
        super().__init__(scope, id_)
        self._check(pipeline, stage)
        region = Stack.of(self).region
        place = {"region": region, "zones": [f"{region}{zone}" for zone in "abc"]}  # only a new network has zones
        config = context.read({stage: {**place, "protected": True, **settings}}, [pipeline.name])[stage]
        external.check(config, [pipeline])
        key = key or new_key(self, config)
        self.stores = Stores(self, config, key=key, pipelines=[pipeline])
        self.clients = self._clients(vpc, cluster, external.ports(config, [pipeline]))
        subnets = vpc_subnets or ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        created = PipelineFunction(
            self, config, pipeline, key=key, placement=Placement(vpc, subnets, self.clients), kafka=cluster,
            stores=self.stores, code=bundle.code(),
        )  # fmt: skip
        self.function, self.mapping = created.function, created.mapping
        for alarm in of_pipeline(config, pipeline, cluster.name):
            create(self, f"tandem-{stage}-{pipeline.name}-{alarm.name}", alarm, alarm_topic, RUNBOOKS)
        if alarm_topic is None:
            Annotations.of(self).add_warning_v2(
                "tandem:alarms-reach-nobody", "alarms reach nobody, expected alarm_topic"
            )

    def _check(self, pipeline: AnyPipeline, stage: str) -> None:
        where = self.node.path
        if Token.is_unresolved(Stack.of(self).region):
            raise InvalidConfig(f"{where}: got a stack without a region, expected env=Environment(region=...)")
        if pipeline.name not in registry.names() or registry.load(pipeline.name) != pipeline:
            raise InvalidConfig(
                f"{where}: got pipeline {pipeline.name!r}, expected one of functions/pipelines: the function's zip has"
                f" no other ({', '.join(registry.names())})"
            )
        self.node.add_metadata(STAGE, stage)
        others = (each for each in self.node.root.node.find_all() if isinstance(each, TandemPipeline))
        for other in others:
            if other is not self and any(entry.data == stage for entry in other.node.metadata if entry.type == STAGE):
                raise InvalidConfig(f"{where}: got stage {stage!r}, which {other.node.path} has, expected another one")

    def _clients(self, vpc: ec2.IVpc, cluster: GivenCluster, ports: list[int]) -> ec2.SecurityGroup:
        """The function's group; the brokers' group admits it."""
        group = ec2.SecurityGroup(self, "Clients", vpc=vpc, description="Functions of Tandem", allow_all_outbound=False)
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "AWS services")
        for port in ports:
            group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(port), "Registries and sinks of the pipeline")
        admit(self, "ClientsToBrokers", group.security_group_id, cluster.security_group, cluster.port)
        let_out(self, "ClientsOut", group.security_group_id, cluster.security_group, cluster.port)
        return group
