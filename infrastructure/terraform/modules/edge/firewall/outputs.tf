output "arn" {
  description = "The ACL."
  value       = aws_wafv2_web_acl.this.arn

  # Who protects something with the ACL also wants what it refuses to be logged.
  depends_on = [aws_wafv2_web_acl_logging_configuration.this]
}

output "name" {
  description = "Name of the ACL, a dimension of its metrics."
  value       = aws_wafv2_web_acl.this.name
}

output "redacted_headers" {
  description = "Headers that the log does not hold."
  value       = [for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : field.single_header[0].name if length(field.single_header) > 0]
}
