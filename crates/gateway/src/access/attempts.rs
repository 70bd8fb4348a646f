//! How often somebody may be wrong about a password.
//!
//! Counted per account on each replica, for a quarter of an hour: ten wrong passwords, and the account takes none until
//! the quarter is over. Accounts that do not exist count as well, so that the answer says nothing. The table is bounded:
//! when it is full, whoever was counted longest ago is forgotten, closed accounts last.

use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Wrong passwords before an account is closed for a while.
const WRONG: u32 = 10;
/// How long they are counted.
const WINDOW: Duration = Duration::from_mins(15);
/// Accounts counted at once.
const ACCOUNTS: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Count {
    begun: Duration,
    wrong: u32,
}

/// See the module. Times are the monotonic clock's.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<[u8; 32], Count>>);

impl Attempts {
    /// Whether this account may be tried now; else how long not.
    pub(crate) fn may_try(&self, tenant: &str, email: &str, now: Duration) -> Result<(), Duration> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = counts.get(&account(tenant, email)) else { return Ok(()) };
        let over = (count.begun + WINDOW).saturating_sub(now);
        if count.wrong < WRONG || over.is_zero() { Ok(()) } else { Err(over) }
    }

    /// Somebody was wrong.
    pub(crate) fn wrong(&self, tenant: &str, email: &str, now: Duration) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ACCOUNTS {
            counts.retain(|_, count| now.saturating_sub(count.begun) < WINDOW);
        }
        if counts.len() >= ACCOUNTS {
            let oldest = counts
                .iter()
                .min_by_key(|(_, count)| (count.wrong >= WRONG, count.begun))
                .map(|(account, _)| *account);
            oldest.and_then(|oldest| counts.remove(&oldest));
        }
        let count = counts.entry(account(tenant, email)).or_insert(Count { begun: now, wrong: 0 });
        if now.saturating_sub(count.begun) >= WINDOW {
            *count = Count { begun: now, wrong: 0 };
        }
        count.wrong += 1;
    }

    /// Somebody was right.
    pub(crate) fn right(&self, tenant: &str, email: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&account(tenant, email));
    }
}

fn account(tenant: &str, email: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(tenant.as_bytes());
    digest.update([0]);
    digest.update(email.to_ascii_lowercase().as_bytes());
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_hours(1);

    #[test]
    fn after_ten_wrong_passwords_an_account_rests_and_no_other() {
        let attempts = Attempts::default();
        for _ in 0..WRONG {
            assert_eq!(attempts.may_try("a", "x@y", NOW), Ok(()));
            attempts.wrong("a", "X@y", NOW);
        }
        let later = NOW + Duration::from_mins(5);
        assert_eq!(attempts.may_try("a", "x@y", later), Err(Duration::from_mins(10)));
        assert_eq!(attempts.may_try("b", "x@y", later), Ok(()));
        assert_eq!(attempts.may_try("a", "x@y", NOW + WINDOW), Ok(()));
        attempts.wrong("a", "x@y", NOW + WINDOW);
        assert_eq!(attempts.may_try("a", "x@y", NOW + WINDOW), Ok(()), "counted anew");
    }

    #[test]
    fn being_right_forgets_and_the_table_stays_small() {
        let attempts = Attempts::default();
        for _ in 0..WRONG {
            attempts.wrong("a", "x@y", NOW);
        }
        attempts.right("a", "x@y");
        assert_eq!(attempts.may_try("a", "x@y", NOW), Ok(()));
        for _ in 0..WRONG {
            attempts.wrong("a", "closed@y", NOW);
        }
        for n in 0..ACCOUNTS + 50 {
            attempts.wrong("a", &n.to_string(), NOW);
        }
        assert!(attempts.may_try("a", "closed@y", NOW).is_err(), "a flood opens no account");
        assert_eq!(attempts.0.lock().unwrap().len(), ACCOUNTS);
    }
}
