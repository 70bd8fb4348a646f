locals {
  assume = {
    for service, principal in {
      tasks      = "ecs-tasks.amazonaws.com"
      events     = "events.amazonaws.com"
      codedeploy = "codedeploy.amazonaws.com"
      } : service => jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect    = "Allow"
          Principal = { Service = principal }
          Action    = "sts:AssumeRole"
          # No other account's task can get our role through the service.
          Condition = service == "codedeploy" ? {} : { StringEquals = { "aws:SourceAccount" = var.account_id } }
        }]
    })
  }

  tasks = ["gateway", "worker", "migrate"]

  # Each task's secrets, by variable. PGPASSWORD is what PostgreSQL's clients read where a URL has no password, so that
  # DATABASE_URL holds none.
  service_password = "${var.secret_arns[var.database.password_variable]}:password::"
  task_secrets = {
    gateway = merge({ PGPASSWORD = local.service_password }, { for name in var.gateway_secrets : name => var.secret_arns[name] })
    worker  = merge({ PGPASSWORD = local.service_password }, { for name in var.worker_secrets : name => var.secret_arns[name] })
    # The login of the other two, which the migration makes.
    migrate = { PGPASSWORD = "${var.database.admin_secret_arn}:password::", DATABASE_SERVICE_PASSWORD = local.service_password }
  }

  # What execution roles read is the secret itself, without the key within it.
  task_secret_arns = {
    for task, secrets in local.task_secrets : task => distinct([for reference in values(secrets) : trimsuffix(reference, ":password::")])
  }

  log_group_arns = { for name, group in var.log_group_names : name => "arn:aws:logs:${var.region}:${var.account_id}:log-group:${group}" }
}

# What starts a task: pulls its image, reads its secrets, opens its log. One role each, so that the migration's cannot read
# the vendors' keys, nor the gateway's the administrator's password.
resource "aws_iam_role" "execution" {
  for_each = toset(local.tasks)

  name_prefix        = "${substr(var.name, 0, 21)}-start-${each.key}-"
  description        = "ECS starts ${each.key} tasks"
  assume_role_policy = local.assume.tasks
}

resource "aws_iam_role_policy" "execution" {
  for_each = aws_iam_role.execution

  name = "start"
  role = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # A login to ECR is for the whole registry; there is no resource to name.
      { Sid = "Login", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = concat([aws_ecr_repository.this.arn], var.agent_repository_arns)
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = distinct(["${local.log_group_arns[each.key]}:*", "${local.log_group_arns.collector}:*"])
      },
      { Sid = "Secrets", Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = local.task_secret_arns[each.key] },
      {
        Sid       = "OpenSecrets"
        Effect    = "Allow"
        Action    = "kms:Decrypt"
        Resource  = var.kms_key_arns.secrets
        Condition = { StringEquals = { "kms:ViaService" = "secretsmanager.${var.region}.amazonaws.com" } }
      },
    ]
  })
}

# What a task may do while it runs.
resource "aws_iam_role" "task" {
  for_each = toset(local.tasks)

  name_prefix        = "${substr(var.name, 0, 22)}-task-${each.key}-"
  description        = "What ${each.key} tasks may do"
  assume_role_policy = local.assume.tasks
}

locals {
  statements = {
    protect = {
      # A task that holds calls takes itself out of what scaling and deployments may stop.
      Sid      = "ProtectItself"
      Effect   = "Allow"
      Action   = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
      Resource = "arn:aws:ecs:${var.region}:${var.account_id}:task/${var.name}/*"
    }
    recordings = {
      Sid      = "Recordings"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = "${aws_s3_bucket.recordings.arn}/*"
    }
    list_recordings = {
      Sid      = "ListRecordings"
      Effect   = "Allow"
      Action   = "s3:ListBucket"
      Resource = aws_s3_bucket.recordings.arn
    }
    seal_recordings = {
      Sid       = "SealRecordings"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = var.kms_key_arns.data
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.region}.amazonaws.com" } }
    }
    cache = {
      Sid      = "Cache"
      Effect   = "Allow"
      Action   = "elasticache:Connect"
      Resource = var.cache_connect_arns
    }
    metrics = {
      Sid      = "Metrics"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = [local.log_group_arns.collector, "${local.log_group_arns.collector}:*"]
    }
    traces = {
      # X-Ray's traces are no resources that could be named.
      Sid      = "Traces"
      Effect   = "Allow"
      Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = "*"
    }
  }

  task_statements = {
    for task, names in {
      gateway = ["protect", "recordings", "list_recordings", "seal_recordings", "cache"]
      worker  = ["recordings", "list_recordings", "seal_recordings", "cache"]
      } : task => [for name in concat(names, var.collector_enabled ? ["metrics"] : [], var.collector_enabled && var.traces_enabled ? ["traces"] : []) :
      local.statements[name]
    ]
  }
}

# Migrations speak to the database only, so that their role may do nothing.
resource "aws_iam_role_policy" "task" {
  for_each = local.task_statements

  name = "run"
  role = aws_iam_role.task[each.key].id

  policy = jsonencode({ Version = "2012-10-17", Statement = each.value })
}
