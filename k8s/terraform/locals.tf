# What follows from the variables alone: no provider is needed to work it out, so it is tested without one.

locals {
  auto         = var.compute == "auto"
  cluster_name = coalesce(var.cluster_name, "tandem-${var.stage}")
  namespace    = "tandem-${var.stage}"
  tags         = merge(var.tags, { "tandem:stage" = var.stage })

  # The CDK's network and Kafka stacks leave these behind; see functions/core/names.py, parameter().
  parameters = merge(
    { for name in ["vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port"] : name => "/tandem/${var.stage}/${name}" },
    { for name in var.pipelines : "worker-role-arn/${name}" => "/tandem/${var.stage}/worker-role-arn/${name}" },
    { for name in ["keda-role-arn"] : name => "/tandem/${var.stage}/${name}" if length(var.pipelines) > 0 },
  )

  service_accounts = { for name in var.pipelines : name => "worker-${name}" }

  # Auto Mode brings networking, DNS, Pod Identity and block storage itself. Workers keep nothing on disk, so the EBS CSI
  # driver is not installed on a node group either.
  addons = merge(
    { metrics-server = { before_compute = false, configuration_values = null } },
    { for name, addon in local.node_group_addons : name => addon if !local.auto },
  )
  node_group_addons = {
    coredns                = { before_compute = false, configuration_values = null }
    kube-proxy             = { before_compute = false, configuration_values = null }
    eks-pod-identity-agent = { before_compute = true, configuration_values = null }
    # Without this the NetworkPolicies of k8s/base are accepted and mean nothing.
    vpc-cni = { before_compute = true, configuration_values = jsonencode({ enableNetworkPolicy = "true" }) }
  }

  administrators = { for arn in var.admins : "admin-${reverse(split("/", arn))[0]}" => {
    arn    = arn
    policy = "AmazonEKSClusterAdminPolicy"
    scope  = { type = "cluster" }
    groups = []
  } }
  # What lies in no namespace an administrator applies, once; the group is for roles that know more than Kubernetes' own
  # kinds, such as KEDA's.
  deployers = { for arn in compact([var.deploy_role_arn]) : "deploy" => {
    arn    = arn
    policy = "AmazonEKSEditPolicy"
    scope  = { type = "namespace", namespaces = [local.namespace] }
    groups = ["tandem-deployers"]
  } }
  access = {
    for name, who in merge(local.administrators, local.deployers) : name => {
      principal_arn     = who.arn
      kubernetes_groups = who.groups
      policy_associations = {
        tandem = {
          policy_arn   = "arn:${split(":", who.arn)[1]}:eks::aws:cluster-access-policy/${who.policy}"
          access_scope = who.scope
        }
      }
    }
  }
}
