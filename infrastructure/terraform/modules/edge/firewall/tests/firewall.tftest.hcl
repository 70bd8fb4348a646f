# An ACL's schema is the deepest that the provider has, and each run with it takes half a minute. So there are few runs.
mock_provider "aws" {
  source = "../../../tests/mocks"
}

variables {
  name                = "seiketsu-test"
  scope               = "REGIONAL"
  requests_per_minute = 2000
  webhook_path_prefix = "/twilio/"
  cdn_cidrs           = ["198.51.100.0/24"]
  blocked_countries   = ["KP"]
  log_retention_days  = 365
}

run "before_a_load_balancer" {
  assert {
    condition = toset(aws_wafv2_web_acl.this.rule[*].name) == toset([
      "countries", "rate", "rate-cdn", "body-size", "AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet",
      "AWSManagedRulesSQLiRuleSet", "AWSManagedRulesAmazonIpReputationList",
    ])
    error_message = "expected countries, rate, size, common rules, bad inputs, SQL injection and reputation"
  }
  assert {
    condition     = length(distinct(aws_wafv2_web_acl.this.rule[*].priority)) == length(aws_wafv2_web_acl.this.rule)
    error_message = "no two rules have the same priority"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      rule.statement[0].rate_based_statement[0].limit == 2000 && rule.statement[0].rate_based_statement[0].evaluation_window_sec == 60
    if rule.name == "rate"] == [true]
    error_message = "expected 2,000 requests in sixty seconds"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      rule.statement[0].rate_based_statement[0].aggregate_key_type == "IP" && length(rule.action[0].block) == 1
    if rule.name == "rate"] == [true]
    error_message = "each address is counted by itself, and refused beyond its limit"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      contains(rule.statement[0].and_statement[0].statement[0].geo_match_statement[0].country_codes, "KP") && length(rule.action[0].block) == 1
    if rule.name == "countries"] == [true]
    error_message = "requests from a blocked country are refused"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      [rule.statement[0].and_statement[0].statement[1].not_statement[0].statement[0].byte_match_statement[0].search_string, length(rule.statement[0].geo_match_statement)]
    if rule.name == "countries"] == [["/twilio/", 0]]
    error_message = "Twilio is let through from any country"
  }
  assert {
    # What WAF itself asks of a description, a name and a metric's name; the provider does not.
    condition = alltrue([for description in [aws_wafv2_web_acl.this.description, aws_wafv2_ip_set.cdn[0].description] :
      can(regex("^[\\w+=:#@/\\-,\\.][\\w+=:#@/\\-,\\.\\s]+[\\w+=:#@/\\-,\\.]$", description)) && length(description) <= 256
      ]) && alltrue([for name in concat([aws_wafv2_web_acl.this.name, aws_wafv2_ip_set.cdn[0].name], aws_wafv2_web_acl.this.rule[*].name, [
        for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config[0].metric_name
    ]) : can(regex("^[\\w-]{1,128}$", name))])
    error_message = "WAF takes no apostrophe in a description"
  }
  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule :
      length(rule.override_action[0].none) == 1 && length(rule.override_action[0].count) == 0
    if startswith(rule.name, "AWSManagedRules")])
    error_message = "managed rules refuse, and do not only count"
  }
  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : rule.visibility_config[0].cloudwatch_metrics_enabled && rule.visibility_config[0].sampled_requests_enabled])
    error_message = "what each rule does is counted and sampled while it happens"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      rule.statement[0].rate_based_statement[0].scope_down_statement[0].and_statement[0].statement[0].not_statement[0].statement[0].byte_match_statement[0].search_string
    if rule.name == "rate"] == ["/twilio/"]
    error_message = "Twilio's paths are not counted"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      rule.statement[0].rate_based_statement[0].limit
    if rule.name == "rate-cdn"] == [40000]
    error_message = "CloudFront's addresses have a limit too"
  }
  assert {
    condition = flatten([for rule in aws_wafv2_web_acl.this.rule :
      rule.statement[0].managed_rule_group_statement[0].rule_action_override[*].name
    if rule.name == "AWSManagedRulesCommonRuleSet"]) == ["SizeRestrictions_BODY"]
    error_message = "the common rules' 8 KiB are below what the API takes"
  }
  assert {
    condition = alltrue(flatten([for rule in aws_wafv2_web_acl.this.rule : [
      for bytes in ["65537", "65540", "65600", "66000", "70000", "100000", "99999999", "0065537"] :
      can(regex(rule.statement[0].regex_match_statement[0].regex_string, bytes))
    ] if rule.name == "body-size"]))
    error_message = "a body of more than 64 KiB is refused"
  }
  assert {
    condition = !anytrue(flatten([for rule in aws_wafv2_web_acl.this.rule : [
      for bytes in ["0", "8192", "9999", "59999", "64999", "65535", "65536", "0065536"] :
      can(regex(rule.statement[0].regex_match_statement[0].regex_string, bytes))
    ] if rule.name == "body-size"]))
    error_message = "a body of 64 KiB is let through"
  }
  assert {
    condition     = length(setsubtract(["authorization", "cookie", "x-twilio-signature"], output.redacted_headers)) == 0
    error_message = "keys, cookies and signatures are not in the log"
  }
  assert {
    condition     = anytrue([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : length(field.query_string) > 0])
    error_message = "queries can carry tokens and are not in the log"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.name == "aws-waf-logs-seiketsu-test" && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "WAF writes to groups with its own prefix only"
  }
}

run "before_a_distribution" {
  variables {
    scope               = "CLOUDFRONT"
    webhook_path_prefix = null
    cdn_cidrs           = []
  }
  assert {
    condition     = !contains(aws_wafv2_web_acl.this.rule[*].name, "rate-cdn") && length(aws_wafv2_ip_set.cdn) == 0
    error_message = "without webhooks there is no address to be exempt"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      [rule.statement[0].geo_match_statement[0].country_codes, length(rule.statement[0].and_statement)]
    if rule.name == "countries"] == [[tolist(["KP"]), 0]]
    error_message = "without webhooks a country is refused everywhere"
  }
  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule :
      length(rule.statement[0].rate_based_statement[0].scope_down_statement)
    if rule.name == "rate"] == [0]
    error_message = "nobody is exempt at the distribution"
  }
}

run "an_unknown_scope_is_refused" {
  command = plan
  variables {
    scope = "GLOBAL"
  }
  expect_failures = [var.scope]
}

run "a_size_that_the_rule_does_not_measure_is_refused" {
  command = plan
  variables {
    max_body_bytes = 1000
  }
  expect_failures = [var.max_body_bytes]
}
