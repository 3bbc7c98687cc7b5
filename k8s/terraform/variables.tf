variable "stage" {
  description = "The stage's name in cdk.json. Its outputs are read from the SSM parameters /tandem/<stage>/..."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,7}$", var.stage))
    error_message = "stage: expected 2 to 8 lower-case letters and digits, starting with a letter."
  }
}

variable "pipelines" {
  description = "The pipelines whose workers run here. Each needs a role, which the CDK creates once cdk.json names this cluster."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.pipelines : can(regex("^[a-z][a-z0-9-]{1,47}$", name))])
    error_message = "pipelines: expected names of 2 to 48 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "cluster_name" {
  description = "The cluster's name; null means tandem-<stage>. Use the same name for the stage's existing cluster in cdk.json."
  type        = string
  default     = null

  validation {
    condition     = var.cluster_name == null || can(regex("^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", var.cluster_name))
    error_message = "cluster_name: expected up to 100 letters, digits, hyphens and underscores."
  }
}

variable "kubernetes_version" {
  description = "The Kubernetes version, as major.minor."
  type        = string
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.\\d\\d$", var.kubernetes_version))
    error_message = "kubernetes_version: expected major.minor, like 1.35."
  }
}

variable "compute" {
  description = "The compute for workers: `auto` is EKS Auto Mode, `node-group` is a managed node group over three zones."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "node-group"], var.compute)
    error_message = "compute: expected auto or node-group."
  }
}

variable "node_group" {
  description = "The managed node group, if compute is node-group: instance types of one architecture and size, and the number of nodes. A worker requests one CPU, so a node of four has room for three."
  type = object({
    ami_type       = optional(string, "AL2023_ARM_64_STANDARD")
    instance_types = optional(list(string), ["m7g.xlarge", "m6g.xlarge"])
    min_size       = optional(number, 3)
    max_size       = optional(number, 9)
    disk_gib       = optional(number, 40)
  })
  default = {}

  validation {
    condition     = contains(["AL2023_ARM_64_STANDARD", "AL2023_x86_64_STANDARD"], var.node_group.ami_type)
    error_message = "node_group.ami_type: expected AL2023_ARM_64_STANDARD or AL2023_x86_64_STANDARD."
  }

  validation {
    condition     = var.node_group.min_size >= 3 && var.node_group.min_size <= var.node_group.max_size
    error_message = "node_group: expected min_size of at least 3, one node per zone, and at most max_size."
  }

  validation {
    condition     = length(var.node_group.instance_types) > 0 && var.node_group.disk_gib >= 20
    error_message = "node_group: expected at least one instance type and disks of 20 GiB or more."
  }
}

variable "admins" {
  description = "ARNs of the IAM roles or users that administer the cluster. Applying this module grants no access by itself."
  type        = set(string)

  validation {
    condition     = length(var.admins) > 0 && alltrue([for arn in var.admins : can(regex("^arn:aws[a-z-]*:iam::\\d{12}:(role|user)/", arn))])
    error_message = "admins: expected at least one ARN of an IAM role or user, like arn:aws:iam::111122223333:role/platform."
  }
}

variable "deploy_role_arn" {
  description = "The deploy workflow's role, arn:aws:iam::<account>:role/tandem-<stage>-deploy; null gives it no access."
  type        = string
  default     = null

  validation {
    condition     = var.deploy_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::\\d{12}:role/", var.deploy_role_arn))
    error_message = "deploy_role_arn: expected the ARN of an IAM role, like arn:aws:iam::111122223333:role/tandem-dev-deploy."
  }
}

variable "public_access_cidrs" {
  description = "IPv4 ranges that may reach the cluster's API over the internet. If empty, it is reachable only inside the VPC."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.public_access_cidrs : can(cidrnetmask(range)) && !endswith(range, "/0")])
    error_message = "public_access_cidrs: expected IPv4 ranges like 198.51.100.0/24, not the whole internet."
  }
}

variable "log_days" {
  description = "Retention of the control plane's logs, in days."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2557, 3653], var.log_days)
    error_message = "log_days: expected a retention of CloudWatch Logs, like 30, 90 or 365."
  }
}

variable "deletion_protection" {
  description = "Whether EKS refuses to delete the cluster."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Additional tags for every resource of this module."
  type        = map(string)
  default     = {}
}
