//! Databases and caches.

use super::{Assume, Bill, EstimateError, Group, number, text};

/// IOPS that gp3 includes, below and from 400 GB.
const GP3_IOPS: (f64, f64) = (3_000.0, 12_000.0);

pub(super) fn lines(bill: &mut Bill<'_>, assume: Assume) -> Result<(), EstimateError> {
    for database in bill.all("aws_db_instance") {
        let name = database.values.text("identifier").unwrap_or(database.address);
        let class = text(&database, "instance_class")?;
        // The standby costs what the database does, storage included.
        let copies = if database.values.flag("multi_az").unwrap_or(false) { 2.0 } else { 1.0 };
        let both = if copies > 1.0 { ", two zones" } else { "" };
        let price = format!("rds.postgres.{class}");
        bill.fixed(Group::Database, format!("{name}: {class}{both}"), copies * bill.hours(), &price)?;
        let gigabytes = number(&database, "allocated_storage")?;
        let storage = database.values.text("storage_type").unwrap_or("gp3");
        bill.fixed(
            Group::Database,
            format!("{name}: {gigabytes} GB {storage}{both}"),
            copies * gigabytes,
            &format!("rds.{storage}"),
        )?;
        if let Some(iops) = database.values.number("iops") {
            let included = if gigabytes >= 400.0 { GP3_IOPS.1 } else { GP3_IOPS.0 };
            bill.fixed(
                Group::Database,
                format!("{name}: further IOPS"),
                copies * (iops - included),
                "rds.gp3.iops",
            )?;
        }
    }
    for proxy in bill.all("aws_db_proxy") {
        // A proxy is charged for the vCPUs of the database behind it, two at least.
        let vcpus = vcpus(bill)?.max(2.0);
        bill.fixed(Group::Database, proxy.address, vcpus * bill.hours(), "rds.proxy")?;
    }
    for cache in bill.all("aws_elasticache_replication_group") {
        let (planned, node) = (text(&cache, "engine")?, text(&cache, "node_type")?);
        let engine = assume.engine.unwrap_or(planned);
        let nodes = number(&cache, "num_cache_clusters")?;
        bill.fixed(
            Group::Cache,
            format!("{nodes} x {node}, {engine}"),
            nodes * bill.hours(),
            &format!("elasticache.{engine}.{node}"),
        )?;
        if cache.values.number("snapshot_retention_limit").unwrap_or(0.0) > 0.0 {
            bill.used(
                Group::Cache,
                "snapshots of the cache",
                bill.usage.backup.cache_gb,
                "elasticache.snapshot",
            )?;
        }
    }
    Ok(())
}

/// vCPUs of all databases. The size is in the name of the class: `large` has two, `2xlarge` eight.
pub(super) fn vcpus(bill: &Bill<'_>) -> Result<f64, EstimateError> {
    let mut all = 0.0;
    for database in bill.all("aws_db_instance") {
        let size = text(&database, "instance_class")?.rsplit('.').next().unwrap_or_default();
        all += match size.strip_suffix("xlarge") {
            Some("") => 4.0,
            Some(times) => 4.0 * times.parse().unwrap_or(1.0),
            None => 2.0,
        };
    }
    Ok(all)
}
