# The dev stage on EKS Auto Mode. Its API is reachable only inside the VPC.

terraform {
  required_version = ">= 1.11, < 2.0"
}

provider "aws" {
  region = "us-east-1"
}

module "tandem" {
  source = "../.."

  stage           = "dev"
  pipelines       = ["logins"]
  admins          = ["arn:aws:iam::111122223333:role/platform"]
  deploy_role_arn = "arn:aws:iam::111122223333:role/tandem-dev-deploy"

  deletion_protection = false
  log_days            = 30
}

output "kubeconfig_command" {
  description = "The command that configures kubectl for the cluster."
  value       = module.tandem.kubeconfig_command
}
