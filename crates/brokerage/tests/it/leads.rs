//! Leads: one per person, scored by everything known.

use crate::world::{AUSTIN, PORTLAND, World};
use seiketsu_storage::{leads, viewings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_learned_later_completes_the_lead_and_its_score() {
    let world = World::new().await;
    let line = world.line(AUSTIN, Some("+15125550142")).await;
    let first = line.done("save_lead", &json!({"name": "Anna Lee", "budget": 450_000})).await;
    assert_eq!(first["score"], 30);
    let second = line.done("save_lead", &json!({"timeline": "1_month", "email": "anna@lee.example"})).await;
    assert_eq!((&second["lead"], &second["score"]), (&first["lead"], &json!(65)));
    let expected = [
        "Can be called back on a known number (+10).",
        "Left an email address (+10).",
        "Named a budget (+20).",
        "Wants to move within a month (+25).",
    ];
    assert_eq!(second["reasons"], json!(expected));
    let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
    let lead = leads::by_phone(&mut tx, &"+15125550142".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(lead.facts.name.unwrap().expose(), "Anna Lee");
    assert_eq!((lead.score, lead.score_reasons.len()), (65, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_calls_again_is_the_same_lead_and_another_brokerages_lead_is_not() {
    let world = World::new().await;
    let saved = json!({"name": "Anna Lee"});
    let first = world.line(AUSTIN, Some("+15125550142")).await.done("save_lead", &saved).await;
    let again = world.line(AUSTIN, Some("+15125550142")).await.done("save_lead", &saved).await;
    let elsewhere = world.line(PORTLAND, Some("+15125550142")).await.done("save_lead", &saved).await;
    assert_eq!(first["lead"], again["lead"]);
    assert_ne!(first["lead"], elsewhere["lead"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withheld_number_that_is_given_later_completes_the_lead_of_the_call() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let first = line.done("save_lead", &json!({"name": "Anna Lee"})).await;
    assert_eq!(first["score"], 0);
    let second = line.done("save_lead", &json!({"phone": "512 555 0143"})).await;
    assert_eq!((&second["lead"], &second["score"]), (&first["lead"], &json!(10)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewing_raises_the_score_whichever_came_first_and_belongs_to_the_lead() {
    let world = World::new().await;
    for (lead_first, number) in [(true, "+15125550142"), (false, "+15125550143")] {
        let line = world.line(AUSTIN, Some(number)).await;
        let home = line.home(if lead_first { "12 Maple Street" } else { "Willow Bend" }).await;
        let wish = json!({"listing": home, "day": "2026-11-25", "time": "10:00", "name": "Anna Lee"});
        let save = json!({"name": "Anna Lee"});
        if lead_first {
            line.done("save_lead", &save).await;
            line.done("book_viewing", &wish).await;
        } else {
            line.done("book_viewing", &wish).await;
            line.done("save_lead", &save).await;
        }
        let mut tx = world.db.tenant(&world.scope(AUSTIN)).await.unwrap();
        let lead = leads::by_phone(&mut tx, &number.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(lead.score, 25, "{:?}", lead.score_reasons);
        let viewing = viewings::list(&mut tx, Some(line.call_id), None, 1).await.unwrap().pop().unwrap();
        assert_eq!(viewing.lead_id, Some(lead.id));
        assert_eq!(viewing.visitor_phone.unwrap().expose().as_str(), number);
    }
}
