output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The same, for policies."
  value       = aws_ecs_cluster.this.arn
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
  description = "What a release tells CodeDeploy."
  value = {
    application    = aws_codedeploy_app.gateway.name
    group          = aws_codedeploy_deployment_group.gateway.deployment_group_name
    configuration  = aws_codedeploy_deployment_config.canary.deployment_config_name
    container_name = "seiketsu"
    container_port = 8080
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
