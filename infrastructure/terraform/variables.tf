# Where

variable "environment" {
  description = "staging or production."
  type        = string

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment: expected staging or production."
  }
}

variable "account_id" {
  description = "The AWS account. Terraform refuses to touch another one."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: expected twelve digits; `aws sts get-caller-identity` shows them."
  }
}

variable "region" {
  description = "Region of the platform."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: expected something like us-east-1."
  }
}

variable "availability_zones" {
  description = "Zones of the region: three in production, two in staging."
  type        = list(string)

  validation {
    condition     = alltrue([for zone in var.availability_zones : startswith(zone, var.region)])
    error_message = "availability_zones: expected zones of the region, such as us-east-1a."
  }
}

variable "replica_region" {
  description = "Region that backups are copied to."
  type        = string
  default     = "us-west-2"

  validation {
    condition     = var.replica_region != var.region
    error_message = "replica_region: a copy in the same region goes with it."
  }
}

variable "domain" {
  description = "Domain of the environment: Twilio and programs reach voice.DOMAIN, people console.DOMAIN."
  type        = string
}

variable "zone_id" {
  description = "Route 53 zone that holds the domain."
  type        = string
}

variable "owner" {
  description = "Who answers for all of this: the tag Owner."
  type        = string
  default     = "platform"
}

# What runs

variable "image_digest" {
  description = "Image of the platform, sha256:…"
  type        = string
}

variable "forwarder_reserved_concurrency" {
  description = "Executions of Lambda that are kept for the forwarder; -1 for none, as a new account demands."
  type        = number
  default     = -1
}

variable "forwarder_package" {
  description = "The forwarder to 21dev.ai in the artifacts bucket; null until it is built."
  type        = object({ bucket = string, key = string, version_id = optional(string), sha256 = optional(string) })
  default     = null
}

variable "variables" {
  description = "Further variables of tasks, nothing secret: TWILIO_ACCOUNT_SID, MAIL_FROM, LOG …"
  type        = map(string)

  validation {
    condition     = can(regex("^AC[0-9a-f]{32}$", var.variables["TWILIO_ACCOUNT_SID"]))
    error_message = "variables: TWILIO_ACCOUNT_SID is missing, or is not AC and 32 hexadecimal digits; `seiketsu serve` does not start without it."
  }
}

variable "optional_secrets" {
  description = "Secrets that are not needed to serve, once they have been written: SMTP_URL, OPENAI_FALLBACK_API_KEY."
  type        = set(string)
  default     = []

  validation {
    condition     = length(setsubtract(var.optional_secrets, ["SMTP_URL", "OPENAI_FALLBACK_API_KEY"])) == 0
    error_message = "optional_secrets: expected SMTP_URL or OPENAI_FALLBACK_API_KEY."
  }
}

variable "secret_values" {
  description = "Values of secrets by their variable; those of the Quick Start, beside others of the contract. Ephemeral: neither plan nor state holds them."
  type        = map(string)
  default     = {}
  ephemeral   = true
  sensitive   = true
}

variable "secrets_written_here" {
  description = "Which secrets are in `secret_values`. The others are written by hand, or keep the value they have. The role that plans may read no secret, so that it cannot refresh what is written here: it plans with -refresh=false, or none is written here from the start ([])."
  type        = set(string)
  default     = []
}

variable "deployer_role_arns" {
  description = "Roles that Terraform is run with (bootstrap's `apply`); needed where secrets are written here, because the provider reads them back."
  type        = list(string)
  default     = []
}

variable "secret_values_version" {
  description = "Raise it to have changed values written."
  type        = number
  default     = 1
}

# Network

variable "vpc_cidr" {
  description = "Address block of the VPC."
  type        = string
}

variable "nat_gateway_per_zone" {
  description = "One NAT gateway in each zone; else one for all."
  type        = bool
}

variable "interface_endpoints_enabled" {
  description = "Endpoints of ECR, logs, Secrets Manager and STS within the VPC: 7.30 dollars a month each and zone. Without them the same traffic goes through NAT, with TLS all the same."
  type        = bool
  default     = true
}

variable "test_traffic_cidrs" {
  description = "Operators, and the build's own runners, who may reach the test listener."
  type        = list(string)
  default     = []
}

variable "blocked_countries" {
  description = "Countries whose requests are refused."
  type        = list(string)
  default     = []
}

variable "cloudfront_origin_cidrs" {
  description = "CloudFront's addresses towards origins; null looks them up."
  type        = list(string)
  default     = null
}

variable "shield_advanced_enabled" {
  description = "Shield Advanced, for 3,000 dollars a month."
  type        = bool
  default     = false
}

# Tasks

variable "architecture" {
  description = "X86_64 or ARM64."
  type        = string
  default     = "X86_64"
}

variable "gateway" {
  description = "Gateway tasks: size, bounds, calls that scaling aims at per task, and calls that a task takes at most."
  type = object({
    cpu            = number
    memory         = number
    min            = number
    max            = number
    calls_per_task = number
    max_calls      = number
  })
}

variable "schedules" {
  description = "Bounds by the clock."
  type        = map(object({ cron = string, timezone = optional(string, "America/New_York"), min = number, max = number }))
  default     = {}
}

variable "worker" {
  description = "Worker tasks: size, number, and whether on spare capacity."
  type        = object({ cpu = number, memory = number, count = number, spot = bool })
}

variable "longest_call_seconds" {
  description = "Length of the longest call."
  type        = number
  default     = 3600
}

variable "canary" {
  description = "Share of requests that a new version gets first, and for how long."
  type        = object({ percent = number, bake_minutes = number })
  default     = { percent = 10, bake_minutes = 15 }
}

variable "rebuild_hook" {
  description = "Where a fresh image is asked for every week."
  type        = object({ connection_arn = string, url = string })
  default     = null
}

variable "container_insights" {
  description = "disabled, enabled or enhanced."
  type        = string
  default     = "enabled"
}

# Data

variable "database" {
  description = "The shared database. With read replicas, `database_admin_password` and `deployer_role_arns` have to be given as well. The alarm on connections is a tenth above what a release takes, unless it is given: it knows nothing of what the instance has room for."
  type = object({
    instance_class              = string
    allocated_storage_gb        = number
    max_allocated_storage_gb    = number
    multi_az                    = bool
    backup_retention_days       = number
    read_replica_count          = optional(number, 0)
    admin_password_version      = optional(number, 1)
    proxy_enabled               = optional(bool, false)
    monitoring_interval_seconds = number
    connections_alarm_at        = optional(number)
  })

  validation {
    condition     = var.database.read_replica_count == 0 || (var.database_admin_password != "" && length(var.deployer_role_arns) > 0)
    error_message = "database: read replicas need `database_admin_password` and `deployer_role_arns`; RDS makes no replica of an instance whose password it keeps."
  }
  validation {
    condition     = var.database.connections_alarm_at == null ? true : var.database.connections_alarm_at > local.release_connections
    error_message = "database.connections_alarm_at: expected more than ${local.release_connections}. A release runs all tasks twice, and each holds 20 connections; none is to be an alarm."
  }
}

variable "cache" {
  description = "The cache."
  type = object({
    engine     = optional(string, "valkey")
    node_type  = string
    node_count = number
  })
}

variable "dedicated_tenants" {
  description = "Tenants with a database of their own, by their short name."
  type        = map(object({ instance_class = optional(string, "db.t4g.medium"), multi_az = optional(bool, true), connections_alarm_at = optional(number, 300) }))
  default     = {}
}

variable "database_admin_password" {
  description = "Password of the database's administrator, where there are read replicas; else RDS makes one and keeps it. Give it in the environment, as TF_VAR_database_admin_password. Ephemeral: neither plan nor state holds it; it is written when `database.admin_password_version` is raised."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
}

variable "deletion_protection" {
  description = "Whether what holds data refuses to be deleted."
  type        = bool
  default     = true
}

variable "backup" {
  description = "Backups: how long daily, weekly and copied ones are kept, how long they are locked, and whether restoring is tried."
  type = object({
    daily_retention_days  = number
    weekly_retention_days = number
    copy_retention_days   = number
    lock_min_days         = number
    restore_test          = bool
  })
}

# Watching

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
}

variable "alert_emails" {
  description = "Addresses that get alerts."
  type        = set(string)
  default     = []
}

variable "slack" {
  description = "Slack's workspace and channel."
  type        = object({ team_id = string, channel_id = string })
  default     = null
}

variable "pagerduty_url" {
  description = "PagerDuty's integration for CloudWatch."
  type        = string
  default     = null
  sensitive   = true
}

variable "account_baseline_enabled" {
  description = "Whether this environment has the account's GuardDuty, Security Hub, Config and the like. Exactly one environment of an account has."
  type        = bool
}

variable "guardduty_agent_registry" {
  description = "Account that GuardDuty's agent for tasks is pulled from; each region has its own (us-east-1: 593207742271). Every environment needs it: GuardDuty puts its agent beside all tasks of an account."
  type        = string
  default     = "593207742271"

  validation {
    condition     = can(regex("^[0-9]{12}$", var.guardduty_agent_registry))
    error_message = "guardduty_agent_registry: expected twelve digits."
  }

  validation {
    condition     = (var.guardduty_agent_registry == "593207742271") == (var.region == "us-east-1")
    error_message = "guardduty_agent_registry: 593207742271 is us-east-1's; look that of the region up in GuardDuty's guide (agent hosting repositories, Fargate)."
  }
}

variable "audit" {
  description = "How long audit logs are kept, and how they are locked: GOVERNANCE lets a special permission unlock them, COMPLIANCE nobody."
  type        = object({ retention_days = number, lock_mode = optional(string, "GOVERNANCE") })
}

variable "monthly_budget_usd" {
  description = "What a month may cost."
  type        = number
}

variable "anomaly_monitor_arn" {
  description = "Cost Explorer's monitor of all services, if the account has it already; null makes it. An account has one, and new accounts have it from the start."
  type        = string
  default     = null
}

variable "cost_allocation_tags" {
  description = "Tags that bills are broken down by; only in the account that pays."
  type        = set(string)
  default     = []
}
