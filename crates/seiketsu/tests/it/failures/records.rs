//! What has to be true of the database when all calls are over.

use seiketsu_testkit::TestDb;
use std::time::Duration;

/// What is acknowledged is there, once. Each query counts offenders.
const CLAIMS: [(&str, &str); 8] = [
    ("calls are open", "select count(*) from public.calls where ended_at is null"),
    (
        "calls have no usage record",
        "select count(*) from public.calls c where not exists (select from public.usage_records u
         where u.tenant_id = c.tenant_id and u.call_id = c.id)",
    ),
    (
        "calls of the telephone company are on record more than once",
        "select count(*) from (select vendor_call_sid from public.calls group by 1 having count(*) > 1) twice",
    ),
    (
        "records count turns that are not there",
        "select count(*) from public.calls c where c.turns <> (select count(*) from public.turns t
         where t.tenant_id = c.tenant_id and t.call_id = c.id)",
    ),
    (
        "calls lack a committed turn",
        "select count(*) from (select call_id, max(number) + 1 - count(*) as missing from public.turns
         group by call_id) per_call where missing <> 0",
    ),
    (
        "usage records are not what the turns consumed",
        "select count(*) from public.usage_records u where u.playout_ms <> coalesce((select sum(playout_ms)
         from public.turns t where t.tenant_id = u.tenant_id and t.call_id = u.call_id), 0)",
    ),
    (
        "viewings that an agent told a caller of are not there",
        "select count(*) from public.tool_runs r where r.name = 'book_viewing' and r.outcome::text like '%view_%'
         and not exists (select from public.viewings v where v.tenant_id = r.tenant_id and v.call_id = r.call_id)",
    ),
    (
        "leads that an agent saved are not there",
        "select count(*) from public.tool_runs r where r.name = 'save_lead' and r.outcome::text like '%lead_%'
         and not exists (select from public.leads l where l.tenant_id = r.tenant_id and l.call_id = r.call_id)",
    ),
];

/// Which claims do not hold, in words.
pub(super) async fn offences(db: &TestDb) -> Vec<String> {
    let mut found = Vec::new();
    for (offence, query) in CLAIMS {
        let count = db.count(query).await;
        if count > 0 {
            found.push(format!("{count} {offence}"));
        }
    }
    found
}

/// How many turns of a call are committed.
pub(super) async fn committed(db: &TestDb, call_sid: &str) -> i64 {
    let query = format!(
        "select count(*) from public.turns t join public.calls c on c.tenant_id = t.tenant_id and c.id = t.call_id
         where c.vendor_call_sid = '{call_sid}'"
    );
    db.count(&query).await
}

/// How many turns ended in an apology, or in the beginning of one that the caller cut short.
pub(super) async fn apologies(db: &TestDb) -> i64 {
    db.count(
        "select count(*) from public.turns t
         join public.calls c on c.tenant_id = t.tenant_id and c.id = t.call_id
         join public.agents a on a.tenant_id = c.tenant_id and a.id = c.agent_id
         where t.outcome = 'failed' or position(left(a.profile ->> 'apology', 12) in t.heard_text) > 0",
    )
    .await
}

/// Calls that were begun and never connected, because the database went away in between, are closed by recovery after two
/// minutes of silence. These are as if they had passed.
pub(super) async fn age_unconnected(db: &TestDb) {
    db.execute(
        "update public.calls c set heartbeat_at = heartbeat_at - interval '2 minutes' where ended_at is null
         and not exists (select from public.turns t where t.tenant_id = c.tenant_id and t.call_id = c.id)",
    )
    .await;
}

/// How many turns of a call that began so long after its answer, or later, ended in this way.
pub(super) async fn turns_since(db: &TestDb, call_sid: &str, since: Duration, condition: &str) -> i64 {
    let query = format!(
        "select count(*) from public.turns t join public.calls c on c.tenant_id = t.tenant_id and c.id = t.call_id
         where c.vendor_call_sid = '{call_sid}' and t.started_at_us >= {} and {condition}",
        since.as_micros()
    );
    db.count(&query).await
}
