mock_provider "aws" {
  source = "../tests/mocks"
}

variables {
  account_id = "123456789012"
  repository = "example/seiketsu"
}

run "state_is_sealed_versioned_and_private" {
  command = plan

  assert {
    condition     = toset(keys(aws_s3_bucket.this)) == toset(["state", "artifacts"]) && aws_kms_key.state.enable_key_rotation
    error_message = "expected two buckets and a key"
  }
  assert {
    condition = alltrue([for name in ["state", "artifacts"] : (
      aws_s3_bucket_versioning.this[name].versioning_configuration[0].status == "Enabled"
      && aws_s3_bucket_public_access_block.this[name].restrict_public_buckets
      && one(aws_s3_bucket_server_side_encryption_configuration.this[name].rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    )])
    error_message = "state can be brought back, is private and sealed"
  }
}

run "only_the_repositorys_own_jobs_become_a_role" {
  command = plan
  variables {
    oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
  }

  assert {
    condition = (
      jsondecode(aws_iam_role.apply["production"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == ["repo:example/seiketsu:environment:production"]
      && jsondecode(aws_iam_role.apply["production"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    )
    error_message = "what changes production is a job of this repository in that environment"
  }
  assert {
    condition     = !anytrue([for role in values(aws_iam_role.apply) : strcontains(role.assume_role_policy, "pull_request")])
    error_message = "a pull request changes nothing"
  }
  assert {
    condition     = !anytrue([for role in concat(values(aws_iam_role.apply), values(aws_iam_role.plan)) : strcontains(role.assume_role_policy, "*")])
    error_message = "no wildcard in who may become a role"
  }
  assert {
    condition     = length(aws_iam_openid_connect_provider.github) == 0
    error_message = "a provider that is there is not made again"
  }
  assert {
    condition     = aws_iam_role_policy_attachment.plan["staging"].policy_arn == "arn:aws:iam::aws:policy/ReadOnlyAccess"
    error_message = "who plans reads"
  }
}

run "a_repository_without_an_owner_is_refused" {
  command = plan
  variables {
    repository = "seiketsu"
  }
  expect_failures = [var.repository]
}

run "an_unknown_environment_is_refused" {
  command = plan
  variables {
    environments = ["development"]
  }
  expect_failures = [var.environments]
}
