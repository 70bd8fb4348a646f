//! Transfers, mail and settings: what a step may follow, and what the database keeps.

use seiketsu_domain::{CallEnd, CallTime, EndReason, Usage};
use seiketsu_storage::{
    DbError, Reason, calls,
    outbox::{self, MailState, NewMail},
    platform,
    settings::{self, Settings},
    transfers::{self, NewTransfer, TransferState},
    turns,
};
use seiketsu_testkit::{Persona, World};
use sqlx::{Connection, PgConnection};
use std::time::Duration;

async fn arranged(world: &World) -> seiketsu_domain::CallId {
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    transfers::arrange(&mut tx, &transfer(world, call)).await.unwrap();
    tx.commit().await.unwrap();
    call
}

fn transfer(world: &World, call_id: seiketsu_domain::CallId) -> NewTransfer {
    NewTransfer {
        id: world.ids.next(),
        call_id,
        to_name: "Sales desk".to_owned(),
        to_number: "+15125550161".parse().unwrap(),
        summary: "Carla asks about Maple Street.".to_owned().into(),
        at: world.now(),
    }
}

#[tokio::test]
async fn a_transfer_goes_from_arranged_to_answered_to_its_end_and_each_step_may_be_told_twice() {
    let world = World::new().await;
    let call = arranged(&world).await;
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(transfers::answered(&mut tx, call, world.now()).await.unwrap(), None, "nothing rings yet");
    let mut at = Vec::new();
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(5));
        let ringing = transfers::dialled(&mut tx, call, world.now()).await.unwrap().unwrap();
        assert_eq!(ringing.state, TransferState::Dialling);
        at.push(ringing.dialled_at);
    }
    assert_eq!(at[0], at[1]);
    let second = transfers::arrange(&mut tx, &transfer(&world, call)).await.unwrap_err();
    assert!(matches!(second, DbError::Conflict { .. }), "{second:?}");
    drop(tx);
    let mut tx = world.tenant(&world.anna).await;
    transfers::dialled(&mut tx, call, world.now()).await.unwrap();
    for _ in 0..2 {
        let taken = transfers::answered(&mut tx, call, world.now()).await.unwrap().unwrap();
        assert_eq!(taken.state, TransferState::Answered);
    }
    assert_eq!(transfers::dialled(&mut tx, call, world.now()).await.unwrap(), None);
    for _ in 0..2 {
        let over = transfers::finished(&mut tx, call, TransferState::NotAnswered, world.now())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((over.state, over.ended_at), (TransferState::Answered, Some(world.now())));
        world.clock.advance(Duration::ZERO);
    }
    assert_eq!(transfers::answered(&mut tx, call, world.now()).await.unwrap(), None, "it is over");
}

#[tokio::test]
async fn a_transfer_nobody_took_makes_room_for_the_next_one() {
    let world = World::new().await;
    let call = arranged(&world).await;
    let mut tx = world.tenant(&world.anna).await;
    transfers::dialled(&mut tx, call, world.now()).await.unwrap();
    transfers::finished(&mut tx, call, TransferState::NotAnswered, world.now()).await.unwrap();
    assert_eq!(
        transfers::answered(&mut tx, call, world.now()).await.unwrap(),
        None,
        "pressed a key too late"
    );
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(1));
        transfers::arrange(&mut tx, &transfer(&world, call)).await.unwrap();
    }
    let states: Vec<_> =
        transfers::list(&mut tx, Some(call), None, 10).await.unwrap().iter().map(|one| one.state).collect();
    assert_eq!(states, [TransferState::Arranged, TransferState::Abandoned, TransferState::NotAnswered]);
}

#[tokio::test]
async fn a_call_that_ends_leaves_no_transfer_open_and_one_that_is_not_ended_keeps_it() {
    let world = World::new().await;
    let (over, held, taken) = (arranged(&world).await, arranged(&world).await, arranged(&world).await);
    let mut tx = world.tenant(&world.anna).await;
    transfers::dialled(&mut tx, taken, world.now()).await.unwrap();
    transfers::answered(&mut tx, taken, world.now()).await.unwrap();
    let end = CallEnd {
        reason: EndReason::CallerHungUp,
        ended_at: CallTime::from_millis(9_000),
        turns: 0,
        usage: Usage::default(),
    };
    assert!(calls::end_call(&mut tx, over, &end).await.unwrap());
    assert!(calls::end_call(&mut tx, taken, &end).await.unwrap());
    let long_ago = world.now() - Duration::from_mins(1);
    assert!(!calls::close_orphan(&mut tx, held, EndReason::ReplicaLost, long_ago).await.unwrap());
    let ended_at = calls::get(&mut tx, over).await.unwrap().unwrap().ended.unwrap().at;
    for (call, state, ended_at) in [
        (over, TransferState::Abandoned, Some(ended_at)),
        (held, TransferState::Arranged, None),
        (taken, TransferState::Answered, Some(ended_at)),
    ] {
        let transfer = transfers::latest(&mut tx, call).await.unwrap().unwrap();
        assert_eq!((transfer.state, transfer.ended_at), (state, ended_at));
    }
}

#[tokio::test]
async fn a_call_that_was_handed_over_is_nobodys_orphan_until_it_comes_back() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    assert!(calls::hand_over(&mut tx, call, world.now()).await.unwrap());
    let handed_over_at = world.now();
    tx.commit().await.unwrap();
    world.clock.advance(Duration::from_hours(1));
    let later = world.now();
    let mut tx = world.db().system(Reason::RecoverCalls).await.unwrap();
    assert_eq!(platform::orphaned_calls(&mut tx, later).await.unwrap(), []);
    assert_eq!(platform::abandoned_calls(&mut tx, world.replica, later).await.unwrap(), []);
    assert_eq!(platform::handed_over_calls(&mut tx, handed_over_at).await.unwrap(), []);
    assert_eq!(platform::handed_over_calls(&mut tx, later).await.unwrap(), [(world.anna.scope, call)]);
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.anna).await;
    let end =
        CallEnd { reason: EndReason::Failure, ended_at: CallTime::ZERO, turns: 0, usage: Usage::default() };
    assert!(!calls::end_orphan(&mut tx, call, &end, later).await.unwrap(), "found before it was handed over");
    assert!(!calls::close_handed_over(&mut tx, call, handed_over_at).await.unwrap(), "not long enough ago");
    let back = calls::resume(&mut tx, call, world.replica, later).await.unwrap().unwrap();
    assert_eq!(back.handed_over_at, None);
    assert!(!calls::close_handed_over(&mut tx, call, later).await.unwrap(), "it came back");
}

#[tokio::test]
async fn a_heartbeat_right_after_a_hand_over_changes_nothing_and_a_later_one_undoes_it() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    calls::hand_over(&mut tx, call, world.now()).await.unwrap();
    let mut handed_over = Vec::new();
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(8));
        assert!(calls::heartbeat(&mut tx, call, world.now()).await.unwrap());
        handed_over.push(calls::get(&mut tx, call).await.unwrap().unwrap().handed_over_at.is_some());
    }
    assert_eq!(handed_over, [true, false]);
}

#[tokio::test]
async fn a_call_that_the_telephone_company_ended_is_closed_with_what_was_committed() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    turns::commit_turn(&mut tx, call, &crate::turns::turn(1)).await.unwrap();
    calls::hand_over(&mut tx, call, world.now()).await.unwrap();
    world.clock.advance(Duration::from_mins(20));
    assert!(calls::close(&mut tx, call, EndReason::Transferred, world.now()).await.unwrap());
    assert!(!calls::close(&mut tx, call, EndReason::CallerHungUp, world.now()).await.unwrap());
    assert!(!calls::close(&mut tx, world.ids.next(), EndReason::Failure, world.now()).await.unwrap());
    let ended = calls::get(&mut tx, call).await.unwrap().unwrap().ended.unwrap();
    assert_eq!((ended.reason, ended.turns, ended.at), (EndReason::Transferred, 1, world.now()));
    let record = seiketsu_storage::usage::of_call(&mut tx, call).await.unwrap().unwrap();
    assert_eq!((record.duration, record.usage.input_tokens), (Duration::from_mins(20), 800));
}

#[tokio::test]
async fn usage_grows_with_a_late_turn_and_never_shrinks() {
    let world = World::new().await;
    let call = world.call(&world.anna).await;
    let mut tx = world.tenant(&world.anna).await;
    calls::close(&mut tx, call, EndReason::ReplicaLost, world.now()).await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = world.tenant(&world.anna).await;
    assert!(turns::commit_turn(&mut tx, call, &crate::turns::turn(1)).await.unwrap());
    assert!(!turns::commit_turn(&mut tx, call, &crate::turns::turn(1)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(world.database.count("select input_tokens from public.usage_records").await, 800);
    assert_eq!(world.database.count("select turns::bigint from public.calls").await, 1);
    assert_eq!(world.database.count("select duration_ms from public.usage_records").await, 16_000);
    let mut connection = PgConnection::connect(&world.database.endpoint().expose_url()).await.unwrap();
    let error = sqlx::query("update public.usage_records set input_tokens = 0")
        .execute(&mut connection)
        .await
        .unwrap_err();
    assert_eq!(error.into_database_error().unwrap().code().as_deref(), Some("23514"));
}

async fn mail(world: &World, persona: &Persona) {
    let call = world.call(persona).await;
    let mut tx = world.tenant(persona).await;
    let mail = NewMail {
        id: world.ids.next(),
        call_id: call,
        sender: None,
        recipient: "carla@example.com".to_owned().into(),
        subject: "Homes".to_owned().into(),
        body: "Two homes.".to_owned().into(),
        at: world.now(),
    };
    outbox::enqueue(&mut tx, &mail).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn mail_is_claimed_by_one_at_a_time_and_due_again_when_the_claim_ends() {
    let world = World::new().await;
    mail(&world, &world.anna).await;
    let mut system = world.db().system(Reason::SendMail).await.unwrap();
    let due = platform::tenants_with_due_mail(&mut system, world.now(), 10).await.unwrap();
    assert_eq!(due, [world.anna.scope]);
    let until = world.now() + Duration::from_mins(2);
    let mut first = world.tenant(&world.anna).await;
    let claimed = outbox::claim(&mut first, world.now(), until, 10).await.unwrap();
    let mut second = world.tenant(&world.anna).await;
    assert_eq!(
        outbox::claim(&mut second, world.now(), until, 10).await.unwrap(),
        [],
        "skipped, not waited for"
    );
    first.commit().await.unwrap();
    assert_eq!(platform::tenants_with_due_mail(&mut system, world.now(), 10).await.unwrap(), []);
    world.clock.advance(Duration::from_mins(2));
    let again = outbox::claim(&mut second, world.now(), until, 10).await.unwrap();
    assert_eq!((again[0].id, again[0].attempts), (claimed[0].id, 2));
    assert!(outbox::failed(&mut second, again[0].id, "no", None).await.unwrap());
    assert!(!outbox::sent(&mut second, again[0].id, world.now()).await.unwrap(), "given up is given up");
    let dead = outbox::list(&mut second, None, Some(MailState::Dead), None, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].last_error.as_deref()), (1, Some("no")));
}

#[tokio::test]
async fn settings_have_defaults_until_a_tenant_chooses() {
    let world = World::new().await;
    let mut tx = world.tenant(&world.anna).await;
    assert_eq!(settings::get(&mut tx).await.unwrap(), Settings::default());
    let chosen = Settings {
        records_calls: true,
        recording_retention_days: 90,
        summary_from_email: Some("hello@anna-homes.example".to_owned()),
    };
    for _ in 0..2 {
        settings::put(&mut tx, &chosen, world.now()).await.unwrap();
    }
    assert_eq!(settings::get(&mut tx).await.unwrap(), chosen);
    let never = Settings { recording_retention_days: 0, ..chosen };
    let error = settings::put(&mut tx, &never, world.now()).await.unwrap_err();
    assert!(matches!(error, DbError::Invalid { .. }), "{error:?}");
}
