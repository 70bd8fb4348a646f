//! A tenant's own key reads what is the tenant's, and nothing of anybody else's.

use crate::world::World;
use seiketsu_domain::{CallId, ListingId};
use seiketsu_gateway::v1::{
    Page, agents::AgentView, calls::CallView, leads::LeadView, listings::ListingView, viewings::ViewingView,
};
use seiketsu_storage::{
    calls, leads,
    leads::{Intent, LeadFacts, NewLead},
    viewings,
    viewings::{Booking, NewViewing},
};
use seiketsu_testkit::Persona;
use std::time::Duration;

/// A call with a lead and a viewing.
async fn call_with_everything(world: &World, persona: &Persona, intent: Intent, score: u8) -> CallId {
    let call = world.base.call(persona).await;
    let at = world.base.now();
    let mut tenant = world.base.tenant(persona).await;
    let lead = NewLead {
        id: world.ids.next(),
        phone: None,
        call_id: call,
        facts: LeadFacts { intent: Some(intent), ..LeadFacts::default() },
        score,
        score_reasons: Vec::new(),
        at,
    };
    let lead = leads::upsert(&mut tenant, &lead).await.unwrap();
    let starts_at = at + jiff::SignedDuration::from_hours(i64::from(score));
    let viewing = NewViewing {
        id: world.ids.next(),
        listing_id: persona.listings[0].id,
        lead_id: Some(lead.id),
        call_id: Some(call),
        visitor_name: seiketsu_domain::Pii::new("Anna Lee".into()),
        visitor_phone: None,
        starts_at,
        ends_at: starts_at + jiff::SignedDuration::from_mins(30),
        buffer: Duration::from_mins(15),
        at,
    };
    assert!(matches!(viewings::book(&mut tenant, &viewing).await.unwrap(), Booking::Booked(_)));
    tenant.commit().await.unwrap();
    call
}

#[tokio::test]
async fn a_tenants_key_reads_its_own_without_naming_it_and_nothing_of_another() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    let (ours, theirs) = (
        call_with_everything(&world, &world.a, Intent::Buy, 10).await,
        call_with_everything(&world, &world.b, Intent::Rent, 20).await,
    );
    let agents: Page<AgentView> = world.get("/v1/agents", Some(&key)).await.json();
    assert_eq!(agents.items[0].profile, world.a.agent);
    let calls: Page<CallView> = world.get("/v1/calls?tenant=anna-homes", Some(&key)).await.json();
    assert_eq!(calls.items.iter().map(|call| call.id).collect::<Vec<_>>(), [ours]);
    let listings: Page<ListingView> = world.get("/v1/listings", Some(&key)).await.json();
    assert_eq!(listings.items.len(), world.a.listings.len());
    assert!(listings.items.iter().all(|one| world.a.listings.iter().any(|own| own.id == one.id)));
    let own = format!("/v1/listings/{}", world.a.listings[0].id);
    let listing: ListingView = world.get(&own, Some(&key)).await.json();
    assert_eq!(listing.reference, world.a.listings[0].reference);

    // What is somebody else's and what never was cannot be told apart, wherever the id stands.
    let (their_listing, their_agent) = (world.b.listings[0].id, world.b.agent.id);
    let pairs = [
        (format!("/v1/calls/{theirs}"), format!("/v1/calls/{}", world.ids.next::<CallId>())),
        (format!("/v1/listings/{their_listing}"), format!("/v1/listings/{}", world.ids.next::<ListingId>())),
        ("/v1/calls?tenant=boris-realty".into(), "/v1/calls?tenant=nobody".into()),
        (format!("/v1/leads?tenant={}", world.b.scope.tenant_id()), "/v1/leads?tenant=nobody".into()),
        (
            format!("/v1/calls?agent={their_agent}"),
            format!("/v1/calls?agent={}", world.ids.next::<seiketsu_domain::AgentId>()),
        ),
        (format!("/v1/leads?call={theirs}"), format!("/v1/leads?call={}", world.ids.next::<CallId>())),
        (format!("/v1/viewings?call={theirs}"), format!("/v1/viewings?call={}", world.ids.next::<CallId>())),
        (
            format!("/v1/viewings?listing={their_listing}"),
            format!("/v1/viewings?listing={}", world.ids.next::<ListingId>()),
        ),
        (format!("/v1/mails?call={theirs}"), format!("/v1/mails?call={}", world.ids.next::<CallId>())),
        (
            format!("/v1/transfers?call={theirs}"),
            format!("/v1/transfers?call={}", world.ids.next::<CallId>()),
        ),
        (
            format!("/v1/callbacks?call={theirs}"),
            format!("/v1/callbacks?call={}", world.ids.next::<CallId>()),
        ),
        (
            format!("/v1/voice-messages?call={theirs}"),
            format!("/v1/voice-messages?call={}", world.ids.next::<CallId>()),
        ),
        (
            format!("/v1/calls/{theirs}/recordings/0"),
            format!("/v1/calls/{}/recordings/0", world.ids.next::<CallId>()),
        ),
    ];
    for (foreign, random) in pairs {
        let (foreign_answer, random_answer) =
            (world.get(&foreign, Some(&key)).await, world.get(&random, Some(&key)).await);
        assert_eq!(foreign_answer.comparable(), random_answer.comparable(), "{foreign}");
        for canary in [theirs.to_string(), their_listing.to_string(), world.b.agent.name.clone()] {
            assert!(!foreign_answer.body.contains(&canary), "{foreign}: {}", foreign_answer.body);
        }
    }
    // What is the platform's is not for tenants.
    for path in ["/v1/tenants", "/v1/tenants/anna-homes/keys", "/v1/tenants/anna-homes/members"] {
        assert_eq!(world.get(path, Some(&key)).await.problem(), (403, "not-allowed".into()), "{path}");
    }
    // An operator has to say whose.
    let operator = world.operator().await;
    assert_eq!(world.get("/v1/calls", Some(&operator)).await.problem(), (400, "bad-query".into()));
}

#[tokio::test]
async fn lists_are_filtered_by_what_they_are_asked_for() {
    let world = World::new().await;
    let key = world.key_of(&world.a).await;
    let first = call_with_everything(&world, &world.a, Intent::Buy, 10).await;
    world.clock.advance(Duration::from_hours(1));
    let second = call_with_everything(&world, &world.a, Intent::Rent, 60).await;
    let mut tenant = world.base.tenant(&world.a).await;
    let end = seiketsu_domain::CallEnd {
        reason: seiketsu_domain::EndReason::CallerHungUp,
        ended_at: seiketsu_domain::CallTime::from_millis(5_000),
        turns: 0,
        usage: seiketsu_domain::Usage::default(),
    };
    assert!(calls::end_call(&mut tenant, first, &end).await.unwrap());
    tenant.commit().await.unwrap();
    let calls = async |query: &str| -> Vec<CallId> {
        let page: Page<CallView> = world.get(&format!("/v1/calls?{query}"), Some(&key)).await.json();
        page.items.into_iter().map(|call| call.id).collect()
    };
    assert_eq!(calls("").await, [second, first]);
    assert_eq!(calls("status=live").await, [second]);
    assert_eq!(calls("status=ended").await, [first]);
    assert_eq!(calls(&format!("agent={}", world.a.agent.id)).await, [second, first]);
    let between = world.base.now() - jiff::SignedDuration::from_mins(30);
    assert_eq!(calls(&format!("since={between}")).await, [second]);
    assert_eq!(calls(&format!("until={between}")).await, [first]);
    assert_eq!(calls("from=%2B15125550000").await, []);

    let leads = async |query: &str| -> Vec<u8> {
        let page: Page<LeadView> = world.get(&format!("/v1/leads?{query}"), Some(&key)).await.json();
        page.items.into_iter().map(|lead| lead.score).collect()
    };
    assert_eq!(leads("").await, [60, 10]);
    assert_eq!(leads("intent=buy").await, [10]);
    assert_eq!(leads("min_score=11").await, [60]);
    assert_eq!(leads(&format!("call={first}")).await, [10]);
    assert!(leads("phone=%2B15125550000").await.is_empty());

    let viewings = async |query: &str| -> Vec<CallId> {
        let page: Page<ViewingView> = world.get(&format!("/v1/viewings?{query}"), Some(&key)).await.json();
        page.items.into_iter().filter_map(|viewing| viewing.call_id).collect()
    };
    assert_eq!(viewings("").await, [second, first]);
    let day = world.base.now() + jiff::SignedDuration::from_hours(24);
    assert_eq!(viewings(&format!("from={day}")).await, [second]);
    assert_eq!(viewings(&format!("until={day}")).await, [first]);
    assert_eq!(viewings("status=cancelled").await, []);
    assert_eq!(viewings(&format!("listing={}", world.a.listings[0].id)).await, [second, first]);

    let listings = async |query: &str| -> usize {
        let page: Page<ListingView> = world.get(&format!("/v1/listings?{query}"), Some(&key)).await.json();
        page.items.len()
    };
    let all = &world.a.listings;
    assert_eq!(listings("").await, all.len());
    let dear = all.iter().map(|one| one.price.0).max().unwrap();
    let as_dear = all.iter().filter(|one| one.price.0 == dear).count();
    assert_eq!(listings(&format!("min_price_micro_dollars={dear}")).await, as_dear);
    let of_kind = all.iter().filter(|one| one.property_type == all[0].property_type).count();
    assert_eq!(listings(&format!("property_type={}", all[0].property_type)).await, of_kind);
    assert_eq!(listings("status=withdrawn").await, 0);
    let page: Page<ListingView> = world.get("/v1/listings?limit=1", Some(&key)).await.json();
    let cursor = page.next_cursor.unwrap();
    let next: Page<ListingView> =
        world.get(&format!("/v1/listings?limit=200&cursor={cursor}"), Some(&key)).await.json();
    assert_eq!(next.items.len(), all.len() - 1);

    for bad in [
        "/v1/calls?status=dead",
        "/v1/calls?since=yesterday",
        "/v1/calls?from=5125550142",
        "/v1/leads?min_score=1000",
        "/v1/listings?offer=gift",
        "/v1/viewings?listing=call_x",
        "/v1/agents?x=1",
    ] {
        assert_eq!(world.get(bad, Some(&key)).await.problem(), (400, "bad-query".into()), "{bad}");
    }
}

#[tokio::test]
async fn the_served_description_is_the_one_in_the_repository_and_names_every_route() {
    let world = World::new().await;
    let served = world.get("/openapi.json", None).await;
    assert_eq!(served.status, 200);
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/openapi.json");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(served.body == kept, "console/openapi.json is not what is served; run `make generate`");
    let document: serde_json::Value = serde_json::from_str(&served.body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    // Each reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not described");
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let problems = operation["responses"].as_object().unwrap();
            assert!(
                operation["operationId"].is_string() && operation["summary"].is_string(),
                "{method} {path}"
            );
            assert!(problems.contains_key("401") || path == "/v1/session", "{method} {path}");
        }
    }
}
