resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.recordings_force_destroy

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arns.data
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Layers that no tag names are left over from builds"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Fifty releases to go back to"
        selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 50 }
        action       = { type = "expire" }
      },
    ]
  })
}

resource "aws_cloudwatch_event_api_destination" "rebuild" {
  count = var.rebuild_hook == null ? 0 : 1

  name                             = "${var.name}-rebuild"
  description                      = "Asks for a new image"
  connection_arn                   = var.rebuild_hook.connection_arn
  invocation_endpoint              = var.rebuild_hook.url
  http_method                      = "POST"
  invocation_rate_limit_per_second = 1
}

resource "aws_cloudwatch_event_rule" "rebuild" {
  count = var.rebuild_hook == null ? 0 : 1

  name                = "${var.name}-rebuild"
  description         = "Every week"
  schedule_expression = var.rebuild_hook.schedule
}

resource "aws_iam_role" "rebuild" {
  count = var.rebuild_hook == null ? 0 : 1

  name_prefix        = "${substr(var.name, 0, 24)}-rebuild-"
  description        = "EventBridge asks for a new image"
  assume_role_policy = local.assume.events
}

resource "aws_iam_role_policy" "rebuild" {
  count = var.rebuild_hook == null ? 0 : 1

  name = "ask"
  role = aws_iam_role.rebuild[0].id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "events:InvokeApiDestination", Resource = aws_cloudwatch_event_api_destination.rebuild[0].arn }]
  })
}

resource "aws_cloudwatch_event_target" "rebuild" {
  count = var.rebuild_hook == null ? 0 : 1

  rule     = aws_cloudwatch_event_rule.rebuild[0].name
  arn      = aws_cloudwatch_event_api_destination.rebuild[0].arn
  role_arn = aws_iam_role.rebuild[0].arn
  input    = jsonencode({ event_type = var.rebuild_hook.event_type })

  retry_policy {
    maximum_event_age_in_seconds = 3600
    maximum_retry_attempts       = 10
  }
}
