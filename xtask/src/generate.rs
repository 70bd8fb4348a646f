//! What is generated and kept: the metadata of checked SQL queries (what the macros need to compile without a database),
//! and the description of the API, from which the console's types are made.

use anyhow::{Context, bail, ensure};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Writes `.sqlx` anew from a database with all migrations; with `check`, compares instead.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a root")?;
    let committed = root.join(".sqlx");
    let fresh = root.join("target/sqlx-fresh");
    let _ = fs::remove_dir_all(&fresh);
    fs::create_dir_all(&fresh)?;
    // The macros run when the crate is compiled, and it is compiled again when a source is newer than its artefacts.
    let source = fs::File::options().append(true).open(root.join("crates/storage/src/lib.rs"))?;
    #[expect(clippy::disallowed_methods, reason = "a file's time is what cargo goes by")]
    source.set_modified(std::time::SystemTime::now())?;
    let status = Command::new("cargo")
        .current_dir(root)
        .args(["run", "--quiet", "--package", "seiketsu-storage", "--no-default-features"])
        .args(["--bin", "disposable-cluster", "--"])
        .args(["cargo", "check", "--quiet", "--package", "seiketsu-storage"])
        .env("SQLX_OFFLINE_DIR", &fresh)
        .status()
        .context("running cargo")?;
    ensure!(status.success(), "the queries do not compile against the migrated database");
    let (fresh_files, committed_files) = (files(&fresh)?, files(&committed).unwrap_or_default());
    ensure!(!fresh_files.is_empty(), "no query was seen; the macros did not run");
    if fresh_files == committed_files {
        writeln!(std::io::stdout(), "generate: {} queries, up to date", fresh_files.len())?;
    } else if check {
        bail!(".sqlx differs from the queries in the code; run `make generate` and commit the result");
    } else {
        let _ = fs::remove_dir_all(&committed);
        fs::create_dir_all(&committed)?;
        for (name, content) in &fresh_files {
            fs::write(committed.join(name), content)?;
        }
        writeln!(std::io::stdout(), "generate: {} queries written", fresh_files.len())?;
    }
    openapi(root, check)
}

/// The description of the API, as the binary prints it.
fn openapi(root: &Path, check: bool) -> anyhow::Result<()> {
    let committed = root.join("console/openapi.json");
    let printed = Command::new("cargo")
        .current_dir(root)
        .args(["run", "--quiet", "--package", "seiketsu", "--", "openapi"])
        .output()
        .context("running cargo")?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    if fs::read(&committed).is_ok_and(|kept| kept == printed.stdout) {
        writeln!(std::io::stdout(), "generate: console/openapi.json, up to date")?;
    } else if check {
        bail!(
            "console/openapi.json is not what the code describes; run `make generate` and commit the result"
        );
    } else {
        fs::write(&committed, &printed.stdout)?;
        writeln!(
            std::io::stdout(),
            "generate: console/openapi.json written; the console's types follow from it"
        )?;
    }
    Ok(())
}

/// Names and contents of the metadata, sorted.
fn files(directory: &Path) -> anyhow::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|extension| extension == "json") {
            files.push((PathBuf::from(entry.file_name()), fs::read(entry.path())?));
        }
    }
    files.sort();
    Ok(files)
}
