# Holds the calls. CodeDeploy brings its versions up, so task, target group, network and number of tasks are not Terraform's
# once it stands: ECS refuses to change the first three of such a service, and takes them from a deployment's AppSpec.
resource "aws_ecs_service" "gateway" {
  name            = "${var.name}-gateway"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this["gateway"].arn
  desired_count   = var.min_tasks

  # Not a capacity provider: spare capacity goes with two minutes' notice, and a call lasts longer.
  launch_type      = "FARGATE"
  platform_version = "LATEST"

  health_check_grace_period_seconds = 60
  enable_ecs_managed_tags           = true
  propagate_tags                    = "SERVICE"
  enable_execute_command            = false

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  load_balancer {
    target_group_arn = var.blue_green.target_group_arns.blue
    container_name   = "seiketsu"
    container_port   = 8080
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids.gateway]
    assign_public_ip = false
  }

  service_registries {
    registry_arn = aws_service_discovery_service.gateway.arn
  }

  tags = local.studio.gateway

  lifecycle {
    ignore_changes = [task_definition, load_balancer, network_configuration, platform_version, desired_count]
  }

  # Tasks that start before their role may read their secrets fail.
  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task, aws_ecs_cluster_capacity_providers.this]
}

# Mail, sweeps, recovery. Nothing reaches it and it holds no call: what it was doing when it goes is claimed anew.
resource "aws_ecs_service" "worker" {
  name            = "${var.name}-worker"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.this["worker"].arn
  desired_count   = var.worker_count

  capacity_provider_strategy {
    capacity_provider = var.worker_on_spot ? "FARGATE_SPOT" : "FARGATE"
    weight            = 1
  }

  enable_ecs_managed_tags = true
  propagate_tags          = "SERVICE"
  enable_execute_command  = false

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [var.security_group_ids.worker]
    assign_public_ip = false
  }

  tags = local.studio.worker

  lifecycle {
    # Releases are the pipeline's.
    ignore_changes = [task_definition]
  }

  depends_on = [aws_iam_role_policy.execution, aws_iam_role_policy.task, aws_ecs_cluster_capacity_providers.this]
}
