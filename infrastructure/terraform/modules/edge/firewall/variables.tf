variable "name" {
  description = "Name of the ACL."
  type        = string
}

variable "scope" {
  description = "REGIONAL for a load balancer, CLOUDFRONT (in us-east-1) for a distribution."
  type        = string

  validation {
    condition     = contains(["REGIONAL", "CLOUDFRONT"], var.scope)
    error_message = "scope: expected REGIONAL or CLOUDFRONT."
  }
}

variable "requests_per_minute" {
  description = "Requests that one address may make in sixty seconds."
  type        = number

  validation {
    condition     = var.requests_per_minute >= 10
    error_message = "requests_per_minute: WAF counts from 10 up."
  }
}

variable "webhook_path_prefix" {
  description = "Paths that prove themselves by a signature and come from few addresses, so that neither the rate, countries nor managed rules are for them; null for none."
  type        = string
  default     = null
}

variable "cdn_cidrs" {
  description = "Addresses of CloudFront before a load balancer. Behind each are many people, whom the distribution's own ACL counts one by one."
  type        = list(string)
  default     = []
}

variable "cdn_requests_per_minute" {
  description = "Requests that one of CloudFront's addresses may make in sixty seconds. Not unlimited: anybody can put a distribution of their own before us."
  type        = number
  default     = 40000
}

variable "max_body_bytes" {
  description = "Largest announced body that is let through. The API itself takes 64 KiB."
  type        = number
  default     = 65536

  validation {
    condition     = var.max_body_bytes == 65536
    error_message = "max_body_bytes: the rule is an expression over Content-Length, written for 65536; change both together."
  }
}

variable "blocked_countries" {
  description = "Countries whose requests are refused, as ISO 3166 alpha-2 codes; webhooks are let through from anywhere."
  type        = list(string)
  default     = []
}

variable "logs_kms_key_arn" {
  description = "Key that seals the log of refused requests; null leaves it to CloudWatch's own."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "How long refused requests are kept."
  type        = number
}
