//! Infracost's figure for a plan, beside ours, where that tool is installed.

use crate::report::Infracost;
use std::{io, path::Path, process::Stdio, time::Duration};
use tokio::{process::Command, time::timeout};

/// It asks a price service on the internet; longer than this is not waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asks `infracost breakdown` about a plan as `terraform show -json` writes it.
pub async fn ask(program: &str, plan: &Path) -> Infracost {
    let mut command = Command::new(program);
    command
        .args(["breakdown", "--format", "json", "--no-color", "--log-level", "error", "--path"])
        .arg(plan)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match timeout(PATIENCE, command.output()).await {
        Err(_) => Infracost::Failed(format!("no answer within {} s", PATIENCE.as_secs())),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Infracost::Absent,
        Ok(Err(error)) => Infracost::Failed(error.to_string()),
        Ok(Ok(output)) if !output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr);
            Infracost::Failed(
                said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason").trim().to_owned(),
            )
        }
        Ok(Ok(output)) => total(&output.stdout)
            .map_or_else(|| Infracost::Failed("no total in what it says".to_owned()), Infracost::Total),
    }
}

fn total(json: &[u8]) -> Option<f64> {
    let value: serde_json::Value = serde_json::from_slice(json).ok()?;
    value.get("totalMonthlyCost")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_total_is_a_text() {
        assert_eq!(total(br#"{"totalMonthlyCost": "2857.13"}"#), Some(2857.13));
        assert_eq!(total(b"{}"), None);
        assert_eq!(total(b""), None);
    }
}
