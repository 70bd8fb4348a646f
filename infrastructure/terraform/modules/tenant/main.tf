# The tenant's own key: without it, the instance, its snapshots and its backups are noise, whoever holds them.
resource "aws_kms_key" "this" {
  description             = "${var.name}: data of ${var.slug}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    }]
  })

  tags = { Tenant = var.slug }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-tenant-${var.slug}"
  target_key_id = aws_kms_key.this.key_id
}

module "database" {
  source = "../database"

  name                     = "${trimsuffix(substr(var.name, 0, 20), "-")}-${var.slug}"
  account_id               = var.account_id
  instance_class           = var.instance_class
  allocated_storage_gb     = var.allocated_storage_gb
  max_allocated_storage_gb = var.max_allocated_storage_gb
  multi_az                 = var.multi_az
  backup_retention_days    = var.backup_retention_days
  deletion_protection      = var.deletion_protection
  subnet_ids               = var.subnet_ids
  security_group_id        = var.security_group_id
  kms_key_arn              = aws_kms_key.this.arn
  logs_kms_key_arn         = var.logs_kms_key_arn
  secrets_kms_key_arn      = var.secrets_kms_key_arn
  alarm_topic_arns         = var.alarm_topic_arns
  connections_alarm_at     = var.connections_alarm_at
  tags                     = merge(var.backup_tags, { Tenant = var.slug })
}
