//! Moving and cancelling a viewing: the caller's own, and nobody else's.

use crate::world::{AUSTIN, PORTLAND, World};
use seiketsu_domain::{ListingId, ToolOutcome};
use seiketsu_storage::{
    leads,
    listings::{self, ListingStatus},
    viewings::{self, ViewingStatus},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DAY: &str = "2026-11-25";
const ANNA: &str = "+15125550142";
const BORIS: &str = "+15125550143";

fn wish(listing: &str, time: &str) -> Value {
    json!({"listing": listing, "day": DAY, "time": time, "name": "Anna Lee"})
}

fn to(date: &str, time: &str) -> Value {
    json!({"date": date, "time": time})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_calls_again_moves_the_viewing_and_its_old_time_is_free() {
    let world = World::new().await;
    let first = world.line(AUSTIN, Some(ANNA)).await;
    let home = first.home("12 Maple Street").await;
    let booked = first.done("book_viewing", &wish(&home, "10:00")).await;
    let again = world.line(AUSTIN, Some(ANNA)).await;
    let moved = again.done("reschedule_viewing", &to("2026-11-27", "14:30")).await;
    assert_ne!(moved["viewing"], booked["viewing"]);
    assert_eq!(moved["address"], "12 Maple Street");
    assert_eq!([&moved["day"], &moved["weekday"], &moved["time"]], ["2026-11-27", "Friday", "14:30"]);
    assert_eq!(moved["moved_from"], json!({"day": DAY, "time": "10:00"}));
    let free = again.done("check_availability", &json!({"listing": home, "day": DAY})).await;
    assert!(free["free"].as_array().unwrap().contains(&json!("10:00")));
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let all = viewings::list(&mut tx, None, None, 10).await.unwrap();
    assert_eq!(all.len(), 2);
    let of = |status| all.iter().find(|viewing| viewing.status == status).unwrap();
    let (new, old) = (of(ViewingStatus::Booked), of(ViewingStatus::Cancelled));
    assert_eq!((new.rescheduled_from, old.cancelled_at), (Some(old.id), Some(world.now())));
    assert_eq!(new.visitor_name, old.visitor_name);
    let repeated = again.done("reschedule_viewing", &to("2026-11-27", "14:30")).await;
    assert_eq!(repeated["viewing"], moved["viewing"], "said twice, moved once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_persons_viewing_an_unknown_one_and_nonsense_get_the_same_answer_and_stay() {
    let world = World::new().await;
    let anna = world.line(AUSTIN, Some(ANNA)).await;
    let home = anna.home("12 Maple Street").await;
    let theirs = anna.done("book_viewing", &wish(&home, "10:00")).await["viewing"].clone();
    let unknown = json!(world.ids.next::<seiketsu_domain::ViewingId>());
    for line in [
        world.line(AUSTIN, Some(BORIS)).await,
        world.line(AUSTIN, None).await,
        world.line(PORTLAND, Some(ANNA)).await,
    ] {
        let mut answers = BTreeSet::new();
        for viewing in [&theirs, &unknown, &json!("the one on Tuesday"), &json!(null)] {
            let mut move_it = to("2026-11-27", "14:30");
            move_it["viewing"] = viewing.clone();
            answers.insert(line.refused("reschedule_viewing", &move_it).await.to_string());
            let cancel = json!({"viewing": viewing});
            answers.insert(line.refused("cancel_viewing", &cancel).await.to_string());
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
    }
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let kept = viewings::list(&mut tx, None, None, 10).await.unwrap().pop().unwrap();
    assert_eq!((kept.status, json!(kept.id)), (ViewingStatus::Booked, theirs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewing_is_moved_by_a_quarter_of_an_hour_and_stays_where_it_is_if_the_time_is_taken() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let home = line.home("12 Maple Street").await;
    line.done("book_viewing", &wish(&home, "10:00")).await;
    world.line(AUSTIN, Some(BORIS)).await.done("book_viewing", &wish(&home, "15:00")).await;
    let moved = line.done("reschedule_viewing", &to(DAY, "10:15")).await;
    assert_eq!(moved["time"], "10:15", "its own old time is not in the way");
    for (time, error) in
        [("15:15", "taken"), ("20:00", "outside viewing hours"), ("10:20", "viewings start on")]
    {
        let refusal = line.refused("reschedule_viewing", &to(DAY, time)).await;
        assert!(refusal["error"].as_str().unwrap().starts_with(error), "{refusal}");
        assert_eq!(refusal["free"].as_array().unwrap().len(), 3, "{refusal}");
    }
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let own = viewings::list(&mut tx, Some(line.call_id), None, 10).await.unwrap();
    let booked: Vec<_> = own.iter().filter(|viewing| viewing.status == ViewingStatus::Booked).collect();
    assert_eq!(booked.len(), 1);
    assert_eq!(booked[0].starts_at.to_string(), "2026-11-25T16:15:00Z");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_callers_who_move_to_the_same_time_one_gets_it_and_nobody_loses_a_viewing() {
    let world = World::new().await;
    let home = world.line(AUSTIN, None).await.home("12 Maple Street").await;
    let mut lines = Vec::new();
    for hour in 0..10 {
        let line = world.line(AUSTIN, Some(&format!("+151255501{hour:02}"))).await;
        let day = if hour < 5 { "2026-11-26" } else { "2026-11-27" };
        let mut wish = wish(&home, &format!("{:02}:00", 9 + hour % 5));
        wish["day"] = json!(day);
        line.done("book_viewing", &wish).await;
        lines.push(line);
    }
    let mut attempts = Vec::new();
    for line in lines {
        attempts.push(
            world.writers.spawn(async move { line.run("reschedule_viewing", &to(DAY, "11:00")).await }),
        );
    }
    let mut moved = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            ToolOutcome::Done(_) => moved += 1,
            ToolOutcome::Refused(refusal) => assert_eq!(refusal["error"], "taken"),
            ToolOutcome::Failed(why) => panic!("{why}"),
        }
    }
    assert_eq!(moved, 1);
    let listing: ListingId = home.parse().unwrap();
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let until = "2026-12-01T00:00:00Z".parse().unwrap();
    let all = viewings::list_between(&mut tx, listing, world.now(), until).await.unwrap();
    assert_eq!(all.len(), 10, "each caller still has one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewing_keeps_its_hour_when_it_is_moved_over_a_clock_change() {
    let world = World::starting("2026-10-20T12:00:00Z").await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let home = line.home("12 Maple Street").await;
    let mut wish = wish(&home, "09:00");
    wish["day"] = json!("2026-10-31");
    line.done("book_viewing", &wish).await;
    let moved = line.done("reschedule_viewing", &to("2026-11-02", "09:00")).await;
    assert_eq!((&moved["time"], &moved["moved_from"]["time"]), (&json!("09:00"), &json!("09:00")));
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let all = viewings::list(&mut tx, Some(line.call_id), None, 10).await.unwrap();
    let newest = all.iter().find(|viewing| viewing.status == ViewingStatus::Booked).unwrap();
    assert_eq!(newest.starts_at.to_string(), "2026-11-02T15:00:00Z", "standard time, UTC-6");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_viewing_is_gone_and_so_are_its_points() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let home = line.home("12 Maple Street").await;
    let booked = line.done("book_viewing", &wish(&home, "10:00")).await;
    line.done("save_lead", &json!({"name": "Anna Lee"})).await;
    let cancelled = line.done("cancel_viewing", &json!({"reason": "found another home"})).await;
    assert_eq!((&cancelled["cancelled"], &cancelled["time"]), (&booked["viewing"], &json!("10:00")));
    line.refused("cancel_viewing", &json!({})).await;
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let viewing = viewings::list(&mut tx, None, None, 1).await.unwrap().pop().unwrap();
    assert_eq!(viewing.cancel_reason.unwrap().expose(), "found another home");
    let lead = leads::by_phone(&mut tx, &ANNA.parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(lead.score, 10, "{:?}", lead.score_reasons);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_several_viewings_a_caller_is_asked_which_one_to_cancel_unless_one_is_of_this_call() {
    let world = World::new().await;
    let first = world.line(AUSTIN, Some(ANNA)).await;
    let (maple, willow) = (first.home("12 Maple Street").await, first.home("Willow Bend").await);
    first.done("book_viewing", &wish(&maple, "10:00")).await;
    first.done("book_viewing", &wish(&willow, "12:00")).await;
    let again = world.line(AUSTIN, Some(ANNA)).await;
    let asked = again.refused("cancel_viewing", &json!({})).await;
    let choices = asked["viewings"].as_array().unwrap();
    assert_eq!(choices.iter().map(|one| &one["time"]).collect::<Vec<_>>(), ["10:00", "12:00"]);
    let second = again.done("cancel_viewing", &json!({"viewing": choices[1]["viewing"]})).await;
    assert_eq!(second["time"], "12:00");
    let third = world.line(AUSTIN, Some(ANNA)).await;
    third.done("book_viewing", &wish(&willow, "16:00")).await;
    assert_eq!(third.done("cancel_viewing", &json!({})).await["time"], "16:00", "the one just agreed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_is_repeated_does_not_reach_for_another_viewing_unless_it_is_named() {
    let world = World::new().await;
    let first = world.line(AUSTIN, Some(ANNA)).await;
    let (maple, willow) = (first.home("12 Maple Street").await, first.home("Willow Bend").await);
    first.done("book_viewing", &wish(&maple, "10:00")).await;
    let again = world.line(AUSTIN, Some(ANNA)).await;
    again.done("book_viewing", &wish(&willow, "16:00")).await;
    assert_eq!(again.done("cancel_viewing", &json!({})).await["time"], "16:00");
    let refusal = again.refused("cancel_viewing", &json!({})).await;
    let [left] = &refusal["viewings"].as_array().unwrap()[..] else { panic!("{refusal}") };
    assert_eq!(left["time"], "10:00");
    let named = again.done("cancel_viewing", &json!({"viewing": left["viewing"]})).await;
    assert_eq!(named["time"], "10:00", "the caller wanted both gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewing_of_a_home_that_was_sold_stays_and_the_caller_is_told() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some(ANNA)).await;
    let home = line.home("12 Maple Street").await;
    line.done("book_viewing", &wish(&home, "10:00")).await;
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    listings::set_status(&mut tx, home.parse().unwrap(), ListingStatus::Closed).await.unwrap();
    tx.commit().await.unwrap();
    let refusal = line.refused("reschedule_viewing", &to(DAY, "11:00")).await;
    assert_eq!(refusal["error"], "this home is no longer on offer");
    assert_eq!(line.done("cancel_viewing", &json!({})).await["time"], "10:00");
}
