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

variable "selection_tag" {
  description = "Tag that a database or a bucket carries to be backed up."
  type        = object({ key = string, value = string })
}

variable "daily_retention_days" {
  description = "How long daily backups are kept."
  type        = number
  default     = 35

  validation {
    condition     = var.daily_retention_days >= 7
    error_message = "daily_retention_days: expected 7 at least."
  }
}

variable "weekly_retention_days" {
  description = "How long weekly backups are kept; 0 makes none."
  type        = number
  default     = 365

  validation {
    condition     = var.weekly_retention_days == 0 || var.weekly_retention_days >= 28
    error_message = "weekly_retention_days: expected 0, or 28 at least."
  }
}

variable "copy_retention_days" {
  description = "How long the copies in the other region are kept; 0 makes none."
  type        = number
  default     = 35

  validation {
    condition     = var.copy_retention_days == 0 || var.copy_retention_days >= 7
    error_message = "copy_retention_days: expected 0, or 7 at least."
  }
}

variable "lock_min_days" {
  description = "The vaults' lock: nothing in them can be deleted sooner, by nobody who has not the permission to lift the lock. 0 locks nothing."
  type        = number
  default     = 7

  validation {
    condition     = var.lock_min_days == 0 || (var.lock_min_days <= var.daily_retention_days && (var.copy_retention_days == 0 || var.lock_min_days <= var.copy_retention_days))
    error_message = "lock_min_days: a vault takes no backup that is to go sooner than its lock allows."
  }
}

variable "restore_test_enabled" {
  description = "Whether a backup of the database is restored every week, to see that it can be; the copy is removed afterwards."
  type        = bool
  default     = true
}

variable "restore_test_subnet_group" {
  description = "Subnet group that the database is restored into."
  type        = string
  default     = null

  validation {
    condition     = !var.restore_test_enabled || var.restore_test_subnet_group != null
    error_message = "restore_test_subnet_group: a restored database has to stand somewhere private."
  }
}

variable "force_destroy" {
  description = "Whether the vaults may be deleted with what is in them."
  type        = bool
  default     = false
}

variable "topic_arn" {
  description = "Where failures are told."
  type        = string
}

variable "database_arns" {
  description = "Databases that it is an alarm for if a day passes without their backup, by a short name."
  type        = map(string)
  default     = {}
}
