mock_provider "aws" {
  source = "../tests/mocks"
}

variables {
  account_id = "123456789012"
  repository = "example/seiketsu"
}

# What cannot be destroyed cannot be applied in a test, so that ARNs are given to the plan; one of its own for each.
override_resource {
  target          = aws_s3_bucket.this["state"]
  override_during = plan
  values          = { arn = "arn:aws:s3:::seiketsu-state-123456789012" }
}

override_resource {
  target          = aws_kms_key.state
  override_during = plan
  values          = { arn = "arn:aws:kms:us-east-1:123456789012:key/aaaaaaaa-2222-3333-4444-555555555555" }
}

override_resource {
  target          = aws_iam_role.plan
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/plan" }
}

override_resource {
  target          = aws_iam_role.apply
  override_during = plan
  values          = { arn = "arn:aws:iam::123456789012:role/apply" }
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

run "who_plans_reads_no_content" {
  command = plan

  assert {
    condition = alltrue([for environment, policy in aws_iam_role_policy.plan : [
      for statement in jsondecode(policy.policy).Statement : statement.NotResource if statement.Effect == "Deny" && contains(flatten([statement.Action]), "s3:GetObject")
    ] == [["arn:aws:s3:::seiketsu-state-123456789012/${environment}/*"]]])
    error_message = "it opens no object but its own environment's state"
  }
  assert {
    condition = alltrue([for policy in values(aws_iam_role_policy.plan) : length(setsubtract(
      ["logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery", "logs:GetQueryResults", "logs:StartLiveTail", "rds:DownloadDBLogFilePortion", "secretsmanager:GetSecretValue", "ssm:GetParameter"],
      flatten([for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Effect == "Deny"])
    )) == 0])
    error_message = "it reads neither logs nor secrets"
  }
  assert {
    condition = { for environment, policy in aws_iam_role_policy.plan : environment => [
      for statement in jsondecode(policy.policy).Statement : "${join(",", statement.Action)} ${statement.Resource}" if statement.Sid == "State"
    ] } == { for environment in ["staging", "production"] : environment => ["s3:GetObject arn:aws:s3:::seiketsu-state-123456789012/${environment}/terraform.tfstate"] }
    error_message = "it reads the state and does not write it"
  }
}

run "who_deploys_is_bounded" {
  command = plan

  assert {
    condition = { for environment, policy in aws_iam_role_policy.apply : environment => { for statement in jsondecode(policy.policy).Statement : statement.Sid => flatten([statement.Resource]) if statement.Effect == "Deny" } } == {
      for environment, other in { staging = "production", production = "staging" } : environment => merge(
        {
          NotItsOwnBounds   = ["arn:aws:iam::123456789012:role/apply", "arn:aws:iam::123456789012:role/apply", "arn:aws:iam::123456789012:role/plan", "arn:aws:iam::123456789012:role/plan"]
          NoPeople          = ["arn:aws:iam::123456789012:user/*"]
          StateStays        = ["arn:aws:s3:::seiketsu-state-123456789012", "arn:aws:s3:::seiketsu-state-123456789012/*"]
          OtherEnvironments = ["arn:aws:s3:::seiketsu-state-123456789012/none/*", "arn:aws:s3:::seiketsu-state-123456789012/${other}/*"]
        },
        environment == "production" ? { AuditStaysLocked = ["arn:aws:s3:::seiketsu-production-audit-123456789012/*"] } : {},
      )
    }
    error_message = "neither its own bounds, nor people, nor earlier states, nor the other environment's, nor what production's audit holds is its to change"
  }
  assert {
    condition     = alltrue(flatten([for policy in values(aws_iam_role_policy.apply) : [for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny"]]))
    error_message = "this policy only takes away"
  }
  assert {
    condition = alltrue([for policy in values(aws_iam_role_policy.apply) : alltrue([for sid, actions in {
      NotItsOwnBounds   = ["iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"]
      NoPeople          = ["iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile"]
      StateStays        = ["s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutBucketPolicy"]
      OtherEnvironments = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    } : length(setsubtract(actions, flatten([for statement in jsondecode(policy.policy).Statement : statement.Action if statement.Sid == sid]))) == 0])])
    error_message = "each bound names the actions that would pass it"
  }
  assert {
    condition     = strcontains(aws_iam_role_policy.apply["production"].policy, "s3:BypassGovernanceRetention") && !strcontains(aws_iam_role_policy.apply["production"].policy, "PutBucketObjectLockConfiguration")
    error_message = "nobody who deploys unlocks the audit; the first apply makes its lock"
  }
}

run "once_production_stands_its_audit_stays_to_be_locked" {
  command = plan
  variables {
    production_audit_stands = true
  }

  assert {
    condition = { for environment, policy in aws_iam_role_policy.apply : environment => [
      for statement in jsondecode(policy.policy).Statement : statement.Resource if contains(statement.Action, "s3:PutBucketObjectLockConfiguration")
    ] } == { staging = [], production = ["arn:aws:s3:::seiketsu-production-audit-123456789012"] }
    error_message = "what is to come will be locked as well"
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
