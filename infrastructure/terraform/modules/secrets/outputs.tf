output "secret_arns" {
  description = "Secrets by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.arn }
}

output "secret_names" {
  description = "What the secrets are called in Secrets Manager, by name."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.name }
}
