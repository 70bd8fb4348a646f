output "public_url" {
  description = "What is entered at Twilio, and what programs call."
  value       = module.edge.public_url
}

output "console_url" {
  description = "Where people go."
  value       = module.edge.console_url
}

output "test_url" {
  description = "Where a new version answers before callers get it."
  value       = module.edge.test_url
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = module.ecs.repository_url
}

output "cluster_name" {
  description = "ECS cluster."
  value       = module.ecs.cluster_name
}

output "service_names" {
  description = "ECS services."
  value       = module.ecs.service_names
}

output "task_definition_families" {
  description = "Task definitions that a release registers revisions of."
  value       = module.ecs.task_definition_families
}

output "deployment" {
  description = "What a release tells CodeDeploy."
  value       = module.ecs.deployment
}

output "migration" {
  description = "How migrations are run."
  value       = module.ecs.migration
}

output "console_bucket" {
  description = "Bucket of the console's files."
  value       = module.edge.console_bucket
}

output "distribution_id" {
  description = "Distribution to invalidate after a release of the console."
  value       = module.edge.distribution_id
}

output "recordings_bucket" {
  description = "Bucket of recordings."
  value       = module.ecs.recordings_bucket
}

output "database_address" {
  description = "Host of the database, within the VPC."
  value       = module.database.address
}

output "replica_addresses" {
  description = "Hosts of the database's read replicas, within the VPC, for reports. The platform itself has no name for them."
  value       = module.database.replica_addresses
}

output "database_master_secret_arn" {
  description = "Secret of the administrator: RDS's own, or with read replicas one that is made here."
  value       = module.database.master_secret_arn
}

output "secret_names" {
  description = "What the secrets are called, for `aws secretsmanager put-secret-value`."
  value       = module.secrets.secret_names
}

output "nat_public_ips" {
  description = "Addresses that vendors see."
  value       = module.networking.nat_public_ips
}

output "topic_arns" {
  description = "Alert channels."
  value       = module.monitoring.topic_arns
}

output "dashboard_names" {
  description = "Dashboards."
  value       = module.monitoring.dashboard_names
}

output "audit_bucket" {
  description = "Bucket of audit logs."
  value       = module.compliance.audit_bucket
}

output "backup_vault_arn" {
  description = "Vault of backups."
  value       = module.backup.vault_arn
}

output "tenant_databases" {
  description = "Databases of single tenants."
  value       = { for slug, tenant in module.tenant : slug => tenant.address }
}
