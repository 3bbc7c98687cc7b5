# Plans against mocked providers, without an account or credentials. Run `terraform init && terraform test` in k8s/terraform.

mock_provider "aws" {
  override_data {
    target = data.aws_ssm_parameter.stage["vpc-id"]
    values = { insecure_value = "vpc-0a1b2c3d4e5f60718" }
  }
  override_data {
    target = data.aws_ssm_parameter.stage["private-subnet-ids"]
    values = { insecure_value = "subnet-0aaaaaaaaaaaaaaa1,subnet-0aaaaaaaaaaaaaaa2,subnet-0aaaaaaaaaaaaaaa3" }
  }
  override_data {
    target = data.aws_ssm_parameter.stage["brokers-security-group-id"]
    values = { insecure_value = "sg-0bbbbbbbbbbbbbbb1" }
  }
  override_data {
    target = data.aws_ssm_parameter.stage["kafka-port"]
    values = { insecure_value = "9098" }
  }
  override_data {
    target = data.aws_ssm_parameter.stage["worker-role-arn/logins"]
    values = { insecure_value = "arn:aws:iam::111122223333:role/tandem-dev-logins-worker" }
  }
  override_data {
    target = data.aws_ssm_parameter.stage["keda-role-arn"]
    values = { insecure_value = "arn:aws:iam::111122223333:role/tandem-dev-keda" }
  }
}

# The published module has its own tests. These check how it is used.
override_module {
  target = module.eks
  outputs = {
    cluster_name                      = "tandem-dev"
    cluster_arn                       = "arn:aws:eks:us-east-1:111122223333:cluster/tandem-dev"
    cluster_endpoint                  = "https://example.eks.amazonaws.com"
    cluster_primary_security_group_id = "sg-0ccccccccccccccc1"
    node_security_group_id            = "sg-0ddddddddddddddd1"
  }
}

variables {
  stage     = "dev"
  pipelines = ["logins"]
  admins    = ["arn:aws:iam::111122223333:role/platform"]
}

run "auto_mode" {
  command = plan

  assert {
    condition     = aws_eks_pod_identity_association.worker["logins"].namespace == "tandem-dev"
    error_message = "The association must be for the stage's namespace."
  }
  assert {
    condition     = aws_eks_pod_identity_association.worker["logins"].service_account == "worker-logins"
    error_message = "The association must be for the pipeline's service account."
  }
  assert {
    condition     = aws_eks_pod_identity_association.worker["logins"].role_arn == "arn:aws:iam::111122223333:role/tandem-dev-logins-worker"
    error_message = "The association must use the role that the CDK created."
  }
  assert {
    condition     = aws_eks_pod_identity_association.keda[0].role_arn == "arn:aws:iam::111122223333:role/tandem-dev-keda"
    error_message = "KEDA's operator must have the role that the CDK created for it."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.brokers_from_nodes.referenced_security_group_id == "sg-0ccccccccccccccc1"
    error_message = "Auto Mode's nodes must have the cluster's own security group."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.brokers_from_nodes.from_port == 9098 && aws_vpc_security_group_ingress_rule.brokers_from_nodes.to_port == 9098
    error_message = "Nodes must reach the brokers' port."
  }
  assert {
    condition     = keys(local.addons) == ["metrics-server"]
    error_message = "On Auto Mode, only the metrics server is an add-on."
  }
  assert {
    condition     = length(aws_eks_pod_identity_association.autoscaler) == 0
    error_message = "Auto Mode adds nodes itself."
  }
}

run "node_group" {
  command = plan

  variables {
    compute = "node-group"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.brokers_from_nodes.referenced_security_group_id == "sg-0ddddddddddddddd1"
    error_message = "A node group's nodes must have the module's security group."
  }
  assert {
    condition     = contains(keys(local.addons), "eks-pod-identity-agent")
    error_message = "A node group needs the Pod Identity agent."
  }
  assert {
    condition     = aws_eks_pod_identity_association.autoscaler[0].service_account == "cluster-autoscaler"
    error_message = "A node group needs a role for the Cluster Autoscaler."
  }
}

run "wrong_stage" {
  command = plan

  variables {
    stage = "Production"
  }

  expect_failures = [var.stage]
}

run "whole_internet" {
  command = plan

  variables {
    public_access_cidrs = ["0.0.0.0/0"]
  }

  expect_failures = [var.public_access_cidrs]
}
