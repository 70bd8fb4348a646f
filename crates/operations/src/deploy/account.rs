//! The account: who deploys, and what has to be there before anything else can be, the bucket of the state.

use super::{
    DeployError, Deployment, Site,
    error::{interrupted, into_interrupted, of},
};
use crate::{
    plan::Plan,
    summary::Counts,
    terraform::{Terraform, TerraformError},
    variables::Missing,
};
use std::{fs, path::PathBuf};

/// The alias of the key that bootstrap seals the state with; that it exists means that bootstrap was run.
const STATE_KEY: &str = "alias/seiketsu-state";

/// Who the credentials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) account: String,
    pub(super) arn: String,
}

impl Deployment<'_> {
    /// The bucket of the state, and the roles of the workflows: once per account.
    pub(super) async fn bootstrap(&mut self, identity: &Identity) -> Result<(), DeployError> {
        let unfinished = self.unfinished();
        self.listener.say(if unfinished.exists() {
            "the bootstrap of this account was not finished: it comes first"
        } else {
            "this account has no state bucket yet: bootstrap first"
        });
        let mut variables = vec![
            ("TF_VAR_account_id".to_owned(), identity.account.clone()),
            ("TF_VAR_region".to_owned(), self.options.region.clone()),
        ];
        match (&self.options.repository, self.environment.get("TF_VAR_repository")) {
            (Some(repository), _) => variables.push(("TF_VAR_repository".to_owned(), repository.clone())),
            (None, Some(_)) => {}
            (None, None) => {
                return Err(DeployError::Missing(vec![Missing {
                    name: "--repository".to_owned(),
                    how: "owner/name on GitHub, whose workflows may deploy; bootstrap makes their roles"
                        .to_owned(),
                    needed: true,
                }]));
            }
        }
        let site = Site {
            directory: self.root.join("bootstrap"),
            data: self.work.join("bootstrap"),
            plan: self.work.join("bootstrap.tfplan"),
            under_way: self.work.with_file_name("bootstrap-under-way.jsonl"),
        };
        let (interrupts, terraform) = parts!(self, &site.directory, site.data.clone(), &variables);
        terraform.init(&[], interrupts).await.map_err(into_interrupted)?;
        self.take_up_what_was_under_way(&site, &variables).await?;
        let (interrupts, terraform) = parts!(self, &site.directory, site.data.clone(), &variables);
        terraform.plan(&site.plan, false, &[], interrupts).await.map_err(into_interrupted)?;
        let plan = Plan::parse(&terraform.show(&site.plan, interrupts).await.map_err(into_interrupted)?)?;
        self.tell(&plan);
        self.confirm(false).await?;
        let steps = Counts::of(&plan).steps();
        fs::write(&unfinished, "").map_err(|error| of(&unfinished, error))?;
        let mut progress = site.progress(&plan)?;
        let (interrupts, terraform) = parts!(self, &site.directory, site.data.clone(), &variables);
        let applied = terraform.apply(&site.plan, steps, &mut progress, interrupts).await;
        let _ = fs::remove_file(&site.plan);
        let done = progress.done;
        applied.map_err(|error| {
            if matches!(error, TerraformError::Interrupted) {
                DeployError::Interrupted { done, steps }
            } else {
                DeployError::Incomplete { done, steps, error }
            }
        })?;
        site.tidy()?;
        let _ = fs::remove_file(&unfinished);
        Ok(())
    }

    /// Of the account, as bootstrap is: exists from when bootstrap begins to change something until all of it is done.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.work.with_file_name("bootstrap-unfinished")
    }

    /// Who the credentials are.
    pub(super) async fn identity(&mut self) -> Result<Identity, DeployError> {
        let answer = self
            .ask_aws(
                "identity",
                "data \"aws_caller_identity\" \"this\" {}\noutput \"answer\" {\n  value = [data.aws_caller_identity.this.account_id, data.aws_caller_identity.this.arn]\n}\n",
            )
            .await
            .map_err(|error| {
                if let DeployError::Terraform(error) = error {
                    if matches!(error, TerraformError::Interrupted) {
                        interrupted()
                    } else {
                        DeployError::Credentials(error)
                    }
                } else {
                    error
                }
            })?;
        let text =
            |at: usize| answer.get(at).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        Ok(Identity { account: text(0), arn: text(1) })
    }

    /// The key that bootstrap sealed the state with, if it was run.
    pub(super) async fn state_key(&mut self) -> Result<Option<String>, DeployError> {
        let question = format!(
            "data \"aws_kms_alias\" \"this\" {{\n  name = \"{STATE_KEY}\"\n}}\noutput \"answer\" {{\n  value = data.aws_kms_alias.this.target_key_arn\n}}\n"
        );
        match self.ask_aws("state-key", &question).await {
            Ok(answer) => Ok(answer.as_str().map(str::to_owned)),
            Err(DeployError::Terraform(TerraformError::Failed { said, .. }))
                if ["couldn't find", "empty result", "NotFound"].iter().any(|none| said.contains(none)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Has Terraform read a data source, in a directory of its own.
    async fn ask_aws(&mut self, name: &str, question: &str) -> Result<serde_json::Value, DeployError> {
        let directory = self.work.join("questions").join(name);
        fs::create_dir_all(&directory).map_err(|error| of(&directory, error))?;
        let file = directory.join("main.tf");
        let text = format!(
            "terraform {{\n  required_providers {{\n    aws = {{ source = \"hashicorp/aws\", version = \">= 5.100, < 7.0\" }}\n  }}\n}}\n\
             provider \"aws\" {{\n  region = \"{}\"\n}}\n{question}",
            self.options.region
        );
        fs::write(&file, text).map_err(|error| of(&file, error))?;
        let data = directory.join(".terraform");
        let (interrupts, terraform) = parts!(self, &directory, data.clone(), &[]);
        if !data.join("providers").exists() {
            terraform.init(&[], interrupts).await?;
        }
        let outputs = terraform.look_up(interrupts).await?;
        Ok(outputs.pointer("/answer/value").cloned().unwrap_or_default())
    }
}

/// The role behind an assumed one, which is what policies see: `assumed-role/deployer/session` is `role/deployer`. A role
/// with a path cannot be told from its session; then `deployer_role_arns` has to be given.
pub(super) fn role(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let role = parts
        .get(5)
        .and_then(|rest| rest.strip_prefix("assumed-role/"))
        .and_then(|rest| rest.split('/').next());
    match (role, parts.get(4)) {
        (Some(role), Some(account)) => format!("arn:aws:iam::{account}:role/{role}"),
        _ => arn.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_behind_a_session_is_named() {
        assert_eq!(
            role("arn:aws:sts::1234:assumed-role/seiketsu-staging-apply/me"),
            "arn:aws:iam::1234:role/seiketsu-staging-apply"
        );
        assert_eq!(role("arn:aws:iam::1234:user/ada"), "arn:aws:iam::1234:user/ada");
        assert_eq!(role("nonsense"), "nonsense");
    }
}
