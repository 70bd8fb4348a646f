//! The commands about recorded calls: which there are, and one part as a file.

use crate::{
    api::{self, Api},
    cli::{RecordingGetArgs, RecordingsArgs},
    config::Config,
    exit::{Exit, Stop},
    terminal::Terminal,
};
use anyhow::Context;
use reqwest::Response;
use seiketsu_gateway::v1::recordings::RecordingView;
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::timeout;

/// A transfer that stands still for so long is over.
const STALLED_AFTER: Duration = Duration::from_secs(30);

/// `seiketsu recordings`
pub(crate) async fn list(config: &Config, args: &RecordingsArgs, terminal: Terminal) -> anyhow::Result<Exit> {
    let page = Api::open(config)?.recordings(&args.tenant, args.limit).await?;
    if terminal.json() {
        terminal.document(&page)?;
        return Ok(Exit::Success);
    }
    if page.items.is_empty() {
        terminal.talk(format_args!("no call of {} was recorded", args.tenant));
        return Ok(Exit::Success);
    }
    let mut table = terminal.table(["call", "part", "began", "length", "kept", "state", "deleted on"]);
    for recorded in &page.items {
        for part in &recorded.parts {
            table.add_row([
                recorded.call_id.to_string(),
                part.part.to_string(),
                part.started_at.strftime("%F %T").to_string(),
                part.duration_ms.map_or_else(String::new, length),
                part.stored_bytes.map_or_else(String::new, |bytes| format!("{} KiB", bytes.div_ceil(1_024))),
                state(part),
                part.deleted_at.unwrap_or(part.retention_until).strftime("%F").to_string(),
            ]);
        }
    }
    terminal.show(table);
    if page.next_cursor.is_some() {
        terminal.talk(format_args!("there are older ones than these {}; see --limit", page.items.len()));
    }
    Ok(Exit::Success)
}

fn length(millis: u64) -> String {
    let seconds = millis.div_ceil(1_000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// How far it is, and why it is no more.
fn state(part: &RecordingView) -> String {
    match part.deletion_reason {
        Some(reason) => format!("{} ({})", part.state.name(), reason.name()),
        None => part.state.name().to_owned(),
    }
}

/// What was fetched.
#[derive(Debug, Serialize)]
struct Fetched<'a> {
    call_id: String,
    part: u32,
    file: &'a Path,
    bytes: u64,
}

/// `seiketsu recording-get`
pub(crate) async fn get(
    config: &Config,
    args: &RecordingGetArgs,
    terminal: Terminal,
) -> anyhow::Result<Exit> {
    let RecordingGetArgs { call, part, out } = args;
    let api = Api::open(config)?;
    let sound = api.recording(*call, *part).await.map_err(|error| {
        if api::is_missing(&error) {
            let message = format!(
                "there is no part {part} of a recording of {call}: the call is not known, was not recorded, or the \
                 part was deleted; `seiketsu recordings --tenant NAME` lists what there is"
            );
            Stop::because(Exit::Failure, message)
        } else {
            error
        }
    })?;
    let draft = Draft::beside(out).map_err(|error| refused(out, &error))?;
    let bytes = receive(sound, draft, out, terminal).await?;
    if terminal.json() {
        terminal.document(&Fetched { call_id: call.to_string(), part: *part, file: out, bytes })?;
    } else {
        terminal.talk(format_args!(
            "{}: {} KiB, the caller left, what they heard right",
            out.display(),
            bytes.div_ceil(1_024)
        ));
    }
    Ok(Exit::Success)
}

/// Writes the sound as it comes; only a whole one gets the file's name.
async fn receive(
    mut sound: Response,
    mut draft: Draft,
    out: &Path,
    terminal: Terminal,
) -> anyhow::Result<u64> {
    let bar = terminal.bar(sound.content_length().unwrap_or_default(), "bytes");
    let mut bytes = 0;
    loop {
        let next = timeout(STALLED_AFTER, sound.chunk());
        let next = next.await.with_context(|| format!("the platform sent nothing for {STALLED_AFTER:?}"))?;
        let next = next
            .context("the recording broke off: it is damaged, or the platform went away; its log says why")?;
        let Some(piece) = next else { break };
        draft.file.write_all(&piece).map_err(|error| refused(out, &error))?;
        bytes += piece.len() as u64;
        bar.set_position(bytes);
    }
    bar.finish_and_clear();
    draft.finish(out).map_err(|error| refused(out, &error))?;
    Ok(bytes)
}

fn refused(path: &Path, error: &io::Error) -> anyhow::Error {
    Stop::because(Exit::Usage, format!("cannot write {}: {error}", path.display()))
}

/// A file in the making, for its owner alone: what is in it was said in confidence. It goes away unless it is finished.
#[derive(Debug)]
struct Draft {
    file: File,
    path: PathBuf,
}

impl Draft {
    fn beside(out: &Path) -> io::Result<Self> {
        let mut name = out.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
        name.push(".part");
        let path = out.with_file_name(name);
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Self { file, path })
    }

    fn finish(self, out: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        std::fs::rename(&self.path, out)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_appears_whole_or_not_at_all_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("call.wav");
        let files = || std::fs::read_dir(directory.path()).unwrap().count();
        let mut broken = Draft::beside(&out).unwrap();
        broken.file.write_all(b"RI").unwrap();
        drop(broken);
        assert_eq!(files(), 0);
        let mut whole = Draft::beside(&out).unwrap();
        whole.file.write_all(b"RIFF").unwrap();
        whole.finish(&out).unwrap();
        assert_eq!((files(), std::fs::read(&out).unwrap().as_slice()), (1, &b"RIFF"[..]));
        assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Draft::beside(Path::new("..")).is_err());
    }

    #[test]
    fn lengths_are_shown_in_minutes_and_begun_seconds() {
        assert_eq!([0, 59_001, 61_000, 600_000].map(length), ["0:00", "1:00", "1:01", "10:00"]);
    }
}
