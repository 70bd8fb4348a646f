//! The API door from outside: who is let in, what goes through, and what bad clients get.

use crate::world::{PUBLIC_URL, REALTIME_SESSIONS_OF_TENANT, Session, Socket, World};
use axum::body::Body;
use http::{Request, header::AUTHORIZATION};
use seiketsu_domain::{AudioFormat, TurnOutcome};
use seiketsu_gateway::{api_key::ApiKey, v1::keys::KeyView};
use seiketsu_session::{DoorInput, DoorOutput, Progress, Refused, Shown, Turns};
use seiketsu_testkit::Persona;
use serde_json::{Value, json};

impl World {
    /// A key of this persona's brokerage, made as an operator makes it.
    async fn made_key(&self, persona: &Persona) -> String {
        let operator = self.operator().await;
        let answer = self
            .post(
                &format!("/v1/tenants/{}/keys", persona.scope.tenant_id()),
                operator.expose(),
                &json!({"name": "test"}),
            )
            .await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        serde_json::from_str::<KeyView>(&answer.body).unwrap().key.unwrap()
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> crate::world::Answer {
        let request = Request::post(path)
            .header(AUTHORIZATION, format!("Bearer {key}"))
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn secret_of(&self, persona: &Persona) -> String {
        let key = self.made_key(persona).await;
        let body = json!({"session": {"type": "realtime", "model": persona.agent.id}});
        let made: Value = self.post("/v1/realtime/client_secrets", &key, &body).await.json();
        made["value"].as_str().unwrap().to_owned()
    }

    /// A session that is under way: the client's end and the session's.
    async fn realtime(&mut self) -> (Socket, Session) {
        let (bearer, query) = self.way_in(&self.a).await;
        self.realtime_by(&bearer, &query).await
    }

    /// A new key of this persona, as a header, and what its agent is asked for with.
    async fn way_in(&self, persona: &Persona) -> (String, String) {
        (format!("Bearer {}", self.made_key(persona).await), format!("model={}", persona.agent.id))
    }

    async fn realtime_by(&mut self, bearer: &str, query: &str) -> (Socket, Session) {
        let mut socket = self.try_realtime(query, &[("authorization", bearer)]).await.unwrap();
        assert_eq!(kind(&socket.hear().await), "session.created");
        socket.say(json!({"type": "session.update", "session": {"type": "realtime"}}).to_string()).await;
        assert_eq!(kind(&socket.hear().await), "session.updated");
        let (begin, door) = self.answered().await;
        assert_eq!((begin.format, &begin.vendor_call_sid), (AudioFormat::Pcm24k, &None));
        assert!(door.shows);
        (socket, Session { door })
    }
}

fn kind(event: &str) -> String {
    serde_json::from_str::<Value>(event).unwrap()["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_or_a_secret_opens_the_agents_of_its_own_tenant_and_nothing_else() {
    let world = World::new().await;
    let (a, b) = (world.a.clone(), world.b.clone());
    let (key, secret, operator) =
        (world.made_key(&a).await, world.secret_of(&a).await, world.operator().await.expose().to_owned());
    let foreign = ApiKey::generate(&world.ids).expose().to_owned();
    let ask = async |query: String, headers: Vec<(&'static str, String)>| {
        let headers: Vec<(&'static str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        world.try_realtime(&query, &headers).await.map(drop).map_err(|status| status.as_u16())
    };
    let bearer = |key: &str| vec![("authorization", format!("Bearer {key}"))];
    let protocol =
        |key: &str| vec![("sec-websocket-protocol", format!("realtime, openai-insecure-api-key.{key}"))];
    let mine = || format!("model={}", a.agent.id);
    let theirs = || format!("model={}", b.agent.id);
    assert_eq!(ask(mine(), bearer(&key)).await, Ok(()));
    assert_eq!(ask(mine(), protocol(&secret)).await, Ok(()), "as browsers send it");
    assert_eq!(ask(format!("agent={}", a.agent.name), bearer(&key)).await, Ok(()), "by name");
    for (query, headers, status) in [
        (theirs(), bearer(&key), 404),
        (theirs(), bearer(&secret), 404),
        ("model=agt_nonsense".to_owned(), bearer(&key), 404),
        (String::new(), bearer(&key), 400),
        (mine(), Vec::new(), 401),
        (mine(), bearer(&foreign), 401),
        (mine(), bearer(&operator), 401),
        (mine(), bearer("skt_live_typo"), 401),
        (mine(), bearer(&format!("{secret}x")), 401),
        (mine(), vec![("origin", "https://elsewhere.example".to_owned()), bearer(&key).remove(0)], 403),
    ] {
        assert_eq!(ask(query.clone(), headers.clone()).await, Err(status), "{query} {headers:?}");
    }
    let same_origin = vec![("origin", PUBLIC_URL.to_owned()), bearer(&key).remove(0)];
    assert_eq!(ask(mine(), same_origin).await, Ok(()));
    let page = vec![("origin", "https://elsewhere.example".to_owned()), protocol(&secret).remove(0)];
    assert_eq!(ask(mine(), page).await, Ok(()), "secrets are for pages of the brokerage's own");
    world.clock.advance(std::time::Duration::from_secs(601));
    assert_eq!(ask(mine(), bearer(&secret)).await, Err(401), "a secret is good for ten minutes");
}

#[tokio::test]
async fn a_session_for_transcription_says_so_and_is_never_answered_unasked() {
    let mut world = World::new().await;
    let key = format!("Bearer {}", world.made_key(&world.a.clone()).await);
    let query = format!("intent=transcription&agent={}", world.a.agent.id);
    let mut socket = world.try_realtime(&query, &[("authorization", &*key)]).await.unwrap();
    let created: Value = serde_json::from_str(&socket.hear().await).unwrap();
    assert_eq!(created["session"]["type"], "transcription");
    socket.say(json!({"type": "session.update", "session": {"type": "transcription"}}).to_string()).await;
    assert_eq!(kind(&socket.hear().await), "session.updated");
    let (begin, _door) = world.answered().await;
    assert_eq!(begin.update.turns, Some(Turns::Unanswered));
    let other = format!("intent=dictation&agent={}", world.a.agent.id);
    assert_eq!(world.try_realtime(&other, &[("authorization", &*key)]).await.err().unwrap(), 400);
}

#[tokio::test]
async fn a_secret_makes_no_secrets_and_lives_no_longer_than_two_hours() {
    let world = World::new().await;
    let a = world.a.clone();
    let (key, secret) = (world.made_key(&a).await, world.secret_of(&a).await);
    let session = json!({"type": "realtime", "model": a.agent.name});
    let ask = async |key: &str, body: Value| {
        let answer = world.post("/v1/realtime/client_secrets", key, &body).await;
        if answer.status == 200 { (200, String::new()) } else { answer.problem() }
    };
    assert_eq!(ask(&secret, json!({"session": session})).await, (403, "not-allowed".to_owned()));
    let lasting = |seconds: i64| json!({"session": session, "expires_after": {"anchor": "created_at", "seconds": seconds}});
    assert_eq!(ask(&key, lasting(7_200)).await.0, 200);
    for seconds in [9, 7_201, -1] {
        assert_eq!(ask(&key, lasting(seconds)).await, (400, "bad-body".to_owned()));
    }
    assert_eq!(ask(&key, json!({"session": {"model": "nobody"}})).await, (404, "not-found".to_owned()));
    assert_eq!(ask(&key, json!([])).await, (400, "bad-body".to_owned()));
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_and_keys_are_listed_without_themselves() {
    let world = World::new().await;
    let (a, operator) = (world.a.clone(), world.operator().await);
    let key = world.made_key(&a).await;
    let session = json!({"session": {"type": "realtime", "model": a.agent.id}});
    let secret: Value = world.post("/v1/realtime/client_secrets", &key, &session).await.json();
    let secret = format!("Bearer {}", secret["value"].as_str().unwrap());
    let model = format!("model={}", a.agent.id);
    assert!(world.try_realtime(&model, &[("authorization", &*secret)]).await.is_ok());
    let path = format!("/v1/tenants/{}/keys", a.scope.tenant_id());
    let listed = world.get(&path, Some(&operator)).await;
    assert!(listed.body.contains(&key[..13]) && !listed.body.contains(&key), "{}", listed.body);
    let delete = async |prefix: &str| {
        let request = Request::delete(format!("{path}/{prefix}"))
            .header(AUTHORIZATION, format!("Bearer {}", operator.expose()));
        world.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(delete(&key[..13]).await, 204);
    assert_eq!(delete(&key[..13]).await, 404, "there is none left to revoke");
    let headers = [("authorization", &*format!("Bearer {key}"))];
    let refused = world.try_realtime(&model, &headers).await.map(drop);
    assert_eq!(refused.unwrap_err(), 401);
    let refused = world.try_realtime(&model, &[("authorization", &*secret)]).await.map(drop);
    assert_eq!(refused.unwrap_err(), 401, "a secret is good for as long as its key at most");
}

#[tokio::test]
async fn audio_and_answers_go_through_and_a_client_that_leaves_has_hung_up() {
    let mut world = World::new().await;
    let (mut socket, mut session) = world.realtime().await;
    let audio = base64_simd::STANDARD.encode_to_string([7_u8; 480]);
    socket.say(json!({"type": "input_audio_buffer.append", "audio": audio}).to_string()).await;
    assert_eq!(session.heard().await, DoorInput::Audio(vec![7; 480].into()));
    session.says(DoorOutput::Shown(Shown::Progress(Progress::Answering { turn: 0, asked: None }))).await;
    assert_eq!(kind(&socket.hear().await), "response.created");
    session.says(DoorOutput::Audio(vec![1; 960].into())).await;
    session.says(DoorOutput::Mark(9)).await;
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|last| last != "response.output_audio.delta") {
        kinds.push(kind(&socket.hear().await));
    }
    world.clock.advance(std::time::Duration::from_millis(20));
    assert_eq!(session.heard().await, DoorInput::Mark(9), "when the client has played it");
    socket.say(tokio_tungstenite::tungstenite::Message::Close(None)).await;
    assert_eq!(session.heard_to_the_end().await.1, [DoorInput::HungUp]);
    let [call] = &world.calls_of(&world.a.clone()).await[..] else { panic!("one call is on record") };
    assert_eq!((&call.to, &call.from), (&None, &None));
}

#[tokio::test]
async fn what_is_no_event_is_refused_and_the_session_stays_open() {
    let mut world = World::new().await;
    let (mut socket, mut session) = world.realtime().await;
    for (event, code) in [
        ("{", "invalid_event"),
        (r#"{"type":"session.rename"}"#, "invalid_value"),
        (r#"{"type":"input_audio_buffer.append","audio":"?"}"#, "invalid_value"),
        (r#"{"type":"response.cancel"}"#, "response_cancel_not_active"),
    ] {
        socket.say(event).await;
        let error: Value = serde_json::from_str(&socket.hear().await).unwrap();
        assert_eq!((&error["type"], &error["error"]["code"]), (&json!("error"), &json!(code)), "{event}");
    }
    let audio = base64_simd::STANDARD.encode_to_string([7_u8; 480]);
    socket.say(json!({"type": "input_audio_buffer.append", "audio": audio}).to_string()).await;
    assert!(matches!(session.heard().await, DoorInput::Audio(_)), "it goes on");
}

#[tokio::test]
async fn what_is_not_this_protocol_at_all_is_closed() {
    let mut world = World::new().await;
    let (mut socket, mut session) = world.realtime().await;
    socket.say(tokio_tungstenite::tungstenite::Message::Binary(vec![0; 16].into())).await;
    assert_eq!(socket.closed().await, (1008, "binary".to_owned()));
    assert_eq!(session.heard_to_the_end().await.1, [DoorInput::HungUp]);
    let (mut socket, mut session) = world.realtime().await;
    let audio = "A".repeat(21 << 20);
    socket.shout(json!({"type": "input_audio_buffer.append", "audio": audio}).to_string()).await;
    assert_eq!(session.heard_to_the_end().await, (0, vec![DoorInput::HungUp]), "nothing of it was kept");
}

#[tokio::test]
async fn a_session_that_ends_or_is_refused_says_so_by_its_close_code() {
    let mut world = World::new().await;
    let (mut socket, session) = world.realtime().await;
    session.says(DoorOutput::Close).await;
    assert_eq!(socket.closed().await, (1000, "agent_done".to_owned()));
    let key = world.made_key(&world.a.clone()).await;
    for (refusal, closing) in
        [((|| Refused::Full) as fn() -> Refused, (1013, "full")), (|| Refused::Draining, (1012, "draining"))]
    {
        world.switchboard.refuse(refusal);
        let headers = [("authorization", &*format!("Bearer {key}"))];
        let query = format!("model={}", world.a.agent.id);
        let mut socket = world.try_realtime(&query, &headers).await.unwrap();
        assert_eq!(kind(&socket.hear().await), "session.created");
        assert_eq!(kind(&socket.hear().await), "error");
        assert_eq!(socket.closed().await, (closing.0, closing.1.to_owned()));
    }
}

#[tokio::test]
async fn programs_take_no_more_places_than_they_may_and_give_them_back() {
    let world = World::new().await;
    let mut open = Vec::new();
    for (persona, places) in [(&world.a, REALTIME_SESSIONS_OF_TENANT), (&world.b, 2)] {
        let (bearer, query) = world.way_in(persona).await;
        let headers = [("authorization", bearer.as_str())];
        for _ in 0..places {
            open.push(world.try_realtime(&query, &headers).await.unwrap());
        }
    }
    let (bearer, query) = world.way_in(&world.a).await;
    let headers = [("authorization", bearer.as_str())];
    let refused = async || world.try_realtime(&query, &headers).await.map(drop).unwrap_err();
    assert_eq!(refused().await, 429, "a brokerage has no more than its share");
    let (of_other, query_of_other) = world.way_in(&world.b).await;
    let headers_of_other = [("authorization", of_other.as_str())];
    let of_all = world.try_realtime(&query_of_other, &headers_of_other).await.map(drop).unwrap_err();
    assert_eq!(of_all, 503, "and all of them no more than there are");
    let mut leaves = open.remove(0);
    leaves.say(tokio_tungstenite::tungstenite::Message::Close(None)).await;
    leaves.closed().await;
    while world.try_realtime(&query, &headers).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_key_that_has_used_up_what_it_may_opens_no_session_and_another_does() {
    let mut world = World::new().await;
    let (bearer, query) = world.way_in(&world.a).await;
    let (mut socket, session) = world.realtime_by(&bearer, &query).await;
    let shown = |progress| DoorOutput::Shown(Shown::Progress(progress));
    for turn in 0..5 {
        session.says(shown(Progress::Answering { turn, asked: None })).await;
        while kind(&socket.hear().await) != "rate_limits.updated" {}
        session.says(shown(Progress::Over { turn, outcome: TurnOutcome::Answered })).await;
    }
    socket.say(json!({"type": "response.create"}).to_string()).await;
    let error = loop {
        let event: Value = serde_json::from_str(&socket.hear().await).unwrap();
        if event["type"] == "error" {
            break event["error"]["code"].clone();
        }
    };
    assert_eq!(error, "rate_limit_exceeded");
    assert_eq!(world.try_realtime(&query, &[("authorization", &bearer)]).await.map(drop).unwrap_err(), 429);
    let (other, _) = world.way_in(&world.a).await;
    assert!(world.try_realtime(&query, &[("authorization", &other)]).await.is_ok(), "another key");
}
