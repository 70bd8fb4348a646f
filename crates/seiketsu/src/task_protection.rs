//! Keeps ECS from taking a task away while it holds calls.
//!
//! ECS chooses what it stops when a service shrinks, and knows nothing of calls; a stopped task has two minutes. A task that
//! is protected is not chosen. The agent of a task takes `PUT $ECS_AGENT_URI/task-protection/v1/state` from within it
//! (Amazon ECS Developer Guide, "Task scale-in protection endpoint"). Protection ends by itself after [`EXPIRES`], so
//! that a process that hangs is not kept for ever; while there are calls it is asked for anew long before.

use anyhow::Context;
use reqwest::{Client, StatusCode};
use seiketsu_domain::Clock;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long a task is protected; ECS takes 1 to 2,880 minutes.
const EXPIRES: Duration = Duration::from_hours(1);
/// When it is asked for anew.
const RENEW: Duration = Duration::from_mins(20);
/// How long there are no calls before protection is given up: between two calls of a busy day nothing is asked.
const IDLE: Duration = Duration::from_mins(1);
/// When what failed is tried again.
const RETRY: Duration = Duration::from_secs(10);
/// How often calls are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long the agent may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    protection_enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in_minutes: Option<u64>,
}

/// What the agent says: the state, or why there is none.
#[derive(Deserialize)]
struct Answer {
    protection: Option<State>,
    failure: Option<serde_json::Value>,
    error: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    protection_enabled: bool,
}

/// What the agent is spoken to with. It is on a link of this machine's own, which no proxy knows.
pub(crate) fn client() -> anyhow::Result<Client> {
    Client::builder()
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .build()
        .context("building the HTTP client of ECS's agent")
}

/// Watches calls until `stop`.
pub(crate) async fn watch(
    agent: Url,
    http: Client,
    calls: impl Fn() -> usize + Send,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let mut wish = Wish::default();
    let mut said = String::new();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            _ = look.tick() => {}
        }
        let Some(protect) = wish.order(clock.monotonic(), calls()) else { continue };
        let told = tell(&agent, &http, protect).await;
        // ECS may refuse for as long as a release takes: more tasks than it wants must not be protected. It is said once.
        let why = told.as_ref().err().map_or_else(String::new, ToString::to_string);
        if !why.is_empty() && why != said {
            tracing::warn!(
                why,
                protect,
                "ECS does not change the protection of this task; it is asked again"
            );
        }
        said = why;
        wish.told(clock.monotonic(), protect, told.map_or_else(Outcome::from, |()| Outcome::Done));
    }
}

/// Why protection is not as it was asked for.
#[derive(Debug, thiserror::Error)]
enum NotTold {
    /// The agent said no.
    #[error("ECS's agent answered {status}: {why}")]
    Refused { status: StatusCode, why: String },
    /// Nothing that can be understood came back: it may have been done or not.
    #[error("ECS's agent: {0:#}")]
    Unheard(anyhow::Error),
}

async fn tell(agent: &Url, http: &Client, protect: bool) -> Result<(), NotTold> {
    let url = format!("{}/task-protection/v1/state", agent.as_str().trim_end_matches('/'));
    let body = Request {
        protection_enabled: protect,
        expires_in_minutes: protect.then_some(EXPIRES.as_secs() / 60),
    };
    let unheard = |error: reqwest::Error| NotTold::Unheard(error.into());
    let response = http.put(&url).json(&body).send().await.map_err(unheard)?;
    let status = response.status();
    let answer = response.json().await.with_context(|| format!("answered {status}"));
    let answer: Answer = answer.map_err(NotTold::Unheard)?;
    let why = match (answer.failure.or(answer.error), answer.protection) {
        (Some(why), _) => why.to_string(),
        (None, Some(state)) if state.protection_enabled == protect => return Ok(()),
        (None, _) => "it did not do it".to_owned(),
    };
    Err(NotTold::Refused { status, why })
}

/// What came of telling ECS something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    Refused,
    Unheard,
}

impl From<NotTold> for Outcome {
    fn from(error: NotTold) -> Self {
        match error {
            NotTold::Refused { .. } => Self::Refused,
            NotTold::Unheard(_) => Self::Unheard,
        }
    }
}

/// What ECS was told, and what it is to be told next.
#[derive(Debug, Default)]
struct Wish {
    /// When ECS was last told to protect this task, if that holds.
    protected_at: Option<Duration>,
    /// Until when it may hold although no answer was heard.
    unsure_until: Duration,
    /// Since when there are no calls.
    idle_since: Option<Duration>,
    /// Not before then.
    not_before: Duration,
}

impl Wish {
    /// Whether ECS is to be told now to protect this task, or no longer to.
    fn order(&mut self, now: Duration, calls: usize) -> Option<bool> {
        self.idle_since = if calls > 0 { None } else { self.idle_since.or(Some(now)) };
        if now < self.not_before {
            return None;
        }
        match (self.idle_since, self.protected_at) {
            (None, None) => Some(true),
            (None, Some(at)) => (now >= at + RENEW).then_some(true),
            (Some(since), at) => {
                let may_hold = at.is_some() || now < self.unsure_until;
                (may_hold && now >= since + IDLE).then_some(false)
            }
        }
    }

    fn told(&mut self, now: Duration, protect: bool, outcome: Outcome) {
        match outcome {
            Outcome::Done => {
                self.protected_at = protect.then_some(now);
                self.unsure_until = now;
                return;
            }
            Outcome::Refused => {}
            Outcome::Unheard => {
                // Perhaps it is given up already: the next call has to ask.
                let asked_at = if protect { Some(now) } else { self.protected_at.take() };
                if let Some(at) = asked_at {
                    self.unsure_until = at + EXPIRES;
                }
            }
        }
        self.not_before = now + RETRY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::SystemClock;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::mpsc,
    };
    use tokio_util::task::TaskTracker;

    fn http() -> Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        client().unwrap()
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// What is told while so many calls are live at each second, and what comes of it.
    fn orders(
        calls: impl Fn(u64) -> usize,
        seconds: u64,
        outcome: impl Fn(u64) -> Outcome,
    ) -> Vec<(u64, bool)> {
        let mut wish = Wish::default();
        let mut orders = Vec::new();
        for second in 0..seconds {
            if let Some(protect) = wish.order(at(second), calls(second)) {
                orders.push((second, protect));
                wish.told(at(second), protect, outcome(second));
            }
        }
        orders
    }

    #[test]
    fn a_task_is_protected_from_its_first_call_to_a_minute_after_its_last() {
        let calls = |second| usize::from((5..300).contains(&second) || (330..400).contains(&second));
        assert_eq!(orders(calls, 1_000, |_| Outcome::Done), [(5, true), (460, false)]);
        assert_eq!(orders(|_| 0, 1_000, |_| Outcome::Done), []);
    }

    #[test]
    fn protection_of_a_long_call_is_renewed_long_before_it_ends() {
        let renewed = orders(|_| 1, 7_200, |_| Outcome::Done);
        assert_eq!(renewed, [0, 1_200, 2_400, 3_600, 4_800, 6_000].map(|second| (second, true)));
    }

    #[test]
    fn what_was_refused_is_asked_again_and_not_every_second() {
        let until = |last| move |second| if second > last { Outcome::Done } else { Outcome::Refused };
        let tried = orders(|second| usize::from(second < 30), 200, until(15));
        assert_eq!(tried, [(0, true), (10, true), (20, true), (90, false)]);
        // Nothing holds, so that nothing is to be given up.
        assert_eq!(orders(|second| usize::from(second < 5), 200, |_| Outcome::Refused), [(0, true)]);
    }

    #[test]
    fn what_was_not_heard_counts_as_neither_done_nor_undone() {
        let unheard_at = |at| move |second| if second == at { Outcome::Unheard } else { Outcome::Done };
        // Perhaps it is protected.
        assert_eq!(orders(|second| usize::from(second < 5), 200, unheard_at(0)), [(0, true), (65, false)]);
        // Perhaps it no longer is, when the next call comes.
        let calls = |second| usize::from(!(5..66).contains(&second));
        assert_eq!(orders(calls, 200, unheard_at(65)), [(0, true), (65, false), (75, true)]);
        // After an hour nothing can hold any more.
        let never = orders(|second| usize::from(second < 5), 9_000, |_| Outcome::Unheard);
        assert!(
            never.last().is_some_and(|(second, _)| (3_500..=3_600).contains(second)),
            "{:?}",
            never.last()
        );
    }

    /// An agent that gives these answers, one after the other, and shows what it was asked.
    async fn agent(
        answers: &'static [(&'static str, &'static str)],
    ) -> (Url, mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/task", listener.local_addr().unwrap()).parse().unwrap();
        let (asked, heard) = mpsc::unbounded_channel();
        TaskTracker::new().spawn(async move {
            for (status, answer) in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    let mut part = [0; 1_024];
                    let read = socket.read(&mut part).await.unwrap();
                    assert_ne!(read, 0, "a whole request has to come");
                    request.extend_from_slice(&part[..read]);
                }
                let length = answer.len();
                let response = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
                );
                socket.write_all(response.as_bytes()).await.unwrap();
                let text = String::from_utf8(request).unwrap();
                let (line, body) = (text.lines().next().unwrap(), text.split("\r\n\r\n").nth(1).unwrap());
                asked.send(format!("{line} {body}")).unwrap();
            }
        });
        (url, heard)
    }

    #[tokio::test]
    async fn the_agent_is_told_of_the_first_call() {
        let (url, mut heard) =
            agent(&[("200 OK", r#"{"protection":{"ProtectionEnabled":true,"TaskArn":"a"}}"#)]).await;
        let calls = Arc::new(AtomicUsize::new(1));
        let (stop, seen) = (CancellationToken::new(), Arc::clone(&calls));
        let watching = TaskTracker::new().spawn(watch(
            url,
            http(),
            move || seen.load(Ordering::Relaxed),
            Arc::new(SystemClock::new()),
            stop.clone(),
        ));
        assert_eq!(
            heard.recv().await.unwrap(),
            r#"PUT /api/task/task-protection/v1/state HTTP/1.1 {"ProtectionEnabled":true,"ExpiresInMinutes":60}"#
        );
        stop.cancel();
        watching.await.unwrap();
    }

    #[tokio::test]
    async fn only_what_the_agent_says_it_did_counts() {
        let (url, mut heard) = agent(&[
            ("200 OK", r#"{"protection":{"ProtectionEnabled":false}}"#),
            ("200 OK", r#"{"failure":{"Arn":"a","Reason":"DEPLOYMENT_BLOCKED"}}"#),
            (
                "400 Bad Request",
                r#"{"error":{"Code":"AccessDeniedException","Message":"no"},"requestID":"r"}"#,
            ),
            ("502 Bad Gateway", "<html>"),
            ("200 OK", r#"{"protection":{"ProtectionEnabled":true}}"#),
        ])
        .await;
        tell(&url, &http(), false).await.unwrap();
        let told = async |protect| tell(&url, &http(), protect).await.unwrap_err();
        for (protect, expected, outcome) in [
            (true, "DEPLOYMENT_BLOCKED", Outcome::Refused),
            (true, "AccessDeniedException", Outcome::Refused),
            (true, "502", Outcome::Unheard),
            (false, "did not do it", Outcome::Refused),
        ] {
            let error = told(protect).await;
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(Outcome::from(error), outcome, "{expected}");
        }
        let body = heard.recv().await.unwrap();
        assert!(body.ends_with(r#"{"ProtectionEnabled":false}"#), "{body}");
    }
}
