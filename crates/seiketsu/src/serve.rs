//! The composition root of a server: builds the parts, wires the ports, runs until told to stop, drains.

use crate::{
    caller_voice::{SandboxVoice, VendorVoice},
    config::Config,
    dev_cert,
    exit::{Exit, Stop},
    logging::{self, Filter},
    task_protection,
    terminal::Terminal,
    vendors::{self, Place, Tools, Vendors},
};
use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use secrecy::{ExposeSecret, SecretString};
use seiketsu_brokerage::{
    BrokerageDesk, KeptPhrases, Recovery,
    outbox::{self, FileMailer, Mailer, SmtpMailer},
    recording::{ChunkStore, Key, Recordings},
};
use seiketsu_domain::{AudioFormat, Clock, IdSource, ReplicaId, SystemClock};
use seiketsu_gateway::{
    Admin, Gateway, GatewayConfig, Parts, Startup, Vitals, config::MediaLimits, v1::speech::CallerVoice,
};
use seiketsu_session::{Failover, LATENCY_BUCKETS_SECONDS, RecordingArchive, SessionOptions, Sessions};
use seiketsu_storage::{Db, DbError, DbOptions, Endpoint, Reason, agents, platform, setup};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How often old things of the platform's own bookkeeping are swept.
const UPKEEP_EVERY: Duration = Duration::from_secs(20);
/// How long the API still answers after the last call of a drain.
const LAST_QUESTIONS: Duration = Duration::from_secs(2);
/// A token that expired so long ago is refused for its age; whether it was used matters no more.
const TOKEN_KEPT: SignedDuration = SignedDuration::from_mins(10);
/// A replica that has been silent for so long has no calls left to recover.
const REPLICA_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The listeners, bound before anything slow begins, so that a port in use is told at once.
pub(crate) struct Listeners {
    pub public: TcpListener,
    pub admin: TcpListener,
    /// With a certificate of `dev-cert`, in `up`.
    pub tls: Option<(TcpListener, Arc<rustls::ServerConfig>)>,
}

impl Listeners {
    pub(crate) async fn bind(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            public: bind(config.listen, "--port PORT or LISTEN=127.0.0.1:PORT").await?,
            admin: bind(config.admin_listen, "ADMIN_LISTEN=127.0.0.1:PORT").await?,
            tls: None,
        })
    }

    /// Those, and one that speaks TLS if there is a certificate for it.
    pub(crate) async fn bind_with_tls(config: &Config) -> anyhow::Result<Self> {
        let mut listeners = Self::bind(config).await?;
        if let Some(tls) = dev_cert::load(config)? {
            listeners.tls = Some((bind(config.tls_listen, "TLS_LISTEN=127.0.0.1:PORT").await?, tls));
        }
        Ok(listeners)
    }
}

async fn bind(address: SocketAddr, way_out: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let port = address.port();
        let message = if error.kind() == std::io::ErrorKind::AddrInUse {
            format!("port {port} is in use ({address}): stop what holds it (`ss -ltnp 'sport = :{port}'` shows it) or choose another with {way_out}")
        } else {
            format!("cannot listen on {address}: {error}; choose another address with {way_out}")
        };
        Stop::because(Exit::Missing, message)
    })
}

/// Ids, chance and time of this process.
pub(crate) fn identity() -> anyhow::Result<IdSource> {
    use rand::TryRng;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let mut seed = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut seed).context("the system gives no randomness")?;
    Ok(IdSource::new(clock, seed))
}

/// What a server is made of, all of it settled.
pub(crate) struct Settled {
    pub config: Config,
    pub db: Db,
    pub vendors: Vendors,
    pub jwt_secret: SecretString,
    pub ids: IdSource,
    pub listeners: Listeners,
    pub filter: Filter,
    /// Demo brokerages as whose member anybody who comes in here may sign in.
    pub demo_sign_in: Vec<String>,
}

/// A running server.
pub(crate) struct Server {
    pub sessions: Sessions,
    drain: CancellationToken,
    stop: CancellationToken,
    tasks: TaskTracker,
    writers: TaskTracker,
    gateway: Gateway,
    drain_seconds: u64,
    db: Db,
}

impl Server {
    /// Wires everything and begins to serve.
    pub(crate) fn start(settled: Settled) -> anyhow::Result<Self> {
        let Settled { config, db, vendors, jwt_secret, ids, listeners, filter, demo_sign_in } = settled;
        let prometheus = recorder()?;
        let (drain, stop) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, writers) = (TaskTracker::new(), TaskTracker::new());
        let http = vendors::http()?;
        let clock = Arc::clone(ids.clock());
        let replica: ReplicaId = ids.next();

        let mut desk = BrokerageDesk::new(db.clone(), Arc::clone(&clock), ids.clone(), writers.clone());
        let recordings = recordings(&config, &db, &ids)?;
        if let Some(recordings) = &recordings {
            desk = desk.recording(recordings.clone());
        }
        Chores { db: &db, ids: &ids, replica, recordings: recordings.as_ref(), prometheus: &prometheus }
            .spawn(mailer(&config)?, &tasks, &stop);
        let options = SessionOptions {
            max_calls: config.max_calls,
            acknowledge_after: Duration::from_millis(config.acknowledge_after_ms),
            speculations: config.speculations,
            hedge_after: Duration::from_millis(config.hedge_after_ms),
            ..SessionOptions::default()
        };
        let failover = Failover::new(Arc::clone(&clock));
        let tools = Tools { http: http.clone(), tasks: tasks.clone(), clock: Arc::clone(&clock) };
        let origin = if vendors.elevenlabs.real { "vendor" } else { "sandbox" };
        let kept_phrases = KeptPhrases::new(db.clone(), Arc::clone(&clock), origin);
        let sessions = Sessions::new(
            options,
            vendors.providers(&config, &failover, &tools),
            Arc::new(desk),
            vendors.telephony(&http, config.public_url.clone()),
            Arc::new(kept_phrases),
            Arc::clone(&clock),
            drain.clone(),
        );

        tasks.spawn(publish_agents(db.clone(), sessions.clone(), stop.clone()));
        tasks.spawn(watch_vendors(failover.clone(), stop.clone()));
        if let Some(agent) = &config.ecs_agent {
            let sessions = sessions.clone();
            let calls = move || sessions.live_calls();
            let watched = task_protection::watch(
                agent.clone(),
                task_protection::client()?,
                calls,
                Arc::clone(&clock),
                stop.clone(),
            );
            tasks.spawn(watched);
        }

        let caller_voice: Arc<dyn CallerVoice> = if vendors.deepgram.real {
            Arc::new(VendorVoice(vendors::elevenlabs(&vendors.elevenlabs, &tools)))
        } else {
            Arc::new(SandboxVoice::new())
        };
        let startup = Startup::default();
        let gateway = Gateway::new(Parts {
            db: db.clone(),
            switchboard: Arc::new(sessions.clone()),
            config: GatewayConfig {
                public_url: config.public_url.clone(),
                jwt_secret,
                twilio_auth_token: vendors.twilio.key.clone(),
                replica,
                media: MediaLimits::default(),
                realtime: config.api_door(),
                demo_sign_in,
                sandbox_ears: !vendors.deepgram.real,
            },
            ids,
            startup: startup.clone(),
            archive: recordings.map(|recordings| Arc::new(recordings) as Arc<dyn RecordingArchive>),
            caller_voice: Some(caller_voice),
        });
        let admin = Admin {
            prometheus,
            log_level: Arc::new(filter),
            dependencies: vendors.dependencies(),
            routes: Arc::new(failover),
        };
        // The admin listener answers for as long as there is something to see; the public one until the drain is over.
        tasks.spawn(watch(
            "public",
            seiketsu_gateway::serve(listeners.public, gateway.router(), stop.clone()),
        ));
        if let Some((listener, tls)) = listeners.tls {
            let served = seiketsu_gateway::serve_tls(listener, tls, gateway.router(), stop.clone());
            tasks.spawn(watch("tls", served));
        }
        tasks.spawn(watch(
            "admin",
            seiketsu_gateway::serve(listeners.admin, gateway.admin_router(admin), stop.clone()),
        ));
        startup.finished();
        Ok(Self { sessions, drain, stop, tasks, writers, gateway, drain_seconds: config.drain_seconds, db })
    }

    /// Refuses new calls, waits for live ones and for what they have to write, then stops.
    pub(crate) async fn drain(self, terminal: Terminal) {
        self.drain.cancel();
        let live = self.sessions.live_calls();
        if live > 0 {
            terminal.talk(format_args!(
                "draining: {live} live calls go on, for {} s at most; press Ctrl-C again to cut them",
                self.drain_seconds
            ));
        }
        let mut patience = Duration::from_secs(5);
        tokio::select! {
            () = self.sessions.drained() => {
                // Whoever was on the last call may still ask for its record.
                if live > 0 {
                    tokio::time::sleep(LAST_QUESTIONS).await;
                }
            }
            () = tokio::time::sleep(Duration::from_secs(self.drain_seconds)) => {
                tracing::warn!(calls = self.sessions.live_calls(), "the drain took too long; calls are cut");
            }
            _ = tokio::signal::ctrl_c() => {
                terminal.talk("cutting what is left");
                patience = Duration::from_millis(300);
            }
        }
        self.stop.cancel();
        for tracker in [&self.writers, &self.tasks, self.gateway.sockets()] {
            tracker.close();
            if tokio::time::timeout(patience, tracker.wait()).await.is_err() {
                tracing::debug!(left = tracker.len(), "not everything stopped in time");
            }
        }
        self.db.close().await;
    }
}

/// What is due apart from any call: mail, what has been kept long enough, calls that nobody holds any more. Several
/// processes may do it at once: each claims in the database what must not be done twice.
struct Chores<'a> {
    db: &'a Db,
    ids: &'a IdSource,
    replica: ReplicaId,
    recordings: Option<&'a Recordings>,
    prometheus: &'a PrometheusHandle,
}

impl Chores<'_> {
    fn spawn(self, mailer: Arc<dyn Mailer>, tasks: &TaskTracker, stop: &CancellationToken) {
        let Self { db, ids, replica, recordings, prometheus } = self;
        let clock = ids.clock();
        if let Some(recordings) = recordings {
            tasks.spawn(recordings.clone().run(stop.clone()));
        }
        tasks.spawn(outbox::Worker::new(db.clone(), mailer, Arc::clone(clock)).run(stop.clone()));
        tasks.spawn(Recovery::new(db.clone(), replica, Arc::clone(clock)).run(stop.clone()));
        tasks.spawn(upkeep(prometheus.clone(), db.clone(), Arc::clone(clock), stop.clone()));
    }
}

/// What is recorded goes here; nowhere without a key to seal it with.
fn recordings(config: &Config, db: &Db, ids: &IdSource) -> anyhow::Result<Option<Recordings>> {
    let Some(key) = &config.recording_master_key else {
        tracing::info!("calls are not recorded: RECORDING_MASTER_KEY is not set");
        return Ok(None);
    };
    let key = Key::from_base64(key).map_err(|error| {
        Stop::because(Exit::Usage, format!("recording.master_key (RECORDING_MASTER_KEY): {error}"))
    })?;
    let store = ChunkStore::open(&config.recording_store).context("recording.store (RECORDING_STORE)")?;
    Ok(Some(Recordings::new(db.clone(), store, key, ids.clone())))
}

fn mailer(config: &Config) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = config.mail_from.clone();
    if let Some(url) = &config.smtp_url {
        let mailer = SmtpMailer::new(url, from)
            .map_err(|error| Stop::because(Exit::Usage, format!("mail.smtp_url (SMTP_URL): {error}")))?;
        return Ok(Arc::new(mailer));
    }
    let directory = config.state_dir.join("mail");
    tracing::info!(directory = %directory.display(), "mail goes into a directory: SMTP_URL is not set");
    Ok(Arc::new(FileMailer::new(directory, from)))
}

/// Probes vendors that are not well until they are.
async fn watch_vendors(failover: Failover, stop: CancellationToken) {
    let _: Option<()> = stop.run_until_cancelled(failover.watch()).await;
}

/// Sweeps what is kept only for a while: idle metrics, used tokens, replicas that are no more.
async fn upkeep(prometheus: PrometheusHandle, db: Db, clock: Arc<dyn Clock>, stop: CancellationToken) {
    let sweep = async {
        loop {
            tokio::time::sleep(UPKEEP_EVERY).await;
            prometheus.run_upkeep();
            if let Err(error) = forget(&db, clock.now()).await {
                // The next sweep does what this one did not.
                tracing::debug!(%error, "old tokens and replicas were not swept");
            }
        }
    };
    let _: Option<()> = stop.run_until_cancelled(Box::pin(sweep)).await;
}

async fn forget(db: &Db, now: Timestamp) -> Result<(), DbError> {
    let mut system = db.system(Reason::RecoverCalls).await?;
    platform::purge_media_tokens(&mut system, now - TOKEN_KEPT).await?;
    platform::forget_replicas(&mut system, now - REPLICA_KEPT).await?;
    platform::purge_member_sessions(&mut system, now).await?;
    system.commit().await
}

async fn watch(listener: &'static str, served: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = served.await {
        tracing::error!(%error, listener, "a listener ended");
    }
}

fn recorder() -> anyhow::Result<PrometheusHandle> {
    let latencies = [
        "seiketsu_turn_first_audible_seconds",
        "seiketsu_turn_first_substantive_seconds",
        "seiketsu_turn_stage_seconds",
    ];
    let mut builder = PrometheusBuilder::new();
    for name in latencies {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.to_owned()), &LATENCY_BUCKETS_SECONDS)?;
    }
    builder = builder.set_buckets_for_metric(
        Matcher::Full(seiketsu_gateway::REQUEST_SECONDS.to_owned()),
        &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0],
    )?;
    builder = builder.set_buckets_for_metric(
        Matcher::Full("seiketsu_call_duration_seconds".to_owned()),
        &[10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0],
    )?;
    let handle = builder.install_recorder().context("installing the metrics recorder")?;
    seiketsu_gateway::describe_metrics();
    Ok(handle)
}

/// Has the fixed sentences of every agent spoken that are not kept yet, so that no call waits for one.
async fn publish_agents(db: Db, sessions: Sessions, stop: CancellationToken) {
    let publish = async {
        let mut system = db.system(Reason::OperatorRead).await?;
        let tenants = platform::tenants(&mut system).await?;
        system.commit().await?;
        for tenant in tenants {
            let mut tx = db.tenant(&tenant.scope).await?;
            let agents = agents::list(&mut tx).await?;
            tx.commit().await?;
            let published = agents.iter().map(async |agent| {
                let failed = sessions.publish(tenant.scope, agent, AudioFormat::Mulaw8k).await;
                if failed > 0 {
                    tracing::warn!(agent = %agent.id, failed, "fixed sentences could not be synthesised in advance");
                }
            });
            futures_util::future::join_all(published).await;
        }
        Ok::<(), DbError>(())
    };
    match stop.run_until_cancelled(Box::pin(publish)).await {
        None | Some(Ok(())) => {}
        // Whoever calls meanwhile waits a little longer for a first bridge.
        Some(Err(error)) => tracing::warn!(%error, "fixed sentences were not synthesised in advance"),
    }
}

/// Resolves on Ctrl-C or SIGTERM.
pub(crate) async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Connects with the limits of the configuration.
pub(crate) async fn connect(config: &Config, endpoint: Endpoint) -> anyhow::Result<Db> {
    let options = DbOptions { tenant_connections: config.database_connections, ..DbOptions::new(endpoint) };
    Db::connect(&options).await.context("connecting to the database")
}

fn endpoint(config: &Config) -> anyhow::Result<Endpoint> {
    let url = config.database_url.as_ref().ok_or_else(|| {
        Stop::because(Exit::Usage, "set DATABASE_URL (or database.url): this command does not start a database of its own; `seiketsu up` does")
    })?;
    Endpoint::parse(url.expose_secret()).context("DATABASE_URL (database.url)")
}

/// `seiketsu migrate`
pub(crate) async fn migrate(config: &Config, terminal: Terminal) -> anyhow::Result<Exit> {
    let database = endpoint(config)?;
    let step = terminal.step("migrate");
    setup::bootstrap(&database.database("postgres"), database.database_name()).await?;
    setup::migrate(&database).await?;
    if let Some(password) = &config.database_service_password {
        setup::service_login(&database, password).await?;
        step.update(format_args!("`{}` may log in", setup::SERVICE_LOGIN));
    }
    step.done(format_args!("`{}` is at version {}", database.database_name(), setup::newest_migration()));
    Ok(Exit::Success)
}

/// `seiketsu serve`
pub(crate) async fn serve(config: Config, terminal: Terminal) -> anyhow::Result<Exit> {
    let filter = logging::install(&config)?;
    let keys = (&config.openai.api_key, &config.deepgram.api_key, &config.elevenlabs.api_key);
    let (
        (Some(openai), Some(deepgram), Some(elevenlabs)),
        Some((account_sid, token)),
        Some(jwt_secret),
        Some(_),
    ) = (keys, &config.twilio.account, &config.jwt_secret, &config.database_url)
    else {
        return Err(missing_settings(&config));
    };
    let real =
        |base: &url::Url, key: &SecretString| Place { base: base.clone(), key: key.clone(), real: true };
    let vendors = Vendors {
        openai: real(&config.openai.base_url, openai),
        fallback: config.openai_fallback.as_ref().map(|(base, key)| real(base, key)),
        deepgram: real(&config.deepgram.base_url, deepgram),
        elevenlabs: real(&config.elevenlabs.base_url, elevenlabs),
        twilio: real(&config.twilio.base_url, token),
        account_sid: account_sid.clone(),
    };
    let jwt_secret = jwt_secret.clone();
    let listeners = Listeners::bind(&config).await?;
    let db = connect(&config, endpoint(&config)?).await?;
    let ids = identity()?;
    let server = Server::start(Settled {
        config,
        db: db.clone(),
        vendors,
        jwt_secret,
        ids,
        listeners,
        filter,
        demo_sign_in: Vec::new(),
    })?;
    told_to_stop().await?;
    server.drain(terminal).await;
    Ok(Exit::Success)
}

/// `seiketsu worker`
pub(crate) async fn worker(config: &Config, terminal: Terminal) -> anyhow::Result<Exit> {
    let filter = logging::install(config)?;
    let admin = bind(config.admin_listen, "ADMIN_LISTEN=127.0.0.1:PORT").await?;
    let db = connect(config, endpoint(config)?).await?;
    let ids = identity()?;
    let prometheus = recorder()?;
    let (stop, tasks, startup) = (CancellationToken::new(), TaskTracker::new(), Startup::default());
    let recordings = recordings(config, &db, &ids)?;
    Chores {
        db: &db,
        ids: &ids,
        replica: ids.next(),
        recordings: recordings.as_ref(),
        prometheus: &prometheus,
    }
    .spawn(mailer(config)?, &tasks, &stop);
    let listener = Admin {
        prometheus,
        log_level: Arc::new(filter),
        dependencies: Vec::new(),
        routes: Arc::new(Failover::new(Arc::clone(ids.clock()))),
    };
    let vitals = Vitals { startup: startup.clone(), db: db.clone(), switchboard: None };
    tasks.spawn(watch("admin", seiketsu_gateway::serve(admin, listener.router(vitals, ids), stop.clone())));
    startup.finished();
    terminal.talk(format_args!("  working    http://{}/health/ready tells how it is", config.admin_listen));
    told_to_stop().await?;
    stop.cancel();
    tasks.close();
    if tokio::time::timeout(Duration::from_secs(config.drain_seconds), tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "not everything stopped in time");
    }
    db.close().await;
    Ok(Exit::Success)
}

/// All that `serve` lacks, in one message.
fn missing_settings(config: &Config) -> anyhow::Error {
    let missing: Vec<&str> = [
        ("DATABASE_URL", config.database_url.is_none()),
        ("OPENAI_API_KEY", config.openai.api_key.is_none()),
        ("DEEPGRAM_API_KEY", config.deepgram.api_key.is_none()),
        ("ELEVENLABS_API_KEY", config.elevenlabs.api_key.is_none()),
        ("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN", config.twilio.account.is_none()),
        ("JWT_SECRET (`openssl rand -hex 32` makes one)", config.jwt_secret.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, is_missing)| is_missing.then_some(name))
    .collect();
    let message = format!(
        "`serve` starts no database and no sandbox of its own (`seiketsu up` does); still to be set: {}",
        missing.join(", ")
    );
    Stop::because(Exit::Usage, message)
}
