//! Where a cluster lives: directories that are private, that the server can reach, and whose socket path fits.

use super::{ClusterError, Place, ServerUser, io_error, leftovers};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::{Gid, Uid, User, chown},
};
use sha2::{Digest, Sha256};
use std::{
    env,
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
};
use tempfile::TempDir;

/// What `sockaddr_un` holds, without its final NUL.
const LONGEST_SOCKET_PATH_BYTES: usize = 107;
const SOCKET_NAME: &str = ".s.PGSQL.5432";
const TEMPORARY_PREFIX: &str = "seiketsu-pg-";

/// An opened and locked home.
pub(super) struct Home {
    path: PathBuf,
    sockets: PathBuf,
    user: ServerUser,
    // Held for its lock.
    _lock: Flock<File>,
    // Held for its deletion.
    _temporary: Option<TempDir>,
}

impl Home {
    /// Makes the directories if they are missing, and takes the lock.
    pub(super) fn open(place: &Place) -> Result<Self, ClusterError> {
        let user = server_user()?;
        let (path, temporary) = match place {
            Place::Project(project) => (project_home(project, &user)?, None),
            Place::Directory(path) => (path.clone(), None),
            Place::Temporary => {
                let temporary = temporary_home(&user)?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        private_directory(&path, &user)?;
        let path = fs::canonicalize(&path).map_err(io_error("resolve", &path))?;
        require_reachable(&path, &user)?;
        let lock = lock(&path)?;
        let sockets = sockets_of(&path, &user)?;
        Ok(Self { path, sockets, user, _lock: lock, _temporary: temporary })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }
    pub(super) fn sockets(&self) -> &Path {
        &self.sockets
    }
    pub(super) const fn user(&self) -> &ServerUser {
        &self.user
    }

    /// The major version that wrote the data, if there is data.
    pub(super) fn data_version(&self) -> Result<Option<u32>, ClusterError> {
        let file = self.data().join("PG_VERSION");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("read", &file)(error)),
        }
    }
}

fn server_user() -> Result<ServerUser, ClusterError> {
    let us = Uid::effective();
    if !us.is_root() {
        let name = User::from_uid(us).ok().flatten().map_or_else(|| us.to_string(), |user| user.name);
        return Ok(ServerUser { name, uid: us.as_raw(), gid: Gid::effective().as_raw(), switch: false });
    }
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .map(|user| ServerUser {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            switch: true,
        })
        .ok_or(ClusterError::NoServerUser)
}

/// `/var/lib/seiketsu/<hash>` for root, `~/.local/share/seiketsu/<hash>` for everybody else.
fn project_home(project: &Path, user: &ServerUser) -> Result<PathBuf, ClusterError> {
    let project = fs::canonicalize(project).map_err(io_error("resolve", project))?;
    let name = short_hash(project.as_os_str().as_encoded_bytes());
    let shared = if user.switch {
        PathBuf::from("/var/lib/seiketsu")
    } else {
        let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        let fallback = || PathBuf::from(format!("/var/tmp/seiketsu-{}", user.uid));
        data.or(home).filter(|path| path.is_absolute()).map_or_else(fallback, |path| path.join("seiketsu"))
    };
    let mode = if user.switch { 0o755 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(&shared).map_err(io_error("create", &shared))?;
    Ok(shared.join(name))
}

/// A new directory, after those that killed processes left behind have been deleted.
fn temporary_home(user: &ServerUser) -> Result<TempDir, ClusterError> {
    let usual = env::temp_dir();
    let parent = if require_reachable(&usual, user).is_ok() { usual } else { PathBuf::from("/tmp") };
    sweep(&parent, user);
    let directory = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .map_err(io_error("create a directory in", &parent))?;
    give(directory.path(), user)?;
    Ok(directory)
}

/// Deletes temporary homes that nobody holds. Best effort: what cannot be deleted now is tried again next time.
fn sweep(parent: &Path, user: &ServerUser) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let home = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY_PREFIX)
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user.uid);
        // A home without data may be one that is just being made and not locked yet.
        let data = home.join("data");
        if !ours || !(data.exists() || leftovers::unfinished_data(&data).exists()) {
            continue;
        }
        if let Ok(_lock) = lock(&home) {
            leftovers::kill_all(&data);
            if let Err(error) = fs::remove_dir_all(&home) {
                tracing::debug!(path = %home.display(), %error, "a temporary cluster stays");
            }
        }
    }
}

/// Where the socket goes: beside the data if the path fits, else below the runtime directory or `/tmp`.
fn sockets_of(home: &Path, user: &ServerUser) -> Result<PathBuf, ClusterError> {
    let beside = home.join("socket");
    if fits(&beside) {
        private_directory(&beside, user)?;
        return Ok(beside);
    }
    let name = format!("seiketsu-{}", short_hash(home.as_os_str().as_encoded_bytes()));
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(|directory| PathBuf::from(directory).join(&name));
    let runtime = runtime.filter(|path| !user.switch && path.is_absolute() && fits(path));
    let sockets = runtime.unwrap_or_else(|| Path::new("/tmp").join(&name));
    private_directory(&sockets, user)?;
    Ok(sockets)
}

fn fits(directory: &Path) -> bool {
    directory.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET_PATH_BYTES
}

/// Makes a directory that only the server's user can enter, or insists that it is one.
fn private_directory(path: &Path, user: &ServerUser) -> Result<(), ClusterError> {
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(io_error("create", parent))?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => give(path, user),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Not followed: a link in a shared directory is how others would lead us elsewhere.
            let metadata = fs::symlink_metadata(path).map_err(io_error("look at", path))?;
            if user.switch && metadata.is_dir() && metadata.uid() == 0 {
                // An administrator made it for us.
                give(path, user)?;
                return fs::set_permissions(path, fs::Permissions::from_mode(0o700))
                    .map_err(io_error("protect", path));
            }
            let private = metadata.is_dir() && metadata.uid() == user.uid && metadata.mode() & 0o777 == 0o700;
            if private {
                Ok(())
            } else {
                Err(ClusterError::NotPrivate { path: path.to_owned(), owner: user.uid })
            }
        }
        Err(error) => Err(io_error("create", path)(error)),
    }
}

fn give(path: &Path, user: &ServerUser) -> Result<(), ClusterError> {
    if !user.switch {
        return Ok(());
    }
    chown(path, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)))
        .map_err(|errno| io_error("hand over", path)(errno.into()))
}

/// Whether the server's user may pass through every directory above.
fn require_reachable(path: &Path, user: &ServerUser) -> Result<(), ClusterError> {
    for directory in path.ancestors() {
        let metadata = fs::metadata(directory).map_err(io_error("look at", directory))?;
        let bit = if metadata.uid() == user.uid {
            0o100
        } else if metadata.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        if metadata.mode() & bit == 0 {
            return Err(ClusterError::Unreachable { path: directory.to_owned(), user: user.name.clone() });
        }
    }
    Ok(())
}

fn lock(home: &Path) -> Result<Flock<File>, ClusterError> {
    let path = home.join("lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io_error("open", &path))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            lock.set_len(0).map_err(io_error("write", &path))?;
            write!(lock, "{}", process::id()).map_err(io_error("write", &path))?;
            Ok(lock)
        }
        Err((_, Errno::EWOULDBLOCK)) => {
            let holder = fs::read_to_string(&path).ok().filter(|text| !text.is_empty());
            let holder = holder.unwrap_or_else(|| "that is just starting".to_owned());
            Err(ClusterError::InUse { home: home.to_owned(), holder })
        }
        Err((_, errno)) => Err(io_error("lock", &path)(errno.into())),
    }
}

fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(6).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_goes_elsewhere_when_its_path_would_be_longer_than_107_bytes() {
        let user = server_user().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let long = scratch.path().join("x".repeat(150));
        fs::create_dir(&long).unwrap();
        let sockets = sockets_of(&long, &user).unwrap();
        assert!(fits(&sockets), "{}", sockets.display());
        assert!(!sockets.starts_with(&long));
        assert_eq!(fs::metadata(&sockets).unwrap().mode() & 0o777, 0o700);
        fs::remove_dir(sockets).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        let mut user = server_user().unwrap();
        user.switch = false;
        user.uid = Uid::effective().as_raw();
        let scratch = tempfile::tempdir().unwrap();
        let open = scratch.path().join("open");
        DirBuilder::new().mode(0o700).create(&open).unwrap();
        private_directory(&open, &user).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(private_directory(&open, &user), Err(ClusterError::NotPrivate { .. })));
        let link = scratch.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(matches!(private_directory(&link, &user), Err(ClusterError::NotPrivate { .. })));
    }

    #[test]
    fn a_second_holder_learns_who_the_first_is() {
        let scratch = tempfile::tempdir().unwrap();
        let _first = lock(scratch.path()).unwrap();
        let error = lock(scratch.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", process::id())), "{error}");
    }
}
