variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "name: expected 3 to 41 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "engine" {
  description = "valkey, or redis. Valkey speaks the same protocol and costs less."
  type        = string
  default     = "valkey"

  validation {
    condition     = contains(["valkey", "redis"], var.engine)
    error_message = "engine: expected valkey or redis."
  }
}

variable "engine_version" {
  description = "Version of the engine; null takes 8.0 of Valkey, 7.1 of Redis."
  type        = string
  default     = null
}

variable "node_type" {
  description = "Size of each node."
  type        = string
  default     = "cache.r6g.xlarge"

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type: expected something like cache.r6g.xlarge."
  }
}

variable "node_count" {
  description = "One primary, the others replicas in other zones that take over by themselves. With one node there is no failover."
  type        = number
  default     = 3

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 6 && floor(var.node_count) == var.node_count
    error_message = "node_count: expected 1 to 6."
  }
}

variable "snapshot_retention_days" {
  description = "Daily snapshots kept. Nothing in it is the only copy, so that this is for looking back, not for living on."
  type        = number
  default     = 7

  validation {
    condition     = var.snapshot_retention_days >= 1 && var.snapshot_retention_days <= 35
    error_message = "snapshot_retention_days: expected 1 to 35."
  }
}

variable "subnet_ids" {
  description = "Subnets without a way out, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: expected subnets in two zones."
  }
}

variable "security_group_id" {
  description = "Group of the nodes."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that seals storage and snapshots."
  type        = string
}

variable "logs_kms_key_arn" {
  description = "Key that seals the logs."
  type        = string
}

variable "log_retention_days" {
  description = "How long the logs are kept."
  type        = number
  default     = 365
}

variable "alarm_topic_arns" {
  description = "Where alarms go, and that they are over."
  type        = list(string)
}
