use super::*;
use crate::{
    FinishReason, Retry, TokenUsage,
    fake::{Fake, HttpPeer, http_client, pass, soon},
};
use seiketsu_domain::{ModelChoice, ToolChoice};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
const ROLE: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const HELLO: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello.\"}}]}\n\n";
const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\n";
const DONE: &str = "data: [DONE]\n\n";

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(40);

fn client(base: &Url, first_token_timeout: Duration, idle_timeout: Duration) -> OpenAi {
    let base_url = base.join("v1").unwrap();
    let config = OpenAiConfig { base_url, api_key: "sk-key".into(), first_token_timeout, idle_timeout };
    OpenAi::new(config, http_client(), TaskTracker::new())
}

fn request() -> GenerationRequest {
    let model = ModelChoice { model: "gpt-4.1-mini".to_owned(), temperature: 0.5, max_tokens: 100 };
    let tool_choice = ToolChoice::Auto;
    GenerationRequest { model, system: "Be brief.".to_owned(), messages: vec![], tools: vec![], tool_choice }
}

/// A run against a vendor that has the request and has sent nothing yet.
async fn start(first_token: Duration, idle: Duration) -> (Generation, HttpPeer) {
    let fake = Fake::start().await;
    let client = client(&fake.url(), first_token, idle);
    let generation = client.generate(request()).await.unwrap();
    let mut peer = fake.accept_http().await;
    peer.request().await;
    (generation, peer)
}

async fn next(generation: &mut Generation) -> GenerationEvent {
    soon(generation.events.recv()).await.expect("an event")
}

/// The failure that ends a run.
async fn failure(generation: &mut Generation) -> Failure {
    let event = next(generation).await;
    let GenerationEvent::Failed(failure) = event else { panic!("{event:?} instead of a failure") };
    assert_eq!(soon(generation.events.recv()).await, None, "nothing follows a failure");
    assert_eq!(failure.vendor, Vendor::OpenAi);
    failure
}

fn hello() -> GenerationEvent {
    GenerationEvent::Text("Hello.".to_owned())
}

#[tokio::test]
async fn an_answer_streams_through() {
    let fake = Fake::start().await;
    let mut generation = client(&fake.url(), LONG, LONG).generate(request()).await.unwrap();
    let mut peer = fake.accept_http().await;
    let (head, body) = peer.request().await;
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-key"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(body.contains(r#""stream":true"#), "{body}");

    peer.send(HEAD).await;
    peer.chunk(ROLE).await;
    peer.chunk(HELLO).await;
    assert_eq!(next(&mut generation).await, hello(), "while the answer is still being written");
    peer.chunk(STOP).await;
    peer.chunk(USAGE).await;
    peer.chunk(DONE).await;
    let usage = Some(TokenUsage { input_tokens: 9, output_tokens: 2 });
    assert_eq!(next(&mut generation).await, GenerationEvent::Finished { reason: FinishReason::Stop, usage });
    assert_eq!(soon(generation.events.recv()).await, None);
}

#[tokio::test]
async fn a_vendor_that_is_not_there_is_unreachable() {
    let client = client(&Fake::nowhere().await, LONG, LONG);
    let mut generation = client.generate(request()).await.unwrap();
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Unreachable);
}

#[tokio::test]
async fn refusals_are_classified_and_keep_the_vendors_words() {
    let refusal = async |response: &str| {
        let (mut generation, mut peer) = start(LONG, LONG).await;
        peer.send(response).await;
        failure(&mut generation).await
    };
    let failure = refusal("HTTP/1.1 401 Unauthorized\r\ncontent-length: 44\r\n\r\n{\"error\":{\"message\":\"Incorrect API key given\"}}").await;
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    let failure =
        refusal("HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(failure.retry(), Retry::After(Duration::from_secs(7)));
    let body = r#"{"error":{"message":"no such model","code":"model_not_found"}}"#;
    let failure =
        refusal(&format!("HTTP/1.1 404 Not Found\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
    assert_eq!(
        (failure.kind, failure.detail.as_str()),
        (FailureKind::BadRequest, "404 Not Found: no such model")
    );
    let failure = refusal("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(failure.kind, FailureKind::VendorFault);
}

#[tokio::test]
async fn an_endless_error_body_is_cut_short() {
    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send("HTTP/1.1 500 Internal Server Error\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let filler = "x".repeat(8 * 1_024);
    peer.chunk(&filler).await;
    peer.chunk(&filler).await;
    let failure = failure(&mut generation).await;
    assert_eq!(failure.kind, FailureKind::VendorFault);
    assert_eq!(failure.detail.len(), Failure::MAX_DETAIL_BYTES);
}

#[tokio::test]
async fn silence_before_the_first_token_is_a_timeout_however_much_else_has_come() {
    let (mut generation, _peer) = start(SHORT, LONG).await;
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Timeout);

    let (mut generation, mut peer) = start(SHORT, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(ROLE).await;
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn silence_in_mid_stream_is_a_timeout() {
    let (mut generation, mut peer) = start(LONG, SHORT).await;
    peer.send(HEAD).await;
    peer.chunk(HELLO).await;
    assert_eq!(next(&mut generation).await, hello());
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn with_the_patience_of_a_call_a_half_open_connection_is_noticed_in_less_than_two_seconds() {
    let OpenAiConfig { first_token_timeout, idle_timeout, .. } =
        OpenAiConfig::new("http://127.0.0.1:1/v1".parse().unwrap(), "sk-key".into());
    let (mut generation, mut peer) = start(first_token_timeout, idle_timeout).await;
    pass(Duration::from_secs(4)).await;
    peer.send(HEAD).await;
    for _ in 0..3 {
        peer.chunk(HELLO).await;
        assert_eq!(next(&mut generation).await, hello());
        pass(Duration::from_millis(1_200)).await;
    }
    pass(Duration::from_millis(700)).await;
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_failed_unless_the_model_had_finished() {
    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(HELLO).await;
    assert_eq!(next(&mut generation).await, hello());
    drop(peer);
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Closed);

    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(HELLO).await;
    peer.chunk("").await;
    assert_eq!(next(&mut generation).await, hello());
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Closed);

    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(HELLO).await;
    peer.chunk(STOP).await;
    drop(peer);
    assert_eq!(next(&mut generation).await, hello());
    let finished = GenerationEvent::Finished { reason: FinishReason::Stop, usage: None };
    assert_eq!(next(&mut generation).await, finished);
}

#[tokio::test]
async fn garbage_is_called_garbage_and_what_came_before_it_is_kept() {
    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(&format!("{HELLO}data: not json\n\n")).await;
    assert_eq!(next(&mut generation).await, hello());
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Garbage);

    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi").await;
    assert_eq!(failure(&mut generation).await.kind, FailureKind::Garbage);
}

#[tokio::test]
async fn a_dropped_run_closes_its_connection_at_any_stage() {
    let (generation, mut peer) = start(LONG, LONG).await;
    drop(generation);
    peer.gone().await;

    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    peer.chunk(HELLO).await;
    assert_eq!(next(&mut generation).await, hello());
    drop(generation);
    peer.gone().await;
}

#[tokio::test]
async fn a_slow_reader_gets_everything() {
    let (mut generation, mut peer) = start(LONG, LONG).await;
    peer.send(HEAD).await;
    let count = EVENT_QUEUE * 3;
    for _ in 0..count {
        peer.chunk(HELLO).await;
    }
    peer.chunk(&format!("{STOP}{DONE}")).await;
    for _ in 0..count {
        assert_eq!(next(&mut generation).await, hello());
    }
    assert!(matches!(next(&mut generation).await, GenerationEvent::Finished { .. }));
}

#[tokio::test]
async fn a_warm_connection_is_used_by_the_next_run() {
    let fake = Fake::start().await;
    let client = client(&fake.url(), LONG, LONG);
    let vendor = async {
        let mut peer = fake.accept_http().await;
        let (head, _) = peer.request().await;
        assert!(head.starts_with("GET /v1/models HTTP/1.1\r\n"), "{head}");
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
        peer
    };
    let ((), mut peer) = tokio::join!(client.warm(), vendor);
    let mut generation = client.generate(request()).await.unwrap();
    let (head, _) = peer.request().await;
    assert!(head.starts_with("POST /v1/chat/completions"), "on the same connection: {head}");
    peer.send(HEAD).await;
    peer.chunk(&format!("{HELLO}{STOP}{DONE}")).await;
    assert_eq!(next(&mut generation).await, hello());
}

#[tokio::test]
async fn warming_a_vendor_that_is_not_there_or_hangs_comes_to_an_end() {
    soon(client(&Fake::nowhere().await, LONG, LONG).warm()).await;
    let fake = Fake::start().await;
    soon(client(&fake.url(), SHORT, LONG).warm()).await;
}

#[test]
fn the_key_is_not_in_the_debug_text() {
    let client = client(&"http://127.0.0.1:1".parse().unwrap(), LONG, LONG);
    assert!(!format!("{client:?}").contains("sk-key"));
}
