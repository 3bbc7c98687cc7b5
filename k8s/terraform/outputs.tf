output "cluster_name" {
  description = "The cluster's name: `eks.name` of the stage in cdk.json, and the variable EKS_CLUSTER of the workflows."
  value       = module.eks.cluster_name
}

output "cluster_arn" {
  description = "The cluster's ARN."
  value       = module.eks.cluster_arn
}

output "cluster_endpoint" {
  description = "Where the cluster's API answers."
  value       = module.eks.cluster_endpoint
}

output "nodes_security_group_id" {
  description = "The security group of the nodes: `eks.security_group` of the stage in cdk.json."
  value       = local.nodes_security_group_id
}

output "namespace" {
  description = "The Kubernetes namespace of the stage."
  value       = local.namespace
}

output "service_accounts" {
  description = "By pipeline: the service account that has its role by Pod Identity."
  value       = { for name, association in aws_eks_pod_identity_association.worker : name => association.service_account }
}

output "kubeconfig_command" {
  description = "The command that lets kubectl reach the cluster."
  value       = "aws eks update-kubeconfig --name ${module.eks.cluster_name}"
}
