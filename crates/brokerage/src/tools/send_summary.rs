//! `send_summary`: what was said, found and booked, by mail.
//!
//! The mail is composed here, from what the tools know, and enqueued; a worker sends it. What the model adds is one short
//! line without links, so that nobody can have the platform mail their own text to others.

use super::{Bench, Spec, Trouble};
use crate::{
    arguments::{Fields, Refusal, required, text_schema},
    summary::{self, Booked, Summary},
};
use lettre::Address;
use seiketsu_domain::Pii;
use seiketsu_storage::{
    calls,
    ids::MailId,
    listings,
    outbox::{self, NewMail},
    settings,
    viewings::{self, ViewingStatus},
};
use serde_json::{Value, json};

const MAX_EMAIL_CHARS: usize = 254;
const MAX_WHAT_CHARS: usize = 200;
/// How many mails one call can send.
const PER_CALL: u32 = 3;
/// How many homes and viewings a mail tells of.
const TOLD: usize = 5;
const VIEWINGS_LOOKED_AT: u32 = 50;

pub(super) fn spec() -> Spec {
    (
        "Sends the caller an email with the homes you talked about and the viewings you booked. Repeat the address to the \
         caller first, letter by letter if it is unusual. It is on its way only if the answer contains sent_to.",
        json!({
            "email": text_schema("The caller's email address"),
            "what": text_schema("What the caller wants to be sent, in a few words without links"),
        }),
        &["email"],
    )
}

pub(super) async fn run(bench: &Bench, fields: &Fields) -> Result<Value, Trouble> {
    let email = required("email", email(fields), "ask the caller for an email address")?;
    let what = fields.text("what", MAX_WHAT_CHARS)?.filter(|what| !has_link(what));
    let now = bench.clock.now();
    let mut tx = bench.db.tenant(&bench.scope).await?;
    calls::lock(&mut tx, bench.call_id).await?;
    let mut homes = Vec::new();
    for id in bench.notebook.homes(TOLD) {
        homes.extend(listings::get(&mut tx, id).await?);
    }
    let mut booked = Vec::new();
    for viewing in viewings::list(&mut tx, Some(bench.call_id), None, VIEWINGS_LOOKED_AT).await? {
        if viewing.status == ViewingStatus::Booked && booked.len() < TOLD {
            let address = listings::get(&mut tx, viewing.listing_id).await?.map(|home| home.address);
            let at = bench.hours.zone().to_datetime(viewing.starts_at);
            booked.push(Booked { address: address.unwrap_or_default(), at });
        }
    }
    if homes.is_empty() && booked.is_empty() {
        return Err(Refusal::new(
            "there is nothing to send yet: no home was found and no viewing booked",
            "find out what the caller is looking for, and offer the mail again afterwards",
        )
        .into());
    }
    booked.sort_by_key(|booked| booked.at);
    let call = calls::get(&mut tx, bench.call_id).await?;
    let mail = summary::compose(&Summary {
        language: bench.language,
        agent: &bench.agent_name,
        brokerage: &bench.brokerage_name,
        day: bench.hours.day_of(now),
        what: what.as_deref(),
        wanted: bench.notebook.wanted().as_ref(),
        homes: &homes,
        booked: &booked,
        number: call.as_ref().and_then(|call| call.to.as_ref()),
    });
    let sent = outbox::list(&mut tx, Some(bench.call_id), None, None, PER_CALL).await?;
    let answer = json!({"sent_to": masked(&email)});
    if sent.iter().any(|there| there.recipient.expose() == &email && there.body.expose() == &mail.body) {
        return Ok(answer);
    }
    if sent.len() >= PER_CALL as usize {
        return Err(Refusal::new(
            "this call has sent as many mails as it can",
            "say so, and offer to take a message with take_message",
        )
        .into());
    }
    let new = NewMail {
        id: bench.ids.next::<MailId>(),
        call_id: bench.call_id,
        sender: settings::get(&mut tx).await?.summary_from_email,
        recipient: Pii::new(email),
        subject: Pii::new(mail.subject),
        body: Pii::new(mail.body),
        at: now,
    };
    outbox::enqueue(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(answer)
}

/// An address that a mail server would take: RFC 5321, with a dot in its domain. "john at example dot com" is one as well.
fn email(fields: &Fields) -> Result<Option<String>, Refusal> {
    let Some(text) = fields.text("email", MAX_EMAIL_CHARS)? else { return Ok(None) };
    let text = text.to_lowercase();
    let text = if text.contains('@') { text } else { text.replacen(" at ", "@", 1).replace(" dot ", ".") };
    let text: String = text.split_whitespace().collect();
    match text.parse::<Address>() {
        Ok(address) if address.domain().contains('.') => Ok(Some(address.to_string())),
        Ok(_) | Err(_) => {
            Err(Refusal::new("email is not an email address", "ask the caller to spell the email address"))
        }
    }
}

/// Enough of an address to know it again: `j***@example.com`.
fn masked(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}***@{domain}")
}

/// Whether a mail program might make a link of any part of it.
fn has_link(text: &str) -> bool {
    let text = text.to_lowercase();
    let in_a_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-');
    // Whatever surrounds a name (a comma, a bracket, a port, a path) is no part of it.
    text.contains("://")
        || text.contains("www.")
        || text.split(|letter| !in_a_name(letter)).any(looks_like_a_domain)
}

/// `example.com` and `xn--e1afmkfd.xn--p1ai`; not `2.5`, not `9.30am`, and not a sentence that ends.
fn looks_like_a_domain(name: &str) -> bool {
    let name = name.trim_matches('.');
    name.rsplit_once('.').is_some_and(|(host, end)| {
        !host.ends_with('.') && end.chars().count() >= 2 && end.starts_with(char::is_alphabetic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        email(&Fields::parse(&json!({"email": text}).to_string()).unwrap()).ok().flatten()
    }

    #[test]
    fn an_address_is_read_as_it_is_written_and_as_it_is_said() {
        for text in ["john@example.com", "John@Example.com", "john at example dot com", "john @ example.com"]
        {
            assert_eq!(read(text).as_deref(), Some("john@example.com"), "{text}");
        }
        assert_eq!(
            read("john dot lee at mail dot example dot com").as_deref(),
            Some("john.lee@mail.example.com")
        );
    }

    #[test]
    fn what_no_mail_server_would_take_is_refused() {
        for text in [
            "john",
            "john@",
            "@example.com",
            "john@example",
            "a@b@example.com",
            "john@exa mple..com",
            "john@example.com, eve@example.com",
            "john@example.com\r\nBcc: eve@example.com",
            "john@-example.com",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_address_is_told_back_so_that_only_its_owner_knows_it() {
        assert_eq!(masked("john@example.com"), "j***@example.com");
    }

    #[test]
    fn links_are_found_in_what_is_to_be_sent() {
        for text in [
            "see https://x.example/a",
            "www.example",
            "go to bad.example/now",
            "bad.com",
            "win at bad.com, today",
            "the prize (bad.com)",
            "bad.com:8080",
            "bad.com?win=1",
            "eve@bad.com",
            "it is at bad.com.",
            "bad.xn--p1ai",
        ] {
            assert!(has_link(text), "{text}");
        }
        for text in [
            "the two homes in Hyde Park.",
            "2.5 bathrooms",
            "tomorrow at 9.30am",
            "the viewing on Tuesday...please",
        ] {
            assert!(!has_link(text), "{text}");
        }
    }
}
