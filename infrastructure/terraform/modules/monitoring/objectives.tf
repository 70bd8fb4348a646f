locals {
  known = {
    "$environment"   = var.environment
    "$load_balancer" = var.load_balancer_arn_suffix
    "$database"      = var.database_identifier
  }

  ratios = { for objective in var.objectives : objective.name => merge(objective, {
    counted = coalesce(objective.indicator.good, objective.indicator.bad)
    # How much of the budget burns, in multiples of what the target allows. Below the minimum one bad event would be a fire.
    burn = objective.indicator.good != null ? (
      "IF(total >= ${objective.minimum_events} AND FILL(counted, 0) < total, (1 - FILL(counted, 0) / total) / ${format("%.6f", 1 - objective.target)}, 0)"
      ) : (
      "IF(total >= ${objective.minimum_events}, (FILL(counted, 0) / total) / ${format("%.6f", 1 - objective.target)}, 0)"
    )
  }) if objective.indicator != null }

  thresholds = { for objective in var.objectives : objective.name => objective if objective.threshold != null }

  # The pairs of the SRE workbook: a long window that a budget of thirty days feels, and a short one that says whether it still
  # goes on. CloudWatch looks back one day at most, so the slowest is a day at three times the rate, a tenth of the budget.
  windows = {
    fast   = { factor = 14.4, long = 3600, short = 300, topic = "critical" }
    steady = { factor = 6, long = 21600, short = 1800, topic = "critical" }
    slow   = { factor = 3, long = 86400, short = 7200, topic = "warning" }
  }

  burns = merge([for name, objective in local.ratios : { for window, burn in local.windows : "${name}-${window}" => merge(burn, {
    objective = objective
    window    = window
  }) }]...)

  burn_alarms = merge([for name, burn in local.burns : {
    "${name}-long"  = merge(burn, { period = burn.long })
    "${name}-short" = merge(burn, { period = burn.short })
  }]...)
}

# These tell nobody: a pair of them does.
resource "aws_cloudwatch_metric_alarm" "burn" {
  for_each = local.burn_alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.objective.title}: the budget burns at ${each.value.factor} times the rate that the target of ${each.value.objective.target} allows, over ${each.value.period / 60} min."
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.factor
  evaluation_periods  = 1
  # Nothing happened, so nothing went wrong; that there are no figures at all is an alarm of its own.
  treat_missing_data = "notBreaching"

  metric_query {
    id          = "burn"
    label       = "burn rate"
    expression  = each.value.objective.burn
    return_data = true
  }

  metric_query {
    id = "counted"

    metric {
      namespace   = each.value.objective.counted.namespace
      metric_name = each.value.objective.counted.metric
      dimensions  = { for key, value in each.value.objective.counted.dimensions : key => lookup(local.known, value, value) }
      period      = each.value.period
      stat        = "Sum"
    }
  }

  metric_query {
    id = "total"

    metric {
      namespace   = each.value.objective.indicator.total.namespace
      metric_name = each.value.objective.indicator.total.metric
      dimensions  = { for key, value in each.value.objective.indicator.total.dimensions : key => lookup(local.known, value, value) }
      period      = each.value.period
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_composite_alarm" "burn" {
  for_each = local.burns

  alarm_name        = "${var.name}-${each.key}"
  alarm_description = "${each.value.objective.title}: the error budget of thirty days burns at ${each.value.factor} times its rate, and still does."
  alarm_rule        = "ALARM(\"${aws_cloudwatch_metric_alarm.burn["${each.key}-long"].alarm_name}\") AND ALARM(\"${aws_cloudwatch_metric_alarm.burn["${each.key}-short"].alarm_name}\")"
  alarm_actions     = [aws_sns_topic.this[each.value.topic].arn]
  ok_actions        = [aws_sns_topic.this[each.value.topic].arn]
}

resource "aws_cloudwatch_metric_alarm" "threshold" {
  for_each = local.thresholds

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.title}: above ${each.value.threshold.above} for ${each.value.threshold.minutes} min."
  namespace           = each.value.threshold.namespace
  metric_name         = each.value.threshold.metric
  dimensions          = { for key, value in each.value.threshold.dimensions : key => lookup(local.known, value, value) }
  statistic           = startswith(each.value.threshold.statistic, "p") ? null : each.value.threshold.statistic
  extended_statistic  = startswith(each.value.threshold.statistic, "p") ? each.value.threshold.statistic : null
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold.above
  period              = 60
  evaluation_periods  = each.value.threshold.minutes
  datapoints_to_alarm = ceil(each.value.threshold.minutes * 0.8)
  treat_missing_data  = "notBreaching"
  # A percentile of three requests says nothing.
  evaluate_low_sample_count_percentiles = startswith(each.value.threshold.statistic, "p") ? "ignore" : null
  alarm_actions                         = [aws_sns_topic.this["warning"].arn]
  ok_actions                            = [aws_sns_topic.this["warning"].arn]
}
