locals {
  has_webhooks = var.webhook_path_prefix != null

  # In the order in which they are asked: what is cheap and refuses most comes first.
  managed = {
    AWSManagedRulesAmazonIpReputationList = { priority = 40, counted = [] }
    AWSManagedRulesKnownBadInputsRuleSet  = { priority = 50, counted = [] }
    # Its limit of 8 KiB is below what the API takes; `body-size` has the right one.
    AWSManagedRulesCommonRuleSet = { priority = 60, counted = ["SizeRestrictions_BODY"] }
    AWSManagedRulesSQLiRuleSet   = { priority = 70, counted = [] }
  }
}

resource "aws_wafv2_ip_set" "cdn" {
  count = local.has_webhooks ? 1 : 0

  name = "${var.name}-cdn"
  # WAF takes letters, digits, spaces and + = : # @ / - , . in a description: no apostrophe.
  description        = "Addresses of CloudFront towards origins"
  scope              = var.scope
  ip_address_version = "IPV4"
  addresses          = var.cdn_cidrs
}

resource "aws_wafv2_web_acl" "this" {
  name        = var.name
  description = "Rate, body size, reputation, and managed rules of AWS"
  scope       = var.scope

  default_action {
    allow {}
  }

  dynamic "rule" {
    for_each = length(var.blocked_countries) > 0 ? [1] : []

    content {
      name     = "countries"
      priority = 0

      action {
        block {}
      }

      statement {
        dynamic "geo_match_statement" {
          for_each = local.has_webhooks ? [] : [1]

          content {
            country_codes = var.blocked_countries
          }
        }

        # A caller's country is not Twilio's, whose requests come from wherever it has machines.
        dynamic "and_statement" {
          for_each = local.has_webhooks ? [1] : []

          content {
            statement {
              geo_match_statement {
                country_codes = var.blocked_countries
              }
            }

            statement {
              not_statement {
                statement {
                  byte_match_statement {
                    search_string         = var.webhook_path_prefix
                    positional_constraint = "STARTS_WITH"

                    field_to_match {
                      uri_path {}
                    }

                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "countries"
        sampled_requests_enabled   = true
      }
    }
  }

  rule {
    name     = "rate"
    priority = 10

    action {
      block {
        custom_response {
          response_code = 429
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.requests_per_minute
        evaluation_window_sec = 60
        aggregate_key_type    = "IP"

        dynamic "scope_down_statement" {
          for_each = local.has_webhooks ? [1] : []

          content {
            and_statement {
              statement {
                not_statement {
                  statement {
                    byte_match_statement {
                      search_string         = var.webhook_path_prefix
                      positional_constraint = "STARTS_WITH"

                      field_to_match {
                        uri_path {}
                      }

                      text_transformation {
                        priority = 0
                        type     = "NONE"
                      }
                    }
                  }
                }
              }

              statement {
                not_statement {
                  statement {
                    ip_set_reference_statement {
                      arn = aws_wafv2_ip_set.cdn[0].arn
                    }
                  }
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.has_webhooks ? [1] : []

    content {
      name     = "rate-cdn"
      priority = 20

      action {
        block {
          custom_response {
            response_code = 429
          }
        }
      }

      statement {
        rate_based_statement {
          limit                 = var.cdn_requests_per_minute
          evaluation_window_sec = 60
          aggregate_key_type    = "IP"

          scope_down_statement {
            ip_set_reference_statement {
              arn = aws_wafv2_ip_set.cdn[0].arn
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "rate-cdn"
        sampled_requests_enabled   = true
      }
    }
  }

  rule {
    name     = "body-size"
    priority = 30

    action {
      block {
        custom_response {
          response_code = 413
        }
      }
    }

    statement {
      # A load balancer shows WAF the first 8 KiB of a body, so what is announced is measured. Bodies that announce nothing
      # are cut off by the API itself. Numbers above 65536:
      regex_match_statement {
        regex_string = "^0*([1-9][0-9]{5,}|[7-9][0-9]{4}|6[6-9][0-9]{3}|65[6-9][0-9]{2}|655[4-9][0-9]|6553[7-9])$"

        field_to_match {
          single_header {
            name = "content-length"
          }
        }

        text_transformation {
          priority = 0
          type     = "COMPRESS_WHITE_SPACE"
        }
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "body-size"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }

          # Twilio's requests carry URLs and whatever a caller's carrier put into names; their signature is the better test.
          dynamic "scope_down_statement" {
            for_each = local.has_webhooks ? [1] : []

            content {
              not_statement {
                statement {
                  byte_match_statement {
                    search_string         = var.webhook_path_prefix
                    positional_constraint = "STARTS_WITH"

                    field_to_match {
                      uri_path {}
                    }

                    text_transformation {
                      priority = 0
                      type     = "NONE"
                    }
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = rule.key
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

resource "aws_cloudwatch_log_group" "this" {
  # WAF wants the prefix.
  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  # Keys, cookies and tokens are nobody's to read later.
  dynamic "redacted_fields" {
    for_each = ["authorization", "cookie", "sec-websocket-protocol", "x-twilio-signature"]

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }

  redacted_fields {
    query_string {}
  }

  # What was refused or counted; the rest is in the access logs.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }

      condition {
        action_condition {
          action = "COUNT"
        }
      }

      condition {
        action_condition {
          action = "EXCLUDED_AS_COUNT"
        }
      }
    }
  }
}
