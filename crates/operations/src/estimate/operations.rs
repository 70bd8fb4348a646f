//! Logs, metrics, alarms; security and compliance; storage and backups.

use super::{Bill, EstimateError, Group, data_stores, tasks::Counted};

pub(super) fn lines(bill: &mut Bill<'_>, tasks: &Counted) -> Result<(), EstimateError> {
    watching(bill, tasks)?;
    security(bill, tasks)?;
    storage(bill)
}

fn watching(bill: &mut Bill<'_>, tasks: &Counted) -> Result<(), EstimateError> {
    let usage = bill.usage;
    let insights = bill
        .all("aws_ecs_cluster")
        .flat_map(|cluster| cluster.values.blocks("setting").collect::<Vec<_>>())
        .find(|setting| setting.text("name") == Some("containerInsights"))
        .and_then(|setting| setting.text("value").map(str::to_owned))
        .unwrap_or_else(|| "disabled".to_owned());
    let groups: Vec<_> = bill.all("aws_cloudwatch_log_group").collect();
    if !groups.is_empty() {
        let logs = &usage.logs;
        let mut written =
            logs.tasks_gb + logs.tasks_gb_per_task * f64::from(tasks.gateway) + logs.data_stores_gb;
        written += if bill.any("aws_flow_log") { logs.flow_gb } else { 0.0 };
        written += if bill.any("aws_wafv2_web_acl") { logs.firewall_gb } else { 0.0 };
        written += if insights == "disabled" { 0.0 } else { logs.insights_gb_per_task * tasks.all };
        bill.used(Group::Watching, "logs, written", written, "logs.ingested")?;
        // The longest retention stands for all: most of the gigabytes are in groups that have it.
        let days =
            groups.iter().filter_map(|group| group.values.number("retention_in_days")).fold(0.0, f64::max);
        let kept = written * days / 30.4 * logs.compressed_to;
        bill.used(Group::Watching, format!("logs, kept for {days} days"), kept, "logs.stored")?;
    }
    let alarmed: usize = bill
        .all("aws_cloudwatch_metric_alarm")
        .map(|alarm| {
            let queries =
                alarm.values.blocks("metric_query").filter(|query| query.blocks("metric").next().is_some());
            queries.count().max(1)
        })
        .sum();
    bill.fixed(Group::Watching, "metrics that alarms watch", alarmed as f64, "cloudwatch.alarm")?;
    let composite = bill.count("aws_cloudwatch_composite_alarm");
    bill.fixed(Group::Watching, "composite alarms", composite, "cloudwatch.composite_alarm")?;
    bill.fixed(
        Group::Watching,
        "dashboards",
        bill.count("aws_cloudwatch_dashboard"),
        "cloudwatch.dashboard",
    )?;
    let metrics = &usage.metrics;
    if tasks.services > 0.0 {
        bill.used(Group::Watching, "metrics of the platform", metrics.custom, "cloudwatch.metric")?;
    }
    match insights.as_str() {
        "enabled" => {
            let made = metrics.insights_standard_per_cluster
                + metrics.insights_standard_per_service * tasks.services;
            bill.used(Group::Watching, "Container Insights, standard", made, "cloudwatch.metric")?;
        }
        "enhanced" => {
            let made = metrics.insights_enhanced_per_cluster
                + metrics.insights_enhanced_per_service * tasks.services
                + metrics.insights_enhanced_per_task * tasks.all;
            bill.used(Group::Watching, "Container Insights, enhanced", made, "cloudwatch.insights_metric")?;
        }
        _ => {}
    }
    if bill.any("aws_lambda_function") {
        bill.used(
            Group::Watching,
            "forwarder: metrics asked for",
            metrics.requested_thousand,
            "cloudwatch.requested",
        )?;
        bill.used(
            Group::Watching,
            "forwarder: its run time",
            metrics.forwarder_gb_seconds,
            "lambda.gb_second",
        )?;
    }
    Ok(())
}

fn security(bill: &mut Bill<'_>, tasks: &Counted) -> Result<(), EstimateError> {
    let security = &bill.usage.security;
    bill.fixed(Group::Security, "KMS keys", bill.count("aws_kms_key"), "kms.key")?;
    if bill.any("aws_kms_key") {
        bill.used(Group::Security, "requests to KMS", security.kms_million_requests, "kms.requests")?;
    }
    bill.fixed(Group::Security, "secrets", bill.count("aws_secretsmanager_secret"), "secret")?;
    if bill.any("aws_secretsmanager_secret") {
        bill.used(
            Group::Security,
            "requests to Secrets Manager",
            security.secret_million_requests,
            "secret.requests",
        )?;
    }
    if bill.any("aws_guardduty_detector") {
        let has = |bill: &Bill<'_>, name: &str| {
            bill.all("aws_guardduty_detector_feature").any(|feature| {
                feature.values.text("name") == Some(name) && feature.values.text("status") != Some("DISABLED")
            })
        };
        bill.used(
            Group::Security,
            "GuardDuty: management events",
            security.guardduty_million_events,
            "guardduty.events",
        )?;
        bill.used(
            Group::Security,
            "GuardDuty: flows and names",
            security.guardduty_flow_gb,
            "guardduty.flow_gb",
        )?;
        if has(bill, "S3_DATA_EVENTS") {
            bill.used(Group::Security, "GuardDuty: S3", security.s3_million_events, "guardduty.s3_events")?;
        }
        if has(bill, "RUNTIME_MONITORING") {
            bill.fixed(Group::Security, "GuardDuty: vCPUs of tasks", tasks.vcpus, "guardduty.runtime")?;
        }
        if has(bill, "RDS_LOGIN_EVENTS") {
            let vcpus = data_stores::vcpus(bill)?;
            bill.fixed(Group::Security, "GuardDuty: vCPUs of databases", vcpus, "guardduty.rds")?;
        }
    }
    if bill.any("aws_securityhub_standards_subscription") {
        bill.used(
            Group::Security,
            "Security Hub: checks",
            security.security_hub_thousand_checks,
            "securityhub.check",
        )?;
    }
    if bill.any("aws_config_configuration_recorder") {
        bill.used(Group::Security, "Config: changes noted", security.config_thousand_items, "config.item")?;
    }
    if bill.any("aws_config_config_rule") {
        let evaluations = security.config_thousand_evaluations;
        bill.used(Group::Security, "Config: rules evaluated", evaluations, "config.evaluation")?;
    }
    if bill.any("aws_cloudtrail") {
        bill.used(
            Group::Security,
            "CloudTrail: requests to S3",
            security.s3_million_events,
            "cloudtrail.data_events",
        )?;
    }
    if bill.all("aws_inspector2_enabler").any(|inspector| inspector.values.lists("resource_types", "ECR")) {
        bill.used(Group::Security, "Inspector: images pushed", security.images_pushed, "inspector.image")?;
        bill.used(
            Group::Security,
            "Inspector: images scanned again",
            security.image_rescans,
            "inspector.rescan",
        )?;
    }
    Ok(())
}

fn storage(bill: &mut Bill<'_>) -> Result<(), EstimateError> {
    let usage = bill.usage;
    let recordings = usage.recordings_gb();
    if bill.any("aws_s3_bucket") {
        bill.used(Group::Storage, "recordings", recordings, "s3.standard")?;
        bill.used(Group::Storage, "recordings, written", usage.recordings.put_requests_thousand, "s3.put")?;
        bill.used(Group::Storage, "logs, audit, console", usage.storage.other_s3_gb, "s3.standard")?;
    }
    if bill.any("aws_ecr_repository") {
        bill.used(Group::Storage, "images", usage.storage.images_gb, "ecr.storage")?;
    }
    let plans: Vec<_> = bill.all("aws_backup_plan").collect();
    if plans.is_empty() {
        return Ok(());
    }
    let backup = &usage.backup;
    let copied = plans
        .iter()
        .any(|plan| plan.values.blocks("rule").any(|rule| rule.blocks("copy_action").next().is_some()));
    bill.used(Group::Backup, "snapshots of the database", backup.database_gb, "rds.snapshot")?;
    bill.used(Group::Backup, "backup of recordings", recordings, "s3.backup")?;
    if copied {
        bill.used(
            Group::Backup,
            "snapshots of the database, in the other region",
            backup.database_copy_gb,
            "rds.snapshot",
        )?;
        bill.used(Group::Backup, "backup of recordings, in the other region", recordings, "s3.backup")?;
        let new_recordings = recordings / usage.recordings.months_kept.max(1.0);
        bill.used(
            Group::Backup,
            "copied to the other region",
            backup.copied_gb + new_recordings,
            "transfer.region_gb",
        )?;
    }
    if bill.any("aws_backup_restore_testing_plan") {
        // Restored on the class it had, in one zone.
        let class =
            bill.all("aws_db_instance").next().and_then(|database| database.values.text("instance_class"));
        if let Some(class) = class {
            let price = format!("rds.postgres.{class}");
            bill.used(
                Group::Backup,
                "restored databases, while they are tested",
                backup.restore_test_hours,
                &price,
            )?;
        }
    }
    Ok(())
}
