locals {
  provider_arn = coalesce(var.oidc_provider_arn, one(aws_iam_openid_connect_provider.github[*].arn))

  # Two roles for each environment. `plan` reads, for pull requests; `apply` changes, behind the environment's reviewers.
  assume = { for kind, subjects in merge(
    { for environment in var.environments : "${environment}-apply" => ["repo:${var.repository}:environment:${environment}"] },
    { for environment in var.environments : "${environment}-plan" => ["repo:${var.repository}:environment:${environment}", "repo:${var.repository}:pull_request"] },
    ) : kind => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Principal = { Federated = local.provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = {
          StringEquals = {
            "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
            "token.actions.githubusercontent.com:sub" = subjects
          }
        }
      }]
  }) }

  # What the root calls it.
  production_audit = "arn:aws:s3:::seiketsu-production-audit-${var.account_id}"

  state_statements = { for environment in var.environments : environment => [
    { Sid = "ListState", Effect = "Allow", Action = "s3:ListBucket", Resource = aws_s3_bucket.this["state"].arn },
    {
      Sid      = "State"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject"]
      Resource = "${aws_s3_bucket.this["state"].arn}/${environment}/terraform.tfstate"
    },
    {
      # The lock is an object beside the state, made and deleted by whoever holds it.
      Sid      = "Lock"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = "${aws_s3_bucket.this["state"].arn}/${environment}/terraform.tfstate.tflock"
    },
    { Sid = "SealState", Effect = "Allow", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = aws_kms_key.state.arn },
  ] }
}

resource "aws_iam_role" "plan" {
  for_each = var.environments

  name                 = "seiketsu-${each.key}-plan"
  description          = "GitHub's workflows plan ${each.key}"
  assume_role_policy   = local.assume["${each.key}-plan"]
  max_session_duration = 3600
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = var.environments

  role       = aws_iam_role.plan[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  for_each = var.environments

  name = "plan"
  role = aws_iam_role.plan[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      # A plan is made without writing the state.
      [for statement in local.state_statements[each.key] : merge(statement, statement.Sid == "State" ? { Action = ["s3:GetObject"] } : {})],
      [
        {
          # Who plans learns how everything is, and nothing of what is in it; nor how another environment is.
          Sid         = "NothingWithin"
          Effect      = "Deny"
          Action      = ["s3:GetObject", "s3:GetObjectVersion"]
          NotResource = ["${aws_s3_bucket.this["state"].arn}/${each.key}/*"]
        },
        {
          # Logs hold what people said and did; groups and their settings are read all the same.
          Sid    = "NoLogs"
          Effect = "Deny"
          Action = [
            "logs:FilterLogEvents", "logs:GetLogEvents", "logs:GetLogRecord", "logs:GetQueryResults", "logs:StartLiveTail",
            "logs:StartQuery", "rds:DownloadCompleteDBLogFile", "rds:DownloadDBLogFilePortion",
          ]
          Resource = "*"
        },
        {
          Sid      = "NoSecrets"
          Effect   = "Deny"
          Action   = ["secretsmanager:GetSecretValue", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
          Resource = ["arn:aws:secretsmanager:*:${var.account_id}:secret:*", "arn:aws:ssm:*:${var.account_id}:parameter/*"]
        },
      ],
    )
  })
}

# Whoever makes roles can make one that may do everything, so there is no small policy for this role. What bounds it is who
# becomes it: a job of this repository in this environment, behind the environment's reviewers, for an hour.
resource "aws_iam_role" "apply" {
  for_each = var.environments

  name                 = "seiketsu-${each.key}-apply"
  description          = "GitHub's workflows deploy ${each.key}"
  assume_role_policy   = local.assume["${each.key}-apply"]
  max_session_duration = 3600
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = var.environments

  role       = aws_iam_role.apply[each.key].name
  policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"
}

resource "aws_iam_role_policy" "apply" {
  for_each = var.environments

  name = "bounds"
  role = aws_iam_role.apply[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid    = "NotItsOwnBounds"
        Effect = "Deny"
        Action = [
          "iam:AttachRolePolicy", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy",
          "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
        ]
        Resource = [for role in concat(values(aws_iam_role.apply), values(aws_iam_role.plan)) : role.arn]
      },
      {
        Sid      = "NoPeople"
        Effect   = "Deny"
        Action   = ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:CreateUser"]
        Resource = "arn:aws:iam::${var.account_id}:user/*"
      },
      {
        Sid      = "StateStays"
        Effect   = "Deny"
        Action   = ["s3:DeleteBucket", "s3:DeleteObjectVersion", "s3:PutBucketVersioning", "s3:PutBucketPolicy"]
        Resource = [aws_s3_bucket.this["state"].arn, "${aws_s3_bucket.this["state"].arn}/*"]
      },
      {
        Sid      = "OtherEnvironments"
        Effect   = "Deny"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = [for other in setunion(setsubtract(var.environments, [each.key]), ["none"]) : "${aws_s3_bucket.this["state"].arn}/${other}/*"]
      },
      ], [
      # Staging is taken down with its audit bucket, so only production's is bound. No deployer lifts its lock.
      for statement in [
        { Sid = "AuditStaysLocked", Effect = "Deny", Action = ["s3:BypassGovernanceRetention"], Resource = "${local.production_audit}/*" },
        { Sid = "AuditStaysToBeLocked", Effect = "Deny", Action = ["s3:PutBucketObjectLockConfiguration"], Resource = local.production_audit },
      ] : statement if each.key == "production" && (statement.Sid == "AuditStaysLocked" || var.production_audit_stands)
    ])
  })
}
