//! `kill -9` of the server at random moments of calls: one record per call, one usage record, nothing acknowledged lost.
//!
//! `KILLS=50 cargo nextest run -p seiketsu kills` for the long run; the suite makes a few.

use crate::platform::Platform;
use std::time::Duration;

/// Recovery takes a dead replica's calls after thirty seconds of silence, at its second look, ten seconds apart.
const RECOVERY: Duration = Duration::from_mins(2);

/// A small generator: the moments differ from run to run of the loop and are the same in each run of the test.
fn moment_ms(kill: u64) -> u64 {
    let mixed = (kill + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    300 + (mixed >> 33) % 14_000
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_macros, reason = "figures for whoever runs it with --no-capture")]
async fn a_server_killed_at_any_moment_leaves_one_record_and_one_usage_record_per_call() {
    let kills: u64 = std::env::var("KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut platform = Platform::start("zero").await;
    for kill in 0..kills {
        let tenants = ["lone-star-homes", "rose-city-realty", "biscayne-bay-homes"];
        let callers: Vec<_> = tenants
            .iter()
            .enumerate()
            .map(|(index, tenant)| {
                // Another day for each kill, so that each call has a viewing of its own to book.
                let day = format!(
                    "the first one please could i see it in {} days at {}",
                    kill / 8 + 2,
                    9 + kill % 8
                );
                let from = format!("+1512555{:04}", 1_000 + kill * 3 + index as u64);
                let mut command = platform.command(&[
                    "call",
                    "--tenant",
                    tenant,
                    "--from",
                    &from,
                    "--json",
                    "--say",
                    "hi i want to buy a house",
                    "--say",
                    &day,
                    "--say",
                    "my name is jordan lee",
                    "--say",
                    "no thank you goodbye",
                ]);
                command
                    .stdout(std::process::Stdio::null())
                    .stderr(std::process::Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(moment_ms(kill))).await;
        platform.kill();
        for mut caller in callers {
            caller.kill().unwrap();
            caller.wait().unwrap();
        }
        platform.up();
    }
    let count = |query: &'static str| platform.db.count(query);
    let began = count("select count(*) from public.calls").await;
    assert!(began > 0, "no call had begun before a kill");
    let all_closed = async {
        while count("select count(*) from public.calls where ended_at is null").await > 0 {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(RECOVERY, all_closed).await.expect("recovery closes what the killed servers held");
    let usage = count("select count(*) from public.usage_records").await;
    assert_eq!(usage, began, "one usage record for each call");
    let wrong_turns =
        "select count(*) from public.calls c where c.turns <> (select count(*) from public.turns t
         where t.tenant_id = c.tenant_id and t.call_id = c.id)";
    assert_eq!(count(wrong_turns).await, 0, "the record counts the turns that are there");
    let gaps = "select count(*) from (select call_id, max(number) + 1 - count(*) as missing from public.turns
         group by call_id) per_call where missing <> 0";
    assert_eq!(count(gaps).await, 0, "no committed turn is missing");
    let wrong_usage =
        "select count(*) from public.usage_records u where u.playout_ms <> coalesce((select sum(playout_ms)
         from public.turns t where t.tenant_id = u.tenant_id and t.call_id = u.call_id), 0)";
    assert_eq!(count(wrong_usage).await, 0, "usage is what the turns consumed");
    // What an agent told a caller is booked is booked: a turn that ran the tool to its end has its viewing.
    let unbooked = "select count(*) from public.tool_runs r where r.name = 'book_viewing'
         and r.outcome::text like '%view_%' and not exists (select from public.viewings v
         where v.tenant_id = r.tenant_id and v.call_id = r.call_id)";
    assert_eq!(count(unbooked).await, 0, "every acknowledged viewing is there");
    let lost = count("select count(*) from public.calls where end_reason = 'replica_lost'").await;
    eprintln!("{kills} kills, {began} calls, {lost} closed by recovery, {usage} usage records");
}
