output "log_group_names" {
  description = "Log groups of tasks, by what runs in them."
  value       = { for name, group in aws_cloudwatch_log_group.platform : name => group.name }
}

output "topic_arns" {
  description = "critical wakes somebody; warning is read in the morning."
  value       = { for name, topic in aws_sns_topic.this : name => topic.arn }

  # Who speaks to a topic may only do so once its policy is there.
  depends_on = [aws_sns_topic_policy.this]
}

output "rollback_alarm_names" {
  description = "Alarms that take a deployment back. CodeDeploy knows no composite ones, so these are the fast windows, which by themselves tell nobody. That nobody is healthy is not among them: it would stop the very release that mends it. For the others, see the README."
  value = concat(
    [for name, burn in local.burn_alarms : aws_cloudwatch_metric_alarm.burn[name].alarm_name if burn.window == "fast" && burn.period == burn.short && burn.objective.takes_deployments_back],
    [aws_cloudwatch_metric_alarm.platform["load-balancer-errors"].alarm_name],
  )
}

output "dashboard_names" {
  description = "Dashboards."
  value       = values(aws_cloudwatch_dashboard.this)[*].dashboard_name
}

output "forwarder_role_arn" {
  description = "Role that reads MONITORING_API_KEY."
  value       = aws_iam_role.forwarder.arn
}

output "settings" {
  description = "What channels and logs are made with; tests of the root ask for it."
  value = {
    log_retention_days = { for name, group in aws_cloudwatch_log_group.platform : name => group.retention_in_days }
    topics_sealed_with = one(distinct(values(aws_sns_topic.this)[*].kms_master_key_id))
  }
}
