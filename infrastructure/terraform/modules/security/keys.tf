locals {
  # Without it nobody but the key's users could ever change the key, not even to repair this policy. It grants nothing by
  # itself: IAM decides.
  account_statement = {
    Sid       = "Account"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }

  keys = {
    data = {
      description = "database, cache, recordings, images"
      statements  = []
    }
    logs = {
      description = "log groups, and what is said to the alert channels"
      statements = [
        {
          Sid       = "LogGroups"
          Effect    = "Allow"
          Principal = { Service = "logs.${var.region}.amazonaws.com" }
          Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
          Resource  = "*"
          Condition = {
            ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${var.account_id}:log-group:*" }
          }
        },
        {
          # Alarms, budgets and databases speak to sealed topics.
          Sid    = "AlertChannels"
          Effect = "Allow"
          Principal = {
            Service = [
              "cloudwatch.amazonaws.com", "budgets.amazonaws.com", "costalerts.amazonaws.com", "events.rds.amazonaws.com",
            ]
          }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = "*"
          Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
        },
        {
          # EventBridge does not say for whom it speaks to a sealed topic; SNS says which topic it is for.
          Sid       = "Events"
          Effect    = "Allow"
          Principal = { Service = "events.amazonaws.com" }
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = "*"
          Condition = {
            ArnLike = { "kms:EncryptionContext:aws:sns:topicArn" = "arn:aws:sns:${var.region}:${var.account_id}:${var.name}-*" }
          }
        },
      ]
    }
    secrets = {
      description = "secrets of the application"
      statements  = []
    }
  }
}

resource "aws_kms_key" "this" {
  for_each = local.keys

  description             = "${var.name}: ${each.value.description}"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_window_days

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat([local.account_statement], each.value.statements)
  })

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_kms_alias" "this" {
  for_each = local.keys

  name          = "alias/${var.name}-${each.key}"
  target_key_id = aws_kms_key.this[each.key].key_id
}
