# Creates an EKS cluster for the workers of one stage, in the CDK's VPC, for teams that provision EKS with Terraform.

data "aws_ssm_parameter" "stage" {
  for_each = local.parameters

  name = each.value
}

locals {
  # `insecure_value` equals `value`, but plans show it: IDs, a port and ARNs are not secret.
  of_stage   = { for name, parameter in data.aws_ssm_parameter.stage : name => parameter.insecure_value }
  subnet_ids = [for id in split(",", local.of_stage["private-subnet-ids"]) : trimspace(id)]
}

module "eks" {
  source  = "terraform-aws-modules/eks/aws"
  version = "21.25.0"

  name                = local.cluster_name
  kubernetes_version  = var.kubernetes_version
  deletion_protection = var.deletion_protection

  vpc_id     = local.of_stage["vpc-id"]
  subnet_ids = local.subnet_ids

  endpoint_public_access       = length(var.public_access_cidrs) > 0
  endpoint_public_access_cidrs = length(var.public_access_cidrs) > 0 ? var.public_access_cidrs : null

  authentication_mode = "API"
  access_entries      = local.access
  enable_irsa         = false # roles are assigned by Pod Identity

  enabled_log_types                      = ["api", "audit", "authenticator"]
  cloudwatch_log_group_retention_in_days = var.log_days

  compute_config          = local.auto ? { enabled = true, node_pools = ["general-purpose", "system"] } : null
  eks_managed_node_groups = { for name, group in { workers = local.workers } : name => group if !local.auto }
  addons                  = local.addons

  tags = local.tags
}

locals {
  workers = {
    subnet_ids     = local.subnet_ids
    ami_type       = var.node_group.ami_type
    instance_types = var.node_group.instance_types
    min_size       = var.node_group.min_size
    desired_size   = var.node_group.min_size
    max_size       = var.node_group.max_size

    # One hop and tokens only, so that no pod gets the node's role from the metadata service.
    metadata_options = { http_endpoint = "enabled", http_tokens = "required", http_put_response_hop_limit = 1 }
    block_device_mappings = {
      root = {
        device_name = "/dev/xvda"
        ebs         = { volume_size = var.node_group.disk_gib, volume_type = "gp3", encrypted = true, delete_on_termination = true }
      }
    }
  }
}

resource "aws_eks_pod_identity_association" "worker" {
  for_each = local.service_accounts

  cluster_name    = module.eks.cluster_name
  namespace       = local.namespace
  service_account = each.value
  role_arn        = local.of_stage["worker-role-arn/${each.key}"]
  tags            = local.tags
}

# KEDA's operator queries the brokers. Namespace and account are those of its chart, which may be installed later.
resource "aws_eks_pod_identity_association" "keda" {
  count = length(var.pipelines) > 0 ? 1 : 0

  cluster_name    = module.eks.cluster_name
  namespace       = "keda"
  service_account = "keda-operator"
  role_arn        = local.of_stage["keda-role-arn"]
  tags            = local.tags
}

resource "aws_iam_role" "autoscaler" {
  count = local.auto ? 0 : 1

  name               = "tandem-${var.stage}-autoscaler"
  description        = "For the Cluster Autoscaler of ${local.cluster_name}"
  assume_role_policy = jsonencode(local.autoscaler.trust)
  tags               = local.tags
}

resource "aws_iam_role_policy" "autoscaler" {
  count = local.auto ? 0 : 1

  name   = "scale"
  role   = aws_iam_role.autoscaler[0].id
  policy = jsonencode(local.autoscaler.policy)
}

# Namespace and account are those of the commands in the README, which install it.
resource "aws_eks_pod_identity_association" "autoscaler" {
  count = local.auto ? 0 : 1

  cluster_name    = module.eks.cluster_name
  namespace       = local.autoscaler.namespace
  service_account = local.autoscaler.service_account
  role_arn        = aws_iam_role.autoscaler[0].arn
  tags            = local.tags
}

locals {
  # Auto Mode's nodes have the cluster's own security group, those of a node group the one that the module creates.
  nodes_security_group_id = local.auto ? module.eks.cluster_primary_security_group_id : module.eks.node_security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "brokers_from_nodes" {
  security_group_id            = local.of_stage["brokers-security-group-id"]
  referenced_security_group_id = local.nodes_security_group_id
  description                  = "Kafka from the nodes of ${local.cluster_name}"
  ip_protocol                  = "tcp"
  from_port                    = tonumber(local.of_stage["kafka-port"])
  to_port                      = tonumber(local.of_stage["kafka-port"])
  tags                         = local.tags

  lifecycle {
    precondition {
      condition     = length(local.subnet_ids) == 3
      error_message = "/tandem/${var.stage}/private-subnet-ids: expected three subnets, one in each zone, got ${length(local.subnet_ids)}."
    }
  }
}

# Exporters of provisioned brokers. MSK Serverless has none.
resource "aws_vpc_security_group_ingress_rule" "exporters_from_nodes" {
  for_each = { jmx = 11001, node = 11002 }

  security_group_id            = local.of_stage["brokers-security-group-id"]
  referenced_security_group_id = local.nodes_security_group_id
  description                  = "Prometheus, from the nodes of ${local.cluster_name} to the ${each.key} exporter"
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
  tags                         = local.tags
}
