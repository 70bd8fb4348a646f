locals {
  scalable = {
    service_namespace  = "ecs"
    resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.gateway.name}"
    scalable_dimension = "ecs:service:DesiredCount"
  }
}

resource "aws_appautoscaling_target" "gateway" {
  service_namespace  = local.scalable.service_namespace
  resource_id        = local.scalable.resource_id
  scalable_dimension = local.scalable.scalable_dimension
  min_capacity       = var.min_tasks
  max_capacity       = var.max_tasks

  # Where `schedules` moves the bounds, a plan shows that it would move them back. It may: what runs is not stopped by it, and
  # the clock's next action moves them again. Ignoring them would also ignore the variables.
}

# Each task reports its own calls once a minute under the same dimensions. The fullest one counts, not the average: during a
# deployment both colours report, and tasks without new calls would hide that those with them are full. Outside of one the two
# are close, because the load balancer sends each call to the target with the fewest.
resource "aws_appautoscaling_policy" "live_calls" {
  count = var.collector_enabled ? 1 : 0

  name               = "${var.name}-live-calls"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.gateway.service_namespace
  resource_id        = aws_appautoscaling_target.gateway.resource_id
  scalable_dimension = aws_appautoscaling_target.gateway.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.calls_per_task
    scale_out_cooldown = 60
    # A call lasts minutes; taking tasks away quickly only makes them protected ones.
    scale_in_cooldown = 900

    customized_metric_specification {
      namespace   = "Seiketsu"
      metric_name = "seiketsu_live_calls"
      statistic   = "Maximum"

      dimensions {
        name  = "environment"
        value = var.environment
      }

      dimensions {
        name  = "service"
        value = "gateway"
      }
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${var.name}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.gateway.service_namespace
  resource_id        = aws_appautoscaling_target.gateway.resource_id
  scalable_dimension = aws_appautoscaling_target.gateway.scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value       = var.cpu_target_percent
    scale_out_cooldown = 60
    scale_in_cooldown  = 900

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "clock" {
  for_each = var.schedules

  name               = "${var.name}-${each.key}"
  service_namespace  = aws_appautoscaling_target.gateway.service_namespace
  resource_id        = aws_appautoscaling_target.gateway.resource_id
  scalable_dimension = aws_appautoscaling_target.gateway.scalable_dimension
  schedule           = each.value.cron
  timezone           = each.value.timezone

  scalable_target_action {
    min_capacity = each.value.min
    max_capacity = each.value.max
  }
}
