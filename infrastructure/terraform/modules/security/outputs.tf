output "kms_key_arns" {
  description = "Keys by what they seal: data, logs (with the alert channels), secrets."
  value       = { for name, key in aws_kms_key.this : name => key.arn }
}

output "security_group_ids" {
  description = "Groups by who is in them: load_balancer, gateway, worker, database, cache and, with a proxy, database_proxy."
  value       = { for name, group in aws_security_group.this : name => group.id }
}
