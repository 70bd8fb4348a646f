variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "name: expected 3 to 41 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "kms_key_arn" {
  description = "Key that seals the secrets."
  type        = string
}

variable "secrets" {
  description = "Secrets by the name of the environment variable that carries them. With `username` the value is stored as JSON of username and password, the form that RDS Proxy reads."
  type = map(object({
    description = string
    username    = optional(string)
  }))

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Z][A-Z0-9_]+$", name))])
    error_message = "secrets: expected names of environment variables, such as OPENAI_API_KEY."
  }
}

variable "readers" {
  description = "Roles that may read each secret. Everybody else is refused, administrators included: a secret is written, and read by what needs it."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.readers), keys(var.secrets))) == 0
    error_message = "readers: names a secret that `secrets` does not have."
  }
}

variable "writers" {
  description = "Roles that Terraform is run with. The provider reads a version back after it has written it, so that these may read what is `written_here`, and nothing else. A role's own ARN, not that of a session."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.written_here) == 0 || length(var.writers) > 0
    error_message = "writers: name the role that Terraform runs with; without it, a secret that was written could not be read back, and no later plan would succeed."
  }
}

variable "written_here" {
  description = "Secrets whose value comes through `secret_values`. The others are created empty and written by hand (`aws secretsmanager put-secret-value`)."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.written_here, keys(var.secrets))) == 0
    error_message = "written_here: names a secret that `secrets` does not have."
  }
}

variable "secret_values" {
  description = "Values for `written_here`. Ephemeral and handed over by write-only arguments: neither plan nor state holds them."
  type        = map(string)
  default     = {}
  ephemeral   = true
  sensitive   = true
}

variable "values_version" {
  description = "Raise it to have changed values written: Terraform cannot see a value that it does not keep."
  type        = number
  default     = 1

  validation {
    condition     = var.values_version >= 1 && floor(var.values_version) == var.values_version
    error_message = "values_version: expected a whole number from 1."
  }
}

variable "recovery_window_days" {
  description = "How long a deleted secret can still be brought back; its name is taken as long. 0 deletes at once."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_window_days == 0 || (var.recovery_window_days >= 7 && var.recovery_window_days <= 30)
    error_message = "recovery_window_days: Secrets Manager accepts 0, or 7 to 30."
  }
}
