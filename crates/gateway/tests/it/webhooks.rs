//! Twilio's webhooks: `voice`, `after`, `status`.

use crate::world::{AUTH_TOKEN, PUBLIC_URL, World, form, ringing, send};
use axum::body::Body;
use http::{Request, StatusCode};
use seiketsu_domain::{CallEnd, CallId, CallTime, EndReason, Usage};
use seiketsu_gateway::Startup;
use seiketsu_session::twilio_signature;
use seiketsu_storage::{calls, usage};
use std::time::Duration;

const SID: &str = "CA0123456789abcdef0123456789abcdef";

async fn end(world: &World, call: CallId) -> bool {
    let end = CallEnd {
        reason: EndReason::AgentHungUp,
        ended_at: CallTime::from_millis(1_000),
        turns: 1,
        usage: Usage::default(),
    };
    let mut tenant = world.db().tenant(&world.a.scope).await.unwrap();
    let ended = calls::end_call(&mut tenant, call, &end).await.unwrap();
    tenant.commit().await.unwrap();
    ended
}

#[tokio::test]
async fn a_call_to_a_number_begins_its_record_and_is_connected() {
    let world = World::new().await;
    let answer = world.ring(SID, world.a.number.as_str()).await;
    let token = answer.token();
    assert_eq!(
        answer.verbs(),
        format!(
            "<Connect><Stream url=\"wss://voice.example.com/twilio/media\"><Parameter name=\"token\" value=\"{token}\"/>\
             </Stream></Connect><Redirect method=\"POST\">https://voice.example.com/twilio/after?attempt=1</Redirect>"
        )
    );
    let [call] = &world.calls_of(&world.a).await[..] else { panic!("not one call") };
    assert_eq!(call.vendor_call_sid.as_deref(), Some(SID));
    assert_eq!((call.agent_id, call.to.as_ref()), (world.a.agent.id, Some(&world.a.number)));
    assert_eq!(call.from.as_ref().unwrap().expose().as_str(), "+15125550199");
    assert!(call.ended.is_none() && call.replica_id == world.replica);
    assert!(world.calls_of(&world.b).await.is_empty());
}

#[tokio::test]
async fn a_webhook_delivered_again_finds_the_same_record_and_hands_out_a_fresh_token() {
    let world = World::new().await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(world.ring(SID, world.a.number.as_str()).await.token());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
    let calls = world.calls_of(&world.a).await;
    assert_eq!(calls.len(), 1);
    assert!(end(&world, calls[0].id).await);
    assert_eq!(
        world.ring(SID, world.a.number.as_str()).await.verbs(),
        "<Hangup/>",
        "the call has ended meanwhile"
    );
}

#[tokio::test]
async fn webhooks_at_the_same_time_begin_one_record() {
    let world = World::new().await;
    let number = world.a.number.as_str();
    let answers = futures_util::future::join_all((0..8).map(|_| world.ring(SID, number))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(world.calls_of(&world.a).await.len(), 1);
}

#[tokio::test]
async fn a_missing_wrong_or_misplaced_signature_is_forbidden_and_begins_nothing() {
    let world = World::new().await;
    let parameters = ringing(SID, world.a.number.as_str());
    let signed = |url: &str, token: &str| twilio_signature::sign(token, url, &parameters);
    let url = format!("{PUBLIC_URL}/twilio/voice");
    for (why, signature) in [
        ("missing", None),
        ("empty", Some(String::new())),
        ("another account's", Some(signed(&url, "54321"))),
        ("for another path", Some(signed(&format!("{PUBLIC_URL}/twilio/after"), AUTH_TOKEN))),
        ("for the host in the header", Some(signed("http://attacker.example/twilio/voice", AUTH_TOKEN))),
    ] {
        let mut request = form("/twilio/voice", &parameters, signature.as_deref());
        request.headers_mut().insert("host", "attacker.example".parse().unwrap());
        request.headers_mut().insert("x-forwarded-host", "attacker.example".parse().unwrap());
        assert_eq!(world.send(request).await.problem(), (403, "bad-signature".into()), "{why}");
    }
    let mut tampered = parameters.clone();
    tampered[2].1 = "+15125550100";
    let signature = signed(&url, AUTH_TOKEN);
    let answer = world.send(form("/twilio/voice", &tampered, Some(&signature))).await;
    assert_eq!(answer.problem(), (403, "bad-signature".into()), "a parameter was changed");
    for path in ["/twilio/after?attempt=1", "/twilio/status"] {
        assert_eq!(world.send(form(path, &parameters, None)).await.problem().0, 403, "{path}");
    }
    assert!(world.calls_of(&world.a).await.is_empty());
}

#[tokio::test]
async fn a_number_without_a_route_is_rejected_unanswered() {
    let world = World::new().await;
    for to in ["+15125559999", "anonymous", "sip:someone@example.com"] {
        assert_eq!(world.ring(SID, to).await.verbs(), "<Reject reason=\"rejected\"/>", "{to}");
    }
    assert!(world.calls_of(&world.a).await.is_empty());
}

#[tokio::test]
async fn a_caller_who_withholds_the_number_is_answered() {
    let world = World::new().await;
    let mut parameters = ringing(SID, world.a.number.as_str());
    parameters[2].1 = "anonymous";
    world.twilio("/twilio/voice", &parameters).await.token();
    assert!(world.calls_of(&world.a).await[0].from.is_none());
}

#[tokio::test]
async fn a_body_that_is_too_large_or_not_twilios_is_a_problem() {
    let world = World::new().await;
    let large = form("/twilio/voice", &[("CallSid", &"A".repeat(70_000))], Some("x"));
    assert_eq!(world.send(large).await.problem(), (413, "body-too-large".into()));
    for parameters in
        [vec![], vec![("CallSid", "")], vec![("CallSid", "CA<1>")], vec![("To", "+15125550100")]]
    {
        let answer = world.twilio("/twilio/voice", &parameters).await;
        assert_eq!(answer.problem(), (400, "bad-body".into()), "{parameters:?}");
    }
    let wrong_method = Request::get("/twilio/voice").body(Body::empty()).unwrap();
    assert_eq!(world.send(wrong_method).await.problem(), (405, "method-not-allowed".into()));
}

#[tokio::test]
async fn without_a_database_the_caller_hears_an_apology() {
    let world = World::new().await;
    let number = world.a.number.to_string();
    world.ring(SID, &number).await.token();
    world.db().close().await;
    for path in ["/twilio/voice", "/twilio/after?attempt=1"] {
        let mut parameters = ringing(SID, &number);
        parameters[4].1 = "in-progress";
        let answer = world.twilio(path, &parameters).await;
        assert!(answer.verbs().starts_with("<Say>We are sorry"), "{path}: {}", answer.body);
        assert!(answer.verbs().ends_with("</Say><Hangup/>"));
    }
    let mut parameters = ringing(SID, &number);
    parameters[4].1 = "completed";
    let answer = world.twilio("/twilio/status", &parameters).await;
    assert_eq!(answer.problem(), (503, "unavailable".into()));
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_cut_call_is_connected_again_and_an_ended_one_is_hung_up() {
    let world = World::new().await;
    let after = async |attempt: &str, sid: &str, status: &str| {
        let parameters = [("CallSid", sid), ("CallStatus", status)];
        world.twilio(&format!("/twilio/after?attempt={attempt}"), &parameters).await
    };
    assert_eq!(after("1", SID, "in-progress").await.verbs(), "<Hangup/>", "a call we never heard of");
    let first = world.ring(SID, world.a.number.as_str()).await.token();
    let again = after("1", SID, "in-progress").await;
    assert_ne!(again.token(), first);
    assert!(
        again.verbs().starts_with("<Connect>") && again.verbs().contains("after?attempt=2<"),
        "{}",
        again.body
    );
    let third = after("2", SID, "in-progress").await;
    assert!(third.verbs().starts_with("<Pause length=\"1\"/><Connect>"), "{}", third.body);
    assert!(after("6", SID, "in-progress").await.verbs().starts_with("<Say>"), "it does not go on for ever");
    assert_eq!(after("1", SID, "completed").await.verbs(), "<Hangup/>", "the caller hung up meanwhile");
    assert_eq!(after("x", SID, "in-progress").await.problem(), (400, "bad-query".into()));
    let [call] = &world.calls_of(&world.a).await[..] else { panic!("not one call") };
    assert!(end(&world, call.id).await);
    assert_eq!(after("1", SID, "in-progress").await.verbs(), "<Hangup/>");
}

#[tokio::test]
async fn status_callbacks_in_any_order_end_only_a_call_that_nobody_holds_and_only_once() {
    let world = World::new().await;
    world.ring(SID, world.a.number.as_str()).await.token();
    let status = async |status: &str| {
        let answer = world.twilio("/twilio/status", &[("CallSid", SID), ("CallStatus", status)]).await;
        assert_eq!(answer.verbs(), "", "{status}");
    };
    let live = async || world.calls_of(&world.a).await[0].ended.is_none();
    for early in ["completed", "ringing", "initiated", "in-progress", "completed"] {
        status(early).await;
    }
    assert!(live().await, "held a moment ago: its session will end it");
    world.clock.advance(Duration::from_secs(61));
    status("in-progress").await;
    assert!(live().await);
    for late in ["completed", "ringing", "completed", "failed"] {
        status(late).await;
    }
    let [call] = &world.calls_of(&world.a).await[..] else { panic!("not one call") };
    assert_eq!(call.ended.unwrap().reason, EndReason::CallerHungUp, "the first to say so");
    let mut tenant = world.db().tenant(&world.a.scope).await.unwrap();
    assert_eq!(usage::of_call(&mut tenant, call.id).await.unwrap().unwrap().turns, 0);
    drop(tenant);
    let unknown = world.twilio("/twilio/status", &[("CallSid", "CAffff"), ("CallStatus", "completed")]).await;
    assert_eq!(unknown.verbs(), "");
}

#[tokio::test]
async fn on_loopback_the_socket_needs_no_tls() {
    let world = World::new().await;
    let gateway = world.gateway_with("http://localhost:8080", Startup::default());
    let url = "http://localhost:8080/twilio/voice";
    let parameters = ringing(SID, world.a.number.as_str());
    let signature = twilio_signature::sign(AUTH_TOKEN, url, &parameters);
    let answer = send(gateway.router(), form("/twilio/voice", &parameters, Some(&signature))).await;
    assert!(answer.verbs().contains("\"ws://localhost:8080/twilio/media\""), "{}", answer.body);
}
