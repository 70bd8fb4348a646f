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

variable "engine_version" {
  description = "PostgreSQL. A major version alone lets RDS choose the minor one, and move it in the maintenance window."
  type        = string
  default     = "17"

  validation {
    condition     = can(regex("^1[5-9](\\.[0-9]+)?$", var.engine_version))
    error_message = "engine_version: expected PostgreSQL 15 or newer, for example 17 or 17.6."
  }
}

variable "instance_class" {
  description = "Size of the primary, and of replicas."
  type        = string
  default     = "db.r6g.2xlarge"

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class: expected something like db.r6g.2xlarge."
  }
}

variable "allocated_storage_gb" {
  description = "Storage to begin with. From 400 GB on gp3 stripes over four volumes and brings 12,000 operations a second without extra charge."
  type        = number
  default     = 1000

  validation {
    condition     = var.allocated_storage_gb >= 20
    error_message = "allocated_storage_gb: gp3 begins at 20 GB."
  }
}

variable "max_allocated_storage_gb" {
  description = "How far storage grows by itself."
  type        = number
  default     = 10000

  validation {
    condition     = var.max_allocated_storage_gb >= ceil(var.allocated_storage_gb * 1.1) && var.max_allocated_storage_gb <= 65536
    error_message = "max_allocated_storage_gb: RDS wants at least a tenth more than allocated_storage_gb, and 65,536 at most."
  }
}

variable "multi_az" {
  description = "A standby in another zone that takes over by itself."
  type        = bool
  default     = true
}

variable "backup_retention_days" {
  description = "How far back a point in time can be restored."
  type        = number
  default     = 30

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "backup_retention_days: expected 1 to 35; 0 would switch point-in-time recovery off."
  }
}

variable "deletion_protection" {
  description = "Whether the instance refuses to be deleted, and leaves a last snapshot."
  type        = bool
  default     = true
}

variable "read_replica_count" {
  description = "Read replicas, for reports that should not disturb calls. With any, the administrator's password is ours to keep: see master_password."
  type        = number
  default     = 0

  validation {
    condition     = var.read_replica_count >= 0 && var.read_replica_count <= 5 && floor(var.read_replica_count) == var.read_replica_count
    error_message = "read_replica_count: expected 0 to 5."
  }

  validation {
    condition     = var.read_replica_count == 0 || (var.master_password != "" && length(var.master_secret_writers) > 0 && length(var.master_secret_readers) > 0 && var.secrets_kms_key_arn != null)
    error_message = "read_replica_count: set master_password, master_secret_readers, master_secret_writers and secrets_kms_key_arn as well; RDS makes no replica of an instance whose password it keeps."
  }
}

variable "master_password" {
  description = "Password of the administrator, where there are read replicas. Ephemeral and handed over by write-only arguments: neither plan nor state holds it. The provider asks for one at every plan, and writes it when master_password_version changes."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true

  validation {
    condition     = var.master_password == "" || can(regex("^[!#-.0-?A-~]{16,128}$", var.master_password))
    error_message = "master_password: expected 16 to 128 printable characters, none of them a space, a slash, an at sign or a double quote, which RDS refuses."
  }
}

variable "master_password_version" {
  description = "Raise it to have a changed password written, to the secret and to the instance."
  type        = number
  default     = 1

  validation {
    condition     = var.master_password_version >= 1 && floor(var.master_password_version) == var.master_password_version
    error_message = "master_password_version: expected a whole number from 1."
  }
}

variable "master_secret_readers" {
  description = "Roles that may read the administrator's secret where this module keeps it: what starts migrations."
  type        = list(string)
  default     = []
}

variable "master_secret_writers" {
  description = "Roles that Terraform is run with, where this module keeps the secret: the provider reads back what it has written."
  type        = list(string)
  default     = []
}

variable "performance_insights_retention_days" {
  description = "7 is free of charge; months cost by the vCPU."
  type        = number
  default     = 7

  validation {
    condition     = var.performance_insights_retention_days == 7 || var.performance_insights_retention_days == 731 || (var.performance_insights_retention_days % 31 == 0 && var.performance_insights_retention_days <= 713)
    error_message = "performance_insights_retention_days: expected 7, 731, or a multiple of 31 in between."
  }
}

variable "monitoring_interval_seconds" {
  description = "How often the operating system's figures are taken; 0 takes none (basic monitoring)."
  type        = number
  default     = 60

  validation {
    condition     = contains([0, 1, 5, 10, 15, 30, 60], var.monitoring_interval_seconds)
    error_message = "monitoring_interval_seconds: RDS accepts 0, 1, 5, 10, 15, 30 and 60."
  }
}

variable "proxy_enabled" {
  description = "RDS Proxy before the instance. It refuses start-up options, with which the application takes on its roles: see the README before switching it on."
  type        = bool
  default     = false

  validation {
    condition     = !var.proxy_enabled || (var.proxy_secret_arn != null && var.proxy_security_group_id != null && var.secrets_kms_key_arn != null)
    error_message = "proxy_enabled: set proxy_secret_arn, proxy_security_group_id and secrets_kms_key_arn as well."
  }
}

variable "proxy_secret_arn" {
  description = "Secret with username and password that the proxy logs in with."
  type        = string
  default     = null
}

variable "proxy_security_group_id" {
  description = "Group of the proxy."
  type        = string
  default     = null
}

variable "secrets_kms_key_arn" {
  description = "Key that seals the secrets: the proxy's, and the one of the master user."
  type        = string
  default     = null
}

variable "subnet_ids" {
  description = "Subnets without a way out, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: RDS wants subnets in two zones, also for an instance in one."
  }
}

variable "security_group_id" {
  description = "Group of the instance."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that seals storage, snapshots and Performance Insights."
  type        = string
}

variable "logs_kms_key_arn" {
  description = "Key that seals the database's log groups."
  type        = string
}

variable "log_retention_days" {
  description = "How long the database's logs are kept."
  type        = number
  default     = 365
}

variable "alarm_topic_arns" {
  description = "Where alarms go, and that they are over."
  type        = list(string)
}

variable "connections_alarm_at" {
  description = "Connections at which somebody should look. A replica of the platform holds 20; in a release forty of them hold 1,600."
  type        = number
}

variable "tags" {
  description = "Tags of the instance beyond the provider's own: what selects it for backups, and whose it is."
  type        = map(string)
  default     = {}
}
