mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                      = "seiketsu-test"
  account_id                = "123456789012"
  environment               = "production"
  region                    = "us-east-1"
  logs_kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  secrets_kms_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/33333333-2222-3333-4444-555555555555"
  cluster_name              = "seiketsu-test"
  gateway_service_name      = "seiketsu-test-gateway"
  min_tasks                 = 2
  max_calls_per_task        = 200
  load_balancer_arn_suffix  = "app/test/0123456789abcdef"
  target_group_arn_suffixes = { blue = "targetgroup/blue/0123456789abcdef", green = "targetgroup/green/0123456789abcdef" }
  database_identifier       = "seiketsu-test-database"
  cache_members             = ["seiketsu-test-cache-001"]
  forwarder_secret_arn      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:monitoring-AbCdEf"
  alert_emails              = ["ops@example.com"]
  objectives = [
    {
      name = "first-audio", title = "A word within two seconds", target = 0.999, takes_deployments_back = true
      indicator = {
        good  = { namespace = "Seiketsu", metric = "seiketsu_turns_total", dimensions = { environment = "$environment", service = "gateway", outcome = "audible_within_2s" } }
        total = { namespace = "Seiketsu", metric = "seiketsu_turns_total", dimensions = { environment = "$environment", service = "gateway", outcome = "audible_measured" } }
      }
    },
    {
      name = "requests", title = "No errors of ours", target = 0.99, minimum_events = 100
      indicator = {
        bad   = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = { LoadBalancer = "$load_balancer" } }
        total = { namespace = "AWS/ApplicationELB", metric = "RequestCount", dimensions = { LoadBalancer = "$load_balancer" } }
      }
    },
    {
      name      = "api-latency", title = "Half a second"
      threshold = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = { LoadBalancer = "$load_balancer" }, statistic = "p95", above = 0.5, minutes = 15 }
    },
  ]
}

# One of its own for each: with the mocks' single ARN nobody would see the two channels exchanged.
override_resource {
  target = aws_sns_topic.this["critical"]
  values = { arn = "arn:aws:sns:us-east-1:123456789012:critical" }
}

override_resource {
  target = aws_sns_topic.this["warning"]
  values = { arn = "arn:aws:sns:us-east-1:123456789012:warning" }
}

override_resource {
  target = aws_iam_role.forwarder
  values = { arn = "arn:aws:iam::123456789012:role/forwarder" }
}

override_resource {
  target = aws_iam_role.slack
  values = { arn = "arn:aws:iam::123456789012:role/slack" }
}

run "each_ratio_has_three_pairs_of_windows" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.burn) == 12 && length(aws_cloudwatch_composite_alarm.burn) == 6
    error_message = "two ratios, three pairs each"
  }
  assert {
    condition = alltrue([for pair in [["fast", 14.4, 3600, 300], ["steady", 6, 21600, 1800], ["slow", 3, 86400, 7200]] : (
      aws_cloudwatch_metric_alarm.burn["first-audio-${pair[0]}-long"].threshold == pair[1]
      && anytrue([for query in aws_cloudwatch_metric_alarm.burn["first-audio-${pair[0]}-long"].metric_query : query.metric[0].period == pair[2] if query.id == "total"])
      && anytrue([for query in aws_cloudwatch_metric_alarm.burn["first-audio-${pair[0]}-short"].metric_query : query.metric[0].period == pair[3] if query.id == "total"])
    )])
    error_message = "rates and windows are those of the workbook"
  }
  assert {
    condition = one([for query in aws_cloudwatch_metric_alarm.burn["requests-fast-long"].metric_query : query.expression if query.id == "burn"]) == "IF(total >= 100, (FILL(counted, 0) / total) / 0.010000, 0)" && one([
      for query in aws_cloudwatch_metric_alarm.burn["first-audio-fast-long"].metric_query : query.expression if query.id == "burn"
    ]) == "IF(total >= 20 AND FILL(counted, 0) < total, (1 - FILL(counted, 0) / total) / 0.001000, 0)"
    error_message = "a burn rate is the share of bad events over what the target allows, once there are enough events"
  }
  assert {
    condition     = alltrue([for alarm in values(aws_cloudwatch_metric_alarm.burn) : length(coalesce(alarm.alarm_actions, [])) == 0])
    error_message = "a single window wakes nobody"
  }
  assert {
    condition     = strcontains(aws_cloudwatch_composite_alarm.burn["first-audio-fast"].alarm_rule, "ALARM(\"seiketsu-test-first-audio-fast-long\") AND ALARM(\"seiketsu-test-first-audio-fast-short\")")
    error_message = "both windows have to burn"
  }
}

run "dimensions_are_filled_in" {
  assert {
    condition = alltrue(flatten([for alarm in values(aws_cloudwatch_metric_alarm.burn) : [for query in alarm.metric_query :
      [for value in values(query.metric[0].dimensions) : !startswith(value, "$")] if length(query.metric) > 0
    ]]))
    error_message = "no placeholder is left in a dimension"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.threshold["api-latency"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.threshold["api-latency"].dimensions.LoadBalancer == var.load_balancer_arn_suffix
    error_message = "a percentile is an extended statistic"
  }
}

run "deployments_are_taken_back_by_plain_alarms_only" {
  assert {
    condition = toset(output.rollback_alarm_names) == toset([
      "seiketsu-test-first-audio-fast-short", "seiketsu-test-load-balancer-errors",
    ])
    error_message = "CodeDeploy gets the fast windows of the objectives that say so, and no composite alarm"
  }
  assert {
    condition     = !contains(output.rollback_alarm_names, aws_cloudwatch_metric_alarm.healthy["none"].alarm_name)
    error_message = "that nobody is healthy does not stop the release that mends it"
  }
}

run "silence_is_an_alarm" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.platform["no-figures"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.platform["no-figures"].metric_name == "seiketsu_live_calls"
    error_message = "that no task reports its calls has to be told"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.healthy["none"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.healthy["few"].threshold == 2
    error_message = "healthy tasks of both colours are counted together"
  }
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.platform), values(aws_cloudwatch_metric_alarm.healthy)) : length(alarm.alarm_actions) == 1 && length(alarm.ok_actions) == 1])
    error_message = "every alarm tells somebody, also that it is over"
  }
}

run "work_and_health_are_watched" {
  assert {
    condition = { for name in ["cpu", "memory"] : name => aws_cloudwatch_metric_alarm.platform[name].metric_name } == { cpu = "CPUUtilization", memory = "MemoryUtilization" } && alltrue([
      for name in ["cpu", "memory"] : aws_cloudwatch_metric_alarm.platform[name].dimensions == tomap({ ClusterName = "seiketsu-test", ServiceName = "seiketsu-test-gateway" })
    ])
    error_message = "CPU and memory of the gateway's tasks are watched"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.threshold["api-latency"].metric_name == "TargetResponseTime" && aws_cloudwatch_metric_alarm.threshold["api-latency"].threshold == 0.5 && length(aws_cloudwatch_metric_alarm.threshold["api-latency"].alarm_actions) == 1
    error_message = "an API that takes more than half a second is told"
  }
}

run "channels_and_logs_are_sealed" {
  assert {
    condition     = alltrue([for topic in values(aws_sns_topic.this) : topic.kms_master_key_id == var.logs_kms_key_arn]) && alltrue([for group in values(aws_cloudwatch_log_group.platform) : group.kms_key_id == var.logs_kms_key_arn])
    error_message = "topics and log groups are sealed with our key"
  }
  assert {
    condition = alltrue([for name, policy in aws_sns_topic_policy.this : alltrue([for statement in jsondecode(policy.policy).Statement : (
      statement.Effect == "Deny" ? statement.Condition.Bool["aws:SecureTransport"] == "false"
      : statement.Principal.Service == "events.amazonaws.com" ? statement.Action == "sns:Publish"
      : statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    ) && statement.Resource == "arn:aws:sns:us-east-1:123456789012:${name}"]) && policy.arn == "arn:aws:sns:us-east-1:123456789012:${name}"])
    error_message = "only services on this account's behalf speak to the topics, over TLS"
  }
  assert {
    condition = alltrue([for policy in values(aws_sns_topic_policy.this) : [
      for statement in jsondecode(policy.policy).Statement : can(statement.Condition) if contains(flatten([try(statement.Principal.Service, [])]), "events.amazonaws.com")
    ] == [false]])
    error_message = "EventBridge names neither account nor rule, so that a condition would keep it out"
  }
  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2 && length(aws_sns_topic_subscription.pagerduty) == 0
    error_message = "each address gets both topics"
  }
  assert {
    condition     = aws_cloudwatch_log_group.platform["gateway"].retention_in_days == 365 && aws_cloudwatch_log_group.platform["collector"].retention_in_days == 14
    error_message = "the platform's log is kept for a year"
  }
}

run "what_is_critical_wakes_somebody" {
  assert {
    condition = { for name in ["no-figures", "full", "refused", "load-balancer-errors", "cpu", "memory", "connections-refused"] : name => one(aws_cloudwatch_metric_alarm.platform[name].alarm_actions) } == {
      no-figures          = "arn:aws:sns:us-east-1:123456789012:critical", full = "arn:aws:sns:us-east-1:123456789012:critical"
      refused             = "arn:aws:sns:us-east-1:123456789012:critical", load-balancer-errors = "arn:aws:sns:us-east-1:123456789012:critical"
      cpu                 = "arn:aws:sns:us-east-1:123456789012:warning", memory = "arn:aws:sns:us-east-1:123456789012:warning"
      connections-refused = "arn:aws:sns:us-east-1:123456789012:warning"
    }
    error_message = "callers who are refused wake somebody, a busy task does not"
  }
  assert {
    condition = one(aws_cloudwatch_metric_alarm.healthy["none"].alarm_actions) == aws_sns_topic.this["critical"].arn && one(aws_cloudwatch_metric_alarm.healthy["few"].alarm_actions) == aws_sns_topic.this["warning"].arn && alltrue([
      for name, alarm in aws_cloudwatch_composite_alarm.burn : one(alarm.alarm_actions) == aws_sns_topic.this[endswith(name, "-slow") ? "warning" : "critical"].arn
    ])
    error_message = "a budget that burns fast wakes somebody, a slow fire is read in the morning"
  }
  assert {
    condition     = toset([for subscription in values(aws_sns_topic_subscription.email) : subscription.topic_arn]) == toset([aws_sns_topic.this["critical"].arn, aws_sns_topic.this["warning"].arn])
    error_message = "both channels reach the addresses"
  }
}

run "dashboards_draw_the_objectives" {
  assert {
    condition     = length(setsubtract([for objective in var.objectives : objective.title], [for widget in jsondecode(aws_cloudwatch_dashboard.this["application"].dashboard_body).widgets : widget.properties.title])) == 0
    error_message = "each objective has a widget"
  }
  assert {
    condition = length(distinct(flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this["infrastructure"].dashboard_body).widgets : "${widget.x} ${widget.y}"]))) == length(
      jsondecode(aws_cloudwatch_dashboard.this["infrastructure"].dashboard_body).widgets
    )
    error_message = "no widget stands upon another"
  }
  assert {
    condition = length(setsubtract(
      ["CPUUtilization", "MemoryUtilization", "HealthyHostCount", "DatabaseConnections", "EngineCPUUtilization", "ProcessedBytes", "NetworkReceiveThroughput", "NetworkTransmitThroughput"],
      flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this["infrastructure"].dashboard_body).widgets : [for line in widget.properties.metrics : line[1]]])
    )) == 0
    error_message = "the infrastructure's dashboard draws CPU, memory, network and health"
  }
}

run "there_is_no_forwarder_until_it_is_built" {
  assert {
    condition     = length(aws_lambda_function.forwarder) == 0 && length(aws_cloudwatch_metric_alarm.forwarder) == 0
    error_message = "without a package there is no function"
  }
}

run "the_forwarder_tells_when_it_fails_or_is_silent" {
  variables {
    forwarder_package = { bucket = "artifacts", key = "forwarder/1.zip" }
    pagerduty_url     = "https://events.pagerduty.com/integration/0123/enqueue"
    slack             = { team_id = "T01234567", channel_id = "C01234567" }
  }
  assert {
    condition     = aws_lambda_function.forwarder[0].dead_letter_config[0].target_arn == aws_sqs_queue.forwarder[0].arn && aws_sqs_queue.forwarder[0].kms_master_key_id == var.logs_kms_key_arn
    error_message = "what could not be sent is kept, sealed"
  }
  assert {
    condition     = aws_cloudwatch_event_rule.forwarder[0].schedule_expression == "rate(5 minutes)" && aws_lambda_permission.forwarder[0].source_arn == aws_cloudwatch_event_rule.forwarder[0].arn
    error_message = "it runs every five minutes, by its own rule only"
  }
  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.forwarder)) == toset(["failed", "silent", "undelivered"]) && aws_cloudwatch_metric_alarm.forwarder["silent"].treat_missing_data == "breaching"
    error_message = "failure, silence and a queue that fills are told"
  }
  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.forwarder[0].policy).Statement :
    !strcontains(jsonencode(statement.Action), "*") && (statement.Resource != "*" || statement.Action == "cloudwatch:GetMetricData")])
    error_message = "it reads metrics and one key, and nothing else"
  }
  assert {
    condition     = !anytrue([for value in values(aws_lambda_function.forwarder[0].environment[0].variables) : strcontains(value, "Bearer")]) && aws_lambda_function.forwarder[0].environment[0].variables.MONITORING_API_KEY_SECRET_ARN == var.forwarder_secret_arn
    error_message = "the key comes from the secret"
  }
  assert {
    condition     = length(aws_sns_topic_subscription.pagerduty) == 1 && aws_sns_topic_subscription.pagerduty[0].topic_arn == aws_sns_topic.this["critical"].arn && length(aws_chatbot_slack_channel_configuration.this) == 1
    error_message = "PagerDuty gets what is critical, Slack gets all"
  }
  assert {
    condition     = toset(aws_chatbot_slack_channel_configuration.this[0].sns_topic_arns) == toset(["arn:aws:sns:us-east-1:123456789012:critical", "arn:aws:sns:us-east-1:123456789012:warning"]) && aws_chatbot_slack_channel_configuration.this[0].iam_role_arn == "arn:aws:iam::123456789012:role/slack"
    error_message = "Slack gets both channels, as a role that only looks at alarms"
  }
  assert {
    condition     = aws_lambda_function.forwarder[0].reserved_concurrent_executions == -1 && aws_lambda_function.forwarder[0].role == "arn:aws:iam::123456789012:role/forwarder"
    error_message = "a new account has no executions to reserve"
  }
}

run "an_objective_that_counts_nothing_is_refused" {
  command = plan
  variables {
    objectives = [{ name = "x", title = "x", takes_deployments_back = true }]
  }
  expect_failures = [var.objectives]
}

run "an_address_that_is_none_is_refused" {
  command = plan
  variables {
    alert_emails = ["ops"]
  }
  expect_failures = [var.alert_emails]
}

run "a_plain_endpoint_is_refused" {
  command = plan
  variables {
    forwarder_endpoint = "http://api.21dev.ai/metrics"
  }
  expect_failures = [var.forwarder_endpoint]
}

run "another_pager_is_refused" {
  command = plan
  variables {
    pagerduty_url = "https://example.com/hook"
  }
  expect_failures = [var.pagerduty_url]
}

run "a_forwarder_that_may_never_run_is_refused" {
  command = plan
  variables {
    forwarder_reserved_concurrency = 0
  }
  expect_failures = [var.forwarder_reserved_concurrency]
}
