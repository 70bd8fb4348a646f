locals {
  alarms = {
    cpu = {
      metric  = "EngineCPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 75
      because = "its one thread is busy; leases will be late"
    }
    memory = {
      metric  = "DatabaseMemoryUsagePercentage", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = 80
      because = "memory is nearly full"
    }
    evictions = {
      metric  = "Evictions", statistic = "Sum", comparison = "GreaterThanThreshold", threshold = 0
      because = "keys are thrown out before their time: leases may be lost"
    }
    refused = {
      metric  = "AuthenticationFailures", statistic = "Sum", comparison = "GreaterThanThreshold", threshold = 5
      because = "logins are refused: a task has no valid token, or somebody tries"
    }
  }

  member_alarms = merge([
    for member in local.members : { for name, alarm in local.alarms : "${member}-${name}" => merge(alarm, { member = member }) }
  ]...)
}

resource "aws_cloudwatch_metric_alarm" "member" {
  for_each = local.member_alarms

  alarm_name          = each.key
  alarm_description   = "Cache node ${each.value.member}: ${each.value.because}."
  namespace           = "AWS/ElastiCache"
  metric_name         = each.value.metric
  dimensions          = { CacheClusterId = each.value.member }
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  # Counters are not reported while they are zero.
  treat_missing_data = each.value.statistic == "Sum" ? "notBreaching" : "breaching"
  alarm_actions      = var.alarm_topic_arns
  ok_actions         = var.alarm_topic_arns

  depends_on = [aws_elasticache_replication_group.this]
}

resource "aws_cloudwatch_metric_alarm" "lag" {
  # The first node is the primary until a failover; then one of the others is, and does not report a lag.
  for_each = local.replicated ? toset(local.members) : toset([])

  alarm_name          = "${each.key}-lag"
  alarm_description   = "Cache node ${each.key} is more than 10 s behind: a failover to it would lose leases."
  namespace           = "AWS/ElastiCache"
  metric_name         = "ReplicationLag"
  dimensions          = { CacheClusterId = each.key }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 10
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  depends_on = [aws_elasticache_replication_group.this]
}
