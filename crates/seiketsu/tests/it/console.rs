//! The console in a browser: its own tests, against a platform of theirs.

use crate::{api_door::record, platform::Platform};
use serde_json::json;
use std::{path::Path, process::Command};

/// The console's tests start and stop the server themselves: one of them is about a restart.
#[tokio::test(flavor = "multi_thread")]
async fn the_console_in_a_browser() {
    let console = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../console");
    let runner = console.join("node_modules/.bin/playwright");
    assert!(runner.exists(), "{} is missing: `scripts/setup test` makes it", runner.display());
    let built = console.join("dist/index.html");
    assert!(built.exists(), "{} is missing: `make console` builds it", built.display());
    let mut platform = Platform::start("fast").await;
    let question =
        record(platform.state(), "question.wav", "i am looking for a three bedroom house to buy").await;
    assert!(platform.stop().success());
    let up = platform.command(&["up", "--profile", "fast"]);
    let words = |words: &mut dyn Iterator<Item = &std::ffi::OsStr>| -> Vec<String> {
        words.map(|word| word.to_str().unwrap().to_owned()).collect()
    };
    let environment: std::collections::BTreeMap<String, String> = up
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())))
        .collect();
    let server = json!({
        "program": up.get_program().to_str().unwrap(),
        "args": words(&mut up.get_args()),
        "env": environment,
        "url": format!("http://127.0.0.1:{}", platform.public_port()),
        "speech": {"question": question},
    });
    let mut tests = Command::new(runner);
    tests.current_dir(&console).args(["test", "--project=e2e"]).env("SEIKETSU_SERVER", server.to_string());
    let ran = tokio::task::spawn_blocking(move || tests.output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
}
