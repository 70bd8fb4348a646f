locals {
  identifier = "${var.name}-database"
  family     = "postgres${split(".", var.engine_version)[0]}"
  log_types  = ["postgresql", "upgrade"]
  replicated = var.read_replica_count > 0
}

resource "aws_db_subnet_group" "this" {
  name        = local.identifier
  description = "Subnets without a way out"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.identifier}-"
  family      = local.family
  description = "TLS only, slow statements and changes of schema and roles in the log"

  dynamic "parameter" {
    for_each = {
      "rds.force_ssl" = { value = "1", apply_method = "immediate" }
      # RDS takes 1.1 as well unless it is told.
      "ssl_min_protocol_version" = { value = "TLSv1.2", apply_method = "immediate" }
      # Read at start.
      "shared_preload_libraries" = { value = "pg_stat_statements,pgaudit", apply_method = "pending-reboot" }
      "pgaudit.log"              = { value = "ddl,role", apply_method = "pending-reboot" }
      # Five times the objective for the average; the platform gives a statement up after four seconds.
      "log_min_duration_statement" = { value = "500", apply_method = "immediate" }
      "log_lock_waits"             = { value = "1", apply_method = "immediate" }
      "log_connections"            = { value = "1", apply_method = "immediate" }
      "log_disconnections"         = { value = "1", apply_method = "immediate" }
      # Statements can carry what callers said; parameters are not to be in the log.
      "log_parameter_max_length"            = { value = "0", apply_method = "immediate" }
      "log_parameter_max_length_on_error"   = { value = "0", apply_method = "immediate" }
      "idle_in_transaction_session_timeout" = { value = "60000", apply_method = "immediate" }
    }

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply_method
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make these groups itself, unsealed and for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(local.log_types)

  name              = "/aws/rds/instance/${local.identifier}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.logs_kms_key_arn
}

resource "aws_iam_role" "monitoring" {
  count = var.monitoring_interval_seconds > 0 ? 1 : 0

  name_prefix = "${substr(var.name, 0, 24)}-rds-mon-"
  description = "RDS writes the operating system's figures"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  count = var.monitoring_interval_seconds > 0 ? 1 : 0

  role       = aws_iam_role.monitoring[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "primary" {
  identifier     = local.identifier
  engine         = "postgres"
  engine_version = var.engine_version
  instance_class = var.instance_class

  # `seiketsu migrate` makes the database that the platform uses, and its roles.
  username = local.administrator

  # RDS makes no replica of an instance whose password it keeps.
  manage_master_user_password   = local.replicated ? null : true
  master_user_secret_kms_key_id = local.replicated ? null : var.secrets_kms_key_arn
  password_wo                   = local.replicated ? var.master_password : null
  password_wo_version           = local.replicated ? var.master_password_version : null

  storage_type          = "gp3"
  allocated_storage     = var.allocated_storage_gb
  max_allocated_storage = var.max_allocated_storage_gb
  storage_encrypted     = true
  kms_key_id            = var.kms_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  port                   = 5432
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this.name

  iam_database_authentication_enabled = true

  backup_retention_period  = var.backup_retention_days
  backup_window            = "08:00-09:00"
  copy_tags_to_snapshot    = true
  delete_automated_backups = false
  deletion_protection      = var.deletion_protection
  skip_final_snapshot      = !var.deletion_protection
  # The parameter group's name carries when it was made, so that the next database of this name can leave a snapshot too.
  final_snapshot_identifier = "last-${aws_db_parameter_group.this.name}"

  auto_minor_version_upgrade = true
  maintenance_window         = "sun:09:30-sun:10:30"
  apply_immediately          = false

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = var.performance_insights_retention_days
  monitoring_interval                   = var.monitoring_interval_seconds
  monitoring_role_arn                   = one(aws_iam_role.monitoring[*].arn)
  enabled_cloudwatch_logs_exports       = local.log_types

  tags = var.tags

  # What the secret holds is written before the instance takes it.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring, aws_secretsmanager_secret_version.master]
}

resource "aws_db_instance" "replica" {
  count = var.read_replica_count

  identifier          = "${local.identifier}-replica-${count.index + 1}"
  replicate_source_db = aws_db_instance.primary.identifier
  instance_class      = var.instance_class

  storage_type          = "gp3"
  max_allocated_storage = var.max_allocated_storage_gb
  # Always with the key of the primary, which must not be named again in the same region.
  storage_encrypted = true

  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this.name

  iam_database_authentication_enabled = true

  # The primary is what is backed up.
  backup_retention_period = 0
  copy_tags_to_snapshot   = true
  skip_final_snapshot     = true
  deletion_protection     = var.deletion_protection

  auto_minor_version_upgrade = true
  maintenance_window         = "sat:09:30-sat:10:30"

  performance_insights_enabled          = true
  performance_insights_kms_key_id       = var.kms_key_arn
  performance_insights_retention_period = var.performance_insights_retention_days
  monitoring_interval                   = var.monitoring_interval_seconds
  monitoring_role_arn                   = one(aws_iam_role.monitoring[*].arn)
}
