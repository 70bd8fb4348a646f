mock_provider "aws" {
  source = "../../tests/mocks"
}

variables {
  name               = "seiketsu-test"
  environment        = "production"
  account_id         = "123456789012"
  region             = "us-east-1"
  vpc_id             = "vpc-0123456789abcdef0"
  subnet_ids         = ["subnet-0000000000000000a", "subnet-0000000000000000b"]
  security_group_ids = { gateway = "sg-0000000000000000a", worker = "sg-0000000000000000b" }
  image_digest       = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  blue_green = {
    target_group_names      = { blue = "test-blue", green = "test-green" }
    target_group_arns       = { blue = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/test-blue/0123456789abcdef", green = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/test-green/0123456789abcdef" }
    production_listener_arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/test/0123456789abcdef/0000000000000443"
    test_listener_arn       = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/test/0123456789abcdef/0000000000008443"
  }
  rollback_alarm_names = ["seiketsu-test-errors"]
  alarm_topic_arn      = "arn:aws:sns:us-east-1:123456789012:critical"
  topic_kms_key_arn    = "arn:aws:kms:us-east-1:123456789012:key/22222222-2222-3333-4444-555555555555"
  public_url           = "https://voice.example.com"
  database = {
    address          = "db.example.internal"
    primary_address  = "db.example.internal"
    admin_username   = "seiketsu_admin"
    admin_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:rds-AbCdEf"
  }
  redis_url          = "rediss://platform@cache.example.internal:6379"
  cache_connect_arns = ["arn:aws:elasticache:us-east-1:123456789012:replicationgroup:test", "arn:aws:elasticache:us-east-1:123456789012:user:platform"]
  secret_arns = {
    ELEVENLABS_API_KEY   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:elevenlabs-AbCdEf"
    OPENAI_API_KEY       = "arn:aws:secretsmanager:us-east-1:123456789012:secret:openai-AbCdEf"
    DEEPGRAM_API_KEY     = "arn:aws:secretsmanager:us-east-1:123456789012:secret:deepgram-AbCdEf"
    TWILIO_AUTH_TOKEN    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:twilio-AbCdEf"
    JWT_SECRET           = "arn:aws:secretsmanager:us-east-1:123456789012:secret:jwt-AbCdEf"
    RECORDING_MASTER_KEY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:recording-AbCdEf"
    DATABASE_PASSWORD    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:database-AbCdEf"
    SUPABASE_KEY         = "arn:aws:secretsmanager:us-east-1:123456789012:secret:supabase-AbCdEf"
  }
  variables = { TWILIO_ACCOUNT_SID = "AC00000000000000000000000000000000" }
  kms_key_arns = {
    data    = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    secrets = "arn:aws:kms:us-east-1:123456789012:key/33333333-2222-3333-4444-555555555555"
  }
  log_group_names = { gateway = "/test/gateway", worker = "/test/worker", migrate = "/test/migrate", collector = "/test/collector" }
}

# Mocks give each type one ARN. Roles are compared with each other, so each has its own.
override_resource {
  target = aws_iam_role.execution["gateway"]
  values = { arn = "arn:aws:iam::123456789012:role/start-gateway" }
}

override_resource {
  target = aws_iam_role.execution["worker"]
  values = { arn = "arn:aws:iam::123456789012:role/start-worker" }
}

override_resource {
  target = aws_iam_role.execution["migrate"]
  values = { arn = "arn:aws:iam::123456789012:role/start-migrate" }
}

override_resource {
  target = aws_iam_role.task["gateway"]
  values = { arn = "arn:aws:iam::123456789012:role/task-gateway" }
}

override_resource {
  target = aws_iam_role.task["worker"]
  values = { arn = "arn:aws:iam::123456789012:role/task-worker" }
}

override_resource {
  target = aws_iam_role.task["migrate"]
  values = { arn = "arn:aws:iam::123456789012:role/task-migrate" }
}

override_resource {
  target = aws_iam_role.codedeploy
  values = { arn = "arn:aws:iam::123456789012:role/codedeploy" }
}

run "nothing_that_holds_calls_is_on_spare_capacity" {
  assert {
    condition     = aws_ecs_service.gateway.launch_type == "FARGATE" && length(aws_ecs_service.gateway.capacity_provider_strategy) == 0
    error_message = "the gateway must not be on Spot"
  }
  assert {
    condition     = one(aws_ecs_service.worker.capacity_provider_strategy).capacity_provider == "FARGATE_SPOT"
    error_message = "the worker holds no calls and is on Spot"
  }
  assert {
    condition     = one(aws_ecs_cluster_capacity_providers.this.default_capacity_provider_strategy).capacity_provider == "FARGATE"
    error_message = "whoever does not choose gets capacity that stays"
  }
  assert {
    condition     = length(aws_ecs_service.worker.load_balancer) == 0
    error_message = "nobody is sent to a worker"
  }
}

run "two_to_forty_tasks_by_calls_and_cpu" {
  assert {
    condition     = aws_appautoscaling_target.gateway.min_capacity == 2 && aws_appautoscaling_target.gateway.max_capacity == 40
    error_message = "expected 2 to 40 tasks"
  }
  assert {
    condition     = one(aws_ecs_cluster.this.setting).name == "containerInsights" && one(aws_ecs_cluster.this.setting).value != "disabled"
    error_message = "Container Insights says what tasks use, unless it is switched off"
  }
  assert {
    condition = (
      aws_appautoscaling_policy.live_calls[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metric_name == "seiketsu_live_calls"
      && aws_appautoscaling_policy.live_calls[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].statistic == "Maximum"
      && aws_appautoscaling_policy.live_calls[0].target_tracking_scaling_policy_configuration[0].target_value == 100
    )
    error_message = "scaling goes by the live calls of the fullest task: an average over both colours hides full new ones"
  }
  assert {
    condition = { for dimension in aws_appautoscaling_policy.live_calls[0].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].dimensions : dimension.name => dimension.value } == {
      environment = "production", service = "gateway"
    }
    error_message = "the dimensions are those that the collector writes"
  }
  assert {
    condition     = aws_appautoscaling_policy.live_calls[0].target_tracking_scaling_policy_configuration[0].scale_in_cooldown >= 600
    error_message = "tasks are not taken away in a hurry"
  }
  assert {
    condition     = aws_appautoscaling_policy.cpu.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ECSServiceAverageCPUUtilization"
    error_message = "scaling goes by CPU as well"
  }
}

run "the_collector_writes_what_scaling_reads" {
  assert {
    condition = alltrue([for text in ["namespace: Seiketsu", "127.0.0.1:9464", "environment: production", "service: gateway", "^seiketsu_live_calls$", "/test/collector"] :
    strcontains([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0], text)])
    error_message = "namespace, target, dimensions and metric have to be the same on both sides"
  }
  assert {
    condition     = can(yamldecode([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0]).service.pipelines.metrics)
    error_message = "the collector's configuration is YAML"
  }
  assert {
    condition     = !can(yamldecode([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0]).service.pipelines.traces)
    error_message = "there are no traces to collect until they are asked for"
  }
  assert {
    condition     = !jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].essential
    error_message = "calls go on without a collector"
  }
  assert {
    condition = alltrue([for text in ["regex: seiketsu_turn_first_audible_seconds_bucket;2(\\.0)?", "replacement: audible_within_2s", "replacement: audible_measured", "^seiketsu_turns_total$"] :
    strcontains([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0], text)])
    error_message = "turns that are heard within two seconds are counted, and all that were measured"
  }
  assert {
    condition = alltrue([for text in ["^seiketsu_calls_ended_total$", "^seiketsu_calls_refused_total$", "^seiketsu_provider_failures_total$", "^seiketsu_provider_failovers_total$", "^seiketsu_turns_acknowledged_total$"] :
    strcontains([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0], text)])
    error_message = "calls, refusals, failures and what stood in for them become metrics"
  }
  assert {
    condition = toset(flatten([
      for declaration in yamldecode([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0]).exporters.awsemf.metric_declarations : declaration.dimensions
    ])) == toset(["environment", "service", "outcome"])
    error_message = "no tenant is a dimension: each would be a metric of its own, and billed as one"
  }
}

run "blue_and_green_are_wired" {
  assert {
    condition     = aws_ecs_service.gateway.deployment_controller[0].type == "CODE_DEPLOY" && one(aws_ecs_service.gateway.load_balancer).target_group_arn == var.blue_green.target_group_arns.blue
    error_message = "CodeDeploy controls the service, which begins blue"
  }
  assert {
    condition = (
      aws_codedeploy_deployment_group.gateway.load_balancer_info[0].target_group_pair_info[0].prod_traffic_route[0].listener_arns == toset([var.blue_green.production_listener_arn])
      && aws_codedeploy_deployment_group.gateway.load_balancer_info[0].target_group_pair_info[0].test_traffic_route[0].listener_arns == toset([var.blue_green.test_listener_arn])
      && aws_codedeploy_deployment_group.gateway.load_balancer_info[0].target_group_pair_info[0].target_group[*].name == tolist(["test-blue", "test-green"])
    )
    error_message = "CodeDeploy switches both listeners between both target groups"
  }
  assert {
    condition     = aws_codedeploy_deployment_group.gateway.alarm_configuration[0].enabled && aws_codedeploy_deployment_group.gateway.alarm_configuration[0].alarms == toset(["seiketsu-test-errors"]) && contains(aws_codedeploy_deployment_group.gateway.auto_rollback_configuration[0].events, "DEPLOYMENT_STOP_ON_ALARM")
    error_message = "an alarm takes a deployment back"
  }
  assert {
    condition     = aws_codedeploy_deployment_group.gateway.blue_green_deployment_config[0].terminate_blue_instances_on_deployment_success[0].termination_wait_time_in_minutes * 60 >= var.longest_call_seconds
    error_message = "the old version lives until the longest call is over"
  }
  assert {
    condition     = aws_codedeploy_deployment_config.canary.traffic_routing_config[0].time_based_canary[0].percentage == 10 && aws_codedeploy_deployment_config.canary.traffic_routing_config[0].time_based_canary[0].interval == 15
    error_message = "a tenth of the requests for a quarter of an hour, then all"
  }
  assert {
    condition     = length(aws_ecs_service.gateway.service_connect_configuration) == 0 && length(aws_ecs_service.gateway.service_registries) == 1
    error_message = "discovery is Cloud Map's; Service Connect does not go with CodeDeploy"
  }
  assert {
    condition     = output.deployment.subnet_ids == var.subnet_ids && output.deployment.security_group_ids == [var.security_group_ids.gateway] && output.deployment.platform_version == aws_ecs_service.gateway.platform_version
    error_message = "a release says the network: ECS does not let it be changed otherwise"
  }
  assert {
    condition     = aws_codedeploy_deployment_group.gateway.service_role_arn == "arn:aws:iam::123456789012:role/codedeploy"
    error_message = "CodeDeploy deploys with a role of its own"
  }
  assert {
    condition     = alltrue([for definition in values(aws_ecs_task_definition.this) : definition.skip_destroy])
    error_message = "a revision that runs, or that a rollback names, stays registered"
  }
}

run "terraform_leaves_to_codedeploy_what_ecs_refuses_to_change" {
  variables {
    subnet_ids         = ["subnet-0000000000000000c", "subnet-0000000000000000d"]
    security_group_ids = { gateway = "sg-0000000000000000c", worker = "sg-0000000000000000b" }
    min_tasks          = 3
  }
  assert {
    condition = (
      aws_ecs_service.gateway.network_configuration[0].subnets == toset(["subnet-0000000000000000a", "subnet-0000000000000000b"])
      && aws_ecs_service.gateway.network_configuration[0].security_groups == toset(["sg-0000000000000000a"])
      && aws_ecs_service.gateway.desired_count == 2
    )
    error_message = "once it stands, the gateway's network and number of tasks are not Terraform's"
  }
  assert {
    condition     = output.deployment.subnet_ids == tolist(["subnet-0000000000000000c", "subnet-0000000000000000d"]) && output.deployment.security_group_ids == ["sg-0000000000000000c"]
    error_message = "the next release moves the gateway to its new network"
  }
  assert {
    condition     = aws_ecs_service.worker.network_configuration[0].subnets == toset(["subnet-0000000000000000c", "subnet-0000000000000000d"])
    error_message = "the worker moves at once"
  }
}

run "containers_are_hardened_and_labelled" {
  assert {
    condition = alltrue(flatten([for definition in values(aws_ecs_task_definition.this) : [for container in jsondecode(definition.container_definitions) :
    container.readonlyRootFilesystem && container.linuxParameters.capabilities.drop == ["ALL"]]]))
    error_message = "no container writes to its image or has privileges of the kernel"
  }
  assert {
    condition = alltrue([for definition in values(aws_ecs_task_definition.this) : (
      jsondecode(definition.container_definitions)[0].user == "10001:10001"
      && jsondecode(definition.container_definitions)[0].stopTimeout == 120
      && endswith(jsondecode(definition.container_definitions)[0].image, "@${var.image_digest}")
      && jsondecode(definition.container_definitions)[0].logConfiguration.options.mode == "non-blocking"
    )])
    error_message = "the platform runs as nobody, by digest, has two minutes to drain, and never waits for its log"
  }
  assert {
    condition = { for task, definition in aws_ecs_task_definition.this : task => jsondecode(definition.container_definitions)[0].logConfiguration.options["awslogs-group"] } == {
      gateway = "/test/gateway", worker = "/test/worker", migrate = "/test/migrate"
    }
    error_message = "each kind of task writes to a log group of its own"
  }
  assert {
    condition = alltrue([for task in ["gateway", "worker"] :
    join(" ", jsondecode(aws_ecs_task_definition.this[task].container_definitions)[0].healthCheck.command) == "CMD seiketsu health"])
    error_message = "the binary itself asks how it is; its image needs no other program"
  }
  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[0].dockerLabels["container-studio.service"] == "api"
      && aws_ecs_service.gateway.tags["container-studio.service"] == "api" && aws_ecs_service.worker.tags["container-studio.service"] == "worker"
    )
    error_message = "Container Studio finds services by labels and tags"
  }
  assert {
    condition     = alltrue([for service in [aws_ecs_service.gateway, aws_ecs_service.worker] : service.propagate_tags == "SERVICE" && service.enable_ecs_managed_tags])
    error_message = "tasks carry the tags of their service, by which bills are broken down"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[0].portMappings[0].containerPort == 8080
    error_message = "the public listener is at 8080"
  }
  assert {
    condition     = alltrue([for service in [aws_ecs_service.gateway, aws_ecs_service.worker] : !service.network_configuration[0].assign_public_ip])
    error_message = "tasks have no public address"
  }
}

run "no_secret_is_in_a_task_definition" {
  assert {
    condition = alltrue(flatten([for definition in values(aws_ecs_task_definition.this) : [for container in jsondecode(definition.container_definitions) :
      [for variable in container.environment : !can(regex("(KEY|TOKEN|SECRET|PASSWORD)$", variable.name)) && !can(regex("://[^/@]*:[^/@]*@", variable.value))]
    ]]))
    error_message = "variables hold no secrets, and URLs no passwords"
  }
  assert {
    condition = toset([for secret in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[0].secrets : secret.name]) == toset([
      "PGPASSWORD", "ELEVENLABS_API_KEY", "OPENAI_API_KEY", "DEEPGRAM_API_KEY", "TWILIO_AUTH_TOKEN", "JWT_SECRET", "RECORDING_MASTER_KEY",
    ])
    error_message = "the gateway gets what `serve` asks for"
  }
  assert {
    condition = { for secret in jsondecode(aws_ecs_task_definition.this["migrate"].container_definitions)[0].secrets : secret.name => secret.valueFrom } == {
      PGPASSWORD = "${var.database.admin_secret_arn}:password::", DATABASE_SERVICE_PASSWORD = "${var.secret_arns.DATABASE_PASSWORD}:password::"
    }
    error_message = "migrations get the administrator's password, that of the login they make, and nothing else"
  }
  assert {
    condition     = strcontains([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[0].environment : variable.value if variable.name == "DATABASE_URL"][0], "sslmode=verify-full")
    error_message = "the database has to prove who it is"
  }
}

run "roles_may_do_what_they_must" {
  assert {
    condition = alltrue(flatten([for policy in concat(values(aws_iam_role_policy.execution), values(aws_iam_role_policy.task), [aws_iam_role_policy.codedeploy]) : [
      for statement in jsondecode(policy.policy).Statement : [
        for action in flatten([statement.Action]) : !strcontains(action, "*")
      ]
    ]]))
    error_message = "no policy has an action with a wildcard"
  }
  assert {
    condition = alltrue(flatten([for policy in concat(values(aws_iam_role_policy.execution), values(aws_iam_role_policy.task), [aws_iam_role_policy.codedeploy]) : [
      for statement in jsondecode(policy.policy).Statement : [
        for action in flatten([statement.Action]) : contains([
          "ecr:GetAuthorizationToken", "cloudwatch:DescribeAlarms", "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTargetGroups",
        ], action) if contains(flatten([statement.Resource]), "*")
      ]
    ]]))
    error_message = "only actions that know no resource are allowed on all of them"
  }
  assert {
    condition     = !contains(flatten([for statement in jsondecode(aws_iam_role_policy.execution["gateway"].policy).Statement : statement.Resource if statement.Sid == "Secrets"]), var.database.admin_secret_arn)
    error_message = "the gateway cannot read the administrator's password"
  }
  assert {
    condition     = flatten([for statement in jsondecode(aws_iam_role_policy.execution["migrate"].policy).Statement : statement.Resource if statement.Sid == "Secrets"]) == [var.secret_arns.DATABASE_PASSWORD, var.database.admin_secret_arn]
    error_message = "migrations cannot read the vendors' keys"
  }
  assert {
    condition     = contains(flatten([for statement in jsondecode(aws_iam_role_policy.task["gateway"].policy).Statement : statement.Action]), "ecs:UpdateTaskProtection")
    error_message = "a task with calls protects itself from scaling"
  }
  assert {
    condition     = !contains(flatten([for statement in jsondecode(aws_iam_role_policy.task["worker"].policy).Statement : statement.Action]), "ecs:UpdateTaskProtection") && !contains(keys(aws_iam_role_policy.task), "migrate")
    error_message = "workers hold no calls; migrations speak to the database only"
  }
  assert {
    condition     = !anytrue(flatten([for policy in values(aws_iam_role_policy.execution) : [for statement in jsondecode(policy.policy).Statement : strcontains(jsonencode(statement.Resource), "supabase")]]))
    error_message = "a key that nobody needs is given to nobody"
  }
  assert {
    condition     = { for task, definition in aws_ecs_task_definition.this : task => [definition.execution_role_arn, definition.task_role_arn] } == { for task in ["gateway", "worker", "migrate"] : task => ["arn:aws:iam::123456789012:role/start-${task}", "arn:aws:iam::123456789012:role/task-${task}"] }
    error_message = "each kind of task is started by a role of its own, and runs with another"
  }
  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.codedeploy.policy).Statement : statement.Sid => statement.Resource }["GiveTasksTheirRoles"] == ["arn:aws:iam::123456789012:role/start-gateway", "arn:aws:iam::123456789012:role/task-gateway"]
    error_message = "CodeDeploy gives tasks the gateway's roles and no others"
  }
  assert {
    condition     = { for statement in jsondecode(aws_iam_role_policy.codedeploy.policy).Statement : statement.Sid => [statement.Action, statement.Resource] }["TellSealed"] == [["kms:Decrypt", "kms:GenerateDataKey"], var.topic_kms_key_arn]
    error_message = "CodeDeploy can speak to a sealed topic"
  }
}

run "images_are_scanned_and_cannot_change" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && aws_ecr_repository.this.encryption_configuration[0].kms_key == var.kms_key_arns.data
    error_message = "tags stay, pushes are scanned, images are sealed"
  }
  assert {
    condition     = length(jsondecode(aws_ecr_lifecycle_policy.this.policy).rules) == 2
    error_message = "old images go"
  }
  assert {
    condition = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : [rule.selection.tagStatus, rule.selection.countType, rule.selection.countNumber]] == [
      ["untagged", "sinceImagePushed", 14], ["any", "imageCountMoreThan", 50],
    ]
    error_message = "what no tag names goes after two weeks, and fifty images stay to go back to"
  }
  assert {
    condition     = !aws_ecr_repository.this.force_delete && !aws_s3_bucket.recordings.force_destroy && !can(aws_ecs_cluster.this.tags["GuardDutyManaged"])
    error_message = "images and recordings are not deleted with the rest, and GuardDuty looks into tasks"
  }
}

run "an_environment_that_is_destroyed_can_be" {
  variables {
    recordings_force_destroy = true
    guardduty_enabled        = false
  }
  assert {
    condition     = aws_ecr_repository.this.force_delete && aws_s3_bucket.recordings.force_destroy
    error_message = "a repository with images, and a bucket with recordings, would stop a destroy"
  }
  assert {
    condition     = aws_ecs_cluster.this.tags["GuardDutyManaged"] == "false"
    error_message = "what GuardDuty makes in the VPC would stop a destroy"
  }
  assert {
    condition     = aws_service_discovery_service.gateway.force_destroy
    error_message = "tasks that are still registered would stop a destroy"
  }
}

run "recordings_are_sealed_and_private" {
  assert {
    condition = (
      one(aws_s3_bucket_server_side_encryption_configuration.recordings.rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arns.data
      && aws_s3_bucket_public_access_block.recordings.restrict_public_buckets && aws_s3_bucket_public_access_block.recordings.block_public_policy
      && aws_s3_bucket_versioning.recordings.versioning_configuration[0].status == "Enabled"
    )
    error_message = "recordings are sealed with our key, private, and can be brought back for a week"
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.recordings.policy).Statement[0].Effect == "Deny" && jsondecode(aws_s3_bucket_policy.recordings.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "plain connections are refused"
  }
}

run "the_clock_and_a_weekly_image" {
  variables {
    schedules = {
      day   = { cron = "cron(0 7 ? * MON-FRI *)", min = 4, max = 40 }
      night = { cron = "cron(0 21 ? * * *)", min = 2, max = 40 }
    }
    rebuild_hook = {
      connection_arn = "arn:aws:events:us-east-1:123456789012:connection/github/11111111-2222-3333-4444-555555555555"
      url            = "https://api.github.com/repos/example/seiketsu/dispatches"
    }
  }
  assert {
    condition     = aws_appautoscaling_scheduled_action.clock["night"].scalable_target_action[0].min_capacity == "2" && aws_appautoscaling_scheduled_action.clock["day"].timezone == "America/New_York"
    error_message = "fewer tasks at night, in the callers' own time"
  }
  assert {
    condition     = aws_cloudwatch_event_rule.rebuild[0].schedule_expression == "cron(0 6 ? * MON *)" && jsondecode(aws_cloudwatch_event_target.rebuild[0].input).event_type == "rebuild-base-image"
    error_message = "a new image is asked for every week"
  }
}

run "without_a_collector_nothing_scales_by_calls" {
  variables {
    collector_enabled = false
  }
  assert {
    condition     = length(aws_appautoscaling_policy.live_calls) == 0 && length(jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)) == 1
    error_message = "a policy on a metric that nobody writes would never scale"
  }
}

run "traces_by_variable" {
  variables {
    traces_enabled = true
  }
  assert {
    condition     = can(yamldecode([for variable in jsondecode(aws_ecs_task_definition.this["gateway"].container_definitions)[1].environment : variable.value if variable.name == "AOT_CONFIG_CONTENT"][0]).service.pipelines.traces) && contains(flatten([for statement in jsondecode(aws_iam_role_policy.task["gateway"].policy).Statement : statement.Action]), "xray:PutTraceSegments")
    error_message = "with traces, the collector takes them and the task may hand them over"
  }
}

run "an_image_by_tag_is_refused" {
  command = plan
  variables {
    image_digest = "latest"
  }
  expect_failures = [var.image_digest]
}

run "more_than_forty_tasks_is_refused" {
  command = plan
  variables {
    max_tasks = 41
  }
  expect_failures = [var.max_tasks]
}

run "a_target_at_the_limit_is_refused" {
  command = plan
  variables {
    calls_per_task = 200
  }
  expect_failures = [var.calls_per_task]
}

run "a_size_that_fargate_does_not_have_is_refused" {
  command = plan
  variables {
    gateway_size = { cpu = 1024, memory = 1024 }
  }
  expect_failures = [var.gateway_size]
}

run "a_memory_between_two_sizes_is_refused" {
  command = plan
  variables {
    gateway_size = { cpu = 1024, memory = 2560 }
  }
  expect_failures = [var.gateway_size]
}

run "too_much_memory_for_four_cpus_is_refused" {
  command = plan
  variables {
    worker_size = { cpu = 4096, memory = 32768 }
  }
  expect_failures = [var.worker_size]
}

run "no_worker_may_run" {
  command = plan
  variables {
    worker_count = 0
  }
  assert {
    condition     = aws_ecs_service.worker.desired_count == 0
    error_message = "servers do the chores themselves: a worker is not needed"
  }
}

run "less_than_no_worker_is_refused" {
  command = plan
  variables {
    worker_count = -1
  }
  expect_failures = [var.worker_count]
}

run "cron_with_five_fields_is_refused" {
  command = plan
  variables {
    schedules = { night = { cron = "cron(0 21 * * *)", min = 2, max = 40 } }
  }
  expect_failures = [var.schedules]
}

run "a_clock_beyond_the_bounds_is_refused" {
  command = plan
  variables {
    max_tasks = 18
    schedules = { day = { cron = "cron(0 7 ? * * *)", min = 4, max = 40 } }
  }
  expect_failures = [var.schedules]
}

run "a_secret_among_the_variables_is_refused" {
  command = plan
  variables {
    variables = { OPENAI_API_KEY = "sk-test" }
  }
  expect_failures = [var.variables]
}

run "deployments_that_nothing_watches_are_refused" {
  command = plan
  variables {
    rollback_alarm_names = []
  }
  expect_failures = [var.rollback_alarm_names]
}
