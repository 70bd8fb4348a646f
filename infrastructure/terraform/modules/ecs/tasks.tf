locals {
  # MiB of memory that Fargate has for each number of CPU units.
  fargate_memory = {
    "256"  = [512, 1024, 2048]
    "512"  = range(1024, 4096 + 1, 1024)
    "1024" = range(2048, 8192 + 1, 1024)
    "2048" = range(4096, 16384 + 1, 1024)
    "4096" = range(8192, 30720 + 1, 1024)
  }

  database_url = "?sslmode=verify-full&sslrootcert=${var.database.ca_file_in_image}"

  common = {
    PUBLIC_URL      = var.public_url
    LISTEN          = "0.0.0.0:8080"
    ADMIN_LISTEN    = "127.0.0.1:9464"
    STATE_DIR       = "/var/lib/seiketsu"
    REDIS_URL       = var.redis_url
    RECORDING_STORE = "s3://${aws_s3_bucket.recordings.id}/calls"
    MAX_CALLS       = tostring(var.max_calls_per_task)
    LOG_FORMAT      = "json"
    AWS_REGION      = var.region
    DATABASE_URL    = "postgres://${var.database.service_username}@${var.database.address}:5432/${var.database.database}${local.database_url}"
  }

  task_variables = {
    gateway = merge(local.common, var.variables)
    worker  = merge(local.common, var.variables)
    migrate = {
      LOG_FORMAT   = "json"
      DATABASE_URL = "postgres://${var.database.admin_username}@${var.database.primary_address}:5432/${var.database.database}${local.database_url}"
    }
  }

  commands = { gateway = ["serve"], worker = ["worker"], migrate = ["migrate"] }
  sizes    = { gateway = var.gateway_size, worker = var.worker_size, migrate = { cpu = 256, memory = 512 } }

  containers = { for task in local.tasks : task => merge(
    {
      name      = "seiketsu"
      image     = local.image
      essential = true
      command   = local.commands[task]

      # Nobody in particular, on a disk that cannot be written to, without any of the kernel's privileges.
      user                   = "10001:10001"
      readonlyRootFilesystem = true
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"], add = [] } }
      mountPoints            = [{ sourceVolume = "state", containerPath = "/var/lib/seiketsu", readOnly = false }]

      environment = [for name, value in local.task_variables[task] : { name = name, value = value }]
      secrets     = [for name, reference in local.task_secrets[task] : { name = name, valueFrom = reference }]

      # The platform drains for 110 seconds; Fargate waits for 120 at most.
      stopTimeout = 120
      ulimits     = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]

      dockerLabels = local.studio[task]

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = var.log_group_names[task]
          awslogs-region        = var.region
          awslogs-stream-prefix = task
          # A log that cannot be written must not hold up a call.
          mode            = "non-blocking"
          max-buffer-size = "25m"
        }
      }
    },
    task == "migrate" ? {} : {
      healthCheck = { command = var.health_check_command, interval = 15, timeout = 5, retries = 4, startPeriod = 60 }
    },
    # Containers stop in the reverse order: the collector goes last, and reads what the drain leaves.
    var.collector_enabled && task != "migrate" ? { dependsOn = [{ containerName = "collector", condition = "START" }] } : {},
    task == "gateway" ? {
      portMappings = [{ name = "http", containerPort = 8080, hostPort = 8080, protocol = "tcp", appProtocol = "http" }]
    } : {},
  ) }

  collectors = { for task in ["gateway", "worker"] : task => {
    name  = "collector"
    image = var.collector_image
    # Without it there are no metrics; calls go on.
    essential              = false
    readonlyRootFilesystem = true
    linuxParameters        = { initProcessEnabled = false, capabilities = { drop = ["ALL"], add = [] } }
    cpu                    = 64
    memory                 = 256
    stopTimeout            = 120
    healthCheck            = { command = ["CMD", "/healthcheck"], interval = 30, timeout = 5, retries = 3, startPeriod = 15 }
    dockerLabels           = merge(local.studio[task], { "container-studio.service" = "collector", "container-studio.tier" = "monitoring" })
    environment = [{
      name = "AOT_CONFIG_CONTENT"
      value = templatefile("${path.module}/collector.yaml.tftpl", {
        region      = var.region
        environment = var.environment
        service     = task
        log_group   = var.log_group_names.collector
        traces      = var.traces_enabled
      })
    }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_names.collector
        awslogs-region        = var.region
        awslogs-stream-prefix = "collector-${task}"
        mode                  = "non-blocking"
        max-buffer-size       = "4m"
      }
    }
  } }
}

resource "aws_ecs_task_definition" "this" {
  for_each = toset(local.tasks)

  family = "${var.name}-${each.key}"
  # A revision that runs, or that a rollback goes back to, must not be deregistered when Terraform registers the next.
  skip_destroy             = true
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = local.sizes[each.key].cpu
  memory                   = local.sizes[each.key].memory
  execution_role_arn       = aws_iam_role.execution[each.key].arn
  task_role_arn            = aws_iam_role.task[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  # The only place that can be written to; it goes with the task. The image declares it as a volume of user 10001.
  volume {
    name = "state"
  }

  container_definitions = jsonencode(concat(
    [local.containers[each.key]],
    var.collector_enabled && each.key != "migrate" ? [local.collectors[each.key]] : [],
  ))

  tags = local.studio[each.key]
}
