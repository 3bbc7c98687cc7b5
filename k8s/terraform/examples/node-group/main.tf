# The prod stage on a managed node group over three zones; its API also answers one office.

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

  node_group          = { instance_types = ["m7g.large", "m7g.xlarge"], least = 3, most = 12 }
  public_access_cidrs = ["198.51.100.0/24"]
}

output "nodes_security_group_id" {
  description = "The security group of the nodes: `eks.security_group` of the stage in cdk.json."
  value       = module.tandem.nodes_security_group_id
}
