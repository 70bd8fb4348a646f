resource "aws_cloudwatch_log_group" "platform" {
  for_each = toset(["gateway", "worker", "migrate", "collector"])

  name = "/${var.name}/${each.key}"
  # Metrics are made of what the collector writes; the lines themselves are of no use later.
  retention_in_days = each.key == "collector" ? min(14, var.log_retention_days) : var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}
