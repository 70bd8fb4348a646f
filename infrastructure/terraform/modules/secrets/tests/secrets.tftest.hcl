mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name        = "seiketsu-test"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  secrets = {
    OPENAI_API_KEY    = { description = "language model" }
    DATABASE_PASSWORD = { description = "database", username = "seiketsu_service" }
    SUPABASE_KEY      = { description = "unused" }
  }
  readers      = { OPENAI_API_KEY = ["arn:aws:iam::123456789012:role/gateway"] }
  written_here = ["OPENAI_API_KEY", "DATABASE_PASSWORD"]
  writers      = ["arn:aws:iam::123456789012:role/deployer"]
  secret_values = {
    OPENAI_API_KEY    = "sk-test"
    DATABASE_PASSWORD = "correct horse"
  }
}

run "every_secret_is_sealed_and_can_be_brought_back" {
  assert {
    condition     = alltrue([for secret in values(aws_secretsmanager_secret.this) : secret.kms_key_id == var.kms_key_arn && secret.recovery_window_in_days == 30])
    error_message = "a secret is sealed with our own key and kept for thirty days once deleted"
  }
  assert {
    condition     = aws_secretsmanager_secret.this["OPENAI_API_KEY"].name == "seiketsu-test/OPENAI_API_KEY"
    error_message = "a secret is named after environment and variable"
  }
}

run "no_value_is_kept" {
  assert {
    condition     = toset(keys(aws_secretsmanager_secret_version.this)) == toset(["OPENAI_API_KEY", "DATABASE_PASSWORD"])
    error_message = "values are written for what is written here, and nothing else"
  }
  assert {
    condition     = alltrue([for version in values(aws_secretsmanager_secret_version.this) : version.secret_string_wo == null && version.secret_string_wo_version == 1])
    error_message = "a value must go through the write-only argument"
  }
}

run "nobody_reads_but_the_readers" {
  assert {
    condition = alltrue([for policy in values(aws_secretsmanager_secret_policy.this) :
      alltrue([for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny"]) && policy.block_public_policy
    ])
    error_message = "the resource policies deny only"
  }
  assert {
    condition = (
      contains(jsondecode(aws_secretsmanager_secret_policy.this["OPENAI_API_KEY"].policy).Statement[0].Condition.ArnNotLike["aws:PrincipalArn"], "arn:aws:iam::123456789012:role/gateway")
      && length(jsondecode(aws_secretsmanager_secret_policy.this["SUPABASE_KEY"].policy).Statement[0].Condition.ArnNotLike["aws:PrincipalArn"]) == 1
    )
    error_message = "the gateway reads its key; what nobody needs, nobody reads"
  }
  assert {
    condition     = alltrue([for policy in values(aws_secretsmanager_secret_policy.this) : jsondecode(policy.policy).Statement[1].Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "plain connections are refused"
  }
}

run "who_writes_reads_that_back_and_nothing_else" {
  assert {
    condition = (
      contains(jsondecode(aws_secretsmanager_secret_policy.this["OPENAI_API_KEY"].policy).Statement[0].Condition.ArnNotLike["aws:PrincipalArn"], "arn:aws:iam::123456789012:role/deployer")
      && !contains(jsondecode(aws_secretsmanager_secret_policy.this["SUPABASE_KEY"].policy).Statement[0].Condition.ArnNotLike["aws:PrincipalArn"], "arn:aws:iam::123456789012:role/deployer")
    )
    error_message = "the role that Terraform runs with reads what it wrote"
  }
}

run "values_without_a_writer_are_refused" {
  command = plan
  variables {
    writers = []
  }
  expect_failures = [var.writers]
}

run "a_name_that_is_no_variable_is_refused" {
  command = plan
  variables {
    secrets       = { "openai-key" = { description = "x" } }
    readers       = {}
    written_here  = []
    secret_values = {}
  }
  expect_failures = [var.secrets]
}

run "a_reader_of_nothing_is_refused" {
  command = plan
  variables {
    readers = { OPENAI_API_KYE = ["arn:aws:iam::123456789012:role/gateway"] }
  }
  expect_failures = [var.readers]
}

run "a_value_of_nothing_is_refused" {
  command = plan
  variables {
    written_here = ["OTHER"]
  }
  expect_failures = [var.written_here]
}

run "half_a_version_is_refused" {
  command = plan
  variables {
    values_version = 1.5
  }
  expect_failures = [var.values_version]
}

run "a_recovery_that_does_not_exist_is_refused" {
  command = plan
  variables {
    recovery_window_days = 3
  }
  expect_failures = [var.recovery_window_days]
}
