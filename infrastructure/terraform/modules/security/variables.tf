variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "name: expected 3 to 31 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Region whose services may use the keys."
  type        = string
}

variable "account_id" {
  description = "The account that owns the keys."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: expected twelve digits."
  }
}

variable "vpc_id" {
  description = "Where the security groups are."
  type        = string
}

variable "key_deletion_window_days" {
  description = "How long a deleted key can still be brought back. What it sealed is lost with it."
  type        = number
  default     = 30

  validation {
    condition     = var.key_deletion_window_days >= 7 && var.key_deletion_window_days <= 30
    error_message = "key_deletion_window_days: KMS accepts 7 to 30."
  }
}

variable "test_traffic_cidrs" {
  description = "Who may reach the test listener, where a new version answers before callers get it: operators, and the build's own runners. Nothing within the VPC can: no group lets it leave on that port."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.test_traffic_cidrs : can(cidrnetmask(cidr))]) && !contains(var.test_traffic_cidrs, "0.0.0.0/0")
    error_message = "test_traffic_cidrs: expected IPv4 blocks, and not the whole internet: a version under test is not for callers."
  }
}

variable "database_proxy_enabled" {
  description = "Whether a proxy stands between tasks and the database, with a security group of its own."
  type        = bool
  default     = false
}

variable "ports" {
  description = "Ports of the runtime contract: the public listener, PostgreSQL, Redis, and the load balancer's test listener."
  type = object({
    public        = optional(number, 8080)
    database      = optional(number, 5432)
    cache         = optional(number, 6379)
    test_listener = optional(number, 8443)
  })
  default = {}
}
