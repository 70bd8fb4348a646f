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

variable "environment" {
  description = "staging or production: a dimension of the platform's metrics."
  type        = string
}

variable "region" {
  description = "Region of the metrics."
  type        = string
}

variable "logs_kms_key_arn" {
  description = "Key that seals logs, topics and the dead-letter queue."
  type        = string
}

variable "log_retention_days" {
  description = "How long the platform's logs are kept."
  type        = number
  default     = 365
}

variable "alert_emails" {
  description = "Addresses that get every alert; each confirms once."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", address))])
    error_message = "alert_emails: expected e-mail addresses."
  }
}

variable "slack" {
  description = "Slack's workspace and channel. The workspace has to be authorised once in the console of Amazon Q Developer in chat applications."
  type        = object({ team_id = string, channel_id = string })
  default     = null
}

variable "pagerduty_url" {
  description = "PagerDuty's integration for CloudWatch, for what has to wake somebody. The address holds a key and is in the state, as any subscription's is."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.pagerduty_url == null || can(regex("^https://events\\.(eu\\.)?pagerduty\\.com/", var.pagerduty_url))
    error_message = "pagerduty_url: expected https://events.pagerduty.com/… or https://events.eu.pagerduty.com/…"
  }
}

variable "objectives" {
  description = "Objectives as objectives/objectives.json has them: ratios of good or bad events to all, from which burn-rate alarms are made, or thresholds. Dimensions that begin with $ are filled in."
  type = list(object({
    name                   = string
    title                  = string
    target                 = optional(number)
    minimum_events         = optional(number, 20)
    takes_deployments_back = optional(bool, false)
    indicator = optional(object({
      good  = optional(object({ namespace = string, metric = string, dimensions = map(string) }))
      bad   = optional(object({ namespace = string, metric = string, dimensions = map(string) }))
      total = object({ namespace = string, metric = string, dimensions = map(string) })
    }))
    threshold = optional(object({
      namespace  = string
      metric     = string
      dimensions = map(string)
      statistic  = string
      above      = number
      minutes    = number
    }))
  }))

  validation {
    condition     = alltrue([for objective in var.objectives : (objective.indicator == null) != (objective.threshold == null)])
    error_message = "objectives: each has an indicator or a threshold, not both."
  }

  validation {
    condition     = alltrue([for objective in var.objectives : objective.indicator == null || try((objective.indicator.good == null) != (objective.indicator.bad == null) && objective.target > 0 && objective.target < 1, false)])
    error_message = "objectives: an indicator counts good or bad events, not both, towards a target between 0 and 1."
  }

  validation {
    condition     = anytrue([for objective in var.objectives : objective.takes_deployments_back && objective.indicator != null])
    error_message = "objectives: at least one ratio has to be able to take a deployment back."
  }
}

variable "cluster_name" {
  description = "ECS cluster."
  type        = string
}

variable "gateway_service_name" {
  description = "ECS service of the gateway."
  type        = string
}

variable "min_tasks" {
  description = "Gateway tasks that should always run."
  type        = number
}

variable "max_calls_per_task" {
  description = "Calls that a task holds at most."
  type        = number
}

variable "load_balancer_arn_suffix" {
  description = "Dimension of the load balancer's metrics."
  type        = string
}

variable "target_group_arn_suffixes" {
  description = "Dimensions of both target groups' metrics."
  type        = object({ blue = string, green = string })
}

variable "database_identifier" {
  description = "Dimension of the database's metrics."
  type        = string
}

variable "cache_members" {
  description = "Dimensions of the cache's metrics."
  type        = list(string)
}

variable "forwarder_package" {
  description = "The forwarder to 21dev.ai as the release put it into the artifacts bucket: a zip with `bootstrap`, built for arm64. null until there is one."
  type = object({
    bucket     = string
    key        = string
    version_id = optional(string)
    sha256     = optional(string)
  })
  default = null
}

variable "forwarder_endpoint" {
  description = "MONITORING_ENDPOINT: where the forwarder sends to."
  type        = string
  default     = "https://api.21dev.ai/metrics"

  validation {
    condition     = startswith(var.forwarder_endpoint, "https://")
    error_message = "forwarder_endpoint: expected https://; the key travels with each request."
  }
}

variable "forwarder_reserved_concurrency" {
  description = "How many forwarders may run at once: -1 reserves nothing, 1 is enough. A new account has ten executions, and ten have to stay unreserved, so that 1 fails there until its quota is raised."
  type        = number
  default     = -1

  validation {
    condition     = var.forwarder_reserved_concurrency == -1 || var.forwarder_reserved_concurrency >= 1
    error_message = "forwarder_reserved_concurrency: expected -1, or 1 at least; with 0 it never runs."
  }
}

variable "forwarder_secret_arn" {
  description = "Secret MONITORING_API_KEY."
  type        = string
}

variable "secrets_kms_key_arn" {
  description = "Key that seals that secret."
  type        = string
}
