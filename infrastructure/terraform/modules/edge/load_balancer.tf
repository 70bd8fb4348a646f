resource "aws_lb" "this" {
  name               = local.short
  load_balancer_type = "application"
  internal           = false
  subnets            = var.subnet_ids
  security_groups    = [var.security_group_id]

  idle_timeout               = var.idle_timeout_seconds
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  enable_deletion_protection = var.deletion_protection

  access_logs {
    bucket  = aws_s3_bucket.this["access-logs"].id
    prefix  = "load-balancer"
    enabled = true
  }

  # The load balancer proves that it may write before it is made.
  depends_on = [aws_s3_bucket_policy.access_logs]
}

# CodeDeploy sends callers to one of the two and brings the next version up in the other.
resource "aws_lb_target_group" "colour" {
  for_each = toset(["blue", "green"])

  name        = "${local.short}-${each.key}"
  vpc_id      = var.vpc_id
  target_type = "ip"
  port        = local.port
  protocol    = "HTTP"

  # A call is one long connection, so connections are what has to be spread, not requests.
  load_balancing_algorithm_type = "least_outstanding_requests"

  # What goes keeps its calls until they are over.
  deregistration_delay = var.longest_call_seconds

  health_check {
    # Not /health/ready: ECS replaces targets that fail this check, calls and all, and readiness fails whenever the database
    # is away, when calls are meant to go on.
    path                = "/health/live"
    protocol            = "HTTP"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 4
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "https" {
  for_each = {
    production = { port = 443, colour = "blue" }
    test       = { port = 8443, colour = "green" }
  }

  load_balancer_arn = aws_lb.this.arn
  port              = each.value.port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.voice.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.colour[each.value.colour].arn
  }

  lifecycle {
    # Which colour callers get is CodeDeploy's to say.
    ignore_changes = [default_action]
  }
}

module "load_balancer_firewall" {
  source = "./firewall"

  name                = "${var.name}-load-balancer"
  scope               = "REGIONAL"
  requests_per_minute = var.requests_per_minute
  webhook_path_prefix = "/twilio/"
  cdn_cidrs           = local.cdn_cidrs
  blocked_countries   = var.blocked_countries
  logs_kms_key_arn    = var.logs_kms_key_arn
  log_retention_days  = var.log_retention_days
}

resource "aws_wafv2_web_acl_association" "load_balancer" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = module.load_balancer_firewall.arn
}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  count = var.cloudfront_origin_cidrs == null ? 1 : 0

  name = "com.amazonaws.global.cloudfront.origin-facing"
}

locals {
  cdn_cidrs = var.cloudfront_origin_cidrs != null ? var.cloudfront_origin_cidrs : data.aws_ec2_managed_prefix_list.cloudfront[0].entries[*].cidr
}
