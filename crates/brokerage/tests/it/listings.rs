//! Finding homes, and never another brokerage's.

use crate::world::{AUSTIN, PORTLAND, World};
use seiketsu_domain::{ListingId, ToolOutcome};
use seiketsu_session::Arrival;
use serde_json::{Value, json};

/// Whether a home is one that a filter asked for.
type Fits = fn(&Value) -> bool;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_brokerages_home_an_unknown_id_and_nonsense_get_the_same_answer() {
    let world = World::new().await;
    let portland = world.line(PORTLAND, None).await;
    let foreign =
        portland.done("search_listings", &json!({"area": "sellwood"})).await["listings"][0]["listing"]
            .clone();
    let unknown = json!(world.ids.next::<ListingId>());
    let nonsense = json!("12 Maple Street");
    let austin = world.line(AUSTIN, None).await;
    for tool in ["get_listing", "check_availability", "book_viewing"] {
        let mut answers = Vec::new();
        for listing in [&foreign, &unknown, &nonsense] {
            let arguments =
                json!({"listing": listing, "day": "2026-11-25", "time": "10:00", "name": "Anna Lee"});
            answers.push(austin.refused(tool, &arguments).await);
        }
        assert_eq!(answers[0]["error"], "there is no such listing");
        assert!(answers.iter().all(|answer| answer == &answers[0]), "{tool}: {answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_tells_five_of_the_brokerages_own_homes_and_counts_the_rest() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let all = line.done("search_listings", &json!({})).await;
    assert_eq!((all["listings"].as_array().unwrap().len(), &all["more"]), (5, &json!(35)));
    let none = line.done("search_listings", &json!({"area": "sellwood"})).await;
    assert_eq!(none, json!({"listings": [], "more": 0}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_filter_narrows_to_homes_that_fit() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let cases: [(Value, Fits); 5] = [
        (json!({"max_price": 400_000, "offer": "sale"}), |home| home["price"].as_i64().unwrap() <= 400_000),
        (json!({"min_price": 700_000}), |home| home["price"].as_i64().unwrap() >= 700_000),
        (json!({"bedrooms": 4}), |home| home["bedrooms"].as_i64().unwrap() >= 4),
        (json!({"property_type": "townhouse"}), |home| home["type"] == "townhouse"),
        (json!({"area": "RIVERSIDE", "offer": "rent"}), |home| {
            home["area"] == "Riverside" && home["offer"] == "rent"
        }),
    ];
    for (filter, fits) in cases {
        let found = line.done("search_listings", &filter).await;
        let homes = found["listings"].as_array().unwrap();
        assert!(!homes.is_empty() && homes.iter().all(fits), "{filter}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_home_is_told_in_full_with_whole_dollars() {
    let world = World::new().await;
    let line = world.line(AUSTIN, None).await;
    let home = line.home("12 Maple Street").await;
    let told = line.done("get_listing", &json!({"listing": home})).await;
    assert_eq!(
        (&told["price"], &told["address"], &told["area"]),
        (&json!(660_000), &json!("12 Maple Street"), &json!("Hyde Park"))
    );
    assert!(told["description"].as_str().unwrap().starts_with("A three-bedroom house"), "{told}");
    assert_eq!((&told["square_feet"], &told["year_built"]), (&json!(1_620), &json!(1_926)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_cannot_use_a_tool_it_was_not_given() {
    let world = World::new().await;
    let mut agent = world.agent(AUSTIN).await;
    agent.tools = ["search_listings", "end_call", "fly"].map(str::to_owned).to_vec();
    let call = world.begin(AUSTIN, None, world.replica).await;
    let line = world.open(AUSTIN, call, None, agent, Arrival::New).await;
    let specs: Vec<_> = line.desk.tools.specs().into_iter().map(|spec| spec.name).collect();
    assert_eq!(specs, ["search_listings", "end_call"]);
    let unknown = line.refused("fly", &json!({})).await;
    assert_eq!(line.refused("save_lead", &json!({"name": "Anna"})).await, unknown);
    assert!(matches!(line.desk.tools.run("search_listings", "not json").await, ToolOutcome::Refused(_)));
}
