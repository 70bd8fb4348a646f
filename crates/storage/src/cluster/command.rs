//! A command that runs while a cluster does.

use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
};
use tokio::{
    process::Command,
    signal::unix::{SignalKind, signal},
};

/// Runs a command with a variable in its environment and passes its exit code on.
///
/// Ctrl-C reaches the command by the terminal; we only stay alive to clean up after it. A SIGTERM to us is passed on.
pub async fn run_command(command: &[OsString], variable: &str, value: &str) -> io::Result<ExitCode> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected a command to run, after `--`"));
    };
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut child = Command::new(program).args(arguments).env(variable, value).spawn()?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(code_of(status?)),
            _ = interrupts.recv() => {}
            _ = terminations.recv() => {
                if let Some(pid) = child.id() {
                    let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
                    let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
                }
            }
        }
    }
}

/// As shells do: 128 and the signal for a command that was killed.
fn code_of(status: ExitStatus) -> ExitCode {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
