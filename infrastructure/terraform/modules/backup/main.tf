locals {
  copied = var.copy_retention_days > 0 ? 1 : 0

  assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })

  key_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })

  # Nobody deletes a backup or makes the vault reachable by hand; the plan's lifecycle does not go through this policy.
  vault_policy = {
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NobodyDeletes"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["backup:DeleteRecoveryPoint", "backup:UpdateRecoveryPointLifecycle"]
      Resource  = "*"
    }]
  }
}

resource "aws_kms_key" "vault" {
  description             = "${var.name}: backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = local.key_policy

  tags = { Name = "${var.name}-backup" }
}

resource "aws_backup_vault" "this" {
  name          = var.name
  kms_key_arn   = aws_kms_key.vault.arn
  force_destroy = var.force_destroy
}

resource "aws_backup_vault_policy" "this" {
  count = var.force_destroy ? 0 : 1

  backup_vault_name = aws_backup_vault.this.name
  policy            = jsonencode(local.vault_policy)
}

resource "aws_backup_vault_lock_configuration" "this" {
  count = var.lock_min_days > 0 ? 1 : 0

  backup_vault_name  = aws_backup_vault.this.name
  min_retention_days = var.lock_min_days
}

# Another region, with a key of its own: what takes the first away does not take the second.
resource "aws_kms_key" "copy" {
  count    = local.copied
  provider = aws.replica

  description             = "${var.name}: copies of backups"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = local.key_policy

  tags = { Name = "${var.name}-backup" }
}

resource "aws_backup_vault" "copy" {
  count    = local.copied
  provider = aws.replica

  name          = "${var.name}-copy"
  kms_key_arn   = aws_kms_key.copy[0].arn
  force_destroy = var.force_destroy
}

resource "aws_backup_vault_policy" "copy" {
  count    = var.force_destroy ? 0 : local.copied
  provider = aws.replica

  backup_vault_name = aws_backup_vault.copy[0].name
  policy            = jsonencode(local.vault_policy)
}

resource "aws_backup_vault_lock_configuration" "copy" {
  count    = var.lock_min_days > 0 ? local.copied : 0
  provider = aws.replica

  backup_vault_name  = aws_backup_vault.copy[0].name
  min_retention_days = var.lock_min_days
}

resource "aws_backup_plan" "this" {
  name = var.name

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this.name
    schedule          = "cron(0 5 * * ? *)"
    start_window      = 60
    completion_window = 480

    lifecycle {
      delete_after = var.daily_retention_days
    }

    dynamic "copy_action" {
      for_each = aws_backup_vault.copy

      content {
        destination_vault_arn = copy_action.value.arn

        lifecycle {
          delete_after = var.copy_retention_days
        }
      }
    }
  }

  dynamic "rule" {
    for_each = var.weekly_retention_days > 0 ? [1] : []

    content {
      rule_name         = "weekly"
      target_vault_name = aws_backup_vault.this.name
      schedule          = "cron(0 6 ? * SUN *)"
      start_window      = 60
      completion_window = 720

      lifecycle {
        delete_after = var.weekly_retention_days
      }
    }
  }
}

resource "aws_iam_role" "backup" {
  name_prefix        = "${substr(var.name, 0, 24)}-backup-"
  description        = "AWS Backup reads what is backed up and restores it"
  assume_role_policy = local.assume
}

resource "aws_iam_role_policy_attachment" "backup" {
  for_each = toset([
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
    "AWSBackupServiceRolePolicyForS3Restore",
  ])

  role       = aws_iam_role.backup.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_backup_selection" "tagged" {
  name         = "tagged"
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.backup.arn

  # A selection by tag alone takes only what the region has opted in to, for the whole account. With the types named, that does
  # not count, and of these types the tag selects.
  resources = ["arn:aws:rds:*:*:db:*", "arn:aws:s3:::*"]

  condition {
    string_equals {
      key   = "aws:ResourceTag/${var.selection_tag.key}"
      value = var.selection_tag.value
    }
  }

  depends_on = [aws_iam_role_policy_attachment.backup]
}
