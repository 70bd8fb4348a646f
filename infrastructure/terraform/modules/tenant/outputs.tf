output "address" {
  description = "Host of the tenant's database."
  value       = module.database.address
}

output "identifier" {
  description = "Dimension of its metrics."
  value       = module.database.identifier
}

output "connections_alarm_at" {
  description = "Connections at which its alarm comes."
  value       = module.database.settings.connections_alarm_at
}

output "arn" {
  description = "The instance, for backups."
  value       = module.database.arn
}

output "master_secret_arn" {
  description = "Secret of its administrator."
  value       = module.database.master_secret_arn
}

output "kms_key_arn" {
  description = "The tenant's key."
  value       = aws_kms_key.this.arn
}
