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

  administrators = { for arn in var.admins : "admin-${reverse(split("/", arn))[0]}" => arn }
  # `kubectl apply -k` also applies what lies in no namespace: the namespace itself and the priority class.
  deployers = { for arn in compact([var.deploy_role_arn]) : "deploy" => arn }
  access = {
    for name, arn in merge(local.administrators, local.deployers) : name => {
      principal_arn = arn
      policy_associations = {
        cluster = {
          policy_arn   = "arn:${split(":", arn)[1]}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
          access_scope = { type = "cluster" }
        }
      }
    }
  }
}
