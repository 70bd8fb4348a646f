output "vault_arn" {
  description = "The vault."
  value       = aws_backup_vault.this.arn
}

output "copy_vault_arn" {
  description = "The vault in the other region, if there is one."
  value       = one(aws_backup_vault.copy[*].arn)
}

output "plan_id" {
  description = "The plan."
  value       = aws_backup_plan.this.id
}
