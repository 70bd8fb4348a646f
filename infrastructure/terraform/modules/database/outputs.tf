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
  description = "Secret of the administrator, username and password: RDS keeps and rotates it, or, with read replicas, this module keeps it."
  value       = local.replicated ? aws_secretsmanager_secret.master[0].arn : try(aws_db_instance.primary.master_user_secret[0].secret_arn, null)
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

output "master_secret_readers" {
  description = "Who may read the administrator's secret where this module keeps it, as its policy has it."
  value       = flatten([for policy in aws_secretsmanager_secret_policy.master : [for statement in jsondecode(policy.policy).Statement : statement.Condition.ArnNotLike["aws:PrincipalArn"] if statement.Sid == "ReadersOnly"]])
}

output "sealed_with" {
  description = "Keys by what they seal; tests of the root ask for it."
  value = {
    storage       = aws_db_instance.primary.kms_key_id
    insights      = aws_db_instance.primary.performance_insights_kms_key_id
    administrator = local.replicated ? aws_secretsmanager_secret.master[0].kms_key_id : aws_db_instance.primary.master_user_secret_kms_key_id
    logs          = one(distinct(values(aws_cloudwatch_log_group.this)[*].kms_key_id))
  }
}

output "settings" {
  description = "What the instance is made with; tests of the root ask for it."
  value = {
    instance_class              = aws_db_instance.primary.instance_class
    allocated_storage_gb        = aws_db_instance.primary.allocated_storage
    max_allocated_storage_gb    = aws_db_instance.primary.max_allocated_storage
    multi_az                    = aws_db_instance.primary.multi_az
    backup_retention_days       = aws_db_instance.primary.backup_retention_period
    monitoring_interval_seconds = aws_db_instance.primary.monitoring_interval
    deletion_protection         = aws_db_instance.primary.deletion_protection
    connections_alarm_at        = aws_cloudwatch_metric_alarm.primary["connections"].threshold
    read_replica_count          = length(aws_db_instance.replica)
    log_retention_days          = one(distinct(values(aws_cloudwatch_log_group.this)[*].retention_in_days))
  }
}
