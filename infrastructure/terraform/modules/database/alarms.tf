locals {
  gib = 1024 * 1024 * 1024

  # RDS lets storage grow once less than a tenth of it is free: half of that says that it does not.
  storage_alarm_gib = min(10, 0.05 * var.allocated_storage_gb)

  alarms = {
    cpu = {
      metric  = "CPUUtilization", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 80, minutes = 10
      because = "the database is busy; see Performance Insights for the statements"
    }
    memory = {
      metric  = "FreeableMemory", statistic = "Average", comparison = "LessThanThreshold", threshold = 0.5 * local.gib, minutes = 10
      because = "less than half a GiB of memory is free"
    }
    storage = {
      metric  = "FreeStorageSpace", statistic = "Minimum", comparison = "LessThanThreshold", threshold = local.storage_alarm_gib * local.gib, minutes = 5
      because = "less than ${local.storage_alarm_gib} GiB are free: storage has stopped growing by itself, or grows too slowly"
    }
    connections = {
      metric  = "DatabaseConnections", statistic = "Maximum", comparison = "GreaterThanThreshold", threshold = var.connections_alarm_at, minutes = 5
      because = "connections are running out; more tasks will not be able to start"
    }
    read_latency = {
      metric  = "ReadLatency", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 0.02, minutes = 10
      because = "storage answers reads in more than 20 ms; a query of several reads will miss its 100 ms"
    }
    write_latency = {
      metric  = "WriteLatency", statistic = "Average", comparison = "GreaterThanThreshold", threshold = 0.02, minutes = 10
      because = "storage takes writes in more than 20 ms; each turn of a call waits for one"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "primary" {
  for_each = local.alarms

  alarm_name          = "${local.identifier}-${replace(each.key, "_", "-")}"
  alarm_description   = "Database ${local.identifier}: ${each.value.because}."
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.primary.identifier }
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  # A database that says nothing is down.
  treat_missing_data = "breaching"
  alarm_actions      = var.alarm_topic_arns
  ok_actions         = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "replica_lag" {
  count = var.read_replica_count

  alarm_name          = "${aws_db_instance.replica[count.index].identifier}-lag"
  alarm_description   = "Replica ${aws_db_instance.replica[count.index].identifier} is more than 30 s behind."
  namespace           = "AWS/RDS"
  metric_name         = "ReplicaLag"
  dimensions          = { DBInstanceIdentifier = aws_db_instance.replica[count.index].identifier }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 30
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# Failovers, failures, maintenance and storage that grew: RDS tells, nobody has to look.
resource "aws_db_event_subscription" "this" {
  name             = local.identifier
  sns_topic        = var.alarm_topic_arns[0]
  source_type      = "db-instance"
  source_ids       = concat([aws_db_instance.primary.identifier], aws_db_instance.replica[*].identifier)
  event_categories = ["availability", "failover", "failure", "low storage", "maintenance", "recovery"]
}
