//! Configuration: the documented default file, then `--config`, then the environment, then flags. Plain data.

use crate::exit::{Exit, Stop};
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use seiketsu_brokerage::{
    outbox::{self, Address},
    recording::StoreOptions,
};
use seiketsu_gateway::{PublicUrl, RatePerMinute, RealtimeLimits};
use seiketsu_sandbox::Profile;
use serde::Deserialize;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};
use url::Url;

/// The documented defaults.
pub(crate) const DEFAULT: &str = include_str!("../config.default.toml");

/// Environment names and the keys they set; those of the described system are honoured as they are.
const ENVIRONMENT: [(&str, &str); 30] = [
    ("PUBLIC_URL", "public_url"),
    ("LISTEN", "listen"),
    ("ADMIN_LISTEN", "admin_listen"),
    ("TLS_LISTEN", "tls_listen"),
    ("STATE_DIR", "state_dir"),
    ("ECS_AGENT_URI", "ecs_agent"),
    ("JWT_SECRET", "jwt_secret"),
    ("DATABASE_URL", "database.url"),
    ("DATABASE_SERVICE_PASSWORD", "database.service_password"),
    ("OPENAI_API_KEY", "openai.api_key"),
    ("OPENAI_BASE_URL", "openai.base_url"),
    ("OPENAI_FALLBACK_API_KEY", "openai_fallback.api_key"),
    ("OPENAI_FALLBACK_BASE_URL", "openai_fallback.base_url"),
    ("DEEPGRAM_API_KEY", "deepgram.api_key"),
    ("DEEPGRAM_BASE_URL", "deepgram.base_url"),
    ("ELEVENLABS_API_KEY", "elevenlabs.api_key"),
    ("ELEVENLABS_BASE_URL", "elevenlabs.base_url"),
    ("TWILIO_ACCOUNT_SID", "twilio.account_sid"),
    ("TWILIO_AUTH_TOKEN", "twilio.auth_token"),
    ("TWILIO_BASE_URL", "twilio.base_url"),
    ("SMTP_URL", "mail.smtp_url"),
    ("MAIL_FROM", "mail.from"),
    ("RECORDING_STORE", "recording.store"),
    ("RECORDING_MASTER_KEY", "recording.master_key"),
    ("SANDBOX_PROFILE", "sandbox.profile"),
    ("MAX_CALLS", "session.max_calls"),
    ("API_REQUESTS_PER_MINUTE", "api.requests_per_minute"),
    ("API_TOKENS_PER_MINUTE", "api.tokens_per_minute"),
    ("LOG", "log.filter"),
    ("LOG_FORMAT", "log.format"),
];

/// Names of the described system that serve parts which are not built yet: known, and no error.
const RESERVED: [&str; 4] = ["REDIS_URL", "SUPABASE_KEY", "MONITORING_API_KEY", "MONITORING_ENDPOINT"];

/// Everything that can be configured, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub public_url: PublicUrl,
    pub listen: SocketAddr,
    pub admin_listen: SocketAddr,
    /// Where TLS is spoken, if `dev-cert` has made a certificate.
    pub tls_listen: SocketAddr,
    pub state_dir: PathBuf,
    pub ecs_agent: Option<Url>,
    pub jwt_secret: Option<SecretString>,
    pub database_url: Option<SecretString>,
    pub database_service_password: Option<SecretString>,
    pub database_connections: u32,
    pub openai: Vendor,
    pub first_token_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    /// A second place for language models, if there is one, and its key.
    pub openai_fallback: Option<(Url, SecretString)>,
    pub deepgram: Vendor,
    pub elevenlabs: Vendor,
    pub twilio: Twilio,
    /// The mail server; without one mail is dropped into a directory.
    pub smtp_url: Option<SecretString>,
    pub mail_from: Address,
    /// Where recordings go; without one, a directory beside the rest of this checkout's state.
    pub recording_store: StoreOptions,
    pub recording_master_key: Option<SecretString>,
    pub profile: Profile,
    pub seed: u64,
    pub max_calls: usize,
    /// What each key may ask of the API door.
    pub api_rate: RatePerMinute,
    /// The most that one brokerage may take of its places, in percent.
    pub api_tenant_percent: usize,
    pub acknowledge_after_ms: u64,
    pub speculations: u32,
    pub hedge_after_ms: u64,
    pub drain_seconds: u64,
    pub log_filter: String,
    pub log_format: String,
    /// The merged document, secrets blotted out, for `seiketsu config`.
    pub shown: toml::Table,
}

/// A vendor: where it is and, if it is to be the real one, its key.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    pub api_key: Option<SecretString>,
    pub base_url: Url,
}

/// Twilio's account.
#[derive(Debug, Clone)]
pub(crate) struct Twilio {
    pub account: Option<(String, SecretString)>,
    pub base_url: Url,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    public_url: String,
    listen: String,
    admin_listen: String,
    tls_listen: String,
    state_dir: PathBuf,
    ecs_agent: String,
    jwt_secret: SecretString,
    database: DatabaseSection,
    openai: OpenAiSection,
    openai_fallback: VendorSection,
    deepgram: VendorSection,
    elevenlabs: VendorSection,
    twilio: TwilioSection,
    mail: MailSection,
    recording: RecordingSection,
    sandbox: SandboxSection,
    session: SessionSection,
    api: ApiSection,
    log: LogSection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseSection {
    url: SecretString,
    service_password: SecretString,
    connections: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenAiSection {
    api_key: SecretString,
    base_url: String,
    first_token_timeout_ms: u64,
    idle_timeout_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorSection {
    api_key: SecretString,
    base_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TwilioSection {
    account_sid: String,
    auth_token: SecretString,
    base_url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SandboxSection {
    profile: String,
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionSection {
    max_calls: usize,
    acknowledge_after_ms: u64,
    speculations: u32,
    hedge_after_ms: u64,
    drain_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiSection {
    requests_per_minute: u32,
    tokens_per_minute: u32,
    tenant_percent: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailSection {
    smtp_url: SecretString,
    from: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordingSection {
    store: String,
    master_key: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogSection {
    filter: String,
    format: String,
}

impl Config {
    /// Half of all places are for telephones alone, and of the other half one brokerage cannot take all.
    pub(crate) fn api_door(&self) -> RealtimeLimits {
        let sessions = (self.max_calls / 2).max(1);
        let sessions_of_tenant = (sessions * self.api_tenant_percent / 100).max(1);
        RealtimeLimits { sessions, sessions_of_tenant, rate: self.api_rate }
    }

    /// Reads all sources. `flags` are `key = value` settings from the command line, the strongest.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let mut table: toml::Table = DEFAULT.parse().context("the embedded configuration")?;
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| bad(format!("cannot read the configuration {}: {error}", path.display())))?;
            let own: toml::Table =
                text.parse().map_err(|error| bad(format!("{} is not TOML: {error}", path.display())))?;
            merge(&mut table, own, "", &path.display().to_string())?;
        }
        for (name, key) in ENVIRONMENT {
            if let Some(value) = environment(name).filter(|value| !value.is_empty()) {
                set(&mut table, key, &value).map_err(|problem| bad(format!("{name}: {problem}")))?;
            }
        }
        for (key, value) in flags {
            set(&mut table, key, value).map_err(|problem| bad(format!("{key}: {problem}")))?;
        }
        let document: Document =
            table.clone().try_into().map_err(|error| bad(format!("configuration: {error}")))?;
        parse(document, table)
    }

    /// Which names of the environment are read.
    pub(crate) fn environment_names() -> impl Iterator<Item = &'static str> {
        ENVIRONMENT.iter().map(|(name, _)| *name).chain(RESERVED)
    }
}

fn bad(message: String) -> anyhow::Error {
    Stop::because(Exit::Usage, message)
}

/// Lays one document over another; a key the defaults do not have is a mistake.
fn merge(base: &mut toml::Table, over: toml::Table, path: &str, file: &str) -> anyhow::Result<()> {
    for (key, value) in over {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let Some(slot) = base.get_mut(&key) else {
            return Err(bad(format!(
                "{file}: unknown key `{full}`; `seiketsu config --defaults` shows all keys"
            )));
        };
        match (slot, value) {
            (toml::Value::Table(base), toml::Value::Table(over)) => merge(base, over, &full, file)?,
            (slot, value) => *slot = value,
        }
    }
    Ok(())
}

/// Sets one value from text, in the type that the defaults have.
fn set(table: &mut toml::Table, key: &str, value: &str) -> Result<(), String> {
    let (path, last) = key.rsplit_once('.').map_or((None, key), |(path, last)| (Some(path), last));
    let mut table = table;
    for part in path.into_iter().flat_map(|path| path.split('.')) {
        table = table.get_mut(part).and_then(toml::Value::as_table_mut).ok_or("no such section")?;
    }
    let slot = table.get_mut(last).ok_or("no such key")?;
    *slot = if slot.is_integer() {
        toml::Value::Integer(value.parse().map_err(|_| format!("expected a whole number, not `{value}`"))?)
    } else {
        toml::Value::String(value.to_owned())
    };
    Ok(())
}

fn parse(document: Document, mut table: toml::Table) -> anyhow::Result<Config> {
    let public_url: PublicUrl = document
        .public_url
        .parse()
        .map_err(|error| bad(format!("public_url (PUBLIC_URL) = `{}`: {error}", document.public_url)))?;
    let loopback = public_url.to_string().starts_with("http://");
    let listen = if document.listen.is_empty() {
        let host = if loopback { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
        let port = if loopback { Url::parse(&document.public_url)?.port().unwrap_or(8080) } else { 8080 };
        SocketAddr::from((host, port))
    } else {
        address("listen (LISTEN)", &document.listen)?
    };
    if !(500..=60_000).contains(&document.openai.first_token_timeout_ms) {
        return Err(bad("openai.first_token_timeout_ms: expected 500 to 60000".to_owned()));
    }
    if !(1_200..=10_000).contains(&document.session.acknowledge_after_ms) {
        return Err(bad("session.acknowledge_after_ms: expected 1200 to 10000".to_owned()));
    }
    if !(100..=60_000).contains(&document.session.hedge_after_ms) {
        return Err(bad("session.hedge_after_ms: expected 100 to 60000".to_owned()));
    }
    let mail_from = outbox::sender(&document.mail.from)
        .map_err(|error| bad(format!("mail.from (MAIL_FROM): {error}")))?;
    let recording_store = if document.recording.store.is_empty() {
        StoreOptions::Directory(document.state_dir.join("recordings"))
    } else {
        let store = &document.recording.store;
        store
            .parse()
            .map_err(|error| bad(format!("recording.store (RECORDING_STORE) = `{store}`: {error}")))?
    };
    if document.session.max_calls == 0 || document.database.connections == 0 {
        return Err(bad("session.max_calls and database.connections: expected at least 1".to_owned()));
    }
    let api = &document.api;
    if api.requests_per_minute == 0 || api.tokens_per_minute == 0 || !(1..=100).contains(&api.tenant_percent)
    {
        let message = "api.requests_per_minute and api.tokens_per_minute: expected at least 1; \
                       api.tenant_percent: expected 1 to 100";
        return Err(bad(message.to_owned()));
    }
    if !matches!(document.log.format.as_str(), "" | "text" | "json") {
        return Err(bad(format!(
            "log.format (LOG_FORMAT) = `{}`: expected text or json",
            document.log.format
        )));
    }
    let secret = |secret: SecretString| (!secret.expose_secret().is_empty()).then_some(secret);
    let jwt_secret = secret(document.jwt_secret);
    if jwt_secret.as_ref().is_some_and(|secret| secret.expose_secret().len() < 32) {
        return Err(bad(
            "jwt_secret (JWT_SECRET): expected at least 32 characters; `openssl rand -hex 32` makes one"
                .to_owned(),
        ));
    }
    let openai_fallback = match (
        document.openai_fallback.base_url.as_str(),
        secret(document.openai_fallback.api_key),
    ) {
        ("", None) => None,
        (base, Some(key)) if !base.is_empty() => {
            Some((vendor_url("openai_fallback.base_url (OPENAI_FALLBACK_BASE_URL)", base)?, key))
        }
        _ => {
            return Err(bad(
                "openai_fallback: set both OPENAI_FALLBACK_BASE_URL and OPENAI_FALLBACK_API_KEY (any key, if the \
                 server asks for none)"
                    .to_owned(),
            ));
        }
    };
    let twilio_token = secret(document.twilio.auth_token);
    let account = match (document.twilio.account_sid.as_str(), twilio_token) {
        ("", None) => None,
        (sid, Some(token)) if sid.starts_with("AC") => Some((sid.to_owned(), token)),
        (sid, _) => {
            return Err(bad(format!(
                "twilio.account_sid (TWILIO_ACCOUNT_SID) = `{sid}` and TWILIO_AUTH_TOKEN: set both, the SID begins with AC"
            )));
        }
    };
    let profile = document
        .sandbox
        .profile
        .parse()
        .map_err(|error| bad(format!("sandbox.profile (SANDBOX_PROFILE): {error}")))?;
    blot(&mut table);
    Ok(Config {
        listen,
        admin_listen: address("admin_listen (ADMIN_LISTEN)", &document.admin_listen)?,
        tls_listen: address("tls_listen (TLS_LISTEN)", &document.tls_listen)?,
        state_dir: document.state_dir,
        ecs_agent: (!document.ecs_agent.is_empty())
            .then(|| document.ecs_agent.parse())
            .transpose()
            .map_err(|error| bad(format!("ecs_agent (ECS_AGENT_URI) = `{}`: {error}", document.ecs_agent)))?,
        jwt_secret,
        database_url: secret(document.database.url),
        database_service_password: secret(document.database.service_password),
        database_connections: document.database.connections,
        openai: Vendor {
            api_key: secret(document.openai.api_key),
            base_url: vendor_url("openai.base_url (OPENAI_BASE_URL)", &document.openai.base_url)?,
        },
        first_token_timeout_ms: document.openai.first_token_timeout_ms,
        idle_timeout_ms: document.openai.idle_timeout_ms,
        openai_fallback,
        deepgram: Vendor {
            api_key: secret(document.deepgram.api_key),
            base_url: vendor_url("deepgram.base_url (DEEPGRAM_BASE_URL)", &document.deepgram.base_url)?,
        },
        elevenlabs: Vendor {
            api_key: secret(document.elevenlabs.api_key),
            base_url: vendor_url("elevenlabs.base_url (ELEVENLABS_BASE_URL)", &document.elevenlabs.base_url)?,
        },
        twilio: Twilio {
            account,
            base_url: vendor_url("twilio.base_url (TWILIO_BASE_URL)", &document.twilio.base_url)?,
        },
        smtp_url: secret(document.mail.smtp_url),
        mail_from,
        recording_store,
        recording_master_key: secret(document.recording.master_key),
        profile,
        seed: document.sandbox.seed,
        max_calls: document.session.max_calls,
        api_rate: RatePerMinute {
            requests: document.api.requests_per_minute,
            tokens: document.api.tokens_per_minute,
        },
        api_tenant_percent: document.api.tenant_percent,
        acknowledge_after_ms: document.session.acknowledge_after_ms,
        speculations: document.session.speculations,
        hedge_after_ms: document.session.hedge_after_ms,
        drain_seconds: document.session.drain_seconds,
        log_filter: document.log.filter,
        log_format: document.log.format,
        public_url,
        shown: table,
    })
}

fn address(key: &str, text: &str) -> anyhow::Result<SocketAddr> {
    text.parse().map_err(|_| {
        bad(format!("{key} = `{text}`: expected an address and a port, for example 127.0.0.1:8080"))
    })
}

/// A vendor's base URL: TLS, except on loopback.
fn vendor_url(key: &str, text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).map_err(|error| bad(format!("{key} = `{text}`: {error}")))?;
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(bad(format!(
            "{key} = `{text}`: keys would travel in the clear; use https:// (http:// only on loopback)"
        ))),
    }
}

/// Replaces secrets that are set.
fn blot(table: &mut toml::Table) {
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::Table(section) => blot(section),
            toml::Value::String(text) if is_secret(key) && !text.is_empty() => "(set)".clone_into(text),
            toml::Value::String(_)
            | toml::Value::Integer(_)
            | toml::Value::Float(_)
            | toml::Value::Boolean(_)
            | toml::Value::Datetime(_)
            | toml::Value::Array(_) => {}
        }
    }
}

/// `database.url` may hold a password.
fn is_secret(key: &str) -> bool {
    matches!(
        key,
        "api_key" | "auth_token" | "jwt_secret" | "url" | "smtp_url" | "master_key" | "service_password"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(
        file: Option<&str>,
        environment: &[(&str, &str)],
        flags: &[(&str, &str)],
    ) -> anyhow::Result<Config> {
        let path = file.map(|text| {
            let path =
                std::env::temp_dir().join(format!("seiketsu-config-{}-{}", std::process::id(), text.len()));
            std::fs::write(&path, text).unwrap();
            path
        });
        let environment = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let flags: Vec<_> = flags.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let config = Config::load(path.as_deref(), environment, &flags);
        if let Some(path) = path {
            std::fs::remove_file(path).unwrap();
        }
        config
    }

    #[test]
    fn the_documented_file_is_the_defaults() {
        let config = load(None, &[], &[]).unwrap();
        assert_eq!(config.public_url.to_string(), "http://localhost:8080");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert!(config.openai.api_key.is_none() && config.database_url.is_none());
    }

    #[test]
    fn file_environment_and_flags_override_each_other_in_this_order() {
        let file = "[session]\nmax_calls = 7\n[sandbox]\nprofile = \"fast\"\nseed = 3\n";
        let config = load(
            Some(file),
            &[("SANDBOX_PROFILE", "slow"), ("MAX_CALLS", "9"), ("PUBLIC_URL", "https://voice.example.com")],
            &[("sandbox.profile", "zero")],
        )
        .unwrap();
        assert_eq!(config.profile, Profile::Zero);
        assert_eq!((config.max_calls, config.seed), (9, 3));
        assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    }

    #[test]
    fn a_bad_value_names_its_key_and_the_remedy() {
        for (environment, expected) in [
            (("PUBLIC_URL", "http://example.com"), "use https://"),
            (("LISTEN", "8080"), "for example 127.0.0.1:8080"),
            (("JWT_SECRET", "short"), "at least 32 characters"),
            (("MAX_CALLS", "many"), "expected a whole number"),
            (("MAX_CALLS", "0"), "at least 1"),
            (("API_TOKENS_PER_MINUTE", "0"), "at least 1"),
            (("OPENAI_BASE_URL", "http://example.com/v1"), "in the clear"),
            (("TWILIO_ACCOUNT_SID", "AC1"), "set both"),
            (("OPENAI_FALLBACK_BASE_URL", "https://models.example.com/v1"), "OPENAI_FALLBACK_API_KEY"),
            (("OPENAI_FALLBACK_API_KEY", "k"), "OPENAI_FALLBACK_BASE_URL"),
            (("SANDBOX_PROFILE", "quick"), "SANDBOX_PROFILE"),
            (("LOG_FORMAT", "xml"), "text or json"),
        ] {
            let error = load(None, &[environment], &[]).unwrap_err();
            let text = format!("{error:#}");
            assert!(text.contains(expected), "{environment:?}: {text}");
            assert_eq!(crate::exit::code_of(&error), Exit::Usage);
        }
        let error = load(Some("[sesion]\nmax_calls = 1"), &[], &[]).unwrap_err();
        assert!(error.to_string().contains("unknown key `sesion`"), "{error}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let config =
            load(None, &[("OPENAI_API_KEY", "sk-very-secret"), ("DATABASE_URL", "postgres://u:pw@h/d")], &[]);
        let config = config.unwrap();
        let shown = toml::to_string(&config.shown).unwrap();
        assert!(!shown.contains("very-secret") && !shown.contains("pw@h"), "{shown}");
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
