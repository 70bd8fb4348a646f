//! Where a database is and how to log in.

use crate::DbError;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{fmt, path::Path};

/// Text that is not a PostgreSQL URL.
#[derive(Debug, thiserror::Error)]
#[error("not a PostgreSQL URL: expected postgres://user:password@host:5432/database")]
pub struct EndpointError(#[source] sqlx::Error);

/// A database and a login. Keeps the password to itself.
#[derive(Clone)]
pub struct Endpoint {
    options: PgConnectOptions,
    roles_log_in: bool,
}

impl Endpoint {
    /// Reads a `postgres://` URL. Its user must be a member of `seiketsu_app` and `seiketsu_system`, and each pool
    /// switches to its role before anything else.
    pub fn parse(url: &str) -> Result<Self, EndpointError> {
        let options = url.parse().map_err(EndpointError)?;
        Ok(Self { options, roles_log_in: false })
    }

    /// A server behind a Unix socket in a private directory, which believes whoever can reach it.
    pub(crate) fn at_socket(directory: &Path, port: u16, user: &str, database: &str) -> Self {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(directory)
            .port(port)
            .username(user)
            .database(database);
        Self { options, roles_log_in: true }
    }

    /// Each pool logs in as its own role and could not become another. For servers that trust their socket.
    #[must_use]
    pub fn roles_log_in(mut self) -> Self {
        self.roles_log_in = true;
        self
    }

    /// The same server and login, another database.
    #[must_use]
    pub fn database(&self, name: &str) -> Self {
        Self { options: self.options.clone().database(name), roles_log_in: self.roles_log_in }
    }

    /// The database's name.
    pub fn database_name(&self) -> &str {
        self.options.get_database().unwrap_or(self.options.get_username())
    }

    /// The URL in the form that PostgreSQL's own tools read as well, password included: for child processes, not for logs.
    pub fn expose_url(&self) -> String {
        match self.options.get_socket() {
            Some(directory) => format!(
                "postgres://{}@localhost:{}/{}?host={}",
                self.options.get_username(),
                self.options.get_port(),
                self.database_name(),
                encode(&directory.to_string_lossy()),
            ),
            None => self.options.to_url_lossy().to_string(),
        }
    }

    /// One connection with the login as it is, outside the pools: for set-up.
    pub(crate) async fn connect(&self) -> Result<PgConnection, DbError> {
        Ok(PgConnection::connect_with(&self.options).await?)
    }

    #[cfg(feature = "repositories")]
    pub(crate) fn options_as(&self, role: &str) -> PgConnectOptions {
        if self.roles_log_in {
            self.options.clone().username(role)
        } else {
            self.options.clone().options([("role", role)])
        }
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Endpoint {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.options.get_username();
        if let Some(directory) = self.options.get_socket() {
            return write!(f, "{} ({user} at {})", self.database_name(), directory.display());
        }
        let (host, port) = (self.options.get_host(), self.options.get_port());
        write!(f, "{} ({user} at {host}:{port})", self.database_name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_shows_everything_but_its_password() {
        let endpoint = Endpoint::parse("postgres://anna:secret@db.example:6543/seiketsu").unwrap();
        assert_eq!(format!("{endpoint:?}"), "seiketsu (anna at db.example:6543)");
        assert!(endpoint.expose_url().contains("secret"));
        assert!(Endpoint::parse("mysql//x").is_err());
    }

    #[test]
    fn the_url_of_a_socket_reads_back_as_itself() {
        let endpoint = Endpoint::at_socket(Path::new("/var/lib/a b"), 5432, "postgres", "seiketsu");
        let read = Endpoint::parse(&endpoint.expose_url()).unwrap();
        assert_eq!(read.to_string(), "seiketsu (postgres at /var/lib/a b)");
    }
}
