variable "account_id" {
  description = "The AWS account. Terraform refuses to touch another one."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: expected twelve digits."
  }
}

variable "region" {
  description = "Region of the state and of the artifacts."
  type        = string
  default     = "us-east-1"
}

variable "repository" {
  description = "The repository on GitHub whose workflows deploy, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "repository: expected owner/name."
  }
}

variable "environments" {
  description = "Environments on GitHub that may deploy. What protects an environment there (reviewers, branches) protects its role here."
  type        = set(string)
  default     = ["staging", "production"]

  validation {
    condition     = length(var.environments) > 0 && length(setsubtract(var.environments, ["staging", "production"])) == 0
    error_message = "environments: expected staging, production, or both."
  }
}

variable "oidc_provider_arn" {
  description = "GitHub's identity provider, if the account has it already; null makes it. An account has one."
  type        = string
  default     = null
}

variable "production_audit_stands" {
  description = "Whether production has been applied once. Making the audit bucket takes the permission that would also change its lock; afterwards the role that deploys may lose it."
  type        = bool
  default     = false
}
