//! Messages, calls back, and being put through to a person.

use crate::world::{AUSTIN, MIAMI, PORTLAND, World};
use seiketsu_domain::PhoneNumber;
use seiketsu_session::Arrival;
use seiketsu_storage::{
    callbacks, calls,
    transfers::{self, TransferState},
    voice_messages,
};
use serde_json::{Value, json};
use std::time::Duration;

const ANNA: &str = "+15125550142";

fn number(text: &str) -> PhoneNumber {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_kept_once_however_often_it_is_sent_and_a_call_leaves_ten_at_most() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let message = json!({"for": "Grace", "message": "The key is under the mat.", "name": "Anna Lee"});
    let first = line.done("take_message", &message).await;
    assert_eq!(first["for"], "Grace");
    assert_eq!(line.done("take_message", &message).await, first);
    world.clock.advance(Duration::from_secs(1));
    let spoken = json!({
        "message": "Call me.", "phone": "five one two, five five five, oh one five zero",
    });
    let second = line.done("take_message", &spoken).await;
    assert_eq!(second["for"], Value::Null);
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let kept = voice_messages::list(&mut tx, Some(line.call_id), None, 100).await.unwrap();
    let [last, one] = &kept[..] else { panic!("{kept:?}") };
    assert_eq!(one.body.expose(), "The key is under the mat.");
    let phones = [one, last].map(|message| message.caller_phone.as_ref().unwrap().expose().as_str());
    assert_eq!(phones, [ANNA, "+15125550150"]);
    tx.commit().await.unwrap();
    for number in 2..10 {
        line.done("take_message", &json!({"message": format!("Message {number}.")})).await;
    }
    let refusal = line.refused("take_message", &json!({"message": "One more."})).await;
    assert!(refusal["hint"].as_str().unwrap().contains("request_callback"), "{refusal}");
    line.refused("take_message", &json!({"for": "Grace"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_back_is_promised_once_per_call_and_moves_when_the_caller_names_another_time() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let first =
        line.done("request_callback", &json!({"when": "2026-11-25 10:00", "about": "the loan"})).await;
    assert_eq!((&first["at"], &first["weekday"]), (&json!("2026-11-25 10:00"), &json!("Wednesday")));
    let second = line.done("request_callback", &json!({"when": "2026-11-26 morning"})).await;
    assert_eq!((&second["callback"], &second["at"]), (&first["callback"], &json!("2026-11-26 morning")));
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let [promise] = &callbacks::list(&mut tx, None, None, 10).await.unwrap()[..] else { panic!("not one") };
    assert_eq!(
        (promise.phone.expose().as_str(), promise.about.as_ref().unwrap().expose().as_str()),
        (ANNA, "the loan")
    );
    assert_eq!(promise.due_from.to_string(), "2026-11-26T15:00:00Z");
    let withheld = world.line(AUSTIN, None).await;
    let refusal = withheld.refused("request_callback", &json!({"when": "2026-11-25 10:00"})).await;
    assert_eq!(refusal["error"], "the number to call is not known");
    withheld.done("request_callback", &json!({"when": "2026-11-25 10:00", "phone": "512 555 0150"})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_put_through_to_whom_the_brokerage_lists_and_the_model_never_sees_the_number() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    assert_eq!(line.desk.tools.transfer_target(), None);
    let arguments = json!({"to": "Grace", "summary": "Anna Lee asks about 12 Maple Street."});
    let arranged = line.done("transfer_to_human", &arguments).await;
    assert_eq!(arranged, json!({"putting_through_to": "Grace Whitfield"}));
    assert_eq!(line.desk.tools.transfer_target(), Some(number("+15125550161")));
    assert_eq!(line.done("transfer_to_human", &arguments).await, arranged, "said twice, arranged once");
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let [transfer] = &transfers::list(&mut tx, Some(line.call_id), None, 10).await.unwrap()[..] else {
        panic!("not one")
    };
    assert_eq!((transfer.state, transfer.to_name.as_str()), (TransferState::Arranged, "Grace Whitfield"));
    assert_eq!(transfer.summary.expose(), "Anna Lee asks about 12 Maple Street.");
    tx.commit().await.unwrap();
    for wish in ["+1 900 555 0199", "Priya Raman", "Bob'; drop table calls"] {
        let refusal = line.refused("transfer_to_human", &json!({"to": wish, "summary": "x"})).await;
        assert_eq!(refusal["names"], json!(["Grace Whitfield", "Rental desk"]), "{wish}");
    }
    let changed = line.done("transfer_to_human", &json!({"to": "rentals", "summary": "Rent."})).await;
    assert_eq!(changed["putting_through_to"], "Rental desk");
    assert_eq!(line.desk.tools.transfer_target(), Some(number("+15125550162")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outside_its_hours_a_desk_is_refused_and_anybody_means_who_can_be_reached() {
    // Saturday, 20:15 in Miami.
    let world = World::starting("2026-11-29T01:15:00Z").await;
    let line = world.line(MIAMI, Some(ANNA)).await;
    let refusal = line.refused("transfer_to_human", &json!({"to": "rental desk", "summary": "x"})).await;
    assert_eq!(refusal["error"], "Rental desk cannot be reached at this hour");
    assert_eq!(refusal["reachable_now"], json!(["Elena Marchetti"]));
    assert_eq!(line.desk.tools.transfer_target(), None);
    let anybody = line.done("transfer_to_human", &json!({"summary": "Anna Lee wants to rent."})).await;
    assert_eq!(anybody["putting_through_to"], "Elena Marchetti");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_brokerage_without_a_list_puts_nobody_through_and_offers_another_way() {
    let world = World::new().await;
    let mut tx = world.db.tenant(&world.scope(PORTLAND)).await.unwrap();
    for target in seiketsu_storage::transfer_targets::list(&mut tx).await.unwrap() {
        assert!(seiketsu_storage::transfer_targets::delete(&mut tx, target.id).await.unwrap());
    }
    tx.commit().await.unwrap();
    let line = world.line(PORTLAND, None).await;
    let refusal = line.refused("transfer_to_human", &json!({"summary": "x"})).await;
    assert_eq!(refusal["error"], "nobody can be reached by telephone here");
    assert!(refusal["hint"].as_str().unwrap().contains("take_message"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_nobody_answered_may_try_three_times_and_not_for_ever() {
    let world = World::new().await;
    let mut line = world.line(AUSTIN, Some(ANNA)).await;
    for attempt in 1..=3 {
        line.done("transfer_to_human", &json!({"summary": "x"})).await;
        line.desk.store.hand_over().await.unwrap();
        world.clock.advance(Duration::from_secs(40));
        let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
        assert!(transfers::dialled(&mut tx, line.call_id, world.now()).await.unwrap().is_some());
        let over = transfers::finished(&mut tx, line.call_id, TransferState::NotAnswered, world.now())
            .await
            .unwrap();
        assert_eq!(over.unwrap().state, TransferState::NotAnswered, "{attempt}");
        assert!(calls::resume(&mut tx, line.call_id, world.replica, world.now()).await.unwrap().is_some());
        tx.commit().await.unwrap();
        let agent = world.agent(AUSTIN).await;
        line = world.open(AUSTIN, line.call_id, Some(ANNA), agent, Arrival::NotPutThrough).await;
        assert_eq!(
            line.desk.tools.transfer_target(),
            None,
            "whoever did not answer is not rung again unasked"
        );
    }
    let refusal = line.refused("transfer_to_human", &json!({"summary": "x"})).await;
    assert!(refusal["error"].as_str().unwrap().contains("3 times"), "{refusal}");
}
