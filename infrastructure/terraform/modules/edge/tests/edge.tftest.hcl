mock_provider "aws" {
  source = "../../tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../../tests/mocks"
}

# They have tests of their own; here they would only cost minutes.
override_module {
  target = module.load_balancer_firewall
  outputs = {
    arn  = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/load-balancer/11111111-2222-3333-4444-555555555555"
    name = "seiketsu-test-load-balancer"
  }
}

override_module {
  target = module.console_firewall
  outputs = {
    arn  = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/console/11111111-2222-3333-4444-555555555555"
    name = "seiketsu-test-console"
  }
}

variables {
  name              = "seiketsu-test"
  account_id        = "123456789012"
  region            = "us-east-1"
  vpc_id            = "vpc-0123456789abcdef0"
  subnet_ids        = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
  security_group_id = "sg-0123456789abcdef0"
  domain            = "seiketsu.example.com"
  zone_id           = "Z0123456789ABCDEFGHIJ"
  logs_kms_key_arn  = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
}

run "everything_outside_speaks_tls_1_2_or_newer" {
  assert {
    condition     = alltrue([for listener in values(aws_lb_listener.https) : listener.protocol == "HTTPS" && listener.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"])
    error_message = "listeners speak TLS 1.2 or 1.3"
  }
  assert {
    condition     = aws_lb_listener.redirect.default_action[0].type == "redirect" && aws_lb_listener.redirect.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "HTTP is redirected"
  }
  assert {
    condition     = aws_cloudfront_distribution.console.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "the distribution speaks TLS 1.2 or newer"
  }
  assert {
    condition     = alltrue([for origin in aws_cloudfront_distribution.console.origin : origin.custom_origin_config[0].origin_protocol_policy == "https-only" if length(origin.custom_origin_config) > 0])
    error_message = "the distribution asks the load balancer with TLS"
  }
}

run "the_load_balancer_waits_for_its_log_and_not_for_the_distribution" {
  # The order of things cannot be seen in a run, so it is read.
  assert {
    condition     = aws_lb.this.access_logs[0].bucket == aws_s3_bucket_policy.access_logs.bucket && strcontains(file("load_balancer.tf"), "depends_on = [aws_s3_bucket_policy.access_logs]")
    error_message = "the load balancer proves that it may write before it is made"
  }
  assert {
    condition     = aws_cloudfront_distribution.console.enabled && !strcontains(regex("(?s)resource \"aws_s3_bucket_policy\" \"access_logs\" \\{.*?\n\\}", file("buckets.tf")), "cloudfront")
    error_message = "a distribution takes minutes, and a load balancer has nothing to do with it"
  }
}

run "terraform_does_not_switch_colours_back" {
  # What is ignored cannot be seen in a run, so it is read.
  assert {
    condition     = length(aws_lb_listener.https) == 2 && strcontains(regex("(?s)resource \"aws_lb_listener\" \"https\" \\{.*?\n\\}", file("load_balancer.tf")), "ignore_changes = [default_action]")
    error_message = "which colour callers get is CodeDeploy's to say"
  }
}

run "calls_are_not_cut" {
  assert {
    condition     = alltrue([for group in values(aws_lb_target_group.colour) : tonumber(group.deregistration_delay) == var.longest_call_seconds])
    error_message = "a target that goes keeps its connections for as long as a call may last"
  }
  assert {
    condition     = aws_lb.this.idle_timeout >= 60
    error_message = "sockets that are pinged every ten seconds are not idle"
  }
  assert {
    condition     = alltrue([for group in values(aws_lb_target_group.colour) : group.health_check[0].path == "/health/live" && group.port == 8080 && group.target_type == "ip"])
    error_message = "target groups ask the liveness of the contract; readiness would have tasks with calls replaced"
  }
}

run "blue_and_green_have_a_listener_each" {
  assert {
    condition     = toset(keys(aws_lb_target_group.colour)) == toset(["blue", "green"]) && output.blue_green.target_group_names.blue != output.blue_green.target_group_names.green
    error_message = "expected two target groups with names of their own"
  }
  assert {
    condition     = aws_lb_listener.https["production"].port == 443 && aws_lb_listener.https["test"].port == 8443
    error_message = "expected production on 443 and tests on 8443"
  }
}

run "the_distribution_has_a_firewall_of_its_own" {
  assert {
    condition     = aws_cloudfront_distribution.console.web_acl_id == module.console_firewall.arn && module.console_firewall.name != module.load_balancer_firewall.name
    error_message = "a distribution needs an ACL of scope CLOUDFRONT"
  }
  assert {
    condition     = aws_wafv2_web_acl_association.load_balancer.resource_arn == aws_lb.this.arn && aws_wafv2_web_acl_association.load_balancer.web_acl_arn == module.load_balancer_firewall.arn
    error_message = "the load balancer is behind its ACL"
  }
}

run "buckets_are_private_and_speak_tls" {
  assert {
    condition     = alltrue([for block in values(aws_s3_bucket_public_access_block.this) : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "no bucket can be made public"
  }
  assert {
    condition = alltrue([for policy in [aws_s3_bucket_policy.console, aws_s3_bucket_policy.access_logs] : anytrue([
      for statement in jsondecode(policy.policy).Statement : statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false"
    ])])
    error_message = "plain connections to buckets are refused"
  }
  assert {
    condition     = toset([aws_s3_bucket_policy.console.bucket, aws_s3_bucket_policy.access_logs.bucket]) == toset(values(aws_s3_bucket.this)[*].id)
    error_message = "each bucket has a policy"
  }
  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.console.policy).Statement : statement if statement.Effect == "Allow"][0].Condition.StringEquals["AWS:SourceArn"] == aws_cloudfront_distribution.console.arn
    error_message = "the console's files are for our distribution only"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.access_logs.policy).Statement[0].Condition == { ArnLike = { "aws:SourceArn" = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/*" } }
    error_message = "only load balancers of this account and region write access logs, by what they say of themselves"
  }
  assert {
    condition     = alltrue([for versioning in values(aws_s3_bucket_versioning.this) : versioning.versioning_configuration[0].status == "Enabled"])
    error_message = "an overwritten file can be brought back"
  }
  assert {
    condition = length(aws_s3_bucket_server_side_encryption_configuration.this) == length(aws_s3_bucket.this) && alltrue([
      for sealed in values(aws_s3_bucket_server_side_encryption_configuration.this) : one(sealed.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    ])
    error_message = "what lies in a bucket is sealed with AES-256"
  }
}

run "access_logs_move_to_cheaper_classes_and_go" {
  assert {
    condition = { for transition in one(aws_s3_bucket_lifecycle_configuration.access_logs.rule).transition : transition.storage_class => transition.days } == {
      STANDARD_IA = 30, GLACIER_IR = 90
    }
    error_message = "a month at hand, two months rarely read, then the archive"
  }
  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.access_logs.rule).status == "Enabled" && one(aws_s3_bucket_lifecycle_configuration.access_logs.rule).expiration[0].days == var.log_retention_days
    error_message = "access logs go when their time is over"
  }
}

run "the_api_is_never_cached_and_pages_never_hide_its_errors" {
  assert {
    condition = alltrue([for behaviour in aws_cloudfront_distribution.console.ordered_cache_behavior :
    behaviour.target_origin_id == "api" && behaviour.cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"])
    error_message = "answers of the API are not kept"
  }
  assert {
    condition     = length(aws_cloudfront_distribution.console.custom_error_response) == 0
    error_message = "an error page would replace the API's problems"
  }
  assert {
    condition     = strcontains(aws_cloudfront_function.origin.code, "=== 'https://console.seiketsu.example.com'") && strcontains(aws_cloudfront_function.origin.code, "= 'https://voice.seiketsu.example.com'")
    error_message = "only the console's own requests are shown as of the public origin"
  }
  assert {
    condition     = output.public_url == "https://voice.seiketsu.example.com"
    error_message = "PUBLIC_URL is the load balancer's name"
  }
}

run "countries_are_blocked_at_the_distribution_too" {
  variables {
    blocked_countries = ["KP"]
  }
  assert {
    condition     = aws_cloudfront_distribution.console.restrictions[0].geo_restriction[0].restriction_type == "blacklist"
    error_message = "a blocked country is blocked before the firewall is asked"
  }
}

run "shield_advanced_is_off_until_asked_for" {
  assert {
    condition     = length(aws_shield_protection.this) == 0
    error_message = "Shield Advanced costs 3,000 dollars a month"
  }
}

run "a_call_longer_than_a_connection_is_kept_is_refused" {
  command = plan
  variables {
    longest_call_seconds = 7200
  }
  expect_failures = [var.longest_call_seconds]
}

run "a_domain_with_a_scheme_is_refused" {
  command = plan
  variables {
    domain = "https://seiketsu.example.com"
  }
  expect_failures = [var.domain]
}

run "a_country_by_name_is_refused" {
  command = plan
  variables {
    blocked_countries = ["Atlantis"]
  }
  expect_failures = [var.blocked_countries]
}

run "an_idle_timeout_below_the_ping_is_refused" {
  command = plan
  variables {
    idle_timeout_seconds = 10
  }
  expect_failures = [var.idle_timeout_seconds]
}

run "a_single_subnet_is_refused" {
  command = plan
  variables {
    subnet_ids = ["subnet-0000000000000000a"]
  }
  expect_failures = [var.subnet_ids]
}

run "an_unknown_price_class_is_refused" {
  command = plan
  variables {
    price_class = "PriceClass_300"
  }
  expect_failures = [var.price_class]
}
