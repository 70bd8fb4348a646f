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

output "no_backup_alarm_names" {
  description = "Alarms of databases that were not backed up for a day."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.database : name => alarm.alarm_name }
}
