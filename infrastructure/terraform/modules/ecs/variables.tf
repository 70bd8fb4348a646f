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

  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment: expected staging or production."
  }
}

variable "region" {
  description = "Region of the cluster."
  type        = string
}

variable "vpc_id" {
  description = "VPC that the names of Cloud Map are resolved in."
  type        = string
}

variable "subnet_ids" {
  description = "App subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "Groups of the gateway's and of the worker's tasks."
  type        = object({ gateway = string, worker = string })
}

variable "image_digest" {
  description = "The image to run, by its digest: what was tested is what runs. At the first apply there is none yet: the gateway's tasks come up by themselves once it is pushed, the worker's with the first release."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest: expected sha256: and 64 hexadecimal digits, as `docker buildx imagetools inspect` shows them; tags can be moved."
  }
}

variable "architecture" {
  description = "X86_64 or ARM64. ARM64 costs a fifth less; the image has to have been built for it."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "architecture: expected X86_64 or ARM64."
  }
}

variable "gateway_size" {
  description = "CPU units (1024 are one vCPU) and MiB of a gateway task."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 1024, memory = 2048 }

  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.gateway_size.cpu), []), var.gateway_size.memory)
    error_message = "gateway_size: Fargate has 256 CPU units with 512, 1024 or 2048 MiB, and 512, 1024, 2048 or 4096 with two to eight (at 4096: 7.5) MiB for each, in whole GiB."
  }
}

variable "worker_size" {
  description = "CPU units and MiB of a worker task."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 512, memory = 1024 }

  validation {
    condition     = contains(lookup(local.fargate_memory, tostring(var.worker_size.cpu), []), var.worker_size.memory)
    error_message = "worker_size: Fargate has 256 CPU units with 512, 1024 or 2048 MiB, and 512, 1024, 2048 or 4096 with two to eight (at 4096: 7.5) MiB for each, in whole GiB."
  }
}

variable "min_tasks" {
  description = "Gateway tasks that always run."
  type        = number
  default     = 2

  validation {
    condition     = var.min_tasks >= 1 && var.min_tasks <= var.max_tasks
    error_message = "min_tasks: expected at least 1, and no more than max_tasks."
  }
}

variable "max_tasks" {
  description = "Gateway tasks at most."
  type        = number
  default     = 40

  validation {
    condition     = var.max_tasks >= 1 && var.max_tasks <= 40
    error_message = "max_tasks: expected 1 to 40. Beyond that the database's connections and the vendors' limits have to grow first."
  }
}

variable "calls_per_task" {
  description = "Live calls per task that scaling aims at. Below MAX_CALLS, since new tasks take a minute to come."
  type        = number
  default     = 100

  validation {
    condition     = var.calls_per_task >= 1 && var.calls_per_task <= var.max_calls_per_task * 0.8
    error_message = "calls_per_task: expected at most four fifths of max_calls_per_task, so that calls find a place while tasks are added."
  }
}

variable "max_calls_per_task" {
  description = "MAX_CALLS: calls that a task holds at once; it refuses more."
  type        = number
  default     = 200

  validation {
    condition     = var.max_calls_per_task >= 1
    error_message = "max_calls_per_task: expected at least 1."
  }
}

variable "cpu_target_percent" {
  description = "CPU that scaling aims at, whatever the calls say."
  type        = number
  default     = 60

  validation {
    condition     = var.cpu_target_percent >= 20 && var.cpu_target_percent <= 80
    error_message = "cpu_target_percent: expected 20 to 80; beyond that speech begins to stutter before a task is added."
  }
}

variable "schedules" {
  description = "Bounds by the clock: more tasks before the day begins, fewer when it is over. Tasks that hold calls protect themselves and go last."
  type = map(object({
    cron     = string
    timezone = optional(string, "America/New_York")
    min      = number
    max      = number
  }))
  default = {}

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : can(regex("^cron\\(([^ ]+ ){5}[^ ]+\\)$", schedule.cron))])
    error_message = "schedules: expected cron(minute hour day month weekday year), six fields."
  }

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : schedule.min >= 1 && schedule.min <= schedule.max && schedule.max <= var.max_tasks])
    error_message = "schedules: expected 1 <= min <= max <= max_tasks: the clock is not to go beyond what the database has connections for."
  }
}

variable "worker_count" {
  description = "Worker tasks. With 0, servers do what is due beside their calls."
  type        = number
  default     = 1

  validation {
    condition     = var.worker_count >= 0 && var.worker_count <= 10 && floor(var.worker_count) == var.worker_count
    error_message = "worker_count: expected 0 to 10."
  }
}

variable "worker_on_spot" {
  description = "Whether workers run on spare capacity, which may go with two minutes' notice. Workers hold no calls, and their jobs are claimed anew."
  type        = bool
  default     = true
}

variable "longest_call_seconds" {
  description = "Length of the longest call; the old colour lives on for as long after a deployment."
  type        = number
  default     = 3600
}

variable "canary" {
  description = "Share of requests that the next version gets first, and for how long it is watched before it gets all."
  type        = object({ percent = number, bake_minutes = number })
  default     = { percent = 10, bake_minutes = 15 }

  validation {
    condition     = var.canary.percent >= 1 && var.canary.percent <= 99 && var.canary.bake_minutes >= 1 && var.canary.bake_minutes <= 2880
    error_message = "canary: expected 1 to 99 percent, and 1 to 2880 minutes."
  }
}

variable "blue_green" {
  description = "Target groups and listeners that CodeDeploy switches."
  type = object({
    target_group_names      = object({ blue = string, green = string })
    target_group_arns       = object({ blue = string, green = string })
    production_listener_arn = string
    test_listener_arn       = string
  })
}

variable "rollback_alarm_names" {
  description = "Alarms that take a deployment back."
  type        = list(string)

  validation {
    condition     = length(var.rollback_alarm_names) > 0
    error_message = "rollback_alarm_names: a deployment that no alarm takes back is not watched."
  }
}

variable "deployment_hook_arns" {
  description = "Lambda functions that the deployment's description may name as hooks, for example a call through the test listener."
  type        = list(string)
  default     = []
}

variable "alarm_topic_arn" {
  description = "Where failed and reversed deployments are told."
  type        = string
}

variable "topic_kms_key_arn" {
  description = "Key that seals that topic: CodeDeploy has to use it to say anything."
  type        = string
}

variable "public_url" {
  description = "PUBLIC_URL: where Twilio and programs reach the platform."
  type        = string

  validation {
    condition     = startswith(var.public_url, "https://")
    error_message = "public_url: expected https://; the platform refuses anything else."
  }
}

variable "database" {
  description = "Where the database is, and the administrator of it, as whom migrations run."
  type = object({
    address           = string
    primary_address   = string
    admin_username    = string
    admin_secret_arn  = string
    database          = optional(string, "seiketsu")
    service_username  = optional(string, "seiketsu_service")
    ca_file_in_image  = optional(string, "/etc/ssl/certs/rds-global-bundle.pem")
    password_variable = optional(string, "DATABASE_PASSWORD")
  })
}

variable "redis_url" {
  description = "REDIS_URL of tasks."
  type        = string
}

variable "cache_connect_arns" {
  description = "What tasks may `elasticache:Connect` to."
  type        = list(string)
}

variable "secret_arns" {
  description = "Secrets by the name of their variable."
  type        = map(string)
}

variable "gateway_secrets" {
  description = "Variables that gateway tasks get from secrets. A task does not start while one of them is empty, so optional ones are named here only once they are written."
  type        = set(string)
  default     = ["ELEVENLABS_API_KEY", "OPENAI_API_KEY", "DEEPGRAM_API_KEY", "TWILIO_AUTH_TOKEN", "JWT_SECRET", "RECORDING_MASTER_KEY"]

  validation {
    condition     = length(setsubtract(var.gateway_secrets, keys(var.secret_arns))) == 0
    error_message = "gateway_secrets: names a secret that secret_arns does not have."
  }
}

variable "worker_secrets" {
  description = "Variables that worker tasks get from secrets."
  type        = set(string)
  default     = ["RECORDING_MASTER_KEY"]

  validation {
    condition     = length(setsubtract(var.worker_secrets, keys(var.secret_arns))) == 0
    error_message = "worker_secrets: names a secret that secret_arns does not have."
  }
}

variable "variables" {
  description = "Further variables of all tasks, such as TWILIO_ACCOUNT_SID, MAIL_FROM or LOG. Nothing secret: whoever reads the task definition reads them."
  type        = map(string)
  default     = {}

  validation {
    condition     = !anytrue([for name in keys(var.variables) : can(regex("(KEY|TOKEN|SECRET|PASSWORD)$", name))])
    error_message = "variables: a name that ends in KEY, TOKEN, SECRET or PASSWORD belongs to the secrets."
  }
}

variable "kms_key_arns" {
  description = "Keys that seal data (recordings, images) and secrets."
  type        = object({ data = string, secrets = string })
}

variable "log_group_names" {
  description = "Log groups of gateway, worker, migrate and collector."
  type        = object({ gateway = string, worker = string, migrate = string, collector = string })
}

variable "container_insights" {
  description = "disabled, enabled, or enhanced (per task and container, at a price)."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["disabled", "enabled", "enhanced"], var.container_insights)
    error_message = "container_insights: expected disabled, enabled or enhanced."
  }
}

variable "collector_enabled" {
  description = "The collector beside each task, which reads its metrics and hands them to CloudWatch. Without it nothing scales by calls, and the objectives on speech have no figures."
  type        = bool
  default     = true
}

variable "collector_image" {
  description = "AWS Distro for OpenTelemetry."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.1"

  validation {
    condition     = can(regex("(:v?[0-9]+\\.[0-9]+\\.[0-9]+|@sha256:[0-9a-f]{64})$", var.collector_image))
    error_message = "collector_image: expected a version or a digest, not a tag that moves."
  }
}

variable "traces_enabled" {
  description = "Whether the collector takes OTLP on loopback and hands it to X-Ray. The platform sends no traces yet."
  type        = bool
  default     = false
}

variable "health_check_command" {
  description = "What ECS runs in a container to see whether it lives. The image has to have it."
  type        = list(string)
  default     = ["CMD", "seiketsu", "health"]
}

variable "agent_repository_arns" {
  description = "Repositories of agents that AWS puts beside tasks, such as GuardDuty's; what starts a task has to be allowed to pull them."
  type        = list(string)
  default     = []
}

variable "rebuild_hook" {
  description = "Where to ask for a new image every week, so that the packages beneath ours are never older: an EventBridge connection (made by hand, it holds a token) and the address of a repository's dispatches. null asks nobody."
  type = object({
    connection_arn = string
    url            = string
    schedule       = optional(string, "cron(0 6 ? * MON *)")
    event_type     = optional(string, "rebuild-base-image")
  })
  default = null
}

variable "guardduty_enabled" {
  description = "Whether GuardDuty may put its agent beside tasks, if the account has it. It then makes an endpoint and a security group in the VPC, which no destroy takes away: see the README."
  type        = bool
  default     = true
}

variable "recordings_force_destroy" {
  description = "Whether the recordings' bucket, and the repository of images, may be deleted with what is in them."
  type        = bool
  default     = false
}

variable "backup_tags" {
  description = "Tags that select what is backed up."
  type        = map(string)
  default     = {}
}
