locals {
  # A widget is a title and lines; where it stands follows from its place in the list.
  widgets = {
    application = concat(
      [for name, objective in local.ratios : {
        title = objective.title
        lines = [
          [{ expression = "100 * ${objective.indicator.good != null ? "FILL(counted, 0) / total" : "(1 - FILL(counted, 0) / total)"}", label = "%", id = "share" }],
          concat([objective.counted.namespace, objective.counted.metric], flatten([for key, value in objective.counted.dimensions : [key, lookup(local.known, value, value)]]), [{ id = "counted", stat = "Sum", visible = false }]),
          concat([objective.indicator.total.namespace, objective.indicator.total.metric], flatten([for key, value in objective.indicator.total.dimensions : [key, lookup(local.known, value, value)]]), [{ id = "total", stat = "Sum", visible = false }]),
        ]
        at = 100 * objective.target
      }],
      [for name, objective in local.thresholds : {
        title = objective.title
        lines = [concat([objective.threshold.namespace, objective.threshold.metric], flatten([for key, value in objective.threshold.dimensions : [key, lookup(local.known, value, value)]]), [{ stat = objective.threshold.statistic }])]
        at    = objective.threshold.above
      }],
      [
        {
          title = "Live calls"
          lines = [
            ["Seiketsu", "seiketsu_live_calls", "environment", var.environment, "service", "gateway", { stat = "Sum", label = "all" }],
            ["Seiketsu", "seiketsu_live_calls", "environment", var.environment, "service", "gateway", { stat = "Maximum", label = "fullest task" }],
          ]
          at = var.max_calls_per_task
        },
        {
          title = "Refused, failed over, bridged"
          lines = [for metric in ["seiketsu_calls_refused_total", "seiketsu_provider_failures_total", "seiketsu_provider_failovers_total", "seiketsu_turns_acknowledged_total"] :
            ["Seiketsu", metric, "environment", var.environment, "service", "gateway", { stat = "Sum" }]
          ]
          at = null
        },
      ],
    )

    infrastructure = [
      {
        title = "Gateway: CPU and memory"
        lines = [for metric in ["CPUUtilization", "MemoryUtilization"] : ["AWS/ECS", metric, "ClusterName", var.cluster_name, "ServiceName", var.gateway_service_name, { stat = "Average" }]]
        at    = 85
      },
      {
        title = "Healthy tasks"
        lines = [for colour, suffix in var.target_group_arn_suffixes : ["AWS/ApplicationELB", "HealthyHostCount", "LoadBalancer", var.load_balancer_arn_suffix, "TargetGroup", suffix, { stat = "Minimum", label = colour }]]
        at    = var.min_tasks
      },
      {
        title = "Requests and errors"
        lines = [for metric in ["RequestCount", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"] : ["AWS/ApplicationELB", metric, "LoadBalancer", var.load_balancer_arn_suffix, { stat = "Sum" }]]
        at    = null
      },
      {
        title = "Database: CPU and connections"
        lines = [for metric in ["CPUUtilization", "DatabaseConnections"] : ["AWS/RDS", metric, "DBInstanceIdentifier", var.database_identifier, { stat = "Average" }]]
        at    = 80
      },
      {
        title = "Database: latency of storage"
        lines = [for metric in ["ReadLatency", "WriteLatency"] : ["AWS/RDS", metric, "DBInstanceIdentifier", var.database_identifier, { stat = "Average" }]]
        at    = 0.02
      },
      {
        title = "Load balancer: bytes"
        lines = [["AWS/ApplicationELB", "ProcessedBytes", "LoadBalancer", var.load_balancer_arn_suffix, { stat = "Sum" }]]
        at    = null
      },
      {
        title = "Database: network"
        lines = [for metric in ["NetworkReceiveThroughput", "NetworkTransmitThroughput"] : ["AWS/RDS", metric, "DBInstanceIdentifier", var.database_identifier, { stat = "Average" }]]
        at    = null
      },
      {
        title = "Cache: CPU"
        lines = [for member in var.cache_members : ["AWS/ElastiCache", "EngineCPUUtilization", "CacheClusterId", member, { stat = "Average" }]]
        at    = 75
      },
    ]
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  for_each = local.widgets

  dashboard_name = "${var.name}-${each.key}"

  dashboard_body = jsonencode({
    widgets = [for index, widget in each.value : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = merge(
        { title = widget.title, region = var.region, view = "timeSeries", period = 60, metrics = widget.lines },
        widget.at == null ? {} : { annotations = { horizontal = [{ label = "limit", value = widget.at }] } },
      )
    }]
  })
}
