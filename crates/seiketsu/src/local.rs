//! What `up` leaves for the other commands of this checkout: addresses and keys, readable by its owner alone.

use crate::{
    config::Config,
    exit::{Exit, Stop},
};
use anyhow::Context;
use seiketsu_domain::IdSource;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use url::Url;

/// A running platform, as the command line finds it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Local {
    /// Base of the API.
    pub public_url: String,
    /// Base of the admin listener.
    pub admin_url: String,
    /// The operator's key.
    pub operator_key: String,
    /// Twilio's account, with which webhooks are signed.
    pub account_sid: String,
    /// Its secret.
    pub auth_token: String,
    /// The exchange whose REST API the platform calls, if it is the simulated one.
    pub exchange: Option<Url>,
    /// The sandbox, if there is one.
    pub sandbox: Option<Url>,
    /// The server's process.
    pub server_pid: u32,
    /// The sandbox' process.
    pub sandbox_pid: Option<u32>,
    /// The profile the sandbox began with.
    pub profile: Option<String>,
}

/// Secrets that `up` makes once and keeps, so that a restart honours what was signed before.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    pub jwt_secret: String,
    pub account_sid: String,
    pub auth_token: String,
    pub operator_key: Option<String>,
    /// Seals the keys of recordings.
    #[serde(default)]
    pub recording_master_key: Option<String>,
}

impl Local {
    fn path(config: &Config) -> PathBuf {
        config.state_dir.join("local.json")
    }

    /// Tells the other commands.
    pub(crate) fn write(&self, config: &Config) -> anyhow::Result<()> {
        write_private(&Self::path(config), self)
    }

    /// Finds the running platform.
    pub(crate) fn read(config: &Config) -> anyhow::Result<Self> {
        let path = Self::path(config);
        match read(&path)? {
            Some(local) => Ok(local),
            None => Err(Stop::because(
                Exit::NotRunning,
                format!(
                    "no platform has been started here ({} is missing); start one with `make run`",
                    path.display()
                ),
            )),
        }
    }

    /// Takes it back.
    pub(crate) fn remove(config: &Config) {
        let _ = fs::remove_file(Self::path(config));
    }
}

impl Secrets {
    /// Reads them, or makes them.
    pub(crate) fn load_or_make(config: &Config, ids: &IdSource) -> anyhow::Result<Self> {
        let path = config.state_dir.join("secrets.json");
        if let Some(secrets) = read(&path)? {
            return Ok(secrets);
        }
        let secrets = Self {
            jwt_secret: hex(ids, 32),
            account_sid: format!("AC{}", hex(ids, 16)),
            auth_token: hex(ids, 16),
            operator_key: None,
            recording_master_key: None,
        };
        write_private(&path, &secrets)?;
        Ok(secrets)
    }

    /// Keeps a change.
    pub(crate) fn save(&self, config: &Config) -> anyhow::Result<()> {
        write_private(&config.state_dir.join("secrets.json"), self)
    }
}

fn hex(ids: &IdSource, bytes: usize) -> String {
    let mut random = vec![0; bytes];
    ids.fill(&mut random);
    random.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .with_context(|| format!("{} is damaged; delete it and start again", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Replaces the file in one step, mode 0600.
fn write_private(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let context = || format!("cannot write {}", path.display());
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(context)?;
    }
    let draft = path.with_extension("new");
    let _ = fs::remove_file(&draft);
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).with_context(context)?;
    file.write_all(&serde_json::to_vec_pretty(value)?).with_context(context)?;
    file.sync_all().with_context(context)?;
    fs::rename(&draft, path).with_context(context)
}
