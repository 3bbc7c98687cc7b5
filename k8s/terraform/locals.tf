# Values derived from the variables alone, which tests can evaluate without a provider.

locals {
  auto         = var.compute == "auto"
  cluster_name = coalesce(var.cluster_name, "tandem-${var.stage}")
  namespace    = "tandem-${var.stage}"
  tags         = merge(var.tags, { "tandem:stage" = var.stage })

  # The CDK's network and Kafka stacks write these; see parameter() in cdk/names.py.
  parameters = merge(
    { for name in ["vpc-id", "private-subnet-ids", "brokers-security-group-id", "kafka-port"] : name => "/tandem/${var.stage}/${name}" },
    { for name in var.pipelines : "worker-role-arn/${name}" => "/tandem/${var.stage}/worker-role-arn/${name}" },
    { for name in ["keda-role-arn"] : name => "/tandem/${var.stage}/${name}" if length(var.pipelines) > 0 },
  )

  service_accounts = { for name in var.pipelines : name => "worker-${name}" }

  # Auto Mode includes networking, DNS, Pod Identity and block storage. Workers use no disk, so a node group needs no EBS CSI
  # driver either.
  addons = merge(
    { metrics-server = { before_compute = false, configuration_values = null } },
    { for name, addon in local.node_group_addons : name => addon if !local.auto },
  )
  node_group_addons = {
    coredns                = { before_compute = false, configuration_values = null }
    kube-proxy             = { before_compute = false, configuration_values = null }
    eks-pod-identity-agent = { before_compute = true, configuration_values = null }
    # Without this, the NetworkPolicies of k8s/base have no effect.
    vpc-cni = { before_compute = true, configuration_values = jsonencode({ enableNetworkPolicy = "true" }) }
  }

  # Adds and removes nodes of the node group for pending workers. Auto Mode does that by itself. EKS gives the group's Auto Scaling
  # group the tags by which the Cluster Autoscaler finds it and this policy admits it.
  autoscaler = {
    namespace       = "kube-system"
    service_account = "cluster-autoscaler"
    trust = {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Service = "pods.eks.amazonaws.com" }
        Action    = ["sts:AssumeRole", "sts:TagSession"]
      }]
    }
    policy = {
      Version = "2012-10-17"
      Statement = [
        {
          Sid    = "Read" # these actions support no resource
          Effect = "Allow"
          Action = [
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeAutoScalingInstances",
            "autoscaling:DescribeLaunchConfigurations",
            "autoscaling:DescribeScalingActivities",
            "autoscaling:DescribeTags",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:GetInstanceTypesFromInstanceRequirements",
            "eks:DescribeNodegroup",
          ]
          Resource = "*"
        },
        {
          Sid       = "Scale"
          Effect    = "Allow"
          Action    = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
          Resource  = "*"
          Condition = { StringEquals = { "aws:ResourceTag/k8s.io/cluster-autoscaler/${local.cluster_name}" = "owned" } }
        },
      ]
    }
  }

  administrators = { for arn in var.admins : "admin-${reverse(split("/", arn))[0]}" => {
    arn    = arn
    policy = "AmazonEKSClusterAdminPolicy"
    scope  = { type = "cluster" }
    groups = []
  } }
  # An administrator applies cluster-scoped objects once. The group grants access to kinds beyond Kubernetes' own, such as
  # KEDA's.
  deployers = { for arn in compact([var.deploy_role_arn]) : "deploy" => {
    arn    = arn
    policy = "AmazonEKSEditPolicy"
    scope  = { type = "namespace", namespaces = [local.namespace] }
    groups = ["tandem-deployers"]
  } }
  access = {
    for name, principal in merge(local.administrators, local.deployers) : name => {
      principal_arn     = principal.arn
      kubernetes_groups = principal.groups
      policy_associations = {
        tandem = {
          policy_arn   = "arn:${split(":", principal.arn)[1]}:eks::aws:cluster-access-policy/${principal.policy}"
          access_scope = principal.scope
        }
      }
    }
  }
}
