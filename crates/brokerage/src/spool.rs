//! The call's way to storage when storage may be away.
//!
//! Every write of a call goes through one queue and one writer, so the order in which turns were finished is the order in
//! which they are committed, and the end comes last. While the database answers, a write is durable when
//! [`SpoolingStore::commit_turn`] returns. While it does not, writes wait here, in memory and in order, and the writer
//! tries again with growing pauses; the conversation goes on meanwhile.
//!
//! A call that comes back reads what was written before; [`Spools::are_written`] is how it waits for what is still here.
//!
//! Architecture Invariant: at most one writer per session of a call; a write leaves the queue only when storage has taken it or has
//! refused it for good; a write that finds the queue full is refused to its caller, never dropped in silence.

use async_trait::async_trait;
use seiketsu_domain::{CallEnd, CallId, TurnRecord};
use seiketsu_session::{CallStore, StoreFailure};
use std::{
    collections::VecDeque,
    fmt::Debug,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, oneshot, watch};
use tokio_util::task::TaskTracker;

/// How many writes of one call may wait.
pub(crate) const SPOOL_LIMIT: usize = 256;

/// How long things wait for each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long a caller of the store waits for a write before it counts as spooled.
    pub(crate) patience: Duration,
    /// The pause after the first failure; each further failure doubles it.
    pub(crate) first_pause: Duration,
    /// The longest pause between two attempts.
    pub(crate) longest_pause: Duration,
}

impl Pace {
    /// What calls use.
    pub(crate) const STANDARD: Self = Self {
        patience: Duration::from_millis(500),
        first_pause: Duration::from_millis(100),
        longest_pause: Duration::from_secs(3),
    };

    /// The pause after one of this length.
    fn after(&self, pause: Duration) -> Duration {
        (pause * 2).min(self.longest_pause)
    }
}

/// Why a write did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriteFailure {
    /// The database cannot be reached or is too slow; the same write may succeed later.
    #[error("the database is away: {0}")]
    Away(String),
    /// The database said no, and will say so again.
    #[error("refused: {0}")]
    Refused(String),
}

/// Where the writes of one call go.
#[async_trait]
pub(crate) trait Ledger: Send + Sync + Debug {
    /// Commits a turn; idempotent by its number.
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), WriteFailure>;
    /// Commits the end of the call; idempotent.
    async fn end(&self, end: &CallEnd) -> Result<(), WriteFailure>;
    /// Says that the telephone company holds the call from now on.
    async fn hand_over(&self) -> Result<(), WriteFailure>;
    /// Says that the call is held.
    async fn heartbeat(&self) -> Result<(), WriteFailure>;
}

/// A [`CallStore`] that keeps what cannot be written yet.
#[derive(Debug)]
pub(crate) struct SpoolingStore<L> {
    shared: Arc<Shared<L>>,
    writers: TaskTracker,
}

#[derive(Debug)]
struct Shared<L> {
    call: CallId,
    ledger: L,
    pace: Pace,
    spool: Mutex<Spool>,
    /// Whether a heartbeat is under way.
    beating: AtomicBool,
    /// Whether a writer works on the queue, for whoever waits for it.
    busy: watch::Sender<bool>,
    /// Somebody waits: the next attempt is due.
    hurry: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Spool {
    queue: VecDeque<Entry>,
    /// Whether a writer works on the queue.
    writing: bool,
    /// Whether the last attempt found the database away.
    away: bool,
}

#[derive(Debug)]
struct Entry {
    write: Arc<Write>,
    /// Whoever waits for it; nobody once it counts as spooled.
    waiting: Option<oneshot::Sender<Result<(), StoreFailure>>>,
}

#[derive(Debug)]
enum Write {
    Turn(Box<TurnRecord>),
    End(CallEnd),
    /// Worth writing only while somebody waits for it.
    HandOver,
}

/// The spools of all calls of this process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spools(Arc<Mutex<Vec<Watched>>>);

/// The spool of one session of a call.
#[derive(Debug, Clone)]
struct Watched {
    call: CallId,
    busy: watch::Receiver<bool>,
    hurry: Arc<Notify>,
}

impl Spools {
    fn watch(&self, watched: Watched) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of sessions that are over and written.
        all.retain(|one| one.busy.has_changed().is_ok());
        all.push(watched);
    }

    /// Returns once everything is written that sessions of this call have left here.
    pub(crate) async fn are_written(&self, call: CallId) {
        let of_call: Vec<_> = {
            let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.iter().filter(|one| one.call == call).cloned().collect()
        };
        for Watched { mut busy, hurry, .. } in of_call {
            if *busy.borrow() {
                hurry.notify_one();
            }
            // A spool that is gone holds nothing back.
            let _ = busy.wait_for(|busy| !busy).await;
        }
    }
}

impl<L: Ledger + 'static> SpoolingStore<L> {
    /// A store for one session of a call, known to `spools`; its writers run on `writers`, so that drain waits for them.
    pub(crate) fn new(call: CallId, ledger: L, pace: Pace, writers: TaskTracker, spools: &Spools) -> Self {
        let (busy, hurry) = (watch::Sender::new(false), Arc::new(Notify::new()));
        spools.watch(Watched { call, busy: busy.subscribe(), hurry: Arc::clone(&hurry) });
        Self {
            shared: Arc::new(Shared {
                call,
                ledger,
                pace,
                spool: Mutex::default(),
                beating: AtomicBool::new(false),
                busy,
                hurry,
            }),
            writers,
        }
    }

    /// How many writes wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// Has somebody work on the queue.
    fn see_to_it(&self, spool: &mut Spool) {
        if !std::mem::replace(&mut spool.writing, true) {
            self.shared.busy.send_replace(true);
            self.writers.spawn(drain(Arc::clone(&self.shared)));
        }
    }

    async fn write(&self, write: Write) -> Result<(), StoreFailure> {
        let (waiting, written) = oneshot::channel();
        {
            let mut spool = self.shared.lock();
            if spool.queue.len() >= SPOOL_LIMIT {
                return Err(StoreFailure(format!(
                    "the spool of {} is full with {SPOOL_LIMIT} writes",
                    self.shared.call
                )));
            }
            let spooled_at_once = spool.away;
            spool
                .queue
                .push_back(Entry { write: Arc::new(write), waiting: (!spooled_at_once).then_some(waiting) });
            self.see_to_it(&mut spool);
            if spooled_at_once {
                return Ok(());
            }
        }
        match tokio::time::timeout(self.shared.pace.patience, written).await {
            Ok(Ok(outcome)) => outcome,
            // The writer went away with its runtime; the write is where it was.
            Ok(Err(_)) => Err(StoreFailure("the writer of the call is gone".to_owned())),
            Err(_) => Ok(()),
        }
    }
}

impl<L> Shared<L> {
    fn lock(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl<L: Ledger + 'static> CallStore for SpoolingStore<L> {
    async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), StoreFailure> {
        self.write(Write::Turn(Box::new(turn.clone()))).await
    }

    async fn end(&self, end: &CallEnd) -> Result<(), StoreFailure> {
        self.write(Write::End(end.clone())).await
    }

    /// Unlike a turn, a hand-over is never spooled: the telephone company is asked only once it is on record. When this
    /// returns an error, it is not written later either, unless it was on its way at that very moment; the heartbeats
    /// that follow undo it then.
    async fn hand_over(&self) -> Result<(), StoreFailure> {
        let (waiting, written) = oneshot::channel();
        {
            let mut spool = self.shared.lock();
            if spool.away || spool.queue.len() >= SPOOL_LIMIT {
                return Err(StoreFailure("the database is away".to_owned()));
            }
            spool.queue.push_back(Entry { write: Arc::new(Write::HandOver), waiting: Some(waiting) });
            self.see_to_it(&mut spool);
        }
        match tokio::time::timeout(self.shared.pace.patience, written).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreFailure("the writer of the call is gone".to_owned())),
            Err(_) => Err(StoreFailure("the database took too long".to_owned())),
        }
    }

    /// Returns at once: a conversation does not wait for a database that is away. One beat is under way at a time.
    async fn heartbeat(&self) {
        if !self.shared.beating.swap(true, Ordering::Relaxed) {
            let shared = Arc::clone(&self.shared);
            self.writers.spawn(async move {
                if let Err(failure) = shared.ledger.heartbeat().await {
                    tracing::debug!(call = %shared.call, %failure, "no heartbeat");
                }
                shared.beating.store(false, Ordering::Relaxed);
            });
        }
    }
}

/// Writes the queue until it is empty.
async fn drain<L: Ledger>(shared: Arc<Shared<L>>) {
    let mut pause = shared.pace.first_pause;
    loop {
        let write = {
            let mut spool = shared.lock();
            while spool.queue.front().is_some_and(Entry::is_forsaken) {
                spool.queue.pop_front();
            }
            let Some(entry) = spool.queue.front() else {
                spool.writing = false;
                shared.busy.send_replace(false);
                // Nothing waits; whether it is still away is for the next write to find out.
                spool.away = false;
                return;
            };
            Arc::clone(&entry.write)
        };
        let outcome = match &*write {
            Write::Turn(turn) => shared.ledger.commit_turn(turn).await,
            Write::End(end) => shared.ledger.end(end).await,
            Write::HandOver => shared.ledger.hand_over().await,
        };
        match outcome {
            Ok(()) => {
                pause = shared.pace.first_pause;
                settle(&shared, Ok(()));
            }
            Err(WriteFailure::Refused(why)) => {
                pause = shared.pace.first_pause;
                tracing::error!(call = %shared.call, what = write.name(), %why, "a write of the call was refused");
                settle(&shared, Err(StoreFailure(why)));
            }
            Err(WriteFailure::Away(why)) => {
                release_all(&shared, &why);
                // Somebody who waits for it need not wait for the pause.
                let hurried = tokio::time::timeout(pause, shared.hurry.notified()).await.is_ok();
                pause = if hurried { shared.pace.first_pause } else { shared.pace.after(pause) };
            }
        }
    }
}

/// The oldest write is done with, one way or the other.
fn settle<L>(shared: &Shared<L>, outcome: Result<(), StoreFailure>) {
    let mut spool = shared.lock();
    if std::mem::take(&mut spool.away) {
        tracing::info!(call = %shared.call, waiting = spool.queue.len(), "the database is back");
    }
    if let Some(waiting) = spool.queue.pop_front().and_then(|entry| entry.waiting) {
        // Whoever lost patience counts the write as spooled, which it was.
        let _ = waiting.send(outcome);
    }
}

/// The database is away: everything in the queue counts as spooled.
fn release_all<L>(shared: &Shared<L>, why: &str) {
    let mut spool = shared.lock();
    if !std::mem::replace(&mut spool.away, true) {
        tracing::warn!(call = %shared.call, %why, "finished turns wait in memory");
    }
    for entry in &mut spool.queue {
        if let Some(waiting) = entry.waiting.take() {
            let told = match &*entry.write {
                Write::Turn(_) | Write::End(_) => Ok(()),
                Write::HandOver => Err(StoreFailure(format!("the database is away: {why}"))),
            };
            let _ = waiting.send(told);
        }
    }
}

impl Entry {
    /// A hand-over that nobody waits for any more: the call is still ours.
    fn is_forsaken(&self) -> bool {
        match &*self.write {
            Write::Turn(_) | Write::End(_) => false,
            Write::HandOver => self.waiting.as_ref().is_none_or(oneshot::Sender::is_closed),
        }
    }
}

impl Write {
    const fn name(&self) -> &'static str {
        match self {
            Self::Turn(_) => "turn",
            Self::End(_) => "end",
            Self::HandOver => "hand-over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{call_end, turn};
    use seiketsu_domain::EndReason;
    use tokio::sync::watch;

    /// Fast enough for a test that waits for events, never for time.
    const QUICK: Pace = Pace {
        patience: Duration::from_mins(1),
        first_pause: Duration::from_micros(10),
        longest_pause: Duration::from_micros(100),
    };

    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Weather {
        Up,
        Away,
        Hangs,
    }

    /// A ledger that can be away, refuse a turn, or hang.
    #[derive(Debug)]
    struct Flaky {
        weather: watch::Sender<Weather>,
        attempts: watch::Sender<u32>,
        refuses_turn: Option<u32>,
        written: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Ledger for Arc<Flaky> {
        async fn commit_turn(&self, turn: &TurnRecord) -> Result<(), WriteFailure> {
            self.attempt(format!("turn {}", turn.number), self.refuses_turn == Some(turn.number)).await
        }
        async fn end(&self, end: &CallEnd) -> Result<(), WriteFailure> {
            self.attempt(format!("end after {}", end.turns), false).await
        }
        async fn hand_over(&self) -> Result<(), WriteFailure> {
            self.attempt("hand-over".to_owned(), false).await
        }
        async fn heartbeat(&self) -> Result<(), WriteFailure> {
            self.attempt("heartbeat".to_owned(), false).await
        }
    }

    impl Flaky {
        fn starting(weather: Weather) -> Arc<Self> {
            Arc::new(Self {
                weather: watch::Sender::new(weather),
                attempts: watch::Sender::new(0),
                refuses_turn: None,
                written: Mutex::default(),
            })
        }

        async fn attempt(&self, what: String, refuse: bool) -> Result<(), WriteFailure> {
            self.attempts.send_modify(|attempts| *attempts += 1);
            let mut weather = self.weather.subscribe();
            let weather = *weather.wait_for(|&weather| weather != Weather::Hangs).await.unwrap();
            if weather == Weather::Away {
                return Err(WriteFailure::Away("no route".to_owned()));
            }
            if refuse {
                return Err(WriteFailure::Refused("the call has ended".to_owned()));
            }
            self.written.lock().unwrap().push(what);
            Ok(())
        }

        fn written(&self) -> Vec<String> {
            self.written.lock().unwrap().clone()
        }

        async fn attempted(&self, times: u32) {
            self.attempts.subscribe().wait_for(|&attempts| attempts >= times).await.unwrap();
        }
    }

    fn store(ledger: &Arc<Flaky>, pace: Pace) -> (SpoolingStore<Arc<Flaky>>, TaskTracker) {
        let writers = TaskTracker::new();
        let call = CallId::from_uuid(uuid::Uuid::from_u128(7));
        let store = SpoolingStore::new(call, Arc::clone(ledger), pace, writers.clone(), &Spools::default());
        (store, writers)
    }

    async fn drained(writers: &TaskTracker) {
        writers.close();
        writers.wait().await;
    }

    #[tokio::test]
    async fn a_turn_is_durable_when_the_store_returns() {
        let ledger = Flaky::starting(Weather::Up);
        let (store, _writers) = store(&ledger, QUICK);
        store.commit_turn(&turn(0)).await.unwrap();
        assert_eq!(ledger.written(), ["turn 0"]);
        store.end(&call_end(EndReason::CallerHungUp, 1)).await.unwrap();
        assert_eq!(ledger.written(), ["turn 0", "end after 1"]);
    }

    #[tokio::test]
    async fn turns_wait_in_order_while_the_database_is_away_and_the_end_comes_last() {
        let ledger = Flaky::starting(Weather::Up);
        let (store, writers) = store(&ledger, QUICK);
        store.commit_turn(&turn(0)).await.unwrap();
        ledger.weather.send_replace(Weather::Away);
        for number in 1..=5 {
            store.commit_turn(&turn(number)).await.unwrap();
        }
        store.end(&call_end(EndReason::AgentHungUp, 6)).await.unwrap();
        ledger.attempted(50).await;
        assert_eq!(
            (ledger.written(), store.waiting()),
            (vec!["turn 0".to_owned()], 6),
            "fifty attempts later"
        );
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        let expected = ["turn 0", "turn 1", "turn 2", "turn 3", "turn 4", "turn 5", "end after 6"];
        assert_eq!(ledger.written(), expected);
    }

    #[tokio::test]
    async fn after_an_outage_a_turn_is_durable_again_when_the_store_returns() {
        let ledger = Flaky::starting(Weather::Away);
        let (store, _writers) = store(&ledger, QUICK);
        store.commit_turn(&turn(0)).await.unwrap();
        ledger.weather.send_replace(Weather::Up);
        while store.waiting() > 0 {
            tokio::task::yield_now().await;
        }
        store.commit_turn(&turn(1)).await.unwrap();
        assert_eq!(ledger.written(), ["turn 0", "turn 1"]);
    }

    #[tokio::test]
    async fn a_hand_over_is_on_record_after_every_turn_when_the_store_returns() {
        let ledger = Flaky::starting(Weather::Up);
        let (store, _writers) = store(&ledger, QUICK);
        store.commit_turn(&turn(0)).await.unwrap();
        store.hand_over().await.unwrap();
        assert_eq!(ledger.written(), ["turn 0", "hand-over"]);
    }

    #[tokio::test]
    async fn a_call_is_not_handed_over_while_the_database_is_away_nor_behind_its_back_later() {
        let ledger = Flaky::starting(Weather::Away);
        let (store, writers) = store(&ledger, QUICK);
        assert!(store.hand_over().await.is_err(), "found away by the hand-over itself");
        store.commit_turn(&turn(0)).await.unwrap();
        ledger.attempted(3).await;
        assert!(store.hand_over().await.is_err(), "known to be away");
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        assert_eq!(ledger.written(), ["turn 0"]);
    }

    #[tokio::test]
    async fn a_hand_over_that_waits_behind_a_slow_turn_is_given_up_and_never_written() {
        let ledger = Flaky::starting(Weather::Hangs);
        let (store, writers) = store(&ledger, Pace { patience: Duration::from_millis(1), ..QUICK });
        store.commit_turn(&turn(0)).await.unwrap();
        assert!(store.hand_over().await.is_err());
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        assert_eq!(ledger.written(), ["turn 0"]);
    }

    #[test]
    fn attempts_thin_out_while_the_database_stays_away() {
        let pauses: Vec<_> = std::iter::successors(Some(Pace::STANDARD.first_pause), |&pause| {
            Some(Pace::STANDARD.after(pause))
        })
        .take(8)
        .map(|pause| pause.as_millis())
        .collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_000, 3_000, 3_000]);
    }

    #[tokio::test]
    async fn a_slow_database_does_not_hold_up_the_conversation() {
        let ledger = Flaky::starting(Weather::Hangs);
        let (store, writers) = store(&ledger, Pace { patience: Duration::from_millis(1), ..QUICK });
        store.commit_turn(&turn(0)).await.unwrap();
        assert_eq!(ledger.written(), [""; 0], "spooled, not yet written");
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        assert_eq!(ledger.written(), ["turn 0"]);
    }

    #[tokio::test]
    async fn a_full_spool_says_so_and_keeps_what_it_has() {
        let ledger = Flaky::starting(Weather::Away);
        let (store, writers) = store(&ledger, QUICK);
        for number in 0..SPOOL_LIMIT as u32 {
            store.commit_turn(&turn(number)).await.unwrap();
        }
        assert!(store.commit_turn(&turn(999)).await.is_err());
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        let expected: Vec<_> = (0..SPOOL_LIMIT).map(|number| format!("turn {number}")).collect();
        assert_eq!(ledger.written(), expected);
    }

    #[tokio::test]
    async fn a_refused_turn_is_reported_and_does_not_block_the_end() {
        let mut ledger = Flaky::starting(Weather::Up);
        Arc::get_mut(&mut ledger).unwrap().refuses_turn = Some(1);
        let (store, _writers) = store(&ledger, QUICK);
        store.commit_turn(&turn(0)).await.unwrap();
        assert!(store.commit_turn(&turn(1)).await.is_err());
        store.end(&call_end(EndReason::CallerHungUp, 2)).await.unwrap();
        assert_eq!(ledger.written(), ["turn 0", "end after 2"]);
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_waiting_loses_no_turn() {
        let ledger = Flaky::starting(Weather::Hangs);
        let (store, writers) = store(&ledger, QUICK);
        let first = turn(0);
        tokio::select! {
            biased;
            outcome = store.commit_turn(&first) => panic!("the ledger hangs, and yet {outcome:?}"),
            () = ledger.attempted(1) => {}
        }
        ledger.weather.send_replace(Weather::Up);
        store.commit_turn(&turn(1)).await.unwrap();
        drained(&writers).await;
        assert_eq!(ledger.written(), ["turn 0", "turn 1"]);
    }

    #[tokio::test]
    async fn whoever_waits_for_a_call_hurries_its_spool_and_waits_for_no_other() {
        let (ledger, spools, writers) =
            (Flaky::starting(Weather::Away), Spools::default(), TaskTracker::new());
        let [call, other] = [7, 8].map(|id| CallId::from_uuid(uuid::Uuid::from_u128(id)));
        let slow =
            Pace { first_pause: Duration::from_hours(1), longest_pause: Duration::from_hours(1), ..QUICK };
        let store = SpoolingStore::new(call, Arc::clone(&ledger), slow, writers.clone(), &spools);
        spools.are_written(call).await;
        store.commit_turn(&turn(0)).await.unwrap();
        spools.are_written(other).await;
        ledger.weather.send_replace(Weather::Up);
        // The session is over; what it left is not.
        drop(store);
        spools.are_written(call).await;
        assert_eq!(ledger.written(), ["turn 0"]);
        drained(&writers).await;
        let _later = SpoolingStore::new(other, Arc::clone(&ledger), slow, writers.clone(), &spools);
        assert_eq!(spools.0.lock().unwrap().len(), 1, "sessions that are over are forgotten");
    }

    #[tokio::test]
    async fn a_heartbeat_holds_nobody_up_and_does_not_pile_up() {
        let ledger = Flaky::starting(Weather::Hangs);
        let (store, writers) = store(&ledger, QUICK);
        for _ in 0..10 {
            store.heartbeat().await;
        }
        ledger.weather.send_replace(Weather::Up);
        drained(&writers).await;
        assert_eq!(ledger.written(), ["heartbeat"]);
    }
}
