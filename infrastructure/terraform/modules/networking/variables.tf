variable "name" {
  description = "Prefix of every name, for example seiketsu-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,30}$", var.name))
    error_message = "name: expected 3 to 31 characters, lower-case letters, digits and hyphens, beginning with a letter."
  }
}

variable "region" {
  description = "Region of the VPC; names the endpoints' services."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: expected something like us-east-1."
  }
}

variable "account_id" {
  description = "The account; endpoints let only its principals through."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id: expected twelve digits."
  }
}

variable "cidr" {
  description = "Address block of the VPC. A /16 leaves each app subnet 4,091 addresses, more than forty tasks, their successors in a deployment and the endpoints need."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]), 0) <= 18 && try(tonumber(split("/", var.cidr)[1]), 0) >= 16
    error_message = "cidr: expected an IPv4 block from /16 to /18, for example 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "Two to four zones, one subnet of each tier in each. Two is the least that load balancers and subnet groups accept."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones: expected two to four different zones."
  }
}

variable "nat_gateway_per_zone" {
  description = "One NAT gateway in each zone, so that losing a zone takes no other zone's way to the vendors; else one for all."
  type        = bool
  default     = true
}

variable "interface_endpoints" {
  description = "Services that tasks reach without leaving the VPC, and what may be asked of them through it. Each costs by the hour and zone; what is not here goes through NAT."
  type        = map(list(string))
  nullable    = false
  default = {
    "ecr.api"        = ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    "ecr.dkr"        = ["ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    "logs"           = ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    "secretsmanager" = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    "sts"            = ["sts:AssumeRole", "sts:GetCallerIdentity"]
  }

  validation {
    condition     = alltrue([for actions in values(var.interface_endpoints) : length(actions) > 0 && !anytrue([for action in actions : strcontains(action, "*")])])
    error_message = "interface_endpoints: expected for each service the actions by name, without `*`."
  }
}

variable "flow_log_retention_days" {
  description = "How long flow logs are kept."
  type        = number
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "flow_log_retention_days: CloudWatch Logs keeps 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "logs_kms_key_arn" {
  description = "Key that seals the flow logs."
  type        = string
}
