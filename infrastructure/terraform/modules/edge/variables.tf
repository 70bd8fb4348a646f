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
  description = "Region of the load balancer."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the target groups."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets of the load balancer, in two zones at least."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids: a load balancer wants subnets in two zones."
  }
}

variable "security_group_id" {
  description = "Group of the load balancer."
  type        = string
}

variable "domain" {
  description = "Domain of the environment. Twilio and programs reach voice.DOMAIN, people console.DOMAIN."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain: expected a name such as seiketsu.example.com, without scheme or path."
  }
}

variable "zone_id" {
  description = "Route 53 zone that holds the domain."
  type        = string
}

variable "longest_call_seconds" {
  description = "Length of the longest call. A target that is taken out keeps its connections for as long."
  type        = number
  default     = 3600

  validation {
    condition     = var.longest_call_seconds >= 300 && var.longest_call_seconds <= 3600
    error_message = "longest_call_seconds: expected 300 to 3600; a load balancer keeps connections of a target that goes for an hour at most."
  }
}

variable "idle_timeout_seconds" {
  description = "When a silent connection is closed. Media sockets carry fifty messages a second, other sockets are pinged every ten seconds; this is for answers that take long."
  type        = number
  default     = 300

  validation {
    condition     = var.idle_timeout_seconds >= 60 && var.idle_timeout_seconds <= 4000
    error_message = "idle_timeout_seconds: expected 60 to 4000; below a minute, sockets that wait for a ping would be cut."
  }
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted and the buckets refuse to be emptied."
  type        = bool
  default     = true
}

variable "requests_per_minute" {
  description = "Requests that one address may make in sixty seconds."
  type        = number
  default     = 2000
}

variable "blocked_countries" {
  description = "Countries whose requests are refused, as ISO 3166 alpha-2 codes."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for code in var.blocked_countries : can(regex("^[A-Z]{2}$", code))])
    error_message = "blocked_countries: expected ISO 3166 alpha-2 codes such as \"KP\"."
  }
}

variable "cloudfront_origin_cidrs" {
  description = "CloudFront's addresses towards origins; null looks them up (the managed prefix list of the region)."
  type        = list(string)
  default     = null
}

variable "shield_advanced_enabled" {
  description = "Shield Advanced on load balancer and distribution. It costs 3,000 dollars a month, for a year at least, and the account has to subscribe first."
  type        = bool
  default     = false
}

variable "price_class" {
  description = "Where CloudFront keeps the console: PriceClass_100 is North America and Europe."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "price_class: expected PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "logs_kms_key_arn" {
  description = "Key that seals the firewall's log in the region."
  type        = string
}

variable "us_east_1_logs_kms_key_arn" {
  description = "The same in us-east-1, for the distribution's firewall; null leaves it to CloudWatch's own key."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "How long access logs and refused requests are kept."
  type        = number
  default     = 365
}
