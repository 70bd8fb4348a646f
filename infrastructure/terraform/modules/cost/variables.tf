variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,40}$", var.name))
    error_message = "name: expected 3 to 41 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "monthly_budget_usd" {
  description = "What a month may cost. It is told at 80 % and at 100 % of it, and when the forecast passes it."
  type        = number

  validation {
    condition     = var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd: expected more than nothing."
  }
}

variable "service_budgets_usd" {
  description = "Budgets of single services, by the name that Cost Explorer has for them."
  type        = map(number)
  default     = {}
}

variable "environment" {
  description = "Value of the tag Environment that the costs are filtered by."
  type        = string
}

variable "topic_arn" {
  description = "Where it is told."
  type        = string
}

variable "anomaly_threshold_usd" {
  description = "An anomaly is told from this much unexpected cost on."
  type        = number
  default     = 50

  validation {
    condition     = var.anomaly_threshold_usd >= 1
    error_message = "anomaly_threshold_usd: expected at least 1."
  }
}

variable "account_monitor_enabled" {
  description = "Whether this environment watches all services of the account for anomalies. An account has one such monitor."
  type        = bool
  default     = true
}

variable "anomaly_monitor_arn" {
  description = "The monitor of all services that the account has already, as accounts made since 2023 do (Default-Services-Monitor); null makes one."
  type        = string
  default     = null

  validation {
    condition     = var.anomaly_monitor_arn == null || can(regex("^arn:aws:ce::[0-9]{12}:anomalymonitor/", var.anomaly_monitor_arn))
    error_message = "anomaly_monitor_arn: expected arn:aws:ce::123456789012:anomalymonitor/…, as `aws ce get-anomaly-monitors` shows it."
  }
}

variable "cost_allocation_tags" {
  description = "Tags that bills are to be broken down by. Only the paying account can switch them on, and only once something has carried them for a day."
  type        = set(string)
  default     = []
}
