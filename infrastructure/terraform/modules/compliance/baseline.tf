locals {
  baseline = var.account_baseline_enabled ? 1 : 0
}

resource "aws_guardduty_detector" "this" {
  count = local.baseline

  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_guardduty_detector_feature" "this" {
  for_each = var.account_baseline_enabled ? toset(["S3_DATA_EVENTS", "RDS_LOGIN_EVENTS", "LAMBDA_NETWORK_LOGS"]) : toset([])

  detector_id = aws_guardduty_detector.this[0].id
  name        = each.key
  status      = "ENABLED"
}

# What goes on inside of tasks. GuardDuty puts its agent beside each and makes the endpoint that it reports to.
resource "aws_guardduty_detector_feature" "runtime" {
  count = local.baseline

  detector_id = aws_guardduty_detector.this[0].id
  name        = "RUNTIME_MONITORING"
  status      = "ENABLED"

  # GuardDuty answers with all three, in this order; one that is left out would be a change in every plan.
  additional_configuration {
    name   = "EKS_ADDON_MANAGEMENT"
    status = "DISABLED"
  }

  additional_configuration {
    name   = "ECS_FARGATE_AGENT_MANAGEMENT"
    status = "ENABLED"
  }

  additional_configuration {
    name   = "EC2_AGENT_MANAGEMENT"
    status = "DISABLED"
  }
}

resource "aws_securityhub_account" "this" {
  count = local.baseline

  # Which standards are followed is said below.
  enable_default_standards = false
  auto_enable_controls     = true
}

resource "aws_securityhub_standards_subscription" "this" {
  for_each = var.account_baseline_enabled ? {
    best-practices = "arn:aws:securityhub:${var.region}::standards/aws-foundational-security-best-practices/v/1.0.0"
    cis            = "arn:aws:securityhub:${var.region}::standards/cis-aws-foundations-benchmark/v/3.0.0"
  } : {}

  standards_arn = each.value

  depends_on = [aws_securityhub_account.this]
}

resource "aws_inspector2_enabler" "this" {
  count = local.baseline

  account_ids    = [var.account_id]
  resource_types = ["ECR", "LAMBDA"]
}

resource "aws_accessanalyzer_analyzer" "this" {
  count = local.baseline

  analyzer_name = var.name
  type          = "ACCOUNT"
}

resource "aws_iam_account_password_policy" "this" {
  count = local.baseline

  minimum_password_length        = 16
  require_lowercase_characters   = true
  require_uppercase_characters   = true
  require_numbers                = true
  require_symbols                = true
  password_reuse_prevention      = 24
  max_password_age               = 90
  allow_users_to_change_password = true
}

resource "aws_s3_account_public_access_block" "this" {
  count = local.baseline

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_ebs_encryption_by_default" "this" {
  count = local.baseline

  enabled = true
}
