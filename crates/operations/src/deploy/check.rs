//! Looking at everything that a deployment needs.

use super::{Backend, DeployError, Deployment, error::interrupted};
use crate::{
    terraform::{Terraform, TerraformError},
    variables,
};
use serde::Serialize;

/// The Terraform that the root asks for.
const TERRAFORM: (u32, u32) = (1, 11);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub what: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether nothing goes on without it.
    pub needed: bool,
    /// What it is, or what to do.
    pub detail: String,
}

impl Deployment<'_> {
    /// Looks at tools, variables, credentials and state. Changes nothing.
    pub async fn check(&mut self) -> Result<Vec<Finding>, DeployError> {
        let mut findings = Vec::new();
        let mut add = |what: &str, ok: bool, needed: bool, detail: String| {
            findings.push(Finding { what: what.to_owned(), ok, needed, detail });
        };
        let version = match self.run_version().await {
            Ok(version) => {
                let new = is_new_enough(&version);
                let wish = if new { "" } else { "; 1.11 or later is needed" };
                add("terraform", new, true, format!("{version}{wish}"));
                new
            }
            Err(TerraformError::Interrupted) => return Err(interrupted()),
            Err(error) => {
                add("terraform", false, true, error.to_string());
                false
            }
        };
        let from = self
            .plugins
            .as_ref()
            .map_or_else(|| "from a registry".to_owned(), |place| format!("from {}", place.display()));
        add("hashicorp/aws", true, true, from);
        let missing = variables::missing(self.environment, &self.root, &self.files);
        let no_credentials = missing.iter().any(|missing| missing.name.starts_with("AWS_"));
        for one in &missing {
            add(&one.name, false, one.needed, one.how.clone());
        }
        if missing.is_empty() {
            add("variables", true, true, "all of the Quick Start, and of Terraform".to_owned());
        }
        if version && !no_credentials {
            match self.identity().await {
                Ok(identity) => {
                    add("credentials", true, true, format!("account {}, {}", identity.account, identity.arn));
                    if self.options.backend == Backend::S3 {
                        match self.state_key().await {
                            Ok(Some(_)) => add(
                                "state",
                                true,
                                false,
                                format!("bucket seiketsu-state-{}", identity.account),
                            ),
                            Ok(None) => {
                                add(
                                    "state",
                                    false,
                                    false,
                                    "no bucket yet; `apply` makes it first".to_owned(),
                                );
                            }
                            Err(DeployError::Terraform(TerraformError::Interrupted)) => {
                                return Err(interrupted());
                            }
                            Err(error) => add("state", false, true, error.to_string()),
                        }
                    }
                }
                Err(DeployError::Credentials(TerraformError::Interrupted)) => return Err(interrupted()),
                Err(error) => add("credentials", false, true, error.to_string()),
            }
        } else {
            add("credentials", false, true, "not asked: see above".to_owned());
        }
        if let Some(entry) = self.journal.last() {
            add("last run", true, false, entry.told());
        }
        Ok(findings)
    }

    pub(super) async fn run_version(&mut self) -> Result<String, TerraformError> {
        let (interrupts, terraform) = parts!(self, &self.root, self.work.join("terraform"), &[]);
        terraform.version(interrupts).await
    }
}

pub(super) fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= TERRAFORM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_numbers() {
        assert!(is_new_enough("1.11.4") && is_new_enough("1.11.0-rc1") && is_new_enough("2.0.0"));
        assert!(!is_new_enough("1.9.8") && !is_new_enough("") && !is_new_enough("0.15"));
    }
}
