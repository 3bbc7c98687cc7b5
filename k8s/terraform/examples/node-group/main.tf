# The prod stage on a managed node group over three zones. Its API is also reachable from one office.

terraform {
  required_version = ">= 1.11, < 2.0"
}

provider "aws" {
  region = "us-east-1"
}

module "tandem" {
  source = "../.."

  stage           = "prod"
  pipelines       = ["logins"]
  compute         = "node-group"
  admins          = ["arn:aws:iam::111122223333:role/platform"]
  deploy_role_arn = "arn:aws:iam::111122223333:role/tandem-prod-deploy"

  node_group          = { instance_types = ["m7g.xlarge", "m6g.xlarge"], min_size = 3, max_size = 6 }
  public_access_cidrs = ["198.51.100.0/24"]
}

output "nodes_security_group_id" {
  description = "The nodes' security group, for `eks.security_group` of the stage in cdk.json."
  value       = module.tandem.nodes_security_group_id
}
