output "secret_arns" {
  description = "Secrets by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "secret_names" {
  description = "What the secrets are called in Secrets Manager, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.name }
}

output "readers" {
  description = "Who may read each secret, as its policy has it; tests of the root ask for it."
  value = { for name, policy in aws_secretsmanager_secret_policy.this : name => flatten([
    for statement in jsondecode(policy.policy).Statement : statement.Condition.ArnNotLike["aws:PrincipalArn"] if statement.Sid == "ReadersOnly"
  ]) }
}

output "sealed_with" {
  description = "Keys that seal the secrets; tests of the root ask for it."
  value       = distinct(values(aws_secretsmanager_secret.this)[*].kms_key_id)
}
