output "redis_url" {
  description = "REDIS_URL of tasks: TLS, and the user that logs in with IAM tokens. It holds no secret."
  value       = "rediss://${aws_elasticache_user.platform.user_name}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
}

output "connect_arns" {
  description = "What a task's role has to be allowed to `elasticache:Connect` to: the group and the user."
  value       = [aws_elasticache_replication_group.this.arn, aws_elasticache_user.platform.arn]
}

output "replication_group_id" {
  description = "Id of the group."
  value       = aws_elasticache_replication_group.this.id
}

output "members" {
  description = "Ids of the nodes, a dimension of their metrics."
  value       = local.members
}

output "sealed_with" {
  description = "Keys by what they seal; tests of the root ask for it."
  value = {
    storage = aws_elasticache_replication_group.this.kms_key_id
    logs    = one(distinct(values(aws_cloudwatch_log_group.this)[*].kms_key_id))
  }
}

output "settings" {
  description = "What the nodes are made with; tests of the root ask for it."
  value = {
    engine     = aws_elasticache_replication_group.this.engine
    node_type  = aws_elasticache_replication_group.this.node_type
    node_count = aws_elasticache_replication_group.this.num_cache_clusters
    failover   = aws_elasticache_replication_group.this.automatic_failover_enabled
  }
}

output "alarm_arns" {
  description = "All alarms of the cache."
  value       = concat(values(aws_cloudwatch_metric_alarm.member)[*].arn, values(aws_cloudwatch_metric_alarm.lag)[*].arn)
}
