//! Where PostgreSQL is installed.

use super::ClusterError;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// An installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory with `initdb` and `postgres`.
    pub directory: PathBuf,
    /// Major version, for example 15.
    pub version: u32,
}

impl Binaries {
    /// The newest PostgreSQL server of this machine.
    pub fn find() -> Result<Self, ClusterError> {
        find(None, None, Path::new(""))
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// The server to use: the one in `chosen` or in `SEIKETSU_POSTGRES_BIN` if given, else the newest, or the one that wrote
/// the data if there is data.
pub(super) fn find(
    chosen: Option<&Path>,
    wanted: Option<u32>,
    data: &Path,
) -> Result<Binaries, ClusterError> {
    let chosen =
        chosen.map(Path::to_owned).or_else(|| env::var_os("SEIKETSU_POSTGRES_BIN").map(PathBuf::from));
    let candidates = chosen.map_or_else(usual_places, |directory| vec![directory]);
    let mut installed: Vec<Binaries> = candidates.iter().filter_map(|directory| inspect(directory)).collect();
    installed.sort_by_key(|binaries| binaries.version);
    let Some(newest) = installed.last() else {
        let looked_in: Vec<String> =
            candidates.iter().map(|directory| directory.display().to_string()).collect();
        return Err(ClusterError::NotInstalled { looked_in: looked_in.join(", ") });
    };
    let Some(wanted) = wanted else { return Ok(newest.clone()) };
    installed
        .iter()
        .find(|binaries| binaries.version == wanted)
        .cloned()
        .ok_or_else(|| ClusterError::OtherVersion { data: data.to_owned(), wanted })
}

fn usual_places() -> Vec<PathBuf> {
    // Debian and Ubuntu; the PGDG packages of Red Hat and its kin.
    let mut places = versions_below(Path::new("/usr/lib/postgresql"), "");
    places.extend(versions_below(Path::new("/usr"), "pgsql-"));
    places.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    places
}

fn versions_below(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str()
                .and_then(|name| name.strip_prefix(prefix))
                .is_some_and(|rest| rest.parse::<u32>().is_ok())
        })
        .map(|entry| entry.path().join("bin"))
        .collect();
    if found.is_empty() {
        found.push(parent.join(format!("{prefix}*/bin")));
    }
    found
}

fn inspect(directory: &Path) -> Option<Binaries> {
    // A link in PATH (as on Fedora) is followed, so that `postgres` finds its library directory.
    let server = fs::canonicalize(directory.join("postgres")).ok()?;
    let directory = server.parent()?.to_owned();
    if !directory.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(&server).arg("--version").output().ok()?;
    let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { directory, version })
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` is 15.
fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_the_server_says() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("busybox"), None);
    }

    #[test]
    fn a_machine_without_a_server_is_told_which_package_to_install() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = find(Some(nowhere.path()), None, Path::new("/data")).unwrap_err().to_string();
        assert!(error.contains("apt-get install postgresql"), "{error}");
        assert!(error.contains(&nowhere.path().display().to_string()), "{error}");
    }

    #[test]
    fn data_of_a_version_that_is_not_installed_is_not_touched() {
        let error = find(None, Some(7), Path::new("/data")).unwrap_err().to_string();
        assert_eq!(
            error,
            "the data in /data was written by PostgreSQL 7, which is not installed: `apt-get install postgresql-7`"
        );
    }
}
