locals {
  budgets = merge(
    { total = { limit = var.monthly_budget_usd, service = null } },
    { for service, limit in var.service_budgets_usd : lower(replace(service, "/[^A-Za-z0-9]+/", "-")) => { limit = limit, service = service } },
  )

  notifications = {
    spent-80      = { type = "ACTUAL", percent = 80 }
    spent-100     = { type = "ACTUAL", percent = 100 }
    predicted-100 = { type = "FORECASTED", percent = 100 }
  }
}

resource "aws_budgets_budget" "this" {
  for_each = local.budgets

  name         = "${var.name}-${each.key}"
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(each.value.limit)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:Environment$%s", var.environment)]
  }

  dynamic "cost_filter" {
    for_each = each.value.service == null ? [] : [each.value.service]

    content {
      name   = "Service"
      values = [cost_filter.value]
    }
  }

  dynamic "notification" {
    for_each = local.notifications

    content {
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value.percent
      threshold_type            = "PERCENTAGE"
      notification_type         = notification.value.type
      subscriber_sns_topic_arns = [var.topic_arn]
    }
  }
}

# An account has one monitor of all services. Those that AWS makes new come with one already.
resource "aws_ce_anomaly_monitor" "services" {
  count = var.account_monitor_enabled && var.anomaly_monitor_arn == null ? 1 : 0

  name              = "${var.name}-services"
  monitor_type      = "DIMENSIONAL"
  monitor_dimension = "SERVICE"
}

resource "aws_ce_anomaly_subscription" "services" {
  count = var.account_monitor_enabled ? 1 : 0

  name = "${var.name}-services"
  # Topics are told at once only; summaries go to addresses.
  frequency        = "IMMEDIATE"
  monitor_arn_list = [coalesce(var.anomaly_monitor_arn, one(aws_ce_anomaly_monitor.services[*].arn))]

  subscriber {
    type    = "SNS"
    address = var.topic_arn
  }

  threshold_expression {
    dimension {
      key           = "ANOMALY_TOTAL_IMPACT_ABSOLUTE"
      match_options = ["GREATER_THAN_OR_EQUAL"]
      values        = [tostring(var.anomaly_threshold_usd)]
    }
  }
}

resource "aws_ce_cost_allocation_tag" "this" {
  for_each = var.cost_allocation_tags

  tag_key = each.key
  status  = "Active"
}
