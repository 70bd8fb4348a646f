locals {
  image = "${aws_ecr_repository.this.repository_url}@${var.image_digest}"

  # What Container Studio finds services by, as labels of containers and tags of services.
  studio = {
    gateway = { "container-studio.service" = "api", "container-studio.tier" = "backend", "container-studio.network" = var.environment }
    worker  = { "container-studio.service" = "worker", "container-studio.tier" = "backend", "container-studio.network" = var.environment }
    migrate = { "container-studio.service" = "migrate", "container-studio.tier" = "data", "container-studio.network" = var.environment }
  }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  # Key and value as GuardDuty reads them.
  tags = var.guardduty_enabled ? {} : { GuardDutyManaged = "false" }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  # Whoever does not choose gets capacity that stays.
  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${var.name}.internal"
  description = "Names of services within the VPC"
  vpc         = var.vpc_id
}

resource "aws_service_discovery_service" "gateway" {
  name        = "gateway"
  description = "gateway.${var.name}.internal: the API, for one-off tasks"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  # What is registered are tasks. ECS takes them out a while after the service has gone.
  force_destroy = true

  # ECS tells whether a task is healthy.
  health_check_custom_config {
    failure_threshold = 1
  }
}
