resource "aws_secretsmanager_secret" "this" {
  for_each = var.secrets

  name                    = "${var.name}/${each.key}"
  description             = each.value.description
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.recovery_window_days
}

resource "aws_secretsmanager_secret_version" "this" {
  for_each = var.written_here

  secret_id = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo = var.secrets[each.key].username == null ? var.secret_values[each.key] : jsonencode({
    username = var.secrets[each.key].username
    password = var.secret_values[each.key]
  })
  secret_string_wo_version = var.values_version
}

resource "aws_secretsmanager_secret_policy" "this" {
  for_each = var.secrets

  secret_arn          = aws_secretsmanager_secret.this[each.key].arn
  block_public_policy = true

  # Denials only: IAM grants. A policy that is too wide somewhere else opens nothing here.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "ReadersOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "secretsmanager:GetSecretValue"
        Resource  = "*"
        # The placeholder keeps the list from being empty, and no role can be called so.
        Condition = { ArnNotLike = { "aws:PrincipalArn" = concat(
          ["arn:aws:iam::000000000000:role/nobody"],
          lookup(var.readers, each.key, []),
          contains(var.written_here, each.key) ? var.writers : [],
        ) } }
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
