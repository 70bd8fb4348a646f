//! Health on both listeners, and what only the admin listener tells.

use crate::world::{Answer, World, send};
use async_trait::async_trait;
use axum::{Router, body::Body};
use http::Request;
use metrics_exporter_prometheus::PrometheusBuilder;
use seiketsu_gateway::{
    Admin, REQUEST_ID, Startup,
    admin::{
        dependencies::{Dependencies, Dependency, RouteReport},
        log_level::{LogFilter, LogLevel},
    },
    health::Health,
};
use seiketsu_session::RouteStatus;
use std::sync::{Arc, Mutex, atomic::Ordering};

#[derive(Debug)]
struct Vendor(&'static str, Result<(), &'static str>);

#[async_trait]
impl Dependency for Vendor {
    fn name(&self) -> &str {
        self.0
    }
    async fn check(&self) -> Result<(), String> {
        self.1.map_err(str::to_owned)
    }
}

#[derive(Debug)]
struct Routes;

/// As an operator sees a vendor that is being left alone.
const OPEN_ROUTE: &str = r#"{
    "kind": "voice", "endpoint": "elevenlabs", "order": 0, "breaker": "open", "retry_in_ms": 1000,
    "requests": 7, "failures": 3, "p50_ms": 260.0, "p95_ms": 400.5,
    "last_failure": {"kind": "timeout", "detail": "no sound for 1500 ms", "at": "2026-11-24T16:15:00Z"}
}"#;

impl RouteReport for Routes {
    fn routes(&self) -> Vec<RouteStatus> {
        vec![serde_json::from_str(OPEN_ROUTE).unwrap()]
    }
}

#[derive(Debug)]
struct Filter(Mutex<String>);

impl LogLevel for Filter {
    fn current(&self) -> String {
        self.0.lock().unwrap().clone()
    }
    fn change(&self, filter: &str) -> Result<(), String> {
        if filter.contains('!') {
            return Err("unexpected `!`".into());
        }
        filter.clone_into(&mut self.0.lock().unwrap());
        Ok(())
    }
}

fn admin(world: &World) -> Router {
    let recorder = PrometheusBuilder::new().build_recorder();
    let prometheus = recorder.handle();
    metrics::with_local_recorder(&recorder, || metrics::gauge!("seiketsu_live_calls").set(3.0));
    world.gateway.admin_router(Admin {
        prometheus,
        log_level: Arc::new(Filter(Mutex::new("info".into()))),
        dependencies: vec![Arc::new(Vendor("deepgram", Ok(()))), Arc::new(Vendor("openai", Err("HTTP 503")))],
        routes: Arc::new(Routes),
    })
}

async fn get(router: &Router, path: &str) -> Answer {
    send(router.clone(), Request::get(path).body(Body::empty()).unwrap()).await
}

fn status(answer: &Answer) -> (u16, String) {
    let health: Health = serde_json::from_str(&answer.body).unwrap();
    (answer.status.as_u16(), health.status)
}

#[tokio::test]
async fn health_tells_starting_ready_draining_and_database_away_apart_on_both_listeners() {
    let world = World::new().await;
    let starting = world.gateway_with("https://starting.example", Startup::default());
    assert_eq!(status(&get(&starting.router(), "/health/startup").await), (503, "starting".into()));
    assert_eq!(status(&get(&starting.router(), "/health/ready").await), (503, "starting".into()));
    let routers = [world.gateway.router(), admin(&world)];
    let all = async |path: &str, expected: (u16, &str)| {
        for router in &routers {
            assert_eq!(status(&get(router, path).await), (expected.0, expected.1.to_owned()), "{path}");
        }
    };
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        all(path, (200, "ok")).await;
    }
    world.switchboard.draining.store(true, Ordering::Relaxed);
    all("/health/ready", (503, "draining")).await;
    all("/health/live", (200, "ok")).await;
    world.switchboard.draining.store(false, Ordering::Relaxed);
    world.db().close().await;
    all("/health/ready", (503, "database_away")).await;
    all("/health/live", (200, "ok")).await;
    all("/health/startup", (200, "ok")).await;
}

#[tokio::test]
async fn dependencies_are_reported_one_by_one() {
    let world = World::new().await;
    let router = admin(&world);
    let Dependencies { dependencies, routes } = get(&router, "/health/dependencies").await.json();
    assert_eq!(routes, Routes.routes(), "beside the dependencies, whatever those say");
    let seen: Vec<_> =
        dependencies.iter().map(|one| (one.name.as_str(), one.healthy, one.error.as_deref())).collect();
    let vendors = [("deepgram", true, None), ("openai", false, Some("HTTP 503"))];
    assert_eq!(seen[0], ("postgresql", true, None));
    assert_eq!(seen[1..], vendors);
    world.db().close().await;
    let Dependencies { dependencies, .. } = get(&router, "/health/dependencies").await.json();
    assert_eq!(dependencies[0].error.as_deref(), Some("does not answer"));
    assert_eq!(world.get("/health/dependencies", None).await.problem().0, 404, "not on the public listener");
}

#[tokio::test]
async fn metrics_are_rendered_and_the_log_level_is_changed_on_the_admin_listener_only() {
    let world = World::new().await;
    let router = admin(&world);
    let metrics = get(&router, "/metrics").await;
    assert!(metrics.body.contains("seiketsu_live_calls 3"), "{}", metrics.body);
    assert_eq!(world.get("/metrics", None).await.problem().0, 404);

    let put = async |filter: &str| {
        send(router.clone(), Request::put("/log-level").body(Body::from(filter.to_owned())).unwrap()).await
    };
    let changed: LogFilter = put("info,seiketsu_session=debug\n").await.json();
    assert_eq!(changed.filter, "info,seiketsu_session=debug");
    for bad in ["", "!", &"a".repeat(2_000)] {
        assert_eq!(put(bad).await.problem(), (400, "bad-body".into()), "{bad}");
    }
    let kept: LogFilter = get(&router, "/log-level").await.json();
    assert_eq!(kept.filter, "info,seiketsu_session=debug");
}

#[tokio::test]
async fn a_handler_that_panics_is_answered_as_a_problem_and_the_server_lives_on() {
    let world = World::new().await;
    world.switchboard.broken.store(true, Ordering::Relaxed);
    let answer = world.get("/health/ready", None).await;
    assert_eq!(answer.problem(), (500, "internal".into()));
    assert!(!answer.body.contains("on purpose"), "{}", answer.body);
    assert!(answer.headers.contains_key(&REQUEST_ID));
    world.switchboard.broken.store(false, Ordering::Relaxed);
    assert_eq!(world.get("/health/ready", None).await.status, 200);
}

#[tokio::test]
async fn every_answer_has_a_request_id_of_ours() {
    let world = World::new().await;
    let ask = async |path: &str| {
        let request = Request::get(path).header("x-request-id", "forged").body(Body::empty()).unwrap();
        world.send(request).await.headers[&REQUEST_ID].to_str().unwrap().to_owned()
    };
    let ids = [ask("/health/live").await, ask("/nothing").await, ask("/v1/tenants").await];
    for (at, id) in ids.iter().enumerate() {
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert!(!ids[..at].contains(id));
    }
}
