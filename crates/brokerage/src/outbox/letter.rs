//! A mail in the form of RFC 5322.

use super::MailFailure;
use jiff::Timestamp;
use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};
use seiketsu_storage::outbox::Mail;
use std::time::{Duration, SystemTime};

/// A mail on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter(pub(crate) Mail);

/// Text that is no address to send from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an email address: expected for example no-reply@example.com")]
pub struct SenderError(String);

/// Reads the platform's own address.
pub fn sender(text: &str) -> Result<Address, SenderError> {
    text.trim().parse().map_err(|_| SenderError(text.to_owned()))
}

impl Letter {
    /// The mail itself.
    pub fn mail(&self) -> &Mail {
        &self.0
    }

    /// With all its headers. Two letters of one mail have the same Message-ID and the same date.
    pub(crate) fn message(&self, default_sender: &Address) -> Result<Message, MailFailure> {
        let mail = &self.0;
        let sender = match &mail.sender {
            Some(text) => text.parse().map_err(|_| unusable("sender"))?,
            None => default_sender.clone(),
        };
        let recipient: Address = mail.recipient.expose().parse().map_err(|_| unusable("recipient"))?;
        let id = format!("<{}@{}>", mail.id, sender.domain());
        Message::builder()
            .from(Mailbox::new(None, sender))
            .to(Mailbox::new(None, recipient))
            .subject(mail.subject.expose().clone())
            .date(date(mail.created_at))
            .message_id(Some(id))
            // Out-of-office replies would reach nobody.
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.expose().clone())
            .map_err(|_| MailFailure::Permanent("the mail cannot be written as a message".to_owned()))
    }
}

/// Whole seconds, as the header has them.
fn date(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(at.as_second().unsigned_abs())
}

fn unusable(what: &str) -> MailFailure {
    MailFailure::Permanent(format!("the {what} is not an email address"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use seiketsu_domain::CallId;
    use seiketsu_storage::{ids::MailId, outbox::MailState};

    pub(in crate::outbox) fn letter() -> Letter {
        Letter(Mail {
            id: MailId::from_uuid(uuid::Uuid::from_u128(7)),
            call_id: CallId::from_uuid(uuid::Uuid::from_u128(8)),
            sender: None,
            recipient: "john@example.com".to_owned().into(),
            subject: "Lone Star Homes: what we talked about".to_owned().into(),
            body: "Hello,\n\n12 Maple Street\n".to_owned().into(),
            state: MailState::Queued,
            attempts: 1,
            due_at: None,
            last_error: None,
            created_at: "2026-11-24T16:15:00Z".parse().unwrap(),
            sent_at: None,
        })
    }

    fn written(letter: &Letter) -> String {
        let message = letter.message(&sender("no-reply@seiketsu.example").unwrap()).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_letter_names_both_sides_and_is_the_same_each_time() {
        let text = written(&letter());
        for line in [
            "From: no-reply@seiketsu.example\r\n",
            "To: john@example.com\r\n",
            "Subject: Lone Star Homes: what we talked about\r\n",
            "Date: Tue, 24 Nov 2026 16:15:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "\r\n\r\nHello,\r\n\r\n12 Maple Street\r\n",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
        assert!(text.contains("@seiketsu.example>"), "{text}");
        assert_eq!(written(&letter()), text);
    }

    #[test]
    fn nothing_in_a_mail_becomes_a_header_of_its_own() {
        let mut evil = letter();
        evil.0.subject = "Hello\r\nBcc: eve@example.com".to_owned().into();
        let text = written(&evil);
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")), "{text}");
        evil.0.recipient = "john@example.com\r\nBcc: eve@example.com".to_owned().into();
        let refused = evil.message(&sender("no-reply@seiketsu.example").unwrap());
        assert!(matches!(refused, Err(MailFailure::Permanent(_))), "{refused:?}");
    }

    #[test]
    fn a_tenants_own_address_comes_first() {
        let mut own = letter();
        own.0.sender = Some("hello@lone-star-homes.example".to_owned());
        assert!(written(&own).contains("From: hello@lone-star-homes.example\r\n"));
    }
}
