//! What another process costs: CPU time and resident memory, from `/proc`.

use serde::{Deserialize, Serialize};
use std::{fs, io, time::Duration};

/// Clock ticks per second in `/proc`: a constant of Linux's user interface (`USER_HZ`) on every architecture we run on.
const TICKS_PER_SECOND: u64 = 100;

/// A process' consumption so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessUsage {
    /// User and system time of all its threads.
    pub cpu: Duration,
    /// Resident memory now.
    pub resident_bytes: u64,
    /// The most it ever was.
    pub resident_peak_bytes: u64,
}

impl ProcessUsage {
    /// What process `pid` has consumed so far.
    pub fn of(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Self::parse(&stat, &status)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unexpected format of /proc"))
    }

    /// What was consumed since an earlier reading: CPU time between the two, memory now.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { cpu: self.cpu.saturating_sub(earlier.cpu), ..self }
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The second field is the name in parentheses and may contain anything, so counting starts behind it; utime
        // and stime are fields 14 and 15 of proc_pid_stat(5).
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let system: u64 = fields.next()?.parse().ok()?;
        let kibibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        };
        Some(Self {
            cpu: Duration::from_millis((user + system) * 1_000 / TICKS_PER_SECOND),
            resident_bytes: kibibytes("VmRSS:")? * 1_024,
            resident_peak_bytes: kibibytes("VmHWM:")? * 1_024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_and_memory_are_read_behind_a_name_with_spaces_and_parentheses() {
        let stat = "4242 (a (weird) name) S 1 4242 4242 0 -1 4194560 100 0 0 0 250 75 0 0 20 0 8 0 5 1 2";
        let status = "Name:\ta\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let usage = ProcessUsage::parse(stat, status).unwrap();
        assert_eq!(usage.cpu, Duration::from_millis(3_250));
        assert_eq!((usage.resident_bytes, usage.resident_peak_bytes), (1_048_576, 2_097_152));
        assert_eq!(ProcessUsage::parse("nonsense", status), None);
        assert_eq!(ProcessUsage::parse(stat, ""), None);
    }

    #[test]
    fn this_very_process_has_used_memory() {
        let usage = ProcessUsage::of(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 100_000, "{usage:?}");
        assert!(usage.resident_peak_bytes >= usage.resident_bytes / 2, "{usage:?}");
    }
}
