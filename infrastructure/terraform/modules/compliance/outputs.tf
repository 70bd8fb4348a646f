output "audit_bucket" {
  description = "Bucket of the audit logs."
  value       = aws_s3_bucket.audit.id
}

output "config_bucket" {
  description = "Bucket of Config's history, if this environment has the account's baseline."
  value       = one(aws_s3_bucket.config[*].id)
}

output "audit_key_arn" {
  description = "Key that seals them."
  value       = aws_kms_key.audit.arn
}

output "audit_lock" {
  description = "How the audit logs are locked, and for how many days."
  value       = one(aws_s3_bucket_object_lock_configuration.audit.rule[0].default_retention[*])
}

output "trail_arn" {
  description = "The trail."
  value       = aws_cloudtrail.this.arn
}

output "detector_id" {
  description = "GuardDuty's detector, if this environment has the account's baseline."
  value       = one(aws_guardduty_detector.this[*].id)
}

output "rule_names" {
  description = "Config's rules by their identifier: evidence for SOC 2."
  value       = { for identifier, rule in aws_config_config_rule.this : identifier => rule.name }
}
