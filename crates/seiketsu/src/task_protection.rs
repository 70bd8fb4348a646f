//! Keeps ECS from taking a task away while it holds calls.
//!
//! ECS chooses what it stops when a service shrinks, and knows nothing of calls; a stopped task has two minutes. A task that
//! is protected is not chosen. The agent of a task takes `PUT $ECS_AGENT_URI/task-protection/v1/state` from within it
//! (Amazon ECS Developer Guide, "Task scale-in protection endpoint"). Protection ends by itself after [`EXPIRES_MINUTES`], so
//! that a process that hangs is not kept for ever; while there are calls it is asked for anew long before.

use anyhow::{Context, ensure};
use reqwest::Client;
use seiketsu_domain::Clock;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long a task is protected, in minutes; ECS takes 1 to 2,880.
const EXPIRES_MINUTES: u32 = 60;
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
    expires_in_minutes: Option<u32>,
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
        let why = told.as_ref().err().map_or_else(String::new, |error| format!("{error:#}"));
        if !why.is_empty() && why != said {
            tracing::warn!(
                why,
                protect,
                "ECS does not change the protection of this task; it is asked again"
            );
        }
        said = why;
        wish.told(clock.monotonic(), protect, told.is_ok());
    }
}

async fn tell(agent: &Url, http: &Client, protect: bool) -> anyhow::Result<()> {
    let url = format!("{}/task-protection/v1/state", agent.as_str().trim_end_matches('/'));
    let body =
        Request { protection_enabled: protect, expires_in_minutes: protect.then_some(EXPIRES_MINUTES) };
    let response = http.put(&url).json(&body).send().await?;
    let status = response.status();
    let answer: Answer = response.json().await.with_context(|| format!("ECS's agent answered {status}"))?;
    if let Some(why) = answer.failure.or(answer.error) {
        anyhow::bail!("ECS's agent answered {status}: {why}");
    }
    let state = answer.protection.is_some_and(|state| state.protection_enabled == protect);
    ensure!(state, "ECS's agent answered {status} and did not do it");
    Ok(())
}

/// What ECS was told, and what it is to be told next.
#[derive(Debug, Default)]
struct Wish {
    /// When ECS was last told to protect this task, if that holds.
    protected_at: Option<Duration>,
    /// Whether it was asked to and the answer was not heard: it may hold all the same.
    unsure: bool,
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
            (Some(since), at) => ((at.is_some() || self.unsure) && now >= since + IDLE).then_some(false),
        }
    }

    fn told(&mut self, now: Duration, protect: bool, done: bool) {
        if done {
            self.protected_at = protect.then_some(now);
            self.unsure = false;
        } else {
            self.unsure |= protect;
            self.not_before = now + RETRY;
        }
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

    /// What is told while so many calls are live at each second, all of it done.
    fn orders(calls: impl Fn(u64) -> usize, seconds: u64, done: impl Fn(u64) -> bool) -> Vec<(u64, bool)> {
        let mut wish = Wish::default();
        let mut orders = Vec::new();
        for second in 0..seconds {
            if let Some(protect) = wish.order(at(second), calls(second)) {
                orders.push((second, protect));
                wish.told(at(second), protect, done(second));
            }
        }
        orders
    }

    #[test]
    fn a_task_is_protected_from_its_first_call_to_a_minute_after_its_last() {
        let calls = |second| usize::from((5..300).contains(&second) || (330..400).contains(&second));
        assert_eq!(orders(calls, 1_000, |_| true), [(5, true), (460, false)]);
        assert_eq!(orders(|_| 0, 1_000, |_| true), []);
    }

    #[test]
    fn protection_of_a_long_call_is_renewed_long_before_it_ends() {
        let renewed = orders(|_| 1, 7_200, |_| true);
        assert_eq!(
            renewed.iter().map(|(second, _)| *second).collect::<Vec<_>>(),
            [0, 1_200, 2_400, 3_600, 4_800, 6_000]
        );
        assert!(renewed.iter().all(|(_, protect)| *protect));
    }

    #[test]
    fn what_failed_is_tried_again_and_not_every_second() {
        let tried = orders(|second| usize::from(second < 30), 200, |second| second > 15);
        assert_eq!(tried, [(0, true), (10, true), (20, true), (90, false)]);
        // Perhaps it was done and only the answer was lost.
        assert_eq!(
            orders(|second| usize::from(second < 5), 200, |second| second > 15),
            [(0, true), (65, false)]
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
        assert!(format!("{:#}", told(true).await).contains("DEPLOYMENT_BLOCKED"));
        assert!(format!("{:#}", told(true).await).contains("AccessDeniedException"));
        assert!(format!("{:#}", told(true).await).contains("502"));
        assert!(told(false).await.to_string().contains("did not do it"));
        let body = heard.recv().await.unwrap();
        assert!(body.ends_with(r#"{"ProtectionEnabled":false}"#), "{body}");
    }
}
