output "identifier" {
  description = "Identifier of the primary, a dimension of its metrics."
  value       = aws_db_instance.primary.identifier
}

output "arn" {
  description = "ARN of the primary, for backups."
  value       = aws_db_instance.primary.arn
}

output "address" {
  description = "Host that tasks connect to: the proxy if there is one, else the primary."
  value       = var.proxy_enabled ? aws_db_proxy.this[0].endpoint : aws_db_instance.primary.address
}

output "primary_address" {
  description = "Host of the primary itself, which migrations connect to."
  value       = aws_db_instance.primary.address
}

output "replica_addresses" {
  description = "Hosts of the read replicas."
  value       = aws_db_instance.replica[*].address
}

output "master_username" {
  description = "The administrator, as whom `seiketsu migrate` runs."
  value       = aws_db_instance.primary.username
}

output "master_secret_arn" {
  description = "Secret that RDS keeps and rotates: username and password of the administrator."
  value       = try(aws_db_instance.primary.master_user_secret[0].secret_arn, null)
}

output "proxy_role_arn" {
  description = "Role that reads the login for the proxy, if there is one."
  value       = one(aws_iam_role.proxy[*].arn)
}

output "alarm_arns" {
  description = "All alarms of the database."
  value       = concat(values(aws_cloudwatch_metric_alarm.primary)[*].arn, aws_cloudwatch_metric_alarm.replica_lag[*].arn)
}

output "subnet_group_name" {
  description = "Subnet group; restored copies stand in it too."
  value       = aws_db_subnet_group.this.name
}
