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

variable "slug" {
  description = "The tenant's short name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.slug))
    error_message = "slug: expected 3 to 20 lower-case letters, digits and hyphens; it becomes part of the instance's name."
  }
}

variable "instance_class" {
  description = "Size of the tenant's database."
  type        = string
  default     = "db.t4g.medium"
}

variable "allocated_storage_gb" {
  description = "Storage to begin with."
  type        = number
  default     = 100
}

variable "max_allocated_storage_gb" {
  description = "How far it grows by itself."
  type        = number
  default     = 1000
}

variable "multi_az" {
  description = "A standby in another zone."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "How far back a point in time can be restored."
  type        = number
  default     = 30
}

variable "deletion_protection" {
  description = "Whether the instance refuses to be deleted."
  type        = bool
  default     = true
}

variable "subnet_ids" {
  description = "Data subnets."
  type        = list(string)
}

variable "security_group_id" {
  description = "Group of databases."
  type        = string
}

variable "logs_kms_key_arn" {
  description = "Key that seals logs."
  type        = string
}

variable "secrets_kms_key_arn" {
  description = "Key that seals the administrator's password."
  type        = string
}

variable "alarm_topic_arns" {
  description = "Where alarms go."
  type        = list(string)
}

variable "connections_alarm_at" {
  description = "Connections at which somebody should look. The default is for db.t4g.medium, which takes about 400."
  type        = number
  default     = 300
}

variable "backup_tags" {
  description = "Tags that select what is backed up."
  type        = map(string)
  default     = {}
}
