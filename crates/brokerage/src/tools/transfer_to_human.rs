//! `transfer_to_human`: the caller is put through to a person.
//!
//! The model names a person or a desk; the number comes from the tenant's own list, and never passes through the model.
//! The tool only arranges: the engine lets the agent finish its sentence, then the telephone company rings the person,
//! who hears the summary and takes the call by pressing a key.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    hours,
};
use jiff::civil::{Time, Weekday};
use seiketsu_domain::Pii;
use seiketsu_storage::{
    DbError, calls,
    ids::TransferId,
    transfer_targets::{self, TransferTarget},
    transfers::{self, NewTransfer, TransferState},
};
use serde_json::{Value, json};

const MAX_NAME_CHARS: usize = 80;
/// What a person can listen to before they take a call.
const MAX_SUMMARY_CHARS: usize = 400;
/// How often one call can be put through.
const PER_CALL: u32 = 3;
/// Words that ask for anybody at all, in the languages that agents speak.
const ANYBODY: [&str; 23] = [
    "a",
    "an",
    "any",
    "anybody",
    "anyone",
    "person",
    "human",
    "agent",
    "somebody",
    "someone",
    "operator",
    "real",
    "representative",
    "the",
    "people",
    "una",
    "persona",
    "alguien",
    "agente",
    "humano",
    "人工",
    "真人",
    "人",
];
const WAY_OUT: &str =
    "say so, and offer to take a message with take_message or a call back with request_callback";

pub(super) fn spec() -> Spec {
    (
        "Puts the caller through to a person at the brokerage, when they ask for one or you cannot help. Say in the same \
         answer whom you are putting them through to; nothing can be said afterwards.",
        json!({
            "to": text_schema("The person or desk the caller asked for; leave it out if anybody will do"),
            "summary": text_schema("Who calls and what they want, in one or two sentences; the person hears it first"),
        }),
        &["summary"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let wanted = fields.text("to", MAX_NAME_CHARS)?;
    let summary = required(
        "summary",
        fields.text("summary", MAX_SUMMARY_CHARS),
        "send in one or two sentences who calls and what they want",
    )?;
    let now = bench.clock.now();
    let mut tx = bench.db.tenant(&bench.scope).await?;
    let targets = transfer_targets::list(&mut tx).await?;
    let (day, time) = (bench.hours.day_of(now).weekday(), bench.hours.time_of(now));
    let target = choose(&targets, wanted.as_deref(), day, time)?;
    calls::lock(&mut tx, bench.call_id).await?;
    let before = transfers::list(&mut tx, Some(bench.call_id), None, PER_CALL).await?;
    let tried = before.iter().filter(|transfer| transfer.dialled_at.is_some()).count();
    if before.len() >= PER_CALL as usize || before.iter().any(|one| one.state == TransferState::Dialling) {
        let error =
            format!("the caller was to be put through {} times already; {tried} were dialled", before.len());
        return Err(Refusal::new(error, WAY_OUT).into());
    }
    let arranged = before.iter().any(|last| {
        last.state == TransferState::Arranged
            && last.to_number == target.number
            && last.to_name == target.name
    });
    if !arranged {
        let transfer = NewTransfer {
            id: bench.ids.next::<TransferId>(),
            call_id: bench.call_id,
            to_name: target.name.clone(),
            to_number: target.number.clone(),
            summary: Pii::new(summary),
            at: now,
        };
        match transfers::arrange(&mut tx, &transfer).await {
            Ok(_) => {}
            Err(DbError::Conflict { .. }) => {
                return Err(Refusal::new("the caller is being put through already", WAY_OUT).into());
            }
            Err(other) => return Err(other.into()),
        }
        tx.commit().await?;
    }
    bench.notebook.put_through_to(target.number.clone());
    Ok(json!({"putting_through_to": target.name}))
}

/// The target that is meant and can be reached now.
fn choose<'a>(
    targets: &'a [TransferTarget],
    wanted: Option<&str>,
    day: Weekday,
    time: Time,
) -> Result<&'a TransferTarget, Refusal> {
    if targets.is_empty() {
        return Err(Refusal::new("nobody can be reached by telephone here", WAY_OUT));
    }
    let meant: Vec<&TransferTarget> = match wanted.map(words).filter(|words| !words.is_empty()) {
        None => targets.iter().collect(),
        Some(wanted) => targets.iter().filter(|target| matches(&wanted, &target.name)).collect(),
    };
    if meant.is_empty() {
        return Err(Refusal::new(
            "nobody of that name can be put through to",
            "offer one of these, or a message",
        )
        .with("names", names(targets.iter())));
    }
    if let Some(open) = meant.iter().find(|target| target.is_open(day, time)) {
        return Ok(open);
    }
    let others = targets.iter().filter(|target| target.is_open(day, time));
    let refusal = Refusal::new(format!("{} cannot be reached at this hour", meant[0].name), WAY_OUT)
        .with("hours", spans(meant[0]));
    let reachable = names(others);
    Err(if reachable.is_empty() { refusal } else { refusal.with("reachable_now", reachable) })
}

/// The words that name somebody, in lower case.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty() && !ANYBODY.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Whether every word of what is wanted is, or begins, a word of the name.
fn matches(wanted: &[String], name: &str) -> bool {
    let name = name.to_lowercase();
    let name: Vec<&str> = name.split(|letter: char| !letter.is_alphanumeric()).collect();
    wanted.iter().all(|word| name.iter().any(|part| part.starts_with(word.as_str()) || plural(word, part)))
}

/// "rentals" for "rental".
fn plural(word: &str, part: &str) -> bool {
    !part.is_empty() && word.strip_suffix('s') == Some(part)
}

fn names<'a>(targets: impl Iterator<Item = &'a TransferTarget>) -> Vec<String> {
    targets.map(|target| target.name.clone()).collect()
}

fn spans(target: &TransferTarget) -> Vec<String> {
    let spans = target.hours.as_deref().unwrap_or_default();
    spans
        .iter()
        .map(|span| {
            let days: Vec<_> = span.days.iter().map(|day| day.name()).collect();
            format!("{} {} to {}", days.join(", "), hours::label(span.opens), hours::label(span.closes))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_storage::{
        ids::TransferTargetId,
        transfer_targets::{Day, OpenSpan},
    };

    fn target(name: &str, hours: Option<(i8, i8)>) -> TransferTarget {
        TransferTarget {
            id: TransferTargetId::from_uuid(uuid::Uuid::nil()),
            name: name.to_owned(),
            number: "+15125550151".parse().unwrap(),
            hours: hours.map(|(opens, closes)| {
                let at = |hour| Time::new(hour, 0, 0, 0).unwrap();
                vec![OpenSpan { days: vec![Day::Monday], opens: at(opens), closes: at(closes) }]
            }),
            position: 0,
        }
    }

    fn chosen(targets: &[TransferTarget], wanted: Option<&str>, hour: i8) -> Result<String, String> {
        choose(targets, wanted, Weekday::Monday, Time::new(hour, 0, 0, 0).unwrap())
            .map(|target| target.name.clone())
            .map_err(|refusal| refusal.text())
    }

    #[test]
    fn a_person_is_found_by_any_part_of_the_name_and_anybody_is_the_first_who_can_be_reached() {
        let targets = [
            target("Sales desk", Some((9, 12))),
            target("Grace Whitfield", None),
            target("Rental desk", None),
        ];
        for (wanted, name) in [
            (Some("Grace"), "Grace Whitfield"),
            (Some("grace whitfield"), "Grace Whitfield"),
            (Some("the sales desk"), "Sales desk"),
            (Some("Rentals"), "Rental desk"),
            (Some("a human"), "Sales desk"),
            (Some("真人"), "Sales desk"),
            (None, "Sales desk"),
        ] {
            assert_eq!(chosen(&targets, wanted, 10).as_deref(), Ok(name), "{wanted:?}");
        }
        assert_eq!(chosen(&targets, None, 15).as_deref(), Ok("Grace Whitfield"), "the desk is closed");
    }

    #[test]
    fn who_cannot_be_reached_is_refused_with_a_way_out_and_never_with_a_number() {
        let targets = [target("Sales desk", Some((9, 12))), target("Grace Whitfield", None)];
        let closed = chosen(&targets, Some("sales"), 15).unwrap_err();
        for part in
            ["cannot be reached at this hour", "take_message", "monday 09:00 to 12:00", "Grace Whitfield"]
        {
            assert!(closed.contains(part), "{closed}");
        }
        let unknown = chosen(&targets, Some("Bob"), 10).unwrap_err();
        assert!(unknown.contains(r#"["Sales desk","Grace Whitfield"]"#), "{unknown}");
        let number = chosen(&targets, Some("+1 900 555 0100"), 10).unwrap_err();
        assert!(number.contains("nobody of that name") && !number.contains("+1"), "{number}");
        assert!(chosen(&[], None, 10).unwrap_err().contains("request_callback"));
    }
}
