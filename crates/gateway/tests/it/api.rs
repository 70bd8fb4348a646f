//! `/v1`, as an operator's command line sees it.

use crate::world::World;
use axum::body::Body;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use seiketsu_domain::{
    CallEnd, CallId, CallTime, EndReason, Message, Pii, Stage, Timeline, ToolOutcome, ToolRun, TurnOutcome,
    TurnRecord, Usage,
};
use seiketsu_gateway::{
    api_key::ApiKey,
    v1::{
        Page, agents::AgentView, call::CallDetail, callbacks::CallbackView, calls::CallView, leads::LeadView,
        mails::MailView, tenants::TenantView, transfers::TransferView, viewings::ViewingView,
        voice_messages::VoiceMessageView,
    },
};
use seiketsu_storage::{
    Reason, callbacks,
    callbacks::Callback,
    calls, leads,
    leads::{Intent, LeadFacts, NewLead},
    outbox,
    outbox::{MailState, NewMail},
    platform::revoke_operator_key,
    transfers,
    transfers::{NewTransfer, TransferState},
    turns, viewings,
    viewings::{Booking, NewViewing},
    voice_messages,
    voice_messages::VoiceMessage,
};
use seiketsu_testkit::Persona;
use std::time::Duration;

fn turn() -> TurnRecord {
    let mut timeline = Timeline::default();
    timeline.reach(Stage::EndOfSpeech, CallTime::from_millis(2_000));
    timeline.reach(Stage::FirstAudioSent, CallTime::from_millis(2_700));
    TurnRecord {
        number: 1,
        caller_text: Pii::new("a house please".into()),
        generated_text: Pii::new("There is one on Maple Street.".into()),
        heard_text: Pii::new("There is one on".into()),
        acknowledgement: None,
        started_at: CallTime::from_millis(1_000),
        finished_at: CallTime::from_millis(4_000),
        outcome: TurnOutcome::Interrupted,
        timeline,
        tools: vec![ToolRun {
            number: 0,
            request: "r1".into(),
            name: "search_listings".into(),
            arguments: "{}".into(),
            asked_at: CallTime::from_millis(2_100),
            finished_at: Some(CallTime::from_millis(2_150)),
            outcome: Some(ToolOutcome::Done(serde_json::json!({"listings": []}))),
        }],
        messages: vec![Message::Caller { text: Pii::new("a house please".into()) }],
        usage: Usage { input_tokens: 11, ..Usage::default() },
    }
}

/// A call with a turn, a lead and a viewing.
async fn eventful_call(world: &World, persona: &Persona) -> CallId {
    let call = world.base.call(persona).await;
    let at = world.base.now();
    let mut tenant = world.base.tenant(persona).await;
    turns::commit_turn(&mut tenant, call, &turn()).await.unwrap();
    let facts = LeadFacts { intent: Some(Intent::Buy), ..LeadFacts::default() };
    let lead = NewLead {
        id: world.ids.next(),
        phone: Some(Pii::new("+15125550142".parse().unwrap())),
        call_id: call,
        facts,
        score: 72,
        score_reasons: vec!["Wants to buy.".into()],
        at,
    };
    let lead = leads::upsert(&mut tenant, &lead).await.unwrap();
    let viewing = NewViewing {
        id: world.ids.next(),
        listing_id: persona.listings[0].id,
        lead_id: Some(lead.id),
        call_id: Some(call),
        visitor_name: Pii::new("Anna Lee".into()),
        visitor_phone: None,
        starts_at: "2026-11-25T16:00:00Z".parse().unwrap(),
        ends_at: "2026-11-25T16:30:00Z".parse().unwrap(),
        buffer: Duration::from_mins(15),
        at,
    };
    assert!(matches!(viewings::book(&mut tenant, &viewing).await.unwrap(), Booking::Booked(_)));
    let phone = || Pii::new("+15125550142".parse().unwrap());
    let message = VoiceMessage {
        id: world.ids.next(),
        call_id: call,
        for_name: Some("Grace".into()),
        body: Pii::new("The key is under the mat.".into()),
        caller_name: None,
        caller_phone: Some(phone()),
        created_at: at,
    };
    voice_messages::insert(&mut tenant, &message).await.unwrap();
    let promise = Callback {
        id: world.ids.next(),
        call_id: call,
        phone: phone(),
        about: None,
        due_from: at,
        due_until: at,
        created_at: at,
    };
    callbacks::upsert(&mut tenant, &promise).await.unwrap();
    let transfer = NewTransfer {
        id: world.ids.next(),
        call_id: call,
        to_name: "Sales desk".into(),
        to_number: "+15125550161".parse().unwrap(),
        summary: Pii::new("Anna Lee asks about Maple Street.".into()),
        at,
    };
    transfers::arrange(&mut tenant, &transfer).await.unwrap();
    let mail = NewMail {
        id: world.ids.next(),
        call_id: call,
        sender: None,
        recipient: Pii::new("anna@lee.example".into()),
        subject: Pii::new("Homes".into()),
        body: Pii::new("Two homes.".into()),
        at,
    };
    outbox::enqueue(&mut tenant, &mail).await.unwrap();
    tenant.commit().await.unwrap();
    call
}

#[tokio::test]
async fn without_a_key_that_is_known_nothing_is_told() {
    let world = World::new().await;
    let key = world.operator().await;
    let unauthorized = (401, "unauthorized".to_owned());
    let paths = [
        "/v1/tenants",
        "/v1/agents?tenant=anna-homes",
        "/v1/agents",
        "/v1/listings?tenant=anna-homes",
        "/v1/calls/events?tenant=anna-homes",
        "/v1/tenants/anna-homes/members",
        "/v1/calls?tenant=anna-homes",
        "/v1/calls/call_x",
        "/v1/viewings?tenant=anna-homes",
        "/v1/leads?tenant=anna-homes",
        "/v1/voice-messages?tenant=anna-homes",
        "/v1/callbacks?tenant=anna-homes",
        "/v1/transfers?tenant=anna-homes",
        "/v1/mails?tenant=anna-homes",
    ];
    for path in paths {
        let answer = world.get(path, None).await;
        assert_eq!(answer.problem(), unauthorized, "{path}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        let unknown = ApiKey::generate(&world.ids);
        assert_eq!(world.get(path, Some(&unknown)).await.problem(), unauthorized, "{path}");
    }
    for header in ["", "Bearer", "Basic abc", "Bearer skt_live_x", "Bearer \u{e9}"] {
        let request = Request::get("/v1/tenants")
            .header(AUTHORIZATION, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.problem(), unauthorized, "{header}");
    }
    assert_eq!(world.get("/v1/tenants", Some(&key)).await.status, 200);
    let mut system = world.db().system(Reason::ManageOperatorKeys).await.unwrap();
    revoke_operator_key(&mut system, &key.sha256(), world.base.now()).await.unwrap();
    system.commit().await.unwrap();
    assert_eq!(world.get("/v1/tenants", Some(&key)).await.problem(), unauthorized, "revoked");
}

#[tokio::test]
async fn an_operator_sees_brokerages_their_agents_and_numbers() {
    let world = World::new().await;
    let key = world.operator().await;
    let tenants: Page<TenantView> = world.get("/v1/tenants", Some(&key)).await.json();
    let slugs: Vec<&str> = tenants.items.iter().map(|tenant| tenant.slug.as_str()).collect();
    assert_eq!(slugs, ["anna-homes", "boris-realty"]);
    for name in ["anna-homes".to_owned(), tenants.items[0].id.to_string()] {
        let agents: Page<AgentView> =
            world.get(&format!("/v1/agents?tenant={name}"), Some(&key)).await.json();
        let [agent] = &agents.items[..] else { panic!("not one agent") };
        assert_eq!((&agent.profile, &agent.numbers), (&world.a.agent, &vec![world.a.number.clone()]));
        let own = &agent.profile.acknowledgements;
        assert!(agent.bridges.len() > own.len() && own.iter().all(|text| agent.bridges.contains(text)));
    }
    let nobody = world.get("/v1/agents?tenant=nobody", Some(&key)).await;
    assert_eq!(nobody.problem(), (404, "not-found".into()));
}

#[tokio::test]
async fn calls_are_listed_newest_first_a_page_at_a_time() {
    let world = World::new().await;
    let key = world.operator().await;
    let mut begun = Vec::new();
    for _ in 0..5 {
        world.clock.advance(Duration::from_secs(1));
        begun.push(world.base.call(&world.a).await);
    }
    world.base.call(&world.b).await;
    begun.reverse();
    let (mut listed, mut pages, mut query) = (Vec::new(), 0, String::new());
    loop {
        let page: Page<CallView> =
            world.get(&format!("/v1/calls?tenant=anna-homes&limit=2{query}"), Some(&key)).await.json();
        assert!(page.items.iter().all(|call| call.tenant_id == world.a.tenant.id() && call.ended.is_none()));
        listed.extend(page.items.iter().map(|call| call.id));
        pages += 1;
        let Some(cursor) = page.next_cursor else { break };
        query = format!("&cursor={cursor}");
    }
    assert_eq!((listed, pages), (begun, 3));
}

#[tokio::test]
async fn a_call_is_shown_with_all_that_happened_in_it() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = eventful_call(&world, &world.a).await;
    let path = format!("/v1/calls/{call}");
    let live: CallDetail = world.get(&path, Some(&key)).await.json();
    assert_eq!((live.duration_ms, live.usage.input_tokens), (None, 11), "what is committed so far");
    assert_eq!((live.viewings.len(), live.leads.len()), (1, 1));
    let [shown] = &live.turns[..] else { panic!("not one turn") };
    assert_eq!((shown.first_audible_ms, shown.first_substantive_ms), (Some(700), Some(700)));
    assert_eq!(shown.stages_us[&Stage::EndOfSpeech], 2_000_000);
    assert_eq!(shown.outcome, TurnOutcome::Interrupted);
    assert_eq!((&shown.heard_text, &shown.messages), (&turn().heard_text, &turn().messages));
    assert_eq!(shown.tools[0].finished_at_us, Some(2_150_000));

    let end = CallEnd {
        reason: EndReason::CallerHungUp,
        ended_at: CallTime::from_millis(9_000),
        turns: 1,
        usage: Usage { input_tokens: 12, ..Usage::default() },
    };
    let mut tenant = world.base.tenant(&world.a).await;
    assert!(calls::end_call(&mut tenant, call, &end).await.unwrap());
    tenant.commit().await.unwrap();
    let ended: CallDetail = world.get(&path, Some(&key)).await.json();
    assert_eq!((ended.duration_ms, ended.usage.input_tokens), (Some(9_000), 12));
    assert_eq!(ended.call.ended.unwrap().reason, EndReason::CallerHungUp);
}

#[tokio::test]
async fn viewings_and_leads_are_listed_whole_or_by_call() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = eventful_call(&world, &world.a).await;
    let quiet = world.base.call(&world.a).await;
    for (query, expected) in [(String::new(), 1), (format!("&call={call}"), 1), (format!("&call={quiet}"), 0)]
    {
        let viewings: Page<ViewingView> =
            world.get(&format!("/v1/viewings?tenant=anna-homes{query}"), Some(&key)).await.json();
        let leads: Page<LeadView> =
            world.get(&format!("/v1/leads?tenant=anna-homes{query}"), Some(&key)).await.json();
        assert_eq!((viewings.items.len(), leads.items.len()), (expected, expected), "{query}");
    }
    let leads: Page<LeadView> = world.get("/v1/leads?tenant=anna-homes", Some(&key)).await.json();
    assert_eq!((leads.items[0].score, leads.items[0].intent), (72, Some(Intent::Buy)));
    let viewings: Page<ViewingView> = world.get("/v1/viewings?tenant=anna-homes", Some(&key)).await.json();
    assert_eq!(viewings.items[0].visitor_name.expose(), "Anna Lee");
    assert_eq!(viewings.items[0].lead_id, Some(leads.items[0].id));
}

#[tokio::test]
async fn messages_calls_back_transfers_and_mail_are_listed_whole_or_by_call_and_named_in_the_call() {
    let world = World::new().await;
    let key = world.operator().await;
    let call = eventful_call(&world, &world.a).await;
    let quiet = world.base.call(&world.a).await;
    for (query, expected) in [(String::new(), 1), (format!("&call={call}"), 1), (format!("&call={quiet}"), 0)]
    {
        let path = |noun: &str| format!("/v1/{noun}?tenant=anna-homes{query}");
        let messages: Page<VoiceMessageView> = world.get(&path("voice-messages"), Some(&key)).await.json();
        let promises: Page<CallbackView> = world.get(&path("callbacks"), Some(&key)).await.json();
        let transfers: Page<TransferView> = world.get(&path("transfers"), Some(&key)).await.json();
        let mails: Page<MailView> = world.get(&path("mails"), Some(&key)).await.json();
        let counts = [messages.items.len(), promises.items.len(), transfers.items.len(), mails.items.len()];
        assert_eq!(counts, [expected; 4], "{query}");
        if query.contains(&call.to_string()) {
            assert_eq!(messages.items[0].body.expose(), "The key is under the mat.");
            assert_eq!(transfers.items[0].state, TransferState::Arranged);
            let detail: CallDetail = world.get(&format!("/v1/calls/{call}"), Some(&key)).await.json();
            assert_eq!(detail.transfers, transfers.items);
            assert_eq!(detail.voice_messages, [messages.items[0].id]);
            assert_eq!(detail.callbacks, [promises.items[0].id]);
            assert_eq!(detail.mails, [mails.items[0].id]);
        }
    }
    for (state, expected) in [(MailState::Queued, 1), (MailState::Dead, 0)] {
        let path = format!("/v1/mails?tenant=anna-homes&state={state}");
        let mails: Page<MailView> = world.get(&path, Some(&key)).await.json();
        assert_eq!(mails.items.len(), expected, "{state}");
    }
    let bad = world.get("/v1/mails?tenant=anna-homes&state=lost", Some(&key)).await;
    assert_eq!(bad.problem(), (400, "bad-query".into()));
}

#[tokio::test]
async fn what_is_missing_and_what_is_somebody_elses_look_the_same() {
    let world = World::new().await;
    let key = world.operator().await;
    let call_of_b = eventful_call(&world, &world.b).await;
    let random: CallId = world.ids.next();
    for noun in ["viewings", "leads", "voice-messages", "callbacks", "transfers", "mails"] {
        let ask = async |call: CallId| {
            world.get(&format!("/v1/{noun}?tenant=anna-homes&call={call}"), Some(&key)).await.comparable()
        };
        assert_eq!(ask(call_of_b).await, ask(random).await, "{noun}");
    }
    let lead_of_b = {
        let mut tenant = world.base.tenant(&world.b).await;
        leads::list(&mut tenant, None, None, 1).await.unwrap()[0].id
    };
    let missing = world.get(&format!("/v1/calls/{random}"), Some(&key)).await;
    assert_eq!(missing.problem(), (404, "not-found".into()));
    for id in [lead_of_b.to_string(), "call_x".into(), random.to_string().to_uppercase(), "%00".into()] {
        let answer = world.get(&format!("/v1/calls/{id}"), Some(&key)).await;
        assert_eq!(answer.comparable(), missing.comparable(), "{id}");
    }
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_a_problem_and_not_ignored() {
    let world = World::new().await;
    let key = world.operator().await;
    for path in [
        "/v1/calls",
        "/v1/calls?tenant=anna-homes&limit=0",
        "/v1/calls?tenant=anna-homes&limit=1000",
        "/v1/calls?tenant=anna-homes&limit=x",
        "/v1/calls?tenant=anna-homes&cursor=x",
        "/v1/calls?tenant=anna-homes&color=red",
        "/v1/viewings?tenant=anna-homes&call=lead_x",
    ] {
        assert_eq!(world.get(path, Some(&key)).await.problem(), (400, "bad-query".into()), "{path}");
    }
    assert_eq!(world.get("/v1/calls?tenant=nobody", Some(&key)).await.problem().0, 404);
    assert_eq!(world.get("/v1/nothing", Some(&key)).await.problem().0, 404);
}

#[tokio::test]
async fn while_the_database_is_away_the_api_says_so() {
    let world = World::new().await;
    let key = world.operator().await;
    world.db().close().await;
    let answer = world.get("/v1/tenants", Some(&key)).await;
    assert_eq!(answer.problem(), (503, "unavailable".into()));
    assert!(!answer.body.contains("pool"), "nothing of the inside: {}", answer.body);
}
