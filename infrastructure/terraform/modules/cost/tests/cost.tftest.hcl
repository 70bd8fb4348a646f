mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name               = "seiketsu-test"
  environment        = "production"
  monthly_budget_usd = 1000
  topic_arn          = "arn:aws:sns:us-east-1:123456789012:warning"
}

run "a_month_is_told_at_80_and_100_percent" {
  assert {
    condition = toset([for notification in aws_budgets_budget.this["total"].notification : "${notification.notification_type} ${notification.threshold}"]) == toset([
      "ACTUAL 80", "ACTUAL 100", "FORECASTED 100",
    ])
    error_message = "expected 80 % and 100 % of what is spent, and 100 % of the forecast"
  }
  assert {
    condition     = alltrue([for notification in aws_budgets_budget.this["total"].notification : notification.subscriber_sns_topic_arns == toset([var.topic_arn])])
    error_message = "each is told to somebody"
  }
  assert {
    condition     = one(aws_budgets_budget.this["total"].cost_filter).values == tolist(["user:Environment$production"]) && aws_budgets_budget.this["total"].limit_amount == "1000"
    error_message = "a budget counts its own environment"
  }
}

run "anomalies_are_told" {
  assert {
    condition     = one(aws_ce_anomaly_subscription.services[0].subscriber).address == var.topic_arn && aws_ce_anomaly_subscription.services[0].monitor_arn_list == tolist([aws_ce_anomaly_monitor.services[0].arn])
    error_message = "the monitor has a subscriber"
  }
}

run "a_monitor_that_is_there_is_not_made_again" {
  variables {
    anomaly_monitor_arn = "arn:aws:ce::123456789012:anomalymonitor/aaaaaaaa-2222-3333-4444-555555555555"
  }
  assert {
    condition     = length(aws_ce_anomaly_monitor.services) == 0 && aws_ce_anomaly_subscription.services[0].monitor_arn_list == tolist([var.anomaly_monitor_arn])
    error_message = "an account has one monitor of all services; the one that is there gets the subscriber"
  }
}

run "another_arn_is_no_monitor" {
  command = plan
  variables {
    anomaly_monitor_arn = "Default-Services-Monitor"
  }
  expect_failures = [var.anomaly_monitor_arn]
}

run "single_services_may_have_budgets" {
  variables {
    service_budgets_usd     = { "Amazon Relational Database Service" = 300 }
    cost_allocation_tags    = ["Environment", "Tenant"]
    account_monitor_enabled = false
  }
  assert {
    condition     = length(aws_budgets_budget.this["amazon-relational-database-service"].cost_filter) == 2
    error_message = "a service's budget is filtered by service and environment"
  }
  assert {
    condition     = length(aws_ce_cost_allocation_tag.this) == 2 && length(aws_ce_anomaly_monitor.services) == 0
    error_message = "tags are switched on where asked, and an account has one monitor"
  }
}

run "nothing_is_no_budget" {
  command = plan
  variables {
    monthly_budget_usd = 0
  }
  expect_failures = [var.monthly_budget_usd]
}

run "an_anomaly_of_nothing_is_refused" {
  command = plan
  variables {
    anomaly_threshold_usd = 0
  }
  expect_failures = [var.anomaly_threshold_usd]
}
