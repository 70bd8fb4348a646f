resource "aws_codedeploy_app" "gateway" {
  name             = "${var.name}-gateway"
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_config" "canary" {
  # A configuration cannot be changed, so its name says what it is.
  deployment_config_name = "${var.name}-canary-${var.canary.percent}-percent-${var.canary.bake_minutes}-minutes"
  compute_platform       = "ECS"

  traffic_routing_config {
    type = "TimeBasedCanary"

    time_based_canary {
      percentage = var.canary.percent
      interval   = var.canary.bake_minutes
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role" "codedeploy" {
  name_prefix        = "${substr(var.name, 0, 22)}-codedeploy-"
  description        = "CodeDeploy brings up versions of the gateway and sends callers to them"
  assume_role_policy = local.assume.codedeploy
}

resource "aws_iam_role_policy" "codedeploy" {
  name = "deploy"
  role = aws_iam_role.codedeploy.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Service"
          Effect   = "Allow"
          Action   = ["ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet"]
          Resource = "arn:aws:ecs:${var.region}:${var.account_id}:service/${var.name}/${var.name}-gateway"
        },
        {
          Sid    = "Versions"
          Effect = "Allow"
          Action = ["ecs:CreateTaskSet", "ecs:DeleteTaskSet"]
          Resource = [
            "arn:aws:ecs:${var.region}:${var.account_id}:service/${var.name}/${var.name}-gateway",
            "arn:aws:ecs:${var.region}:${var.account_id}:task-set/${var.name}/${var.name}-gateway/*",
          ]
        },
        {
          # Describing has no resources to name.
          Sid      = "Look"
          Effect   = "Allow"
          Action   = ["cloudwatch:DescribeAlarms", "elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTargetGroups"]
          Resource = "*"
        },
        {
          Sid      = "Switch"
          Effect   = "Allow"
          Action   = "elasticloadbalancing:ModifyListener"
          Resource = [var.blue_green.production_listener_arn, var.blue_green.test_listener_arn]
        },
        {
          Sid       = "GiveTasksTheirRoles"
          Effect    = "Allow"
          Action    = "iam:PassRole"
          Resource  = [aws_iam_role.execution["gateway"].arn, aws_iam_role.task["gateway"].arn]
          Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
        },
        { Sid = "Tell", Effect = "Allow", Action = "sns:Publish", Resource = var.alarm_topic_arn },
        {
          # The topic is sealed, and CodeDeploy speaks to it with this role.
          Sid       = "TellSealed"
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = var.topic_kms_key_arn
          Condition = { StringEquals = { "kms:ViaService" = "sns.${var.region}.amazonaws.com" } }
        },
      ],
      length(var.deployment_hook_arns) > 0 ? [
        { Sid = "Hooks", Effect = "Allow", Action = "lambda:InvokeFunction", Resource = var.deployment_hook_arns },
      ] : [],
    )
  })
}

resource "aws_codedeploy_deployment_group" "gateway" {
  app_name               = aws_codedeploy_app.gateway.name
  deployment_group_name  = "gateway"
  service_role_arn       = aws_iam_role.codedeploy.arn
  deployment_config_name = aws_codedeploy_deployment_config.canary.deployment_config_name

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  ecs_service {
    cluster_name = aws_ecs_cluster.this.name
    service_name = aws_ecs_service.gateway.name
  }

  blue_green_deployment_config {
    # Hooks of the deployment's description test the new version behind the test listener; then it goes on by itself.
    deployment_ready_option {
      action_on_timeout = "CONTINUE_DEPLOYMENT"
    }

    terminate_blue_instances_on_deployment_success {
      action = "TERMINATE"
      # Calls of the old version go on until they are over, and there is a way back as long.
      termination_wait_time_in_minutes = ceil(var.longest_call_seconds / 60) + 5
    }
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [var.blue_green.production_listener_arn]
      }

      test_traffic_route {
        listener_arns = [var.blue_green.test_listener_arn]
      }

      target_group {
        name = var.blue_green.target_group_names.blue
      }

      target_group {
        name = var.blue_green.target_group_names.green
      }
    }
  }

  alarm_configuration {
    enabled = true
    alarms  = var.rollback_alarm_names
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
  }

  trigger_configuration {
    trigger_name       = "tell"
    trigger_events     = ["DeploymentFailure", "DeploymentRollback", "DeploymentStop"]
    trigger_target_arn = var.alarm_topic_arn
  }

  depends_on = [aws_iam_role_policy.codedeploy]
}
