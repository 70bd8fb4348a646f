//! What an earlier holder of the lock left behind.

use super::{ClusterError, Step, home::Home, io_error, is_alive};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

const POLL: Duration = Duration::from_millis(20);

/// Stops every PostgreSQL process on the data directory, and removes a pid file that would keep a new one from starting.
/// The lock is held, so whatever runs there belongs to nobody any more.
pub(super) async fn clear(home: &Home, tell: impl Fn(&Step)) -> Result<(), ClusterError> {
    let data = home.data();
    if let Some(postmaster) = postmaster_of(&data)
        && is_on(postmaster, &data)
    {
        tell(&Step::StoppingLeftover { pid: postmaster.as_raw() });
        // Fast shutdown: ends sessions, writes everything.
        signal(postmaster, Signal::SIGINT);
        wait_for(Duration::from_secs(10), || !is_alive(postmaster) || !is_on(postmaster, &data)).await;
    }
    // Backends of a postmaster that was killed end by themselves, but not in the middle of a statement; a new server
    // refuses to start while they hold its shared memory.
    for harshness in [None, Some(Signal::SIGQUIT), Some(Signal::SIGKILL)] {
        if let Some(harshness) = harshness {
            for pid in processes_on(&data) {
                signal(pid, harshness);
            }
        }
        if wait_for(Duration::from_secs(3), || processes_on(&data).is_empty()).await {
            break;
        }
    }
    if let Some(pid) = processes_on(&data).first() {
        return Err(ClusterError::LeftoverStays { pid: pid.as_raw() });
    }
    // If the pid in the file lives, it is somebody else's by now, and PostgreSQL would take it for a rival. If it does
    // not, the file stays: PostgreSQL itself looks through it whether shared memory is still in use.
    if postmaster_of(&data).is_some_and(is_alive) {
        remove(&data.join("postmaster.pid"))?;
    }
    // An initdb that was interrupted.
    let unfinished = unfinished_data(&data);
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", &unfinished)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Kills every PostgreSQL process on a data directory that is about to be deleted.
pub(super) fn kill_all(data: &Path) {
    for pid in processes_on(data) {
        signal(pid, Signal::SIGKILL);
    }
}

/// Where initdb works until it has finished.
pub(super) fn unfinished_data(data: &Path) -> PathBuf {
    data.with_extension("unfinished")
}

/// PostgreSQL processes whose working directory is the data directory: the postmaster and all its children go there.
fn processes_on(data: &Path) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw))
        .filter(|pid| is_on(*pid, data))
        .collect()
}

fn is_on(pid: Pid, data: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    // A zombie has no working directory, and holds nothing.
    name.trim() == "postgres" && fs::read_link(process.join("cwd")).is_ok_and(|directory| directory == data)
}

fn postmaster_of(data: &Path) -> Option<Pid> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1).map(Pid::from_raw)
}

fn signal(pid: Pid, signal: Signal) {
    if let Err(errno) = kill(pid, signal) {
        // Gone in the meantime, which is what was wanted.
        tracing::debug!(%pid, %signal, %errno, "the process was not signalled");
    }
}

async fn wait_for(longest: Duration, done: impl Fn() -> bool) -> bool {
    let poll = async {
        while !done() {
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(longest, poll).await.is_ok()
}

fn remove(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
