output "backend_config" {
  description = "For `terraform init`, by environment: write it to a file and give it with -backend-config."
  value = { for environment in var.environments : environment => {
    bucket     = aws_s3_bucket.this["state"].id
    key        = "${environment}/terraform.tfstate"
    region     = var.region
    kms_key_id = aws_kms_key.state.arn
  } }
}

output "artifacts_bucket" {
  description = "Where releases put what is no image: the forwarder's zip."
  value       = aws_s3_bucket.this["artifacts"].id
}

output "role_arns" {
  description = "Roles of GitHub's workflows."
  value = {
    plan  = { for environment, role in aws_iam_role.plan : environment => role.arn }
    apply = { for environment, role in aws_iam_role.apply : environment => role.arn }
  }
}
