//! The variables that a deployment needs: those of the Quick Start, and those that no file of the repository can know.

use crate::blot::Blotter;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// A variable of the environment, what it is for, and how one gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: &'static str,
    /// What to do when it is missing.
    pub how: &'static str,
    /// Whether nothing goes on without it.
    pub needed: bool,
}

const fn wanted(name: &'static str, how: &'static str, needed: bool) -> Wanted {
    Wanted { name, how, needed }
}

/// The keys of the Quick Start. They become secrets of the platform; neither plan nor state holds them.
pub const KEYS: [Wanted; 5] = [
    wanted("ELEVENLABS_API_KEY", "elevenlabs.io, Profile, API Keys", true),
    wanted("OPENAI_API_KEY", "platform.openai.com, API keys", true),
    wanted("JWT_SECRET", "32 characters at least, the same for ever: `openssl rand -hex 32` makes one", true),
    wanted("MONITORING_API_KEY", "21dev.ai, Settings, API keys", true),
    wanted(
        "SUPABASE_KEY",
        "named in the Quick Start; PostgreSQL is RDS here and nothing reads it, so that it may be missing",
        false,
    ),
];

/// Further keys of the runtime contract: written if they are given.
pub const FURTHER_KEYS: [&str; 6] = [
    "DEEPGRAM_API_KEY",
    "TWILIO_AUTH_TOKEN",
    "RECORDING_MASTER_KEY",
    "DATABASE_PASSWORD",
    "SMTP_URL",
    "OPENAI_FALLBACK_API_KEY",
];

/// Variables of Terraform that have no default, beside `account_id`, which STS knows.
pub const TERRAFORM: [Wanted; 4] = [
    wanted("domain", "the environment's domain: Twilio reaches voice.DOMAIN, people console.DOMAIN", true),
    wanted("zone_id", "`aws route53 list-hosted-zones-by-name --dns-name DOMAIN`", true),
    wanted("image_digest", "`docker buildx imagetools inspect IMAGE`, sha256:…", true),
    wanted("variables", "{ TWILIO_ACCOUNT_SID = \"AC…\" }, from Twilio's console", true),
];

const CREDENTIALS_HOW: &str =
    "IAM, Users, Security credentials, Create access key; or AWS_PROFILE, or a role";
/// What else than a key pair leads to credentials.
const OTHER_CREDENTIALS: [&str; 5] = [
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SHARED_CREDENTIALS_FILE",
];
/// More than this is no file of variables.
const MAX_FILE: u64 = 1 << 20;

/// Reads a variable of the environment; empty ones are missing.
pub trait Environment {
    /// Its value.
    fn get(&self, name: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> Environment for F {
    fn get(&self, name: &str) -> Option<String> {
        self(name).filter(|value| !value.is_empty())
    }
}

/// What is missing, each with how to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The variable.
    pub name: String,
    /// What to do.
    pub how: String,
    /// Whether nothing goes on without it.
    pub needed: bool,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.how)
    }
}

/// Everything that is missing. `files` are the files of variables that Terraform will read.
pub fn missing(environment: &dyn Environment, root: &Path, files: &[PathBuf]) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut miss = |name: &str, how: &str, needed: bool| {
        missing.push(Missing { name: name.to_owned(), how: how.to_owned(), needed });
    };
    let elsewhere = OTHER_CREDENTIALS.iter().any(|name| environment.get(name).is_some())
        || environment.get("HOME").is_some_and(|home| Path::new(&home).join(".aws/credentials").exists());
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        if environment.get(name).is_none() && !elsewhere {
            miss(name, CREDENTIALS_HOW, true);
        }
    }
    for key in KEYS {
        match environment.get(key.name) {
            None => miss(key.name, key.how, key.needed),
            Some(value) if key.name == "JWT_SECRET" && value.chars().count() < 32 => {
                miss(key.name, "is shorter than 32 characters; `openssl rand -hex 32` makes one", true);
            }
            Some(_) => {}
        }
    }
    let texts = texts(root, files);
    let example = std::fs::read_to_string(root.join("terraform.tfvars.example")).ok();
    for variable in TERRAFORM {
        let given = environment.get(&format!("TF_VAR_{}", variable.name)).is_some()
            || texts.iter().any(|text| assigns(text, variable.name));
        let as_in_the_example =
            example.as_deref().and_then(|example| value(example, variable.name)).is_some_and(|example| {
                example.len() > 2 && texts.iter().any(|text| value(text, variable.name) == Some(example))
            });
        if as_in_the_example {
            let how = format!("is still the example's value; {}", variable.how);
            miss(variable.name, &how, variable.needed);
        } else if !given {
            let how = format!(
                "in terraform.ENVIRONMENT.tfvars or terraform.tfvars, or as TF_VAR_{}: {}",
                variable.name, variable.how
            );
            miss(variable.name, &how, variable.needed);
        }
    }
    missing
}

/// Whether a file of variables, or the environment, says what a variable is.
pub fn is_given(environment: &dyn Environment, root: &Path, files: &[PathBuf], name: &str) -> bool {
    environment.get(&format!("TF_VAR_{name}")).is_some()
        || texts(root, files).iter().any(|text| assigns(text, name))
}

/// The files that Terraform reads by itself, and those it is given.
fn texts(root: &Path, files: &[PathBuf]) -> Vec<String> {
    let own =
        std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name == "terraform.tfvars" || name.ends_with(".auto.tfvars")
        });
    own.chain(files.iter().cloned())
        .filter(|path| std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_FILE))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}

/// Whether a text has a line `name = …`.
fn assigns(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        line.trim_start().strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
    })
}

/// What stands on the line `name = …`, as it stands there.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('='))
        .map(str::trim)
}

/// The keys that are given, by name.
pub fn keys(environment: &dyn Environment) -> BTreeMap<&'static str, String> {
    let names = KEYS.iter().map(|key| key.name).chain(FURTHER_KEYS);
    names.filter_map(|name| Some((name, environment.get(name)?))).collect()
}

/// Everything in the environment that must not be shown.
pub fn secrets(environment: &dyn Environment) -> Blotter {
    let mut blotter = Blotter::default();
    for secret in keys(environment).values() {
        blotter.add(secret);
    }
    for name in [
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "TF_VAR_pagerduty_url",
        "TF_VAR_database_admin_password",
    ] {
        if let Some(secret) = environment.get(name) {
            blotter.add(&secret);
        }
    }
    // Whoever gives the values themselves gives them as JSON.
    let given = environment.get("TF_VAR_secret_values");
    if let Some(values) = given.and_then(|json| serde_json::from_str::<BTreeMap<String, String>>(&json).ok())
    {
        for secret in values.values() {
            blotter.add(secret);
        }
    }
    blotter
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn each_missing_variable_is_named_with_how_to_get_it() {
        let root = tempfile::tempdir().unwrap();
        let told = missing(&environment(&[]), root.path(), &[]);
        let names: Vec<&str> = told.iter().map(|missing| missing.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "ELEVENLABS_API_KEY",
                "OPENAI_API_KEY",
                "JWT_SECRET",
                "MONITORING_API_KEY",
                "SUPABASE_KEY",
                "domain",
                "zone_id",
                "image_digest",
                "variables"
            ]
        );
        assert!(told.iter().all(|missing| missing.how.len() > 15));
        assert_eq!(told.iter().filter(|missing| !missing.needed).count(), 1);
    }

    #[test]
    fn variables_are_found_where_terraform_finds_them() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(
            root.path().join("terraform.tfvars"),
            "# zone_id = \"no\"\ndomain   = \"a.example\"\n",
        )
        .unwrap();
        let file = root.path().join("more");
        std::fs::write(&file, "variables = { TWILIO_ACCOUNT_SID = \"AC0\" }\nzone_ids = 3\n").unwrap();
        let environment = environment(&[
            ("AWS_PROFILE", "p"),
            ("ELEVENLABS_API_KEY", "e"),
            ("OPENAI_API_KEY", "o"),
            ("JWT_SECRET", "too short"),
            ("MONITORING_API_KEY", "m"),
            ("SUPABASE_KEY", "s"),
            ("TF_VAR_image_digest", "sha256:0"),
        ]);
        let told = missing(&environment, root.path(), &[file]);
        let names: Vec<&str> = told.iter().map(|missing| missing.name.as_str()).collect();
        assert_eq!(names, ["JWT_SECRET", "zone_id"], "{told:?}");
        assert!(told[0].how.contains("shorter than 32"));
    }

    #[test]
    fn what_is_still_as_in_the_example_is_missing() {
        let root = tempfile::tempdir().unwrap();
        let example = "domain = \"seiketsu.example.com\"\nzone_id = \"Z0\"\nimage_digest = \"sha256:01\"\nvariables = {\n";
        std::fs::write(root.path().join("terraform.tfvars.example"), example).unwrap();
        std::fs::write(root.path().join("terraform.tfvars"), example.replace("\"Z0\"", "\"Z1\"")).unwrap();
        let told = missing(&environment(&[("AWS_PROFILE", "p")]), root.path(), &[]);
        let of_the_example: Vec<&str> =
            told.iter().filter(|one| one.how.contains("example's")).map(|one| one.name.as_str()).collect();
        assert_eq!(of_the_example, ["domain", "image_digest"]);
    }

    #[test]
    fn what_is_secret_in_the_environment_is_known() {
        let blotter = secrets(&environment(&[
            ("OPENAI_API_KEY", "sk-openai-000"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret-000"),
            ("TF_VAR_secret_values", r#"{"DEEPGRAM_API_KEY": "dg-secret-000"}"#),
        ]));
        assert_eq!(blotter.blot("sk-openai-000 aws-secret-000 dg-secret-000"), "(secret) (secret) (secret)");
    }
}
