"""AWS resources of the worker runtime: image repository, EKS cluster, a role for each pipeline's worker, parameters.

Workflows or operators apply the manifests with kubectl. Nothing here calls the Kubernetes API.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Annotations, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.choices import ExistingEks, ExistingKafka, NewEks
from cdk.config import StageConfig
from cdk.kafka.stack import KafkaStack
from cdk.keys.stack import KeysStack
from cdk.logs import log_group
from cdk.network.stack import NetworkStack
from cdk.parameters import publish_parameters
from cdk.removal import removal
from cdk.runtimes import environment
from cdk.runtimes.grants import Grants, role, scaler_statements
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline

PODS: Final = "pods.eks.amazonaws.com"  # the Pod Identity agent, which also tags sessions with pod and namespace
ServiceAccount = tuple[str, str]  # namespace and name
KEDA: Final[ServiceAccount] = ("keda", "keda-operator")  # as in its chart
DEPLOYERS: Final = "tandem-deployers"  # k8s/base/stage/deployer.yaml extends the Edit policy for this group


class EksStack(Stack):
    """AWS resources of the worker runtime: image repository, EKS cluster, a role for each pipeline's worker."""

    repository: ecr.Repository
    workers: Mapping[str, iam.Role]
    """Roles by pipeline."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        network: NetworkStack,
        kafka: KafkaStack,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Eks", stack_name=f"tandem-{stage.name}-eks")
        self._stage = stage
        self.repository = self._repository(keys)
        if isinstance(stage.eks, NewEks):
            self._cluster, nodes = self._new_cluster(stage.eks, keys, network)
            self._administrators(stage.eks)
        elif isinstance(stage.eks, ExistingEks):
            self._cluster, nodes = stage.eks.name, stage.eks.security_group
        # AWS rejects a second rule, association or entry for the same access, so it must be managed in one place only.
        self._manages_access = not (isinstance(stage.eks, ExistingEks) and stage.eks.access_managed_externally)
        if self._manages_access:
            # A rule between two existing groups can exist only once, and stages share them: it is managed elsewhere.
            if not (isinstance(stage.kafka, ExistingKafka) and isinstance(stage.eks, ExistingEks)):
                kafka.admit(self, "Workers", nodes)
            network.admit(self, "WorkersToEndpoints", nodes)
        if self._manages_access and stage.github:
            self._deployer()
        grants = [Grants(stage, pipeline, keys.data, kafka, stores) for pipeline in pipelines]
        self.workers = {grant.pipeline.name: self._worker(grant) for grant in grants}
        self._scaler(grants)
        values = {
            "worker-env": environment.worker_env(pipelines, stage, kafka, stores),
            "repository-uri": self.repository.repository_uri,
            "cluster-name": self._cluster,
        }
        publish_parameters(self, stage, values)

    def _repository(self, keys: KeysStack) -> ecr.Repository:
        """Tags are immutable, so a tag always names the build that ran.

        Images do not expire: untagged ones are one platform's part of an image, its signature or its SBOM.
        """
        return ecr.Repository(
            self,
            "Repository",
            repository_name=names.repository(self._stage.name),
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=keys.data,
            removal_policy=removal(self._stage),
            empty_on_delete=not self._stage.protected,
        )

    def _new_cluster(self, chosen: NewEks, keys: KeysStack, network: NetworkStack) -> tuple[str, str]:
        """The cluster's name and its nodes' security group, which in Auto Mode is the cluster's."""
        name = names.cluster(self._stage.name)
        cluster = eks.Cluster(
            self,
            "Cluster",
            cluster_name=name,
            version=eks.KubernetesVersion.of(chosen.version),
            vpc=network.vpc,
            vpc_subnets=[network.private],
            # Added to the group that EKS creates for the cluster and its nodes. CDK's default would allow all traffic.
            security_group=ec2.SecurityGroup(
                self, "ControlPlane", vpc=network.vpc, allow_all_outbound=False, description="EKS control plane"
            ),
            endpoint_access=(
                eks.EndpointAccess.PUBLIC_AND_PRIVATE.only_from(*chosen.public_access_cidrs)
                if chosen.public_access_cidrs
                else eks.EndpointAccess.PRIVATE
            ),
            cluster_logging=list(eks.ClusterLoggingTypes),
            secrets_encryption_key=keys.data,
            bootstrap_cluster_creator_admin_permissions=False,  # the role that deploys is not an administrator
            bootstrap_self_managed_addons=False,  # required in Auto Mode, which has them on each node
            output_config_command=False,
        )
        # Otherwise EKS creates it, unencrypted and kept forever.
        cluster.node.add_dependency(
            log_group(self, "ControlPlaneLog", self._stage, keys.data, group=f"/aws/eks/{name}/cluster")
        )
        reason = "nothing in AWS runs kubectl, and the network has the endpoints that nodes need"
        Annotations.of(cluster).acknowledge_warning("@aws-cdk/aws-eks:isolatedSubnetsForKubectlPrivateSubnets", reason)
        return cluster.cluster_name, cluster.cluster_security_group_id

    def _administrators(self, chosen: NewEks) -> None:
        for number, admin in enumerate(chosen.admins):
            self._access(f"Admin{number}", admin, "AmazonEKSClusterAdminPolicy", {"type": "cluster"})

    def _deployer(self) -> None:
        """Give the workflows access to the stage's namespace, and to no other."""
        arn = self.format_arn(
            service="iam", region="", resource="role", resource_name=names.deploy_role(self._stage.name)
        )
        scope = {"type": "namespace", "namespaces": [names.namespace(self._stage.name)]}
        self._access("Deployer", arn, "AmazonEKSEditPolicy", scope, groups=[DEPLOYERS])

    def _access(
        self, name: str, principal: str, policy: str, access_scope: Mapping[str, object], groups: Sequence[str] = ()
    ) -> None:
        arn = f"arn:{self.partition}:eks::aws:cluster-access-policy/{policy}"
        eks.CfnAccessEntry(
            self,
            name,
            cluster_name=self._cluster,
            principal_arn=principal,
            access_policies=[{"policyArn": arn, "accessScope": access_scope}],
            kubernetes_groups=list(groups) or None,
        )

    def _worker(self, grants: Grants) -> iam.Role:
        stage, pipeline = self._stage.name, grants.pipeline.name
        account = (names.namespace(stage), names.worker(pipeline))
        worker = self._role(pipeline, names.role(stage, pipeline, "worker"), account, grants.worker())
        if self._manages_access:
            self._associate(pipeline, worker, account)
        publish_parameters(self, self._stage, {f"worker-role-arn/{pipeline}": worker.role_arn})
        return worker

    def _scaler(self, grants: Sequence[Grants]) -> None:
        """KEDA reads the lag from the brokers. On an existing cluster, KEDA's operators assign it this role."""
        scaler = self._role("Keda", names.scaler_role(self._stage.name), KEDA, scaler_statements(grants))
        if isinstance(self._stage.eks, NewEks):
            self._associate("Keda", scaler, KEDA)
        publish_parameters(self, self._stage, {"keda-role-arn": scaler.role_arn})

    def _role(
        self, name: str, role_name: str, account: ServiceAccount, statements: Sequence[iam.PolicyStatement]
    ) -> iam.Role:
        """A role for the pods of one service account, on whichever cluster associates them.

        EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity".
        """
        namespace, service_account = account
        tags = {
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        }
        pods = iam.PrincipalWithConditions(iam.ServicePrincipal(PODS), {"StringEquals": tags})
        return role(self, f"Role-{name}", role_name, iam.SessionTagsPrincipal(pods), statements)

    def _associate(self, name: str, role_: iam.Role, account: ServiceAccount) -> None:
        """Assign a role to a service account's pods. The manifests do not contain the role."""
        namespace, service_account = account
        eks.CfnPodIdentityAssociation(
            self,
            f"Identity-{name}",
            cluster_name=self._cluster,
            namespace=namespace,
            service_account=service_account,
            role_arn=role_.role_arn,
        )
