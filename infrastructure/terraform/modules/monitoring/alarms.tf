locals {
  service_dimensions = { ClusterName = var.cluster_name, ServiceName = var.gateway_service_name }
  calls_dimensions   = { environment = var.environment, service = "gateway" }
  balancer           = { LoadBalancer = var.load_balancer_arn_suffix }

  alarms = {
    cpu = {
      namespace  = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service_dimensions, statistic = "Average"
      comparison = "GreaterThanThreshold", threshold = 85, minutes = 10, missing = "missing", topic = "warning"
      because    = "scaling does not keep up with the work"
    }
    memory = {
      namespace  = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service_dimensions, statistic = "Maximum"
      comparison = "GreaterThanThreshold", threshold = 85, minutes = 10, missing = "missing", topic = "warning"
      because    = "a task may be stopped for its memory, calls and all"
    }
    no-figures = {
      namespace  = "Seiketsu", metric = "seiketsu_live_calls", dimensions = local.calls_dimensions, statistic = "SampleCount"
      comparison = "LessThanThreshold", threshold = 1, minutes = 5, missing = "breaching", topic = "critical"
      because    = "no task reports its calls: nothing scales by them, and no objective on speech is watched"
    }
    full = {
      namespace  = "Seiketsu", metric = "seiketsu_live_calls", dimensions = local.calls_dimensions, statistic = "Maximum"
      comparison = "GreaterThanThreshold", threshold = floor(var.max_calls_per_task * 0.9), minutes = 3, missing = "notBreaching", topic = "critical"
      because    = "a task is nearly full; callers are about to be refused"
    }
    refused = {
      namespace  = "Seiketsu", metric = "seiketsu_calls_refused_total", dimensions = local.calls_dimensions, statistic = "Sum"
      comparison = "GreaterThanThreshold", threshold = 0, minutes = 3, missing = "notBreaching", topic = "critical"
      because    = "callers are sent away"
    }
    load-balancer-errors = {
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer, statistic = "Sum"
      comparison = "GreaterThanThreshold", threshold = 10, minutes = 3, missing = "notBreaching", topic = "critical"
      because    = "the load balancer finds no task that answers"
    }
    connections-refused = {
      namespace  = "AWS/ApplicationELB", metric = "TargetConnectionErrorCount", dimensions = local.balancer, statistic = "Sum"
      comparison = "GreaterThanThreshold", threshold = 5, minutes = 3, missing = "notBreaching", topic = "warning"
      because    = "tasks do not take connections"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "platform" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${title(replace(each.key, "-", " "))}: ${each.value.because}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this[each.value.topic].arn]
  ok_actions          = [aws_sns_topic.this[each.value.topic].arn]
}

# Tasks stand behind one colour or the other, and behind both during a deployment.
resource "aws_cloudwatch_metric_alarm" "healthy" {
  for_each = {
    none = { threshold = 1, topic = "critical", because = "nobody answers calls" }
    few  = { threshold = var.min_tasks, topic = "warning", because = "fewer tasks are healthy than should always run" }
  }

  alarm_name          = "${var.name}-healthy-${each.key}"
  alarm_description   = "Healthy ${each.key}: ${each.value.because}."
  comparison_operator = "LessThanThreshold"
  threshold           = each.value.threshold
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.this[each.value.topic].arn]
  ok_actions          = [aws_sns_topic.this[each.value.topic].arn]

  metric_query {
    id          = "healthy"
    label       = "healthy tasks"
    expression  = "FILL(blue, 0) + FILL(green, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = var.target_group_arn_suffixes

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = "HealthyHostCount"
        dimensions  = { LoadBalancer = var.load_balancer_arn_suffix, TargetGroup = metric_query.value }
        period      = 60
        stat        = "Minimum"
      }
    }
  }
}
