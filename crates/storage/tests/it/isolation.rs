use crate::turns::turn;
use jiff::Timestamp;
use seiketsu_domain::{AgentId, CallEnd, CallId, CallTime, EndReason, LeadId, ListingId, Usage, ViewingId};
use seiketsu_storage::{
    agents,
    callbacks::{self, Callback},
    calls,
    ids::{MailId, TransferTargetId},
    leads::{self, LeadFacts, NewLead},
    listings::{self, ListingFilter, ListingStatus},
    outbox::{self, NewMail},
    settings::{self, Settings},
    transfer_targets::{self, TransferTarget},
    transfers::{self, NewTransfer, TransferState},
    turns, usage,
    viewings::{self, Booking, NewViewing},
    voice_messages::{self, VoiceMessage},
};
use seiketsu_testkit::World;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::time::Duration;

/// One id of each noun.
struct Ids {
    agent: AgentId,
    listing: ListingId,
    call: CallId,
    lead: LeadId,
    viewing: ViewingId,
    target: TransferTargetId,
    mail: MailId,
}

/// Gives Boris one row of each noun.
async fn furnish(world: &World) -> Ids {
    let boris = &world.boris;
    let call = world.call(boris).await;
    let mut tx = world.tenant(boris).await;
    turns::commit_turn(&mut tx, call, &turn(1)).await.unwrap();
    let lead = NewLead {
        id: world.ids.next(),
        phone: Some("+13055550155".parse::<seiketsu_domain::PhoneNumber>().unwrap().into()),
        call_id: call,
        facts: LeadFacts::default(),
        score: 10,
        score_reasons: Vec::new(),
        at: world.now(),
    };
    leads::upsert(&mut tx, &lead).await.unwrap();
    let viewing = viewing(world, boris.listings[0].id, call);
    assert!(matches!(viewings::book(&mut tx, &viewing).await.unwrap(), Booking::Booked(_)));
    let chosen = Settings { records_calls: true, recording_retention_days: 7, ..Settings::default() };
    settings::put(&mut tx, &chosen, world.now()).await.unwrap();
    let target = target(world.ids.next());
    transfer_targets::insert(&mut tx, &target).await.unwrap();
    transfers::arrange(&mut tx, &transfer(world, call)).await.unwrap();
    voice_messages::insert(&mut tx, &voice_message(world, call)).await.unwrap();
    callbacks::upsert(&mut tx, &callback(world, call)).await.unwrap();
    let mail = mail(world, call);
    outbox::enqueue(&mut tx, &mail).await.unwrap();
    tx.commit().await.unwrap();
    Ids {
        agent: boris.agent.id,
        listing: boris.listings[0].id,
        call,
        lead: lead.id,
        viewing: viewing.id,
        target: target.id,
        mail: mail.id,
    }
}

fn target(id: TransferTargetId) -> TransferTarget {
    let number = "+13055550161".parse().unwrap();
    TransferTarget { id, name: "Front desk".to_owned(), number, hours: None, position: 0 }
}

fn transfer(world: &World, call_id: CallId) -> NewTransfer {
    NewTransfer {
        id: world.ids.next(),
        call_id,
        to_name: "Front desk".to_owned(),
        to_number: "+13055550161".parse().unwrap(),
        summary: "Dora calls.".to_owned().into(),
        at: world.now(),
    }
}

fn voice_message(world: &World, call_id: CallId) -> VoiceMessage {
    VoiceMessage {
        id: world.ids.next(),
        call_id,
        for_name: None,
        body: "Please call.".to_owned().into(),
        caller_name: None,
        caller_phone: Some("+13055550155".parse::<seiketsu_domain::PhoneNumber>().unwrap().into()),
        created_at: world.now(),
    }
}

fn callback(world: &World, call_id: CallId) -> Callback {
    Callback {
        id: world.ids.next(),
        call_id,
        phone: "+13055550155".parse::<seiketsu_domain::PhoneNumber>().unwrap().into(),
        about: None,
        due_from: world.now(),
        due_until: world.now(),
        created_at: world.now(),
    }
}

fn mail(world: &World, call_id: CallId) -> NewMail {
    NewMail {
        id: world.ids.next(),
        call_id,
        sender: None,
        recipient: "dora@example.com".to_owned().into(),
        subject: "Homes".to_owned().into(),
        body: "3055550155".to_owned().into(),
        at: world.now(),
    }
}

fn viewing(world: &World, listing_id: ListingId, call_id: CallId) -> NewViewing {
    NewViewing {
        id: world.ids.next(),
        listing_id,
        lead_id: None,
        call_id: Some(call_id),
        visitor_name: "Dora".to_owned().into(),
        visitor_phone: None,
        starts_at: world.now(),
        ends_at: world.now() + Duration::from_mins(30),
        buffer: Duration::ZERO,
        at: world.now(),
    }
}

fn end() -> CallEnd {
    CallEnd { reason: EndReason::Failure, ended_at: CallTime::ZERO, turns: 0, usage: Usage::default() }
}

/// Everything that Anna can ask about somebody's ids, with what she is told. One transaction each, as in life.
async fn ask(world: &World, ids: &Ids) -> Vec<String> {
    let mut told = Vec::new();
    macro_rules! ask {
        ($tx:ident => $question:expr) => {{
            let mut $tx = world.tenant(&world.anna).await;
            let answer = $question.await;
            told.push(format!("{}: {answer:?}", stringify!($question)));
            if answer.is_ok() {
                $tx.commit().await.unwrap();
            }
        }};
    }
    let now = world.now();
    let mut stolen_agent = world.anna.agent.clone();
    stolen_agent.id = ids.agent;
    let new_call =
        calls::NewCall { agent_id: ids.agent, vendor_call_sid: None, ..world.new_call(&world.anna) };
    let theirs = viewing(world, ids.listing, ids.call);
    let ours = viewing(world, world.anna.listings[0].id, ids.call);
    let dora = "+13055550155".parse().unwrap();
    ask!(tx => agents::get(&mut tx, ids.agent));
    ask!(tx => agents::update(&mut tx, &stolen_agent, now));
    ask!(tx => listings::get(&mut tx, ids.listing));
    ask!(tx => listings::set_status(&mut tx, ids.listing, ListingStatus::Closed));
    ask!(tx => calls::begin(&mut tx, &new_call));
    ask!(tx => calls::get(&mut tx, ids.call));
    ask!(tx => calls::heartbeat(&mut tx, ids.call, now));
    ask!(tx => calls::resume(&mut tx, ids.call, world.replica, now));
    ask!(tx => calls::end_call(&mut tx, ids.call, &end()));
    ask!(tx => calls::end_orphan(&mut tx, ids.call, &end(), Timestamp::MAX));
    ask!(tx => turns::commit_turn(&mut tx, ids.call, &turn(1)));
    ask!(tx => turns::commit_turn(&mut tx, ids.call, &turn(9)));
    ask!(tx => turns::turns(&mut tx, ids.call));
    ask!(tx => turns::transcript(&mut tx, ids.call));
    ask!(tx => turns::committed(&mut tx, ids.call));
    ask!(tx => turns::last_number(&mut tx, ids.call));
    ask!(tx => usage::of_call(&mut tx, ids.call));
    ask!(tx => leads::get(&mut tx, ids.lead));
    ask!(tx => leads::list(&mut tx, Some(ids.call), None, 10));
    ask!(tx => viewings::book(&mut tx, &theirs));
    ask!(tx => viewings::book(&mut tx, &ours));
    ask!(tx => viewings::get(&mut tx, ids.viewing));
    ask!(tx => viewings::list(&mut tx, Some(ids.call), None, 10));
    ask!(tx => viewings::list_between(&mut tx, ids.listing, Timestamp::MIN, Timestamp::MAX));
    ask!(tx => viewings::set_lead(&mut tx, ids.viewing, ids.lead));
    ask!(tx => viewings::reschedule(&mut tx, ids.viewing, &theirs));
    ask!(tx => viewings::reschedule(&mut tx, ids.viewing, &ours));
    ask!(tx => viewings::upcoming_of(&mut tx, ids.call, Some(&dora), Timestamp::MIN, 10));
    ask!(tx => viewings::cancel(&mut tx, ids.viewing, now, None));
    ask!(tx => calls::hand_over(&mut tx, ids.call, now));
    ask!(tx => calls::close(&mut tx, ids.call, EndReason::Transferred, now));
    ask!(tx => calls::close_orphan(&mut tx, ids.call, EndReason::Failure, Timestamp::MAX));
    ask!(tx => calls::close_handed_over(&mut tx, ids.call, Timestamp::MAX));
    ask!(tx => settings::find(&mut tx));
    ask!(tx => transfer_targets::delete(&mut tx, ids.target));
    ask!(tx => transfers::arrange(&mut tx, &transfer(world, ids.call)));
    ask!(tx => transfers::dialled(&mut tx, ids.call, now));
    ask!(tx => transfers::answered(&mut tx, ids.call, now));
    ask!(tx => transfers::finished(&mut tx, ids.call, TransferState::Abandoned, now));
    ask!(tx => transfers::list(&mut tx, Some(ids.call), None, 10));
    ask!(tx => voice_messages::insert(&mut tx, &voice_message(world, ids.call)));
    ask!(tx => voice_messages::list(&mut tx, Some(ids.call), None, 10));
    ask!(tx => callbacks::upsert(&mut tx, &callback(world, ids.call)));
    ask!(tx => callbacks::list(&mut tx, Some(ids.call), None, 10));
    ask!(tx => outbox::enqueue(&mut tx, &mail(world, ids.call)));
    ask!(tx => outbox::claim(&mut tx, Timestamp::MAX, Timestamp::MAX, 10));
    ask!(tx => outbox::sent(&mut tx, ids.mail, now));
    ask!(tx => outbox::failed(&mut tx, ids.mail, "no", None));
    ask!(tx => outbox::list(&mut tx, Some(ids.call), None, None, 10));
    told
}

#[tokio::test]
async fn another_tenants_id_and_a_random_one_get_the_same_answer_everywhere_and_change_nothing() {
    let world = World::new().await;
    let theirs = furnish(&world).await;
    let random = Ids {
        agent: world.ids.next(),
        listing: world.ids.next(),
        call: world.ids.next(),
        lead: world.ids.next(),
        viewing: world.ids.next(),
        target: world.ids.next(),
        mail: world.ids.next(),
    };
    let checksum = format!(
        "select hashtextextended(string_agg(row::text, '|' order by row::text), 0) from (
            select to_jsonb(t) as row from public.agents t union all select to_jsonb(t) from public.listings t
            union all select to_jsonb(t) from public.calls t union all select to_jsonb(t) from public.turns t
            union all select to_jsonb(t) from public.messages t union all select to_jsonb(t) from public.tool_runs t
            union all select to_jsonb(t) from public.leads t union all select to_jsonb(t) from public.viewings t
            union all select to_jsonb(t) from public.usage_records t union all select to_jsonb(t) from public.settings t
            union all select to_jsonb(t) from public.transfer_targets t
            union all select to_jsonb(t) from public.transfers t
            union all select to_jsonb(t) from public.voice_messages t
            union all select to_jsonb(t) from public.callbacks t union all select to_jsonb(t) from public.outbox t) rows
         where row ->> 'tenant_id' = '{}'",
        world.boris.scope.tenant_id().uuid()
    );
    let before = world.database.count(&checksum).await;
    let told_of_theirs = Box::pin(ask(&world, &theirs)).await;
    let told_of_random = Box::pin(ask(&world, &random)).await;
    for (theirs, random) in told_of_theirs.iter().zip(&told_of_random) {
        assert_eq!(theirs, random);
        assert!(!theirs.contains("305555"), "{theirs}");
    }
    assert_eq!(world.database.count(&checksum).await, before);
}

#[tokio::test]
async fn lists_and_searches_show_a_tenant_its_own_rows_only() {
    let world = World::new().await;
    furnish(&world).await;
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(agents::list(&mut tx).await.unwrap(), std::slice::from_ref(&world.anna.agent));
    assert_eq!(listings::search(&mut tx, &ListingFilter::default(), 100).await.unwrap().total, 3);
    assert_eq!(calls::list(&mut tx, &calls::CallFilter::default(), None, 100).await.unwrap(), []);
    assert_eq!(leads::list(&mut tx, None, None, 100).await.unwrap(), []);
    assert_eq!(viewings::list(&mut tx, None, None, 100).await.unwrap(), []);
    assert_eq!(settings::get(&mut tx).await.unwrap(), Settings::default());
    assert_eq!(transfer_targets::list(&mut tx).await.unwrap(), []);
    assert_eq!(transfers::list(&mut tx, None, None, 100).await.unwrap(), []);
    assert_eq!(voice_messages::list(&mut tx, None, None, 100).await.unwrap(), []);
    assert_eq!(callbacks::list(&mut tx, None, None, 100).await.unwrap(), []);
    assert_eq!(outbox::list(&mut tx, None, None, None, 100).await.unwrap(), []);
    // The same reference exists in both tenants.
    let listing = listings::by_reference(&mut tx, "R-1").await.unwrap().unwrap();
    assert_eq!(listing.id, world.anna.listings[0].id);
}

/// A connection as the tenants' role, without the crate's help.
async fn bare(world: &World) -> PgConnection {
    let url =
        world.database.endpoint().expose_url().replace("postgres://postgres@", "postgres://seiketsu_app@");
    PgConnection::connect(&url).await.unwrap()
}

async fn listings_seen(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from public.listings").fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn a_pooled_connection_forgets_its_tenant_when_the_transaction_ends() {
    let world = World::new().await;
    let mut connection = bare(&world).await;
    assert_eq!(listings_seen(&mut connection).await, 0);
    let tenant = world.anna.scope.tenant_id().uuid();
    for finish in ["commit", "rollback"] {
        let begin = format!("begin; select set_config('app.tenant_id', '{tenant}', true)");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.unwrap();
        assert_eq!(listings_seen(&mut connection).await, 3);
        connection.execute(finish).await.unwrap();
        // The setting is now empty and not absent: no rows, and no error either.
        assert_eq!(listings_seen(&mut connection).await, 0);
    }
}

#[tokio::test]
async fn the_tenants_role_cannot_write_for_another_tenant_nor_look_at_the_platform() {
    let world = World::new().await;
    let mut connection = bare(&world).await;
    let (anna, boris) = (world.anna.scope.tenant_id().uuid(), world.boris.scope.tenant_id().uuid());
    let begin = format!("begin; select set_config('app.tenant_id', '{anna}', true)");
    let insert = format!(
        "insert into public.members (tenant_id, id, email, name, role, created_at)
         values ('{boris}', gen_random_uuid(), 'x@example.com', 'x', 'admin', now())"
    );
    let give_away = format!("update public.listings set tenant_id = '{boris}'");
    for (statement, code) in [
        (insert.as_str(), "42501"),
        (give_away.as_str(), "42501"),
        ("select * from platform.tenants", "42501"),
        ("truncate public.listings", "42501"),
        ("delete from public.turns", "42501"),
        ("update public.usage_records set call_id = gen_random_uuid()", "42501"),
        ("delete from public.usage_records", "42501"),
        ("delete from public.transfers", "42501"),
        ("delete from public.outbox", "42501"),
        ("set row_security = off; select * from public.listings", "42501"),
    ] {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(begin.as_str()))).await.unwrap();
        let error = connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap_err();
        let error = error.into_database_error().unwrap();
        assert_eq!(error.code().as_deref(), Some(code), "{statement}: {error}");
        connection.execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_never_happened() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    listings::set_status(&mut tx, world.anna.listings[0].id, ListingStatus::Closed).await.unwrap();
    drop(tx);
    let mut tx = world.tenant(&world.anna).await;
    let kept = listings::get(&mut tx, world.anna.listings[0].id).await.unwrap().unwrap();
    assert_eq!(kept.status, ListingStatus::Active);
}
