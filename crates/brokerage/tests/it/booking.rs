//! Viewings: one at a time, with a pause, in the brokerage's own hours.

use crate::world::{AUSTIN, World};
use seiketsu_domain::{ListingId, ToolOutcome};
use seiketsu_storage::viewings;
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const DAY: &str = "2026-11-25";

fn wish(listing: &str, day: &str, time: &str) -> Value {
    json!({"listing": listing, "day": day, "time": time, "name": "Anna Lee"})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_searches_looks_at_times_books_and_the_time_is_gone() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some("+15125550142")).await;
    let found =
        line.done("search_listings", &json!({"area": "hyde park", "offer": "sale", "bedrooms": 3})).await;
    let home = found["listings"][0]["listing"].as_str().unwrap();
    let before = line.done("check_availability", &json!({"listing": home, "day": DAY})).await;
    assert_eq!((&before["weekday"], &before["day"]), (&json!("Wednesday"), &json!(DAY)));
    assert!(before["free"].as_array().unwrap().contains(&json!("14:30")));
    let booked = line.done("book_viewing", &wish(home, DAY, "14:30")).await;
    assert!(booked["viewing"].as_str().unwrap().starts_with("view_"), "{booked}");
    assert_eq!(
        [&booked["day"], &booked["time"], &booked["weekday"]],
        [&json!(DAY), &json!("14:30"), &json!("Wednesday")]
    );
    let after = line.done("check_availability", &json!({"listing": home, "day": DAY})).await;
    let gone: Vec<_> = before["free"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|time| !after["free"].as_array().unwrap().contains(time))
        .collect();
    assert_eq!(gone, ["14:00", "14:15", "14:30", "14:45", "15:00"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_callers_who_want_the_same_time_one_gets_it_and_the_rest_are_offered_others() {
    let world = World::new().await;
    let home = world.line(AUSTIN, None).await.home("12 Maple Street").await;
    let mut attempts = Vec::new();
    for _ in 0..20 {
        let line = world.line(AUSTIN, None).await;
        let wish = wish(&home, DAY, "11:00");
        attempts.push(world.writers.spawn(async move { line.run("book_viewing", &wish).await }));
    }
    let mut booked = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            ToolOutcome::Done(_) => booked += 1,
            ToolOutcome::Refused(refusal) => {
                assert_eq!(refusal["error"], "taken");
                assert_eq!(refusal["free"], json!(["10:00", "10:15", "11:45"]));
            }
            ToolOutcome::Failed(why) => panic!("{why}"),
        }
    }
    assert_eq!(booked, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_callers_crowd_no_two_viewings_come_nearer_than_the_buffer() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let home = line.home("12 Maple Street").await;
    let mut attempts = Vec::new();
    for quarter in 0..24 {
        let line = world.line(AUSTIN, None).await;
        let wish = wish(&home, DAY, &format!("{:02}:{:02}", 9 + quarter / 4, quarter % 4 * 15));
        attempts.push(world.writers.spawn(async move { line.run("book_viewing", &wish).await }));
    }
    for attempt in attempts {
        assert!(!matches!(attempt.await.unwrap(), ToolOutcome::Failed(_)));
    }
    let listing: ListingId = home.parse().unwrap();
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let from = "2026-11-25T00:00:00Z".parse().unwrap();
    let until = "2026-11-26T06:00:00Z".parse().unwrap();
    let all = viewings::list_between(&mut tx, listing, from, until).await.unwrap();
    // Six hours of starts hold at most eight and, with each viewing blocking two quarters on either side, at least five.
    assert!((5..=8).contains(&all.len()), "{}", all.len());
    for pair in all.windows(2) {
        assert!(pair[1].starts_at.duration_since(pair[0].ends_at).as_mins() >= 15, "{pair:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_repeats_itself_gets_the_same_viewing() {
    let world = World::new().await;
    let line = std::sync::Arc::new(world.line(AUSTIN, None).await);
    let home = line.home("12 Maple Street").await;
    let mut attempts = Vec::new();
    for _ in 0..5 {
        let (line, wish) = (line.clone(), wish(&home, DAY, "11:00"));
        attempts.push(world.writers.spawn(async move { line.done("book_viewing", &wish).await }));
    }
    let mut answers = BTreeSet::new();
    for attempt in attempts {
        answers.insert(attempt.await.unwrap().to_string());
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    // Half an hour before it begins: too late for a new viewing, not for this one.
    world.clock.advance(Duration::from_mins(24 * 60 + 15));
    let again = line.done("book_viewing", &wish(&home, DAY, "11:00")).await;
    assert!(answers.contains(&again.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_time_for_the_same_home_moves_the_viewing_even_by_a_quarter_of_an_hour() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let home = line.home("12 Maple Street").await;
    line.done("book_viewing", &wish(&home, DAY, "10:00")).await;
    let moved = line.done("book_viewing", &wish(&home, DAY, "10:15")).await;
    assert_eq!(moved["moved_from"], json!({"day": DAY, "time": "10:00"}));
    let friday = line.done("book_viewing", &wish(&home, "2026-11-27", "10:15")).await;
    assert_eq!(friday["moved_from"], json!({"day": DAY, "time": "10:15"}));
    let other = world.line(AUSTIN, None).await;
    other.done("book_viewing", &wish(&home, DAY, "10:00")).await;
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let own = viewings::list(&mut tx, Some(line.call_id), None, 10).await.unwrap();
    let booked = own.iter().filter(|viewing| viewing.status == viewings::ViewingStatus::Booked).count();
    assert_eq!((own.len(), booked), (3, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewing_that_cannot_be_moved_stays_where_it_is() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let home = line.home("12 Maple Street").await;
    world.line(AUSTIN, None).await.done("book_viewing", &wish(&home, DAY, "15:00")).await;
    let first = line.done("book_viewing", &wish(&home, DAY, "10:00")).await;
    assert_eq!(line.refused("book_viewing", &wish(&home, DAY, "15:15")).await["error"], "taken");
    assert_eq!(line.done("book_viewing", &wish(&home, DAY, "10:00")).await, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_in_the_morning_is_nine_in_the_morning_on_both_sides_of_a_clock_change() {
    let world = World::starting("2026-10-20T12:00:00Z").await;
    let line = world.line(AUSTIN, None).await;
    let listing = line.home("12 Maple Street").await;
    for (day, starts_at) in [("2026-10-31", "2026-10-31T14:00:00Z"), ("2026-11-02", "2026-11-02T15:00:00Z")] {
        let visitor = world.line(AUSTIN, None).await;
        visitor.done("book_viewing", &wish(&listing, day, "09:00")).await;
        let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
        let viewing = viewings::list(&mut tx, Some(visitor.call_id), None, 1).await.unwrap().pop().unwrap();
        assert_eq!(viewing.starts_at.to_string(), starts_at);
        let taken = line.refused("book_viewing", &wish(&listing, day, "09:15")).await;
        assert_eq!(taken["free"], json!(["09:45", "10:00", "10:15"]), "{day}");
    }
    let sunday = line.done("check_availability", &json!({"listing": listing, "day": "2026-11-01"})).await;
    assert_eq!((&sunday["free"][0], &sunday["weekday"]), (&json!("11:00"), &json!("Sunday")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_rules_forbid_is_refused_with_what_is_possible() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let home = line.home("12 Maple Street").await;
    let cases = [
        ("2026-11-23", "10:00", "the day is in the past", None),
        ("2026-12-25", "10:00", "viewings can be booked up to 2026-12-24 only", None),
        ("2026-11-24", "11:00", "viewings need one hour of notice", Some(json!(["11:15", "11:30", "11:45"]))),
        ("2026-11-25", "20:00", "outside viewing hours", Some(json!(["17:00", "17:15", "17:30"]))),
        ("2026-11-29", "09:00", "outside viewing hours", Some(json!(["11:00", "11:15", "11:30"]))),
        (
            "2026-11-25",
            "10:10",
            "viewings start on the quarter hour",
            Some(json!(["10:00", "10:15", "10:30"])),
        ),
    ];
    for (day, time, error, free) in cases {
        let refusal = line.refused("book_viewing", &wish(&home, day, time)).await;
        assert_eq!((&refusal["error"], refusal.get("free")), (&json!(error), free.as_ref()), "{day} {time}");
    }
    let past = line.refused("check_availability", &json!({"listing": home, "day": "2026-11-23"})).await;
    assert_eq!(past["hint"], "today is 2026-11-24; ask for a day from today on");
}
