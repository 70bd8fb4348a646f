use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};
use seiketsu_storage::{
    Db, DbOptions, Reason,
    cluster::{Binaries, Cluster, ClusterError, ClusterOptions, Step},
    platform, setup,
};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::MetadataExt, fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A scratch directory that the server's user can pass through.
fn scratch() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

async fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::connect(&cluster.admin().expose_url()).await.unwrap()
}

async fn remember(cluster: &Cluster) {
    connect(cluster).await.execute("create table remembered (x int)").await.unwrap();
}

async fn remembers(cluster: &Cluster) -> bool {
    let query = "select to_regclass('remembered') is not null";
    sqlx::query_scalar(query).fetch_one(&mut connect(cluster).await).await.unwrap()
}

fn runs(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None).is_ok()
}

/// A server on a home's data that no `Cluster` knows of, as after a `kill -9` of the process that had started it.
fn orphan(home: &Path) -> process::Child {
    let owner = fs::metadata(home.join("data")).unwrap();
    let mut command = Command::new(Binaries::find().unwrap().directory.join("postgres"));
    command
        .arg("-D")
        .arg(home.join("data"))
        .arg("-k")
        .arg(home.join("socket"))
        .args(["-c", "listen_addresses="]);
    command.current_dir("/").stderr(Stdio::null());
    if Uid::effective().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().unwrap()
}

async fn until(what: &str, done: impl Fn() -> bool) {
    let poll = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), poll).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_disposable_cluster_leaves_neither_process_nor_directory() {
    let cluster = Cluster::start(ClusterOptions::disposable()).await.unwrap();
    let (home, pid) = (cluster.home().to_owned(), cluster.pid());
    assert_eq!(fs::metadata(&home).unwrap().mode() & 0o777, 0o700);
    assert!(runs(pid));
    cluster.stop().await;
    assert!(!home.exists());
    assert!(!runs(pid));
    let dropped = Cluster::start(ClusterOptions::disposable()).await.unwrap();
    let (home, pid) = (dropped.home().to_owned(), dropped.pid());
    drop(dropped);
    assert!(!home.exists());
    assert!(!runs(pid));
}

#[tokio::test]
async fn a_stopped_cluster_keeps_its_data_and_starts_without_another_initdb() {
    let scratch = scratch();
    let options = ClusterOptions::in_directory(&scratch.path().join("home"));
    let first = Cluster::start(options.clone()).await.unwrap();
    remember(&first).await;
    let fsync: String = sqlx::query_scalar("show fsync").fetch_one(&mut connect(&first).await).await.unwrap();
    assert_eq!(fsync, "on");
    first.stop().await;
    let steps = Arc::new(Mutex::new(Vec::new()));
    let heard = steps.clone();
    let second =
        Cluster::start(options.progress(move |step| heard.lock().unwrap().push(step.clone()))).await.unwrap();
    assert!(remembers(&second).await);
    assert_eq!(*steps.lock().unwrap(), [Step::Starting, Step::Ready]);
    second.stop().await;
}

#[tokio::test]
async fn a_second_start_is_told_who_holds_the_cluster_and_harms_nothing() {
    let scratch = scratch();
    let options = ClusterOptions::in_directory(&scratch.path().join("home"));
    let first = Cluster::start(options.clone()).await.unwrap();
    let error = Cluster::start(options).await.unwrap_err();
    assert!(
        matches!(&error, ClusterError::InUse { holder, .. } if *holder == process::id().to_string()),
        "{error}"
    );
    remember(&first).await;
    first.stop().await;
}

#[tokio::test]
async fn pid_files_of_a_dead_process_and_of_a_strangers_are_seen_through() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    let options = ClusterOptions::in_directory(&home);
    Cluster::start(options.clone()).await.unwrap().stop().await;
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    // Our own process lives and is not PostgreSQL; as root, so does a process of the server's own user.
    for pid in [gone.id(), process::id(), 1] {
        let data = home.join("data");
        fs::write(data.join("postmaster.pid"), format!("{pid}\n{}\n1\n5432\n", data.display())).unwrap();
        let owner = fs::metadata(&data).unwrap();
        std::os::unix::fs::chown(data.join("postmaster.pid"), Some(owner.uid()), Some(owner.gid())).unwrap();
        Cluster::start(options.clone()).await.unwrap_or_else(|error| panic!("{pid}: {error}")).stop().await;
    }
    assert!(runs(process::id().cast_signed()));
}

#[tokio::test]
async fn a_server_that_outlived_its_holder_is_stopped_and_its_data_taken_over() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    let options = ClusterOptions::in_directory(&home);
    let first = Cluster::start(options.clone()).await.unwrap();
    remember(&first).await;
    first.stop().await;
    let mut leftover = orphan(&home);
    let home = fs::canonicalize(&home).unwrap();
    until("the orphan never came up", || home.join("socket/.s.PGSQL.5432").exists()).await;
    // It is our child, so somebody has to wait for it.
    let pid = leftover.id().cast_signed();
    let waiter = std::thread::spawn(move || leftover.wait());
    let steps = Arc::new(Mutex::new(Vec::new()));
    let heard = steps.clone();
    let second =
        Cluster::start(options.progress(move |step| heard.lock().unwrap().push(step.clone()))).await.unwrap();
    waiter.join().unwrap().unwrap();
    assert_eq!(*steps.lock().unwrap(), [Step::StoppingLeftover { pid }, Step::Starting, Step::Ready]);
    assert!(remembers(&second).await);
    second.stop().await;
}

#[tokio::test]
async fn backends_that_outlived_their_killed_postmaster_do_not_keep_a_new_one_from_starting() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    let options = ClusterOptions::in_directory(&home);
    Cluster::start(options.clone()).await.unwrap().stop().await;
    let mut leftover = orphan(&home);
    until("the orphan never came up", || home.join("socket/.s.PGSQL.5432").exists()).await;
    let admin = format!("postgres://postgres@localhost/postgres?host={}", home.join("socket").display());
    let mut busy = loop {
        match PgConnection::connect(&admin).await {
            Ok(connection) => break connection,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    // In the middle of a statement that looks at nothing but its loop.
    let endless = "do $$ begin loop perform 1; end loop; end $$";
    let mut observer = PgConnection::connect(&admin).await.unwrap();
    let statement = tokio::task::JoinSet::from_iter([async move { busy.execute(endless).await.map(|_| ()) }]);
    let begun = "select exists (select from pg_stat_activity where state = 'active' and query like 'do $$ begin loop%')";
    while !sqlx::query_scalar::<_, bool>(begun).fetch_one(&mut observer).await.unwrap() {
        tokio::task::yield_now().await;
    }
    leftover.kill().unwrap();
    leftover.wait().unwrap();
    let cluster = Cluster::start(options).await.unwrap();
    remember(&cluster).await;
    assert!(statement.join_all().await.iter().all(Result::is_err));
    cluster.stop().await;
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_anew() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    fs::create_dir(home.join("data.unfinished")).unwrap();
    fs::write(home.join("data.unfinished/PG_VERSION"), "15\n").unwrap();
    let cluster = Cluster::start(ClusterOptions::in_directory(&home)).await.unwrap();
    remember(&cluster).await;
    cluster.stop().await;
}

#[tokio::test]
async fn a_path_of_150_characters_still_has_a_socket_in_a_private_directory() {
    let scratch = scratch();
    let long = scratch.path().join("a".repeat(75)).join("b".repeat(75));
    let cluster = Cluster::start(ClusterOptions::in_directory(&long)).await.unwrap();
    assert!(cluster.home().as_os_str().len() > 150);
    let sockets = cluster.socket_directory().to_owned();
    assert!(!sockets.starts_with(cluster.home()));
    assert_eq!(fs::metadata(&sockets).unwrap().mode() & 0o777, 0o700);
    remember(&cluster).await;
    cluster.stop().await;
    fs::remove_dir_all(sockets).unwrap();
}

#[tokio::test]
async fn a_project_in_a_directory_that_nobody_else_may_enter_has_its_cluster_elsewhere() {
    let scratch = scratch();
    let project = scratch.path().join("private").join("x".repeat(150));
    fs::create_dir_all(&project).unwrap();
    fs::set_permissions(scratch.path().join("private"), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = Cluster::start(ClusterOptions::for_project(&project)).await.unwrap();
    let home: PathBuf = cluster.home().to_owned();
    assert!(!home.starts_with(scratch.path()));
    remember(&cluster).await;
    cluster.stop().await;
    fs::remove_dir_all(home).unwrap();
    if Uid::effective().is_root() {
        let error = Cluster::start(ClusterOptions::in_directory(&project.join("home"))).await.unwrap_err();
        assert!(matches!(error, ClusterError::Unreachable { .. }), "{error}");
    }
}

#[tokio::test]
async fn committed_work_survives_the_killing_of_the_server_which_comes_back_by_itself() {
    let scratch = scratch();
    let home = scratch.path().join("home");
    let cluster = Arc::new(Cluster::start(ClusterOptions::in_directory(&home)).await.unwrap());
    setup::bootstrap(&cluster.admin(), "kept").await.unwrap();
    setup::migrate(&cluster.endpoint("kept")).await.unwrap();
    let options =
        DbOptions { acquire_timeout: Duration::from_millis(300), ..DbOptions::new(cluster.endpoint("kept")) };
    let db = Db::connect(&options).await.unwrap();
    let ids = seiketsu_testkit::ids(seiketsu_testkit::FakeClock::new(), 1);
    let tenant = platform::NewTenant {
        id: ids.next(),
        slug: "kept".to_owned(),
        name: "Kept".to_owned(),
        time_zone: "America/Chicago".to_owned(),
        created_at: "2026-11-24T16:15:00Z".parse().unwrap(),
    };
    let mut tx = db.system(Reason::ManageTenants).await.unwrap();
    platform::create_tenant(&mut tx, &tenant).await.unwrap();
    tx.commit().await.unwrap();

    // While it is away, callers learn so, and soon.
    let mut tx = db.system(Reason::OperatorRead).await.unwrap();
    let first_pid = cluster.pid();
    kill(Pid::from_raw(first_pid), Signal::SIGKILL).unwrap();
    cluster.wait_for_exit().await;
    assert!(platform::tenants(&mut tx).await.unwrap_err().is_away());
    drop(tx);
    assert!(db.system(Reason::OperatorRead).await.unwrap_err().is_away());

    let drain = CancellationToken::new();
    let keeper = tokio::task::JoinSet::from_iter([{
        let (cluster, drain) = (cluster.clone(), drain.clone());
        async move { cluster.keep_running(drain).await }
    }]);
    until("the server never came back", || cluster.pid() != first_pid).await;
    let mut tx = db.system(Reason::OperatorRead).await.unwrap();
    assert_eq!(platform::tenant_by_slug(&mut tx, "kept").await.unwrap().unwrap().name, "Kept");
    drop(tx);
    drain.cancel();
    keeper.join_all().await;
    db.close().await;
    let pid = cluster.pid();
    drop(cluster);
    assert!(!runs(pid));
}

#[tokio::test]
async fn killing_the_holder_leaves_no_server_and_its_directory_goes_at_the_next_start() {
    let mut holder = Command::new(env!("CARGO_BIN_EXE_disposable-cluster"))
        .args(["--", "sh", "-c", "echo $$; echo $DATABASE_URL; exec sleep 600"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let sleeper: i32 = lines.next().unwrap().unwrap().parse().unwrap();
    let url = lines.next().unwrap().unwrap();
    let home = Path::new(url.split_once("host=").unwrap().1).parent().unwrap().to_owned();
    let postmaster = fs::read_to_string(home.join("data/postmaster.pid")).unwrap();
    let postmaster: i32 = postmaster.lines().next().unwrap().parse().unwrap();
    assert!(runs(postmaster));
    holder.kill().unwrap();
    holder.wait().unwrap();
    kill(Pid::from_raw(sleeper), Signal::SIGKILL).unwrap();
    let gone = || fs::read_link(format!("/proc/{postmaster}/cwd")).is_err();
    until("the server outlived its holder", gone).await;
    assert!(home.exists());
    Cluster::start(ClusterOptions::disposable()).await.unwrap().stop().await;
    assert!(!home.exists());
}
