output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_names" {
  description = "Services, dimensions of their metrics."
  value       = { gateway = aws_ecs_service.gateway.name, worker = aws_ecs_service.worker.name }
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "The same, for policies."
  value       = aws_ecr_repository.this.arn
}

output "task_definition_families" {
  description = "Task definitions: a release registers a revision of each with its own image."
  value       = { for task, definition in aws_ecs_task_definition.this : task => definition.family }
}

output "task_definition_arns" {
  description = "What Terraform registered last."
  value       = { for task, definition in aws_ecs_task_definition.this : task => definition.arn }
}

output "execution_role_arns" {
  description = "Roles that start tasks: the readers of the secrets."
  value       = { for task, role in aws_iam_role.execution : task => role.arn }
}

output "task_role_arns" {
  description = "Roles that tasks run with."
  value       = { for task, role in aws_iam_role.task : task => role.arn }
}

output "deployment" {
  description = "What a release tells CodeDeploy; subnets, security groups and platform version are for the AppSpec's NetworkConfiguration and PlatformVersion."
  value = {
    application        = aws_codedeploy_app.gateway.name
    group              = aws_codedeploy_deployment_group.gateway.deployment_group_name
    configuration      = aws_codedeploy_deployment_config.canary.deployment_config_name
    container_name     = "seiketsu"
    container_port     = 8080
    platform_version   = "LATEST"
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_ids.gateway]
  }
}

output "deployment_group_arn" {
  description = "The group, for the policy of who releases."
  value       = aws_codedeploy_deployment_group.gateway.arn
}

output "migration" {
  description = "How `aws ecs run-task` runs migrations: before each release, and before the first call."
  value = {
    cluster            = aws_ecs_cluster.this.name
    task_definition    = aws_ecs_task_definition.this["migrate"].family
    subnet_ids         = var.subnet_ids
    security_group_ids = [var.security_group_ids.worker]
  }
}

output "recordings_bucket" {
  description = "Bucket of the recordings."
  value       = aws_s3_bucket.recordings.id
}

output "recordings_bucket_arn" {
  description = "The same, for backups."
  value       = aws_s3_bucket.recordings.arn
}

output "namespace" {
  description = "Names of services in the VPC: gateway.NAMESPACE."
  value       = aws_service_discovery_private_dns_namespace.this.name
}

locals {
  # The platform's own container as it was registered. The provider sorts containers by name.
  registered = { for task, definition in aws_ecs_task_definition.this : task => one([
    for container in jsondecode(definition.container_definitions) : container if container.name == "seiketsu"
  ]) }
}

output "secrets" {
  description = "What each kind of task is given from secrets: ARNs, and the key within, by variable."
  value       = { for task, container in local.registered : task => { for secret in container.secrets : secret.name => secret.valueFrom } }
}

output "sealed_with" {
  description = "Keys by what they seal; tests of the root ask for it."
  value = {
    images     = aws_ecr_repository.this.encryption_configuration[0].kms_key
    recordings = one(aws_s3_bucket_server_side_encryption_configuration.recordings.rule).apply_server_side_encryption_by_default[0].kms_master_key_id
    topic      = one([for statement in jsondecode(aws_iam_role_policy.codedeploy.policy).Statement : statement.Resource if statement.Sid == "TellSealed"])
  }
}

output "settings" {
  description = "What tasks and services are made with; tests of the root ask for it."
  value = {
    sizes              = { for task, definition in aws_ecs_task_definition.this : task => { cpu = tonumber(definition.cpu), memory = tonumber(definition.memory) } }
    architecture       = aws_ecs_task_definition.this["gateway"].runtime_platform[0].cpu_architecture
    max_calls          = tonumber(one([for variable in local.registered["gateway"].environment : variable.value if variable.name == "MAX_CALLS"]))
    calls_per_task     = one(aws_appautoscaling_policy.live_calls[*].target_tracking_scaling_policy_configuration[0].target_value)
    desired            = { gateway = aws_ecs_service.gateway.desired_count, worker = aws_ecs_service.worker.desired_count }
    bounds             = { min = aws_appautoscaling_target.gateway.min_capacity, max = aws_appautoscaling_target.gateway.max_capacity }
    schedules          = { for name, action in aws_appautoscaling_scheduled_action.clock : name => { min = tonumber(action.scalable_target_action[0].min_capacity), max = tonumber(action.scalable_target_action[0].max_capacity) } }
    worker_capacity    = one(aws_ecs_service.worker.capacity_provider_strategy).capacity_provider
    container_insights = one(aws_ecs_cluster.this.setting).value
    guardduty          = !can(aws_ecs_cluster.this.tags["GuardDutyManaged"])
    force_delete       = aws_ecr_repository.this.force_delete || aws_s3_bucket.recordings.force_destroy
  }
}
