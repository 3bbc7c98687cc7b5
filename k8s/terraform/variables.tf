variable "stage" {
  description = "The stage, as in cdk.json: its outputs are read from the SSM parameters /tandem/<stage>/..."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,6}[a-z0-9]$", var.stage))
    error_message = "stage: takes 2 to 8 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "pipelines" {
  description = "The pipelines whose workers run here. Each needs its role, which the CDK makes once it knows this cluster."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.pipelines : can(regex("^[a-z][a-z0-9-]{1,47}$", name))])
    error_message = "pipelines: takes names of 2 to 48 lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "cluster_name" {
  description = "The name of the cluster; null takes tandem-<stage>. cdk.json names it as the stage's existing cluster."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_name == null || can(regex("^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name: takes up to 100 letters, digits, hyphens and underscores."
  }
}

variable "kubernetes_version" {
  description = "The version of Kubernetes, as major.minor."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.\\d\\d$", var.kubernetes_version))
    error_message = "kubernetes_version: takes major.minor, like 1.35."
  }
}

variable "compute" {
  description = "What workers run on: `auto` is EKS Auto Mode, `node-group` a managed node group over the three zones."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "node-group"], var.compute)
    error_message = "compute: takes auto or node-group."
  }
}

variable "node_group" {
  description = "The managed node group, where compute is node-group: instance types of one architecture, and how many."
  type = object({
    ami_type       = optional(string, "AL2023_ARM_64_STANDARD")
    instance_types = optional(list(string), ["m7g.large", "m6g.large"])
    least          = optional(number, 3)
    most           = optional(number, 9)
    disk_gib       = optional(number, 40)
  })
  default = {}

  validation {
    condition     = contains(["AL2023_ARM_64_STANDARD", "AL2023_x86_64_STANDARD"], var.node_group.ami_type)
    error_message = "node_group.ami_type: takes AL2023_ARM_64_STANDARD or AL2023_x86_64_STANDARD."
  }

  validation {
    condition     = var.node_group.least >= 3 && var.node_group.least <= var.node_group.most
    error_message = "node_group: least takes 3 or more, one node for each zone, and at most `most`."
  }

  validation {
    condition     = length(var.node_group.instance_types) > 0 && var.node_group.disk_gib >= 20
    error_message = "node_group: takes at least one instance type and disks of 20 GiB or more."
  }
}

variable "admins" {
  description = "ARNs of the IAM roles or users that administer the cluster. Whoever applies this is not one by that alone."
  type        = set(string)

  validation {
    condition     = length(var.admins) > 0 && alltrue([for arn in var.admins : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/", arn))])
    error_message = "admins: takes at least one ARN of an IAM role or user, like arn:aws:iam::111122223333:role/platform."
  }
}

variable "deploy_role_arn" {
  description = "The role of the deploy workflow, arn:aws:iam::<account>:role/tandem-<stage>-deploy; null gives it no access."
  type        = string
  default     = null

  validation {
    condition     = var.deploy_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/", var.deploy_role_arn))
    error_message = "deploy_role_arn: takes the ARN of an IAM role, like arn:aws:iam::111122223333:role/tandem-dev-deploy."
  }
}

variable "public_access_cidrs" {
  description = "From where the cluster's API answers over the internet; empty is nowhere, only inside the VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.public_access_cidrs : can(cidrnetmask(range)) && !endswith(range, "/0")])
    error_message = "public_access_cidrs: takes IPv4 ranges like 198.51.100.0/24, and never the whole internet."
  }
}

variable "log_days" {
  description = "For how many days the control plane's logs are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653], var.log_days)
    error_message = "log_days: takes a retention that CloudWatch Logs knows, like 30, 90 or 365."
  }
}

variable "deletion_protection" {
  description = "Whether EKS refuses to delete the cluster."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Tags of everything that is made here, besides tandem:stage."
  type        = map(string)
  default     = {}
}
