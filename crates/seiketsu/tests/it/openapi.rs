//! The API holds what its description says, for whoever may ask.

use crate::{api_door, platform::Platform};
use std::process::Command;

/// Cases per operation and phase.
const CASES: &str = "12";
/// The same cases each time.
const SAME_EACH_TIME: &str = "20261129";

async fn examine(platform: &Platform, key: &str) {
    let mut command = Command::new(api_door::installed("python/bin/schemathesis"));
    command
        .arg("run")
        .arg(format!("http://127.0.0.1:{}/openapi.json", platform.public_port()))
        .args(["--header", &format!("Authorization: Bearer {key}")])
        .args(["--checks", "all"])
        // `ignored_auth` leaves the key away and expects 401 of what anybody may ask; `positive_data_acceptance` expects
        // every well-formed cursor and agent's name to be one.
        .args(["--exclude-checks", "ignored_auth,positive_data_acceptance"])
        // A stream does not end.
        .args(["--exclude-path", "/v1/calls/events"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", CASES])
        .args(["--seed", SAME_EACH_TIME, "--continue-on-failure", "--no-color"])
        .current_dir(platform.state());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("Selected: 24/25") && said.contains("Tested: 24"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_served_description_is_true_for_a_brokerage_and_for_an_operator() {
    let platform = Platform::start("zero").await;
    // There is something to be read.
    let called = platform.run(&["call", "--tenant", "lone-star-homes"]).await;
    assert!(called.status.success(), "{called:?}");
    let key = api_door::key(&platform, "lone-star-homes").await;
    examine(&platform, &key).await;
    let operator = platform.local()["operator_key"].as_str().unwrap().to_owned();
    examine(&platform, &operator).await;
}
