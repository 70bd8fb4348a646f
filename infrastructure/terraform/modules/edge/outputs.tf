output "public_url" {
  description = "PUBLIC_URL of tasks: where Twilio and programs reach the platform."
  value       = "https://${local.voice_host}"
}

output "console_url" {
  description = "Where people reach the console."
  value       = "https://${local.console_host}"
}

output "load_balancer_arn_suffix" {
  description = "Dimension of the load balancer's metrics."
  value       = aws_lb.this.arn_suffix
}

output "target_group_arn_suffixes" {
  description = "Dimensions of the target groups' metrics, by colour."
  value       = { for colour, group in aws_lb_target_group.colour : colour => group.arn_suffix }
}

output "blue_green" {
  description = "What CodeDeploy switches: target groups and listeners."
  value = {
    target_group_names      = { for colour, group in aws_lb_target_group.colour : colour => group.name }
    target_group_arns       = { for colour, group in aws_lb_target_group.colour : colour => group.arn }
    production_listener_arn = aws_lb_listener.https["production"].arn
    test_listener_arn       = aws_lb_listener.https["test"].arn
  }
}

output "test_url" {
  description = "Where the next version answers before callers get it, for those in `test_traffic_cidrs`."
  value       = "https://${local.voice_host}:8443"
}

output "console_bucket" {
  description = "Bucket that the console's files are put into."
  value       = aws_s3_bucket.this["console"].id
}

output "console_bucket_arn" {
  description = "The same, for policies and backups."
  value       = aws_s3_bucket.this["console"].arn
}

output "distribution_id" {
  description = "Distribution whose cache a release invalidates, and a dimension of its metrics."
  value       = aws_cloudfront_distribution.console.id
}

output "distribution_arn" {
  description = "The same, for policies."
  value       = aws_cloudfront_distribution.console.arn
}

output "firewall_names" {
  description = "Names of the ACLs, dimensions of their metrics."
  value       = { load_balancer = module.load_balancer_firewall.name, console = module.console_firewall.name }
}

output "settings" {
  description = "What load balancer and target groups are made with; tests of the root ask for it."
  value = {
    deletion_protection  = aws_lb.this.enable_deletion_protection
    force_destroy        = anytrue(values(aws_s3_bucket.this)[*].force_destroy)
    longest_call_seconds = one(distinct([for group in values(aws_lb_target_group.colour) : tonumber(group.deregistration_delay)]))
  }
}
