//! The commands around a call, and what they say when something is wrong.

use crate::platform::Platform;
use seiketsu_testkit::TestDb;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn seiketsu(arguments: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let state = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_seiketsu"))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("STATE_DIR", state.path())
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_bad_value_names_its_key_and_ends_with_the_code_for_usage() {
    let (code, told) = seiketsu(&["up"], &[("PUBLIC_URL", "http://example.com")]);
    assert_eq!(code, Some(2));
    assert!(told.contains("PUBLIC_URL") && told.contains("use https://"), "{told}");
    let (code, told) = seiketsu(&["serve"], &[]);
    assert_eq!(code, Some(2));
    assert!(told.contains("OPENAI_API_KEY"), "{told}");
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (code, told) = seiketsu(&["up", "--port", &port.to_string()], &[]);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains(&format!("port {port} is in use")) && told.contains("--port"), "{told}");
}

#[test]
fn without_postgresql_the_package_to_install_is_named() {
    let empty = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let environment =
        [("SEIKETSU_POSTGRES_BIN", empty.path().to_str().unwrap()), ("ADMIN_LISTEN", "127.0.0.1:0")];
    let (code, told) = seiketsu(&["up", "--port", &free], &environment);
    assert_eq!(code, Some(5), "{told}");
    assert!(told.contains("apt-get install postgresql"), "{told}");
}

#[test]
fn without_a_running_platform_the_command_to_start_it_is_named() {
    let (code, told) = seiketsu(&["call", "--tenant", "lone-star-homes"], &[]);
    assert_eq!(code, Some(4));
    assert!(told.contains("make run"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_that_look_print_json_and_the_listeners_answer() {
    let mut platform = Platform::start("zero").await;
    let tenants = platform.run(&["tenants", "--json"]).await;
    assert_eq!(tenants.json().as_array().unwrap().len(), 3);
    let call = platform.run(&["call", "--tenant", "lone-star-homes", "--say", "goodbye", "--json"]).await;
    assert!(call.status.success(), "{call:?}");
    let calls = platform.run(&["calls", "--tenant", "lone-star-homes", "--json"]).await.json();
    let id = calls["items"][0]["id"].as_str().unwrap().to_owned();
    let shown = platform.run(&["call-show", &id]).await;
    assert!(shown.stdout.contains("first audio after") && shown.stdout.contains("2 s"), "{}", shown.stdout);
    let unknown = platform.run(&["call-show", "call_01jd0000000000000000000000"]).await;
    assert_eq!(unknown.status.code(), Some(1));
    assert!(unknown.stderr.contains("404"), "{}", unknown.stderr);
    let stranger = platform.run(&["call", "--tenant", "nobody", "--say", "hello"]).await;
    assert!(!stranger.status.success() && stranger.stderr.contains("nobody"), "{stranger:?}");

    let metrics = get(platform.admin_port(), "/metrics");
    for expected in [
        "seiketsu_live_calls 0",
        r#"seiketsu_turn_first_audible_seconds_bucket{le="0.5"}"#,
        r#"seiketsu_turn_first_audible_seconds_bucket{le="2"}"#,
        r#"seiketsu_turn_first_substantive_seconds_bucket{le="2"}"#,
        r#"seiketsu_turn_stage_seconds_bucket{stage="first_token",le="0.5"}"#,
        r#"seiketsu_calls_ended_total{reason="agent_hung_up"} 1"#,
    ] {
        assert!(metrics.contains(expected), "{expected} is missing in {metrics}");
    }
    let dependencies = get(platform.admin_port(), "/health/dependencies");
    for name in ["postgresql", "openai", "deepgram", "elevenlabs", "twilio"] {
        assert!(dependencies.contains(name), "{dependencies}");
    }
    assert!(get(platform.public_port(), "/health/ready").contains("200 OK"));
    for question in ["live", "ready", "startup"] {
        let healthy = platform.run(&["health", question, "--json"]).await;
        assert!(healthy.status.success(), "{healthy:?}");
        assert_eq!(healthy.json(), serde_json::json!({"status": "ok", "live_calls": 0}));
    }
    assert!(platform.stop().success(), "Ctrl-C is an orderly end");
    let gone = platform.run(&["health"]).await;
    assert_eq!(gone.status.code(), Some(4));
    assert!(gone.stderr.contains("nothing answers; ADMIN_LISTEN"), "{}", gone.stderr);
}

/// An ECS agent that does what it is told; the bodies of what it was told.
fn ecs_agent() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api/task", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut request = String::new();
            while !request.ends_with('}') {
                let mut part = [0; 1_024];
                let read = socket.read(&mut part).unwrap();
                assert_ne!(read, 0, "a whole request has to come");
                request.push_str(std::str::from_utf8(&part[..read]).unwrap());
            }
            let asked = request.contains(r#""ProtectionEnabled":true"#);
            let answer = format!(r#"{{"protection":{{"ProtectionEnabled":{asked}}}}}"#);
            let length = answer.len();
            write!(
                socket,
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            )
            .unwrap();
            if told.send(request).is_err() {
                return;
            }
        }
    });
    (url, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_holds_a_call_asks_ecs_to_keep_it() {
    let (agent, told) = ecs_agent();
    let mut platform = Platform::on(TestDb::new().await, "zero", vec![("ECS_AGENT_URI", agent)]);
    assert!(told.try_recv().is_err(), "without a call there is nothing to protect");
    let call = platform.run(&["call", "--tenant", "lone-star-homes", "--say", "goodbye", "--json"]).await;
    assert!(call.status.success(), "{call:?}");
    let asked = told.recv_timeout(PATIENCE).unwrap();
    assert!(
        asked.starts_with("PUT /api/task/task-protection/v1/state ") && asked.contains("true"),
        "{asked}"
    );
    assert!(platform.stop().success());
}
