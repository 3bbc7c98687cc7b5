"""The EKS path's AWS side: image repository, cluster, a role for each pipeline's worker, what manifests need to know.

Manifests are applied with kubectl, by the workflows of .github/ or by a person: nothing here talks to Kubernetes.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Annotations, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_eks_v2 as eks
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.choices import ExistingEks, NewEks
from cdk.config import StageConfig
from cdk.logs import log_group
from cdk.parameters import tell
from cdk.removal import removal
from cdk.runtimes import environment
from cdk.runtimes.grants import Grants, of_scaler, role
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.stores import Stores
from functions.core import names
from functions.core.pipeline import AnyPipeline

PODS: Final = "pods.eks.amazonaws.com"  # the Pod Identity agent, which also tags the session with pod and namespace
KEDA: Final = ("keda", "keda-operator")  # namespace and service account, as its chart has them
DEPLOYERS: Final = "tandem-deployers"  # k8s/base/stage/deployer.yaml says what they may besides the Edit policy


class Steady(Stack):
    """The EKS path's AWS side: image repository, cluster, a role for each pipeline's worker."""

    repository: ecr.Repository
    workers: Mapping[str, iam.Role]
    """By pipeline."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        network: Network,
        kafka: Kafka,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Steady", stack_name=f"tandem-{stage.name}-steady")
        self._stage = stage
        self.repository = self._repository(keys)
        if isinstance(stage.eks, NewEks):
            self._cluster, nodes = self._new_cluster(stage.eks, keys, network)
            self._administrators(stage.eks)
        elif isinstance(stage.eks, ExistingEks):
            self._cluster, nodes = stage.eks.name, stage.eks.security_group
        # Whoever keeps the cluster may have made them, and a second rule, association or entry for the same is refused.
        self._wires = not (isinstance(stage.eks, ExistingEks) and stage.eks.wired)
        if self._wires:
            kafka.admit(self, "Workers", nodes)
            network.admit(self, "WorkersToEndpoints", nodes)
        if self._wires and stage.github:
            self._deployer()
        grants = [Grants(stage, pipeline, keys.data, kafka, stores) for pipeline in pipelines]
        self.workers = {each.pipeline.name: self._worker(each) for each in grants}
        self._scaler(grants)
        values = {
            "worker-env": environment.of_workers(stage, kafka, stores),
            "repository-uri": self.repository.repository_uri,
            "cluster-name": self._cluster,
        }
        tell(self, stage, values)

    def _repository(self, keys: Keys) -> ecr.Repository:
        """A tag is a build's, for ever, so that what ran can be told.

        Nothing expires: what has no tag here is one platform's part of an image, its signature or its SBOM.
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

    def _new_cluster(self, chosen: NewEks, keys: Keys, network: Network) -> tuple[str, str]:
        """Its name, and the security group of its nodes: in Auto Mode they have the cluster's own."""
        name = names.cluster(self._stage.name)
        cluster = eks.Cluster(
            self,
            "Cluster",
            cluster_name=name,
            version=eks.KubernetesVersion.of(chosen.version),
            vpc=network.vpc,
            vpc_subnets=[network.private],
            # Besides the group that EKS makes for the cluster and its nodes; CDK's own would be open to everywhere.
            security_group=ec2.SecurityGroup(
                self, "ControlPlane", vpc=network.vpc, allow_all_outbound=False, description="EKS control plane"
            ),
            endpoint_access=(
                eks.EndpointAccess.PUBLIC_AND_PRIVATE if chosen.public_access else eks.EndpointAccess.PRIVATE
            ),
            cluster_logging=list(eks.ClusterLoggingTypes),
            secrets_encryption_key=keys.data,
            bootstrap_cluster_creator_admin_permissions=False,  # whoever runs CloudFormation is no administrator
            bootstrap_self_managed_addons=False,  # EKS takes nothing else in Auto Mode, which has its own on each node
            output_config_command=False,
        )
        # Made here, or EKS makes it, unencrypted and for ever.
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
        """The workflows may change what is in the stage's namespace, and nothing else."""
        arn = self.format_arn(
            service="iam", region="", resource="role", resource_name=names.deploy_role(self._stage.name)
        )
        scope = {"type": "namespace", "namespaces": [names.namespace(self._stage.name)]}
        self._access("Deployer", arn, "AmazonEKSEditPolicy", scope, groups=[DEPLOYERS])

    def _access(
        self, name: str, principal: str, policy: str, scope: Mapping[str, object], groups: Sequence[str] = ()
    ) -> None:
        arn = f"arn:{self.partition}:eks::aws:cluster-access-policy/{policy}"
        eks.CfnAccessEntry(
            self,
            name,
            cluster_name=self._cluster,
            principal_arn=principal,
            access_policies=[{"policyArn": arn, "accessScope": scope}],
            kubernetes_groups=list(groups) or None,
        )

    def _worker(self, grants: Grants) -> iam.Role:
        stage, pipeline = self._stage.name, grants.pipeline.name
        worker = self._role(pipeline, names.role(stage, pipeline, "worker"), grants.worker())
        if self._wires:
            self._give(pipeline, worker, names.namespace(stage), names.worker(pipeline))
        tell(self, self._stage, {f"worker-role-arn/{pipeline}": worker.role_arn})
        return worker

    def _scaler(self, grants: Sequence[Grants]) -> None:
        """KEDA asks the brokers itself. Where others keep the cluster and so KEDA, they give it the role."""
        scaler = self._role("Keda", names.scaler_role(self._stage.name), of_scaler(grants))
        if isinstance(self._stage.eks, NewEks):
            self._give("Keda", scaler, *KEDA)
        tell(self, self._stage, {"keda-role-arn": scaler.role_arn})

    def _role(self, name: str, role_name: str, may: Sequence[iam.PolicyStatement]) -> iam.Role:
        return role(self, f"Role-{name}", role_name, iam.SessionTagsPrincipal(iam.ServicePrincipal(PODS)), may)

    def _give(self, name: str, to: iam.Role, namespace: str, service_account: str) -> None:
        """A pod gets the role by its service account: nothing in a manifest names it."""
        eks.CfnPodIdentityAssociation(
            self,
            f"Identity-{name}",
            cluster_name=self._cluster,
            namespace=namespace,
            service_account=service_account,
            role_arn=to.role_arn,
        )
