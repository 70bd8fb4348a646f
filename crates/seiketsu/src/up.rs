//! `seiketsu up`: everything on this machine, with one command and no key.

use crate::{
    cli::UpArgs,
    config::{Config, Vendor},
    exit::{Exit, Stop},
    local::{Local, Secrets},
    logging,
    sandbox::SandboxProcess,
    serve::{self, Listeners, Server, Settled},
    terminal::Terminal,
    vendors::{Place, Vendors},
};
use anyhow::Context;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use seiketsu_brokerage::{demo, recording::Key};
use seiketsu_domain::IdSource;
use seiketsu_gateway::api_key::ApiKey;
use seiketsu_storage::{
    Db, Endpoint, Reason,
    cluster::{Cluster, ClusterError, ClusterOptions, Step as ClusterStep},
    platform, setup,
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// The database that `up` works with.
struct Database {
    /// The private cluster, if it is ours.
    cluster: Option<Cluster>,
    endpoint: Endpoint,
}

/// Runs until Ctrl-C.
pub(crate) async fn run(mut config: Config, args: &UpArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let filter = logging::install(&config)?;
    let listeners = Listeners::bind_with_tls(&config).await?;
    let tls = listeners.tls.is_some();
    let ids = serve::identity()?;
    let clock = std::sync::Arc::clone(ids.clock());
    terminal.talk("Seiketsu is starting.");
    let began = clock.monotonic();

    let database = open_database(&config, terminal).await?;
    let (result, cluster) = {
        let Database { cluster, endpoint } = database;
        let result = begin(&mut config, args, terminal, &ids, endpoint, listeners, filter).await;
        (result, cluster)
    };
    let (server, mut sandbox, local, db) = match result {
        Ok(running) => running,
        Err(error) => {
            // Whatever went wrong, the cluster does not stay behind.
            if let Some(cluster) = cluster {
                cluster.stop().await;
            }
            return Err(error);
        }
    };
    local.write(&config)?;
    let took = clock.monotonic().saturating_sub(began);
    welcome(&config, &db, &local, (took, tls), terminal).await?;

    let drain = CancellationToken::new();
    tokio::select! {
        told = serve::told_to_stop() => told?,
        () = async {
            match &cluster {
                Some(cluster) => cluster.keep_running(drain.clone()).await,
                None => std::future::pending().await,
            }
        } => {}
        () = async {
            match &mut sandbox {
                Some(sandbox) => sandbox.ended().await,
                None => std::future::pending().await,
            }
        } => terminal.talk("The sandbox ended unexpectedly; stopping."),
    }
    drain.cancel();
    terminal.talk("\nStopping.");
    server.drain(terminal).await;
    if let Some(sandbox) = sandbox {
        sandbox.stop().await;
    }
    if let Some(cluster) = cluster {
        cluster.stop().await;
    }
    Local::remove(&config);
    terminal.talk("Everything that was started has stopped.");
    Ok(Exit::Success)
}

async fn open_database(config: &Config, terminal: Terminal) -> anyhow::Result<Database> {
    if let Some(url) = &config.database_url {
        let endpoint = Endpoint::parse(url.expose_secret()).context("DATABASE_URL (database.url)")?;
        return Ok(Database { cluster: None, endpoint });
    }
    let step = std::sync::Arc::new(terminal.step("database"));
    let project = std::env::current_dir().context("finding the current directory")?;
    let shown = std::sync::Arc::clone(&step);
    let options = ClusterOptions::for_project(&project).progress(move |at| {
        shown.update(match at {
            ClusterStep::Initialising { .. } => "making a private PostgreSQL cluster (once)",
            ClusterStep::Starting => "starting PostgreSQL",
            ClusterStep::Ready => "ready",
            ClusterStep::StoppingLeftover { .. } => "stopping what an earlier run left behind",
        });
    });
    let cluster = Cluster::start(options).await.map_err(missing_database)?;
    let words = format!("PostgreSQL {}, private, in {}", cluster.version(), cluster.home().display());
    match std::sync::Arc::try_unwrap(step) {
        Ok(step) => step.done(words),
        // The cluster keeps its listener for later restarts.
        Err(_) => terminal.talk(format_args!("  {:<10} {words}", "database")),
    }
    setup::bootstrap(&cluster.admin(), "seiketsu").await?;
    let endpoint = cluster.endpoint("seiketsu");
    Ok(Database { cluster: Some(cluster), endpoint })
}

fn missing_database(error: ClusterError) -> anyhow::Error {
    let message = format!("{:#}", anyhow::Error::new(error));
    Stop::because(Exit::Missing, message)
}

async fn begin(
    config: &mut Config,
    args: &UpArgs,
    terminal: Terminal,
    ids: &IdSource,
    endpoint: Endpoint,
    listeners: Listeners,
    filter: logging::Filter,
) -> anyhow::Result<(Server, Option<SandboxProcess>, Local, Db)> {
    let step = terminal.step("schema");
    if config.database_url.is_some() {
        setup::bootstrap(&endpoint.database("postgres"), endpoint.database_name()).await?;
    }
    setup::migrate(&endpoint).await.with_context(|| match &config.database_url {
        Some(_) => "the schema of DATABASE_URL does not fit this version".to_owned(),
        None => format!(
            "the private database ({endpoint}) was made by another version; \
             move its directory away and start again to begin with an empty one"
        ),
    })?;
    let db = serve::connect(config, endpoint).await?;
    step.done(format_args!("at version {}", setup::newest_migration()));

    let mut demo_brokerages = Vec::new();
    if !args.no_demo {
        let step = terminal.step("demo");
        let installed = demo::install(&db, ids).await?;
        demo_brokerages.extend(installed.iter().map(|one| one.tenant.slug.clone()));
        let listings: usize = installed.iter().map(|one| one.listings).sum();
        step.done(format_args!("{} brokerages, {listings} listings", installed.len()));
    }

    let mut secrets = Secrets::load_or_make(config, ids)?;
    if config.recording_master_key.is_none() {
        let key = if let Some(key) = &secrets.recording_master_key {
            SecretString::from(key.clone())
        } else {
            let key = Key::generate(ids).to_base64();
            secrets.recording_master_key = Some(key.expose_secret().to_owned());
            secrets.save(config)?;
            tracing::info!("a key for recordings was made; it is kept with this checkout's other secrets");
            key
        };
        config.recording_master_key = Some(key);
    }
    let (account_sid, auth_token) = match &config.twilio.account {
        Some((sid, token)) => (sid.clone(), token.expose_secret().to_owned()),
        None => (secrets.account_sid.clone(), secrets.auth_token.clone()),
    };
    let keyless =
        [&config.openai, &config.deepgram, &config.elevenlabs].iter().any(|vendor| vendor.api_key.is_none());
    let sandbox = if keyless || config.twilio.account.is_none() {
        let step = terminal.step("sandbox");
        let sandbox = SandboxProcess::start(config, (&account_sid, &auth_token)).await?;
        step.done(format_args!("profile {}, {}", config.profile, sandbox.addresses.sandbox));
        Some(sandbox)
    } else {
        None
    };
    let vendors = vendors(config, sandbox.as_ref(), &account_sid, &auth_token)?;
    let operator_key = operator_key(&db, ids, &mut secrets, config).await?;
    let jwt_secret =
        config.jwt_secret.clone().unwrap_or_else(|| SecretString::from(secrets.jwt_secret.clone()));

    let local = Local {
        public_url: config.public_url.to_string(),
        admin_url: format!("http://{}", listeners.admin.local_addr()?),
        operator_key,
        account_sid,
        auth_token,
        exchange: sandbox
            .as_ref()
            .filter(|_| config.twilio.account.is_none())
            .map(|s| s.addresses.twilio.clone()),
        sandbox: sandbox.as_ref().map(|sandbox| sandbox.addresses.sandbox.clone()),
        server_pid: std::process::id(),
        sandbox_pid: sandbox.as_ref().and_then(SandboxProcess::pid),
        profile: sandbox.as_ref().map(|_| config.profile.to_string()),
    };
    let modes = vendors.modes();
    // Nobody comes in but from this machine.
    let addresses = [Some(config.listen), listeners.tls.is_some().then_some(config.tls_listen)];
    let is_private = config.public_url.loopback_port().is_some()
        && addresses.into_iter().flatten().all(|address| address.ip().is_loopback());
    let settled = Settled {
        config: config.clone(),
        db: db.clone(),
        vendors,
        jwt_secret,
        ids: ids.clone(),
        listeners,
        filter,
        demo_sign_in: if is_private { demo_brokerages } else { Vec::new() },
    };
    let server = Server::start(settled)?;
    let shown = modes.map(|(name, real)| format!("{name} {}", if real { "real" } else { "sandbox" }));
    terminal.talk(format_args!("  {:<10} {}", "vendors", shown.join(", ")));
    if config.openai_fallback.is_some() && config.openai.api_key.is_none() {
        terminal.talk(format_args!(
            "  {:<10} OPENAI_FALLBACK_* is not used: without OPENAI_API_KEY the sandbox is the language model",
            ""
        ));
    }
    Ok((server, sandbox, local, db))
}

/// Real where there is a key, else the sandbox.
fn vendors(
    config: &Config,
    sandbox: Option<&SandboxProcess>,
    account_sid: &str,
    auth_token: &str,
) -> anyhow::Result<Vendors> {
    let place = |vendor: &Vendor, stand_in: fn(&SandboxProcess) -> &Url| match (&vendor.api_key, sandbox) {
        (Some(key), _) => Ok(Place { base: vendor.base_url.clone(), key: key.clone(), real: true }),
        (None, Some(sandbox)) => {
            Ok(Place { base: stand_in(sandbox).clone(), key: SecretString::from("sandbox"), real: false })
        }
        (None, None) => anyhow::bail!("a vendor without a key and without a sandbox"),
    };
    let real = config.twilio.account.is_some();
    let twilio = match sandbox {
        Some(sandbox) if !real => sandbox.addresses.twilio.clone(),
        Some(_) | None => config.twilio.base_url.clone(),
    };
    let openai = place(&config.openai, |sandbox| &sandbox.addresses.openai)?;
    let fallback = match &config.openai_fallback {
        Some((base, key)) => Some(Place { base: base.clone(), key: key.clone(), real: true }),
        // The sandbox is its own second place.
        None => Some(openai.clone()).filter(|openai| !openai.real),
    };
    Ok(Vendors {
        openai,
        fallback,
        deepgram: place(&config.deepgram, |sandbox| &sandbox.addresses.deepgram)?,
        elevenlabs: place(&config.elevenlabs, |sandbox| &sandbox.addresses.elevenlabs)?,
        twilio: Place { base: twilio, key: SecretString::from(auth_token.to_owned()), real },
        account_sid: account_sid.to_owned(),
    })
}

/// The operator's key of this checkout: made once, known to the database in use.
async fn operator_key(
    db: &Db,
    ids: &IdSource,
    secrets: &mut Secrets,
    config: &Config,
) -> anyhow::Result<String> {
    let known = secrets.operator_key.as_deref().and_then(|key| ApiKey::parse(key).ok());
    let key = if let Some(key) = known {
        key
    } else {
        let key = ApiKey::generate(ids);
        secrets.operator_key = Some(key.expose().to_owned());
        secrets.save(config)?;
        key
    };
    let row = platform::OperatorKey {
        prefix: key.hint().to_owned(),
        name: "local command line".to_owned(),
        created_at: created_at(ids),
    };
    let mut system = db.system(Reason::ManageOperatorKeys).await?;
    platform::put_operator_key(&mut system, &key.sha256(), &row).await?;
    system.commit().await?;
    Ok(key.expose().to_owned())
}

fn created_at(ids: &IdSource) -> Timestamp {
    ids.clock().now()
}

/// What runs, where, in which mode, and the exact command for a first call.
async fn welcome(
    config: &Config,
    db: &Db,
    local: &Local,
    (took, tls): (Duration, bool),
    terminal: Terminal,
) -> anyhow::Result<()> {
    let mut system = db.system(Reason::OperatorRead).await?;
    let tenants = platform::tenants(&mut system).await?;
    system.commit().await?;
    terminal.talk(format_args!("\nReady after {:.1} s.\n", took.as_secs_f64()));
    terminal.talk(format_args!("  console     {}   (talk with an agent in the browser)", config.public_url));
    terminal.talk(format_args!("  API         {}/docs", config.public_url));
    if tls {
        terminal.talk(format_args!("  API by TLS  https://localhost:{}", config.tls_listen.port()));
    }
    terminal.talk(format_args!("  metrics     {}/metrics", local.admin_url));
    terminal.talk(format_args!("  health      {}/health/dependencies", local.admin_url));
    for tenant in &tenants {
        terminal.talk(format_args!("  brokerage   {:<22} {}", tenant.slug, tenant.name));
    }
    if let Some(tenant) = tenants.first() {
        let program = std::env::current_exe().map_or_else(
            |_| "seiketsu".to_owned(),
            |path| {
                let here = std::env::current_dir().unwrap_or_default();
                path.strip_prefix(&here).unwrap_or(&path).display().to_string()
            },
        );
        terminal.talk(format_args!(
            "\nPlace a first call from another terminal:\n\n  {program} call --tenant {}\n\nCtrl-C stops everything.",
            tenant.slug
        ));
    }
    Ok(())
}
