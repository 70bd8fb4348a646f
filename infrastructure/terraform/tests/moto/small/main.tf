# A root of a dozen resources with the interface that the deploy script expects of the real one, so that its way from nothing to
# outputs and back is gone in a few minutes. One thing waits for the other, so that an interrupt finds something still to be done.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }

  backend "s3" {
    encrypt                     = true
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_requesting_account_id  = true
  }
}

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  max_retries                 = 2
}

variable "environment" {
  type = string
}

variable "account_id" {
  type = string
}

variable "domain" {
  type = string
}

variable "secrets_written_here" {
  type    = set(string)
  default = []
}

variable "secret_values" {
  type      = map(string)
  ephemeral = true
  sensitive = true
  default   = {}
}

variable "topics" {
  type    = number
  default = 1
}

locals {
  name = "seiketsu-${var.environment}"
}

resource "aws_kms_key" "data" {
  description             = local.name
  enable_key_rotation     = true
  deletion_window_in_days = 7
}

resource "aws_kms_alias" "data" {
  name          = "alias/${local.name}-data"
  target_key_id = aws_kms_key.data.key_id
}

resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets_written_here

  name                    = "${local.name}/${each.key}"
  kms_key_id              = aws_kms_alias.data.target_key_arn
  recovery_window_in_days = 7
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = var.secrets_written_here

  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = var.secret_values[each.key]
  secret_string_wo_version = 1
}

resource "aws_sns_topic" "this" {
  count = var.topics

  name              = "${local.name}-${count.index}"
  kms_master_key_id = aws_kms_alias.data.target_key_arn
}

resource "aws_sqs_queue" "this" {
  name              = local.name
  kms_master_key_id = aws_sns_topic.this[0].kms_master_key_id
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${local.name}"
  retention_in_days = aws_sqs_queue.this.delay_seconds == 0 ? 30 : 90
}

output "public_url" {
  value = "https://voice.${var.domain}"
}

output "topic_arns" {
  value = aws_sns_topic.this[*].arn
}

output "key" {
  value     = aws_kms_key.data.arn
  sensitive = true
}
