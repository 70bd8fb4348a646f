//! Sends the mail that tools enqueue.
//!
//! A mail is a row, written in the transaction of what it tells of. [`Worker`] claims what is due, one mail at a time,
//! gives it to a [`Mailer`], and writes down what became of it. A refusal that may pass is tried again, later and later; one
//! that will not, or the last attempt, makes the mail a dead letter, which is logged and shown by the API.
//!
//! Architecture Invariant: a mail is sent at least once or is a dead letter. A worker that dies while sending loses its
//! claim after [`CLAIM`]; the mail may then arrive twice, with the same Message-ID.

mod file;
mod letter;
mod smtp;

pub use file::FileMailer;
pub use letter::{Letter, SenderError, sender};
pub use lettre::Address;
pub use smtp::{SmtpError, SmtpMailer};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use seiketsu_domain::{Clock, TenantScope};
use seiketsu_storage::{
    Db, DbError, Reason,
    outbox::{self, Mail},
    platform,
};
use std::{fmt::Debug, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often a mail is tried.
pub const MAX_ATTEMPTS: u32 = 7;
/// How long a claim on a mail lasts: longer than sending it may take.
pub const CLAIM: SignedDuration = SignedDuration::from_secs(120);
/// The longest that sending one mail may take.
const SEND_TIMEOUT: Duration = Duration::from_mins(1);
/// The pause after the first failure; each further failure makes it four times as long: 30 s, 2 min, ... 8.5 h.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How often the worker looks.
const PERIOD: Duration = Duration::from_secs(2);
/// How many tenants, and mails of each, one look takes on, so that none waits for another's pile.
const TENANTS_PER_PASS: u32 = 64;
const MAILS_PER_TENANT: u32 = 16;

/// Mail, by `outcome`: `sent`, `retried`, `dead`.
pub const MAILS: &str = "seiketsu_mails_total";

/// Why a mail was not taken. The texts hold nothing of the mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailFailure {
    /// It may be taken later.
    #[error("{0}")]
    Transient(String),
    /// It will never be taken.
    #[error("{0}")]
    Permanent(String),
}

/// Where mail goes.
#[async_trait]
pub trait Mailer: Send + Sync + Debug {
    /// Hands a letter over. `Ok` means that somebody else answers for it now.
    async fn send(&self, letter: &Letter) -> Result<(), MailFailure>;
}

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Mails that were sent.
    pub sent: u32,
    /// Mails that will be tried again.
    pub retried: u32,
    /// Mails that were given up.
    pub dead: u32,
}

/// The part of a server that sends mail. Any number of replicas may run one.
#[derive(Debug)]
pub struct Worker {
    db: Db,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
}

impl Worker {
    /// A worker over a database.
    pub fn new(db: Db, mailer: Arc<dyn Mailer>, clock: Arc<dyn Clock>) -> Self {
        Self { db, mailer, clock }
    }

    /// Looks every two seconds until `stop`; a mail that is being sent then is sent to the end.
    pub async fn run(self, stop: CancellationToken) {
        metrics::describe_counter!(MAILS, "Mail that was sent, put off, or given up, by outcome.");
        let mut period = tokio::time::interval(PERIOD);
        period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                _ = period.tick() => {}
            }
            if let Err(error) = self.pass(&stop).await {
                tracing::debug!(%error, "mail waits: the database failed");
            }
        }
    }

    /// Sends what is due now, until `stop`.
    pub async fn pass(&self, stop: &CancellationToken) -> Result<Passed, DbError> {
        let mut system = self.db.system(Reason::SendMail).await?;
        let tenants =
            platform::tenants_with_due_mail(&mut system, self.clock.now(), TENANTS_PER_PASS).await?;
        system.commit().await?;
        let mut passed = Passed::default();
        for scope in tenants {
            for _ in 0..MAILS_PER_TENANT {
                if stop.is_cancelled() {
                    return Ok(passed);
                }
                let Some(mail) = self.claim(&scope).await? else { break };
                self.deal_with(&scope, mail, &mut passed).await?;
            }
        }
        Ok(passed)
    }

    async fn claim(&self, scope: &TenantScope) -> Result<Option<Mail>, DbError> {
        let now = self.clock.now();
        let until = now.saturating_add(CLAIM).unwrap_or(Timestamp::MAX);
        let mut tx = self.db.tenant(scope).await?;
        let claimed = outbox::claim(&mut tx, now, until, 1).await?.pop();
        tx.commit().await?;
        Ok(claimed)
    }

    async fn deal_with(&self, scope: &TenantScope, mail: Mail, passed: &mut Passed) -> Result<(), DbError> {
        let (id, attempts) = (mail.id, mail.attempts);
        let outcome = if attempts > MAX_ATTEMPTS {
            // Each attempt so far ended with the worker itself.
            Err(MailFailure::Permanent("the worker was lost while sending it".to_owned()))
        } else {
            let letter = Letter(mail);
            let sending = self.mailer.send(&letter);
            tokio::time::timeout(SEND_TIMEOUT, sending).await.unwrap_or_else(|_| {
                Err(MailFailure::Transient(format!("not taken within {} s", SEND_TIMEOUT.as_secs())))
            })
        };
        let now = self.clock.now();
        let mut tx = self.db.tenant(scope).await?;
        let outcome = match outcome {
            Ok(()) => {
                outbox::sent(&mut tx, id, now).await?;
                passed.sent += 1;
                "sent"
            }
            Err(failure) => {
                let again = match &failure {
                    MailFailure::Transient(_) => again(attempts, now),
                    MailFailure::Permanent(_) => None,
                };
                outbox::failed(&mut tx, id, &failure.to_string(), again).await?;
                if again.is_some() {
                    tracing::warn!(mail = %id, attempts, %failure, "a mail was not taken and will be tried again");
                    passed.retried += 1;
                    "retried"
                } else {
                    tracing::error!(mail = %id, attempts, %failure, "a mail is given up");
                    passed.dead += 1;
                    "dead"
                }
            }
        };
        tx.commit().await?;
        metrics::counter!(MAILS, "outcome" => outcome).increment(1);
        Ok(())
    }
}

/// When a mail that has failed so often is tried again; `None`: not at all.
fn again(attempts: u32, now: Timestamp) -> Option<Timestamp> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let pause = FIRST_PAUSE.saturating_mul(4_i32.saturating_pow(attempts.saturating_sub(1)));
    Some(now.saturating_add(pause).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_thin_out_over_half_a_day_and_then_end() {
        let now = Timestamp::UNIX_EPOCH;
        let pauses: Vec<_> =
            (1..=MAX_ATTEMPTS).map(|attempts| again(attempts, now).map(Timestamp::as_second)).collect();
        let expected = [Some(30), Some(120), Some(480), Some(1_920), Some(7_680), Some(30_720), None];
        assert_eq!(pauses, expected);
    }

    #[test]
    fn a_claim_outlasts_the_sending_of_a_mail() {
        assert!(CLAIM.unsigned_abs() > SEND_TIMEOUT * 3 / 2);
    }
}
