//! What is used in a month: assumptions, stated in `infrastructure/usage/*.toml`, where each has its reason.

use serde::{Deserialize, Serialize};

/// The assumptions for production, as part of the binary.
pub const PRODUCTION: &str = include_str!("../../../infrastructure/usage/production.toml");
/// The assumptions for staging, as part of the binary.
pub const STAGING: &str = include_str!("../../../infrastructure/usage/staging.toml");
const MAX_BYTES: usize = 1 << 20;

/// What is wrong with a usage file.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// It is not TOML of this shape.
    #[error("the usage file cannot be read: {0}")]
    Malformed(#[from] toml::de::Error),
    /// It is too long to be one.
    #[error("the usage file has {0} bytes; a megabyte is the most")]
    TooLong(usize),
    /// A figure makes no sense.
    #[error("usage: {0}")]
    Invalid(String),
}

macro_rules! figures {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$doc])* pub $field: f64,)+
        }

        impl $name {
            fn figures(&self) -> impl Iterator<Item = (&'static str, f64)> {
                [$((concat!(stringify!($name), ".", stringify!($field)), self.$field)),+].into_iter()
            }
        }
    };
}

figures! {
    /// How much is telephoned.
    Calls {
        /// Tenants of the platform.
        tenants,
        /// Calls of one tenant in a month.
        calls_per_tenant,
        /// Length of a call.
        minutes_per_call,
        /// Days that a month's calls come on.
        busy_days,
        /// Share of a day's calls that comes in its busiest hour.
        busy_hour_share,
        /// Standard deviations above the mean that there is room for.
        margin_deviations,
        /// Calls that a task holds at the peak.
        calls_per_task,
    }
}

figures! {
    /// Megabytes of one minute of a call.
    CallMinute {
        /// From the telephone network.
        from_caller,
        /// To the telephone network.
        to_caller,
        /// To recognisers and language models.
        to_vendors,
        /// From voices and language models.
        from_vendors,
        /// Kept of a recorded call.
        recording,
    }
}

figures! {
    /// What is kept of calls.
    Recordings {
        /// Share of calls that are recorded.
        share,
        /// Months that a recording is kept.
        months_kept,
        /// Thousands of objects written.
        put_requests_thousand,
    }
}

figures! {
    /// What passes the network and the edge, beside calls.
    Traffic {
        /// GB through NAT.
        nat_gb,
        /// GB through each interface endpoint.
        endpoint_gb,
        /// GB between zones.
        zone_gb,
        /// GB of the API out of the load balancer.
        api_out_gb,
        /// GB out of CloudFront.
        cloudfront_gb,
        /// Requests to CloudFront.
        cloudfront_million_requests,
        /// Requests that firewalls look at.
        waf_million_requests,
        /// Look-ups of names.
        route53_million_queries,
        /// GB out to the internet that cost nothing.
        free_internet_gb,
    }
}

figures! {
    /// Logs into CloudWatch, in GB.
    Logs {
        /// Of all tasks together.
        tasks_gb,
        /// Of each task that runs the whole month, on top.
        tasks_gb_per_task,
        /// VPC flow logs.
        flow_gb,
        /// Firewalls.
        firewall_gb,
        /// Database and cache.
        data_stores_gb,
        /// Container Insights, for each task.
        insights_gb_per_task,
        /// Share of the size that is charged for while logs are kept.
        compressed_to,
    }
}

figures! {
    /// Metrics in CloudWatch.
    Metrics {
        /// Published by the platform.
        custom,
        /// Of a cluster, standard.
        insights_standard_per_cluster,
        /// Of a service, standard.
        insights_standard_per_service,
        /// Of a cluster, enhanced.
        insights_enhanced_per_cluster,
        /// Of a service, enhanced.
        insights_enhanced_per_service,
        /// Of a task, enhanced.
        insights_enhanced_per_task,
        /// Thousands of metrics that the forwarder asks for.
        requested_thousand,
        /// What the forwarder runs for.
        forwarder_gb_seconds,
    }
}

figures! {
    /// What the watchmen count.
    Security {
        /// Management events that GuardDuty reads.
        guardduty_million_events,
        /// GB of flow and DNS records that GuardDuty reads.
        guardduty_flow_gb,
        /// Requests to S3 that CloudTrail notes and GuardDuty reads.
        s3_million_events,
        /// Checks of Security Hub.
        security_hub_thousand_checks,
        /// Changes that Config notes.
        config_thousand_items,
        /// Rules that Config evaluates.
        config_thousand_evaluations,
        /// Images pushed.
        images_pushed,
        /// Images scanned again.
        image_rescans,
        /// Requests to KMS.
        kms_million_requests,
        /// Requests to Secrets Manager.
        secret_million_requests,
    }
}

figures! {
    /// What is stored beside recordings, in GB.
    Storage {
        /// Images.
        images_gb,
        /// Everything else in S3.
        other_s3_gb,
    }
}

figures! {
    /// Backups.
    Backup {
        /// GB of database snapshots here.
        database_gb,
        /// GB of database snapshots in the other region.
        database_copy_gb,
        /// GB copied there in a month.
        copied_gb,
        /// GB of cache snapshots.
        cache_gb,
        /// Hours that restored databases run.
        restore_test_hours,
    }
}

figures! {
    /// Releases.
    Deployments {
        /// In a month.
        per_month,
        /// Hours that old and new tasks stand side by side.
        hours,
    }
}

/// All assumptions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// How much is telephoned.
    pub calls: Calls,
    /// Megabytes of one minute of a call.
    pub megabytes_per_call_minute: CallMinute,
    /// What is kept of calls.
    pub recordings: Recordings,
    /// What passes the network and the edge.
    pub traffic: Traffic,
    /// Logs.
    pub logs: Logs,
    /// Metrics.
    pub metrics: Metrics,
    /// What the watchmen count.
    pub security: Security,
    /// What is stored.
    pub storage: Storage,
    /// Backups.
    pub backup: Backup,
    /// Releases.
    pub deployments: Deployments,
}

impl Usage {
    /// Reads a usage file; every figure has to be there, finite and not negative.
    pub fn parse(text: &str) -> Result<Self, UsageError> {
        if text.len() > MAX_BYTES {
            return Err(UsageError::TooLong(text.len()));
        }
        let usage: Self = toml::from_str(text)?;
        let figures = (usage.calls.figures())
            .chain(usage.megabytes_per_call_minute.figures())
            .chain(usage.recordings.figures())
            .chain(usage.traffic.figures())
            .chain(usage.logs.figures())
            .chain(usage.metrics.figures())
            .chain(usage.security.figures())
            .chain(usage.storage.figures())
            .chain(usage.backup.figures())
            .chain(usage.deployments.figures());
        for (name, value) in figures {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(UsageError::Invalid(format!("{name} is {value}")));
            }
        }
        for (name, value) in
            [("calls.busy_days", usage.calls.busy_days), ("calls.calls_per_task", usage.calls.calls_per_task)]
        {
            if value <= 0.0 {
                return Err(UsageError::Invalid(format!("{name} has to be more than nothing")));
            }
        }
        for (name, share) in [
            ("calls.busy_hour_share", usage.calls.busy_hour_share),
            ("recordings.share", usage.recordings.share),
            ("logs.compressed_to", usage.logs.compressed_to),
        ] {
            if share > 1.0 {
                return Err(UsageError::Invalid(format!("{name} is a share and more than one")));
            }
        }
        Ok(usage)
    }

    /// The built-in assumptions for an environment.
    pub fn built_in(environment: &str) -> Result<Self, UsageError> {
        Self::parse(if environment == "staging" { STAGING } else { PRODUCTION })
    }

    /// Minutes of calls in a month.
    pub fn call_minutes(&self) -> f64 {
        self.calls.tenants * self.calls.calls_per_tenant * self.calls.minutes_per_call
    }

    /// GB of a month's calls, from megabytes of a minute.
    pub fn call_gb(&self, megabytes_per_minute: f64) -> f64 {
        self.call_minutes() * megabytes_per_minute / 1000.0
    }

    /// GB of recordings that are kept at any time.
    pub fn recordings_gb(&self) -> f64 {
        self.call_gb(self.megabytes_per_call_minute.recording)
            * self.recordings.share
            * self.recordings.months_kept
    }

    /// Calls at once, on average over the busy hour: the traffic in Erlangs.
    pub fn busy_hour_calls(&self) -> f64 {
        let calls = self.calls.tenants * self.calls.calls_per_tenant / self.calls.busy_days;
        calls * self.calls.busy_hour_share * self.calls.minutes_per_call / 60.0
    }

    /// Calls at once that there has to be room for: the mean and some deviations of a Poisson distribution.
    pub fn peak_calls(&self) -> f64 {
        let mean = self.busy_hour_calls();
        mean + self.calls.margin_deviations * mean.sqrt()
    }

    /// Tasks that the peak needs, if each holds so many calls; one at least.
    pub fn tasks_for_peak(&self, calls_per_task: f64) -> u32 {
        (self.peak_calls() / calls_per_task).ceil().max(1.0) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_tenants_need_one_task_for_their_calls() {
        let usage = Usage::parse(PRODUCTION).unwrap();
        // 40 * 1500 / 22 * 0.17 * 3.5 / 60
        assert!((usage.busy_hour_calls() - 27.045).abs() < 0.001);
        // 27.045 + 4 * 5.2005
        assert!((usage.peak_calls() - 47.85).abs() < 0.01);
        assert_eq!(usage.tasks_for_peak(200.0), 1);
        assert_eq!(usage.tasks_for_peak(20.0), 3);
        assert!((usage.call_minutes() - 210_000.0).abs() < 1e-6);
        // 210,000 * 0.96 MB / 1000 * 0.5 * 3
        assert!((usage.recordings_gb() - 302.4).abs() < 1e-6);
    }

    #[test]
    fn figures_that_make_no_sense_are_refused() {
        for (from, to, expected) in [
            ("tenants = 40", "tenants = -1", "Calls.tenants"),
            ("share = 0.5", "share = 1.5", "recordings.share"),
            ("calls_per_task = 200", "calls_per_task = 0", "calls.calls_per_task"),
            ("tenants = 40", "tenants = 40\ntenant = 3", "tenant"),
            ("tenants = 40\n", "\n", "tenants"),
        ] {
            let told = Usage::parse(&PRODUCTION.replace(from, to)).unwrap_err().to_string();
            assert!(told.contains(expected), "{told}");
        }
        Usage::parse(STAGING).unwrap();
    }
}
