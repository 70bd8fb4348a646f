mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name                = "seiketsu-production"
  account_id          = "123456789012"
  slug                = "lone-star-homes"
  subnet_ids          = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
  security_group_id   = "sg-0123456789abcdef0"
  logs_kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  secrets_kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/33333333-2222-3333-4444-555555555555"
  alarm_topic_arns    = ["arn:aws:sns:us-east-1:123456789012:warning"]
  backup_tags         = { "seiketsu:backup" = "seiketsu-production" }
}

run "a_tenant_has_a_key_and_a_database_of_its_own" {
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.tags.Tenant == "lone-star-homes" && aws_kms_alias.this.name == "alias/seiketsu-production-tenant-lone-star-homes"
    error_message = "the key rotates and says whose it is"
  }
  assert {
    condition     = output.identifier == "seiketsu-production-lone-star-homes-database" && length(output.identifier) <= 63
    error_message = "the instance says whose it is, in 63 characters"
  }
  assert {
    condition     = output.kms_key_arn == aws_kms_key.this.arn && output.address != null
    error_message = "who sends calls there learns where it is"
  }
}

run "its_connections_are_watched_by_its_own_measure" {
  assert {
    condition     = output.connections_alarm_at == 300
    error_message = "a small instance takes 400 connections: the shared database's alarm would never come"
  }
}

run "a_larger_instance_takes_more" {
  variables {
    instance_class       = "db.r6g.large"
    connections_alarm_at = 1200
  }
  assert {
    condition     = output.connections_alarm_at == 1200
    error_message = "the alarm is one variable away"
  }
}

run "a_name_that_is_too_long_is_refused" {
  command = plan
  variables {
    slug = "the-very-long-name-of-a-brokerage"
  }
  expect_failures = [var.slug]
}
