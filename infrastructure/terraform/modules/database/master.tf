locals {
  administrator = "seiketsu_admin"
}

# With read replicas RDS does not keep the administrator's password, so it is kept here, in the form that RDS gives to its own
# secrets. The value is handed over: `terraform test` cannot mock an ephemeral resource that would make it.
resource "aws_secretsmanager_secret" "master" {
  count = local.replicated ? 1 : 0

  # A name that was deleted is taken for as long as it can be brought back.
  name_prefix             = "${local.identifier}-master-"
  description             = "Administrator of ${local.identifier}"
  kms_key_id              = var.secrets_kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "master" {
  count = local.replicated ? 1 : 0

  secret_id                = aws_secretsmanager_secret.master[0].id
  secret_string_wo         = jsonencode({ username = local.administrator, password = var.master_password })
  secret_string_wo_version = var.master_password_version
}

resource "aws_secretsmanager_secret_policy" "master" {
  count = local.replicated ? 1 : 0

  secret_arn          = aws_secretsmanager_secret.master[0].arn
  block_public_policy = true

  # Denials only: IAM grants.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ReadersOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "secretsmanager:GetSecretValue"
        Resource  = "*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = concat(var.master_secret_readers, var.master_secret_writers) } }
      },
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "secretsmanager:*"
        Resource  = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}
