output "cluster_name" {
  description = "The cluster's name, for `eks.name` of the stage in cdk.json."
  value       = module.eks.cluster_name
}

output "cluster_arn" {
  description = "The cluster's ARN."
  value       = module.eks.cluster_arn
}

output "cluster_endpoint" {
  description = "The address of the cluster's API."
  value       = module.eks.cluster_endpoint
}

output "nodes_security_group_id" {
  description = "The nodes' security group, for `eks.security_group` of the stage in cdk.json."
  value       = local.nodes_security_group_id
}

output "namespace" {
  description = "The Kubernetes namespace of the stage."
  value       = local.namespace
}

output "service_accounts" {
  description = "The service account with the worker's role, by pipeline."
  value       = { for name, association in aws_eks_pod_identity_association.worker : name => association.service_account }
}

output "kubeconfig_command" {
  description = "The command that configures kubectl for the cluster."
  value       = "aws eks update-kubeconfig --name ${module.eks.cluster_name}"
}
