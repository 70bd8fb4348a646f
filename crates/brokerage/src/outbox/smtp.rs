//! Mail by SMTP.

use super::{Letter, MailFailure, Mailer};
use async_trait::async_trait;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, net::IpAddr, time::Duration};
use url::{Host, Url};

/// The longest wait for one answer of the mail server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A mail server that cannot be used as it is written. The URL is not repeated: it holds a password.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// Not a URL.
    #[error("not the URL of a mail server: expected smtp://user:password@host:port or smtps://...")]
    Url(#[source] url::ParseError),
    /// Not one that mail can be sent to.
    #[error("not the URL of a mail server: expected smtp://user:password@host:port or smtps://...")]
    Transport(#[source] lettre::transport::smtp::Error),
    /// Mail would cross a network in the clear.
    #[error("mail is sent without TLS to loopback only: leave `tls` out of the URL, or write `tls=required`")]
    Plain,
}

/// Hands mail to one SMTP server. `smtps://` is TLS from the start; `smtp://` is STARTTLS, without which nothing is sent,
/// except to loopback, where it is plain.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    sender: Address,
}

impl SmtpMailer {
    /// A mailer for a server, which sends as `sender` where a tenant has no address of its own.
    pub fn new(url: &SecretString, sender: Address) -> Result<Self, SmtpError> {
        let mut url: Url = url.expose_secret().parse().map_err(SmtpError::Url)?;
        let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        if url.scheme() == "smtp" && !is_loopback(&url) {
            match tls.as_deref() {
                None => {
                    url.query_pairs_mut().append_pair("tls", "required");
                }
                Some("required") => {}
                Some(_) => return Err(SmtpError::Plain),
            }
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(SmtpError::Transport)?
            .timeout(Some(ANSWER_TIMEOUT))
            .build();
        Ok(Self { transport, sender })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailFailure> {
        let message = letter.message(&self.sender)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failure(&error)),
        }
    }
}

/// What the server answers may quote addresses: only its code is kept.
fn failure(error: &lettre::transport::smtp::Error) -> MailFailure {
    match error.status() {
        Some(code) if error.is_permanent() => {
            MailFailure::Permanent(format!("the mail server answered {code}"))
        }
        Some(code) => MailFailure::Transient(format!("the mail server answered {code}")),
        None if error.is_timeout() => MailFailure::Transient("the mail server took too long".to_owned()),
        None if error.is_tls() => MailFailure::Transient("no TLS with the mail server".to_owned()),
        None => MailFailure::Transient("the mail server cannot be reached".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("sender", &self.sender).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::sender;

    fn mailer(url: &str) -> Result<SmtpMailer, SmtpError> {
        SmtpMailer::new(&url.to_owned().into(), sender("no-reply@seiketsu.example").unwrap())
    }

    #[test]
    fn a_mail_server_is_a_url_and_only_loopback_is_spoken_to_in_the_clear() {
        for url in [
            "smtp://127.0.0.1:2525",
            "smtp://localhost:2525",
            "smtp://anna:secret@mail.example:587",
            "smtp://anna:secret@mail.example:587?tls=required",
            "smtps://anna:secret@mail.example",
        ] {
            assert!(mailer(url).is_ok(), "{url}");
        }
        let plain = mailer("smtp://anna:secret@mail.example?tls=opportunistic").unwrap_err();
        assert!(matches!(plain, SmtpError::Plain));
        for url in ["mail.example", "http://mail.example", "smtp:"] {
            let error = mailer(url).unwrap_err();
            assert!(error.to_string().starts_with("not the URL of a mail server"), "{url}: {error}");
        }
    }

    #[test]
    fn a_mailer_keeps_its_password_to_itself() {
        let shown = format!("{:?}", mailer("smtps://anna:secret@mail.example").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
