"""Redshift Serverless: a namespace, a workgroup in the private subnets, and tables with automatic loads."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_redshift as redshift
from aws_cdk import aws_redshiftserverless as serverless
from constructs import Construct

from cdk import names
from cdk.analytics.integration_policy import integration_policy
from cdk.analytics.load_role import LoadRole
from cdk.analytics.statements import LoadSettings, warehouse_statements
from cdk.analytics.warehouse_tables import ServerlessRedshift, WarehouseTables
from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.logs import log_group
from cdk.network.stack import HTTPS, NetworkStack
from cdk.removal import removal
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline

DATABASE: Final = "tandem"
ADMIN: Final = "tandem_admin"
LOGS: Final = ("userlog", "connectionlog", "useractivitylog")
PARAMETERS: Final = {
    "require_ssl": "true",
    "enable_user_activity_logging": "true",
    "max_query_execution_time": "3600",  # seconds
}


class Warehouse(Construct):
    """All resources of Redshift in a stage. Redshift only reads the lake."""

    settings: LoadSettings

    def __init__(  # noqa: PLR0913 - each is a stack or a setting
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        network: NetworkStack,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Warehouse")
        if stage.redshift is None:
            raise ValueError(f"stages.{stage.name}.redshift: is missing")
        self._stage, self._name = stage, names.workgroup(stage.name)
        role = LoadRole(self, stage, keys, stores, pipelines)
        self.settings = LoadSettings(stage.name, stores.lake.bucket_name, role.role_arn)
        namespace = self._namespace(keys, stores, role)
        workgroup = self._workgroup(network, stage.redshift.base_rpu)
        workgroup.node.add_dependency(namespace)
        integration = self._integration(stores, namespace)
        integration.node.add_dependency(workgroup)
        tables = WarehouseTables(
            self,
            stage,
            ServerlessRedshift(namespace, workgroup),
            warehouse_statements(self.settings, pipelines),
            key=keys.data,
        )
        tables.node.add_dependency(integration)

    def _namespace(self, keys: KeysStack, stores: Stores, role: iam.Role) -> serverless.CfnNamespace:
        namespace = serverless.CfnNamespace(
            self,
            "Namespace",
            namespace_name=self._name,
            db_name=DATABASE,
            admin_username=ADMIN,
            manage_admin_password=True,
            admin_password_secret_kms_key_id=keys.data.key_arn,
            kms_key_id=keys.data.key_arn,
            iam_roles=[role.role_arn],
            log_exports=list(LOGS),
            namespace_resource_policy=integration_policy(stores.lake),
            final_snapshot_name=f"{self._name}-final" if self._stage.protected else None,
        )
        namespace.apply_removal_policy(removal(self._stage))
        for log in LOGS:  # otherwise Redshift creates them, unencrypted and kept forever
            group = log_group(self, f"Log-{log}", self._stage, keys.data, group=f"/aws/redshift/{self._name}/{log}")
            namespace.node.add_dependency(group)
        return namespace

    def _workgroup(self, network: NetworkStack, base_rpu: int) -> serverless.CfnWorkgroup:
        """Its port is closed until a rule is added. The query editor and the Data API need none."""
        group = ec2.SecurityGroup(
            self, "Clients", vpc=network.vpc, description="Redshift: out to S3, nobody in", allow_all_outbound=False
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(HTTPS), "S3, which has no group to name")
        workgroup = serverless.CfnWorkgroup(
            self,
            "Workgroup",
            workgroup_name=self._name,
            namespace_name=self._name,
            base_capacity=base_rpu,
            enhanced_vpc_routing=True,
            publicly_accessible=False,
            subnet_ids=network.vpc.select_subnets(subnets=network.private.subnets).subnet_ids,
            security_group_ids=[group.security_group_id],
            config_parameters=[
                serverless.CfnWorkgroup.ConfigParameterProperty(parameter_key=name, parameter_value=value)
                for name, value in PARAMETERS.items()
            ],
        )
        workgroup.apply_removal_policy(removal(self._stage))
        return workgroup

    def _integration(self, stores: Stores, namespace: serverless.CfnNamespace) -> redshift.CfnIntegration:
        return redshift.CfnIntegration(
            self,
            "Listening",
            integration_name=f"{self._name}-lake",
            source_arn=stores.lake.bucket_arn,
            target_arn=namespace.attr_namespace_namespace_arn,
        )
