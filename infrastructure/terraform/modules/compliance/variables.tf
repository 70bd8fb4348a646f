variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "name: expected 3 to 41 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "account_id" {
  description = "The account all of it is in."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: expected twelve digits."
  }
}

variable "region" {
  description = "Region of the trail, the recorder and the detector."
  type        = string
}

variable "account_baseline_enabled" {
  description = "GuardDuty, Security Hub, Config, Inspector, Access Analyzer, password policy, public access block, and management events in the trail: there is one of each in an account (and region), so exactly one environment of an account has them."
  type        = bool
  default     = true
}

variable "topic_arns" {
  description = "Alert channels: critical wakes somebody, warning is read in the morning."
  type        = object({ critical = string, warning = string })
}

variable "audit_retention_days" {
  description = "How long audit logs cannot be deleted, and are kept."
  type        = number
  default     = 365

  validation {
    condition     = var.audit_retention_days >= 30
    error_message = "audit_retention_days: expected 30 at least; SOC 2 Type II looks back over months."
  }
}

variable "lock_mode" {
  description = "GOVERNANCE lets a role with a special permission unlock; COMPLIANCE lets nobody, not even the account's root, before the retention is over."
  type        = string
  default     = "GOVERNANCE"

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.lock_mode)
    error_message = "lock_mode: expected GOVERNANCE or COMPLIANCE."
  }
}

variable "force_destroy" {
  description = "Whether the audit bucket and Config's may be deleted with what is in them. What is locked by COMPLIANCE stays all the same."
  type        = bool
  default     = false
}

variable "watched_bucket_arns" {
  description = "Buckets whose every read and write is in the trail."
  type        = list(string)
  default     = []

  validation {
    condition     = var.account_baseline_enabled || length(var.watched_bucket_arns) > 0
    error_message = "watched_bucket_arns: a trail without anything to watch takes a second, paid copy of management events."
  }
}

variable "logs_kms_key_arn" {
  description = "Key that seals the trail's log group."
  type        = string
}
