//! What the receptionist says about errands, and before it uses a tool, in English.

use super::{
    calendar::spoken_day,
    email,
    hours::{Part, spoken_time},
    language::Doing,
    listing::{capitalise, speakable},
    moves::{Errand, Hour, Tool},
    numbers::number_to_words,
    phrases::{Tone, join, pick},
};

pub(super) const STILL_LOOKING: [&str; 3] =
    ["I'm still looking that up.", "That is still being looked at.", "I'm still waiting for the answer."];

pub(super) fn errand(errand: &Errand, tone: Tone) -> String {
    match errand {
        Errand::PuttingThrough(name) if name.is_empty() => {
            "I'm putting you through now. Please hold the line.".to_owned()
        }
        Errand::PuttingThrough(name) => {
            format!("I'm putting you through now. {} will hear what it is about first.", capitalise(name))
        }
        Errand::NobodyFree => "Nobody can take your call right now.".to_owned(),
        Errand::NotListed(names) => {
            format!("I can't find that name. You can speak to {}.", join(names, "or"))
        }
        Errand::MessageTaken(None) => "I've written that down. Your message will be passed on.".to_owned(),
        Errand::MessageTaken(Some(person)) => {
            format!("I've written that down. {person} will get your message.")
        }
        Errand::ReadBack(address) => format!("I have {}.", spoken_address(address)),
        Errand::Sent(address) => format!("It's on its way. I've sent it to {}.", spoken_address(address)),
        Errand::NotSent => "I couldn't send that email.".to_owned(),
        Errand::NoMail => "I can't send email from here.".to_owned(),
        Errand::CallArranged { day, when } => {
            let hour = match when {
                Hour::At(time) => format!("at {}", spoken_time(*time)),
                Hour::In(Part::Morning) => "in the morning".to_owned(),
                Hour::In(Part::Afternoon | Part::Evening) => "in the afternoon".to_owned(),
            };
            format!("That's arranged. Someone will call you {} {hour}.", spoken_day(*day, tone.today))
        }
        Errand::NotArranged => "I couldn't arrange that time.".to_owned(),
        Errand::Moved { address, day, time } => {
            let when = format!("{} at {}", spoken_day(*day, tone.today), spoken_time(*time));
            match address {
                Some(address) => {
                    format!("It's moved. Your viewing of {} is now {when}.", speakable(address, 10))
                }
                None => format!("It's moved. Your viewing is now {when}."),
            }
        }
        Errand::NotMoved => "I couldn't move your viewing.".to_owned(),
        Errand::Cancelled { address: Some(address) } => {
            format!("It's cancelled. Your viewing of {} won't take place.", speakable(address, 10))
        }
        Errand::Cancelled { address: None } => "It's cancelled. Your viewing won't take place.".to_owned(),
        Errand::NotCancelled => "I couldn't cancel your viewing.".to_owned(),
        Errand::StillLooking => pick(&STILL_LOOKING, tone.seed).to_owned(),
        Errand::Assented => "Thank you.".to_owned(),
        Errand::NotRecorded => "That's fine, nothing is recorded.".to_owned(),
        Errand::Rest(rest) => rest.clone(),
    }
}

/// What is about to be done, in at most six words.
pub(super) fn announcement(doing: &Doing<'_>) -> Option<String> {
    let number = doing.number as u64;
    let plain = |variants: &[&str]| Some(pick(variants, number).to_owned());
    match doing.tool {
        Tool::SearchListings => {
            let area = doing.area.filter(|area| area.split_whitespace().count() <= 2);
            match area.map(|area| speakable(area, 4)).filter(|area| !area.is_empty()) {
                Some(area) => Some(match number % 3 {
                    0 => format!("Let me look in {area}."),
                    1 => format!("Searching {area} for you."),
                    _ => format!("I'll see what's in {area}."),
                }),
                None => plain(&[
                    "Let me search our homes.",
                    "Looking through our homes.",
                    "I'll see what we have.",
                ]),
            }
        }
        Tool::GetListing => {
            plain(&["Let me get the details.", "Looking up that home.", "I'll pull up that home."])
        }
        Tool::CheckAvailability => {
            let day = doing.day.map(|day| spoken_day(day, doing.today));
            match day.as_deref().and_then(|day| day.split(',').next()) {
                Some(day) => Some(match number % 3 {
                    0 => format!("Checking {day} for you."),
                    1 => format!("Let me look at {day}."),
                    _ => format!("Looking at {day} now."),
                }),
                None => plain(&["Checking the calendar.", "Let me look at the calendar."]),
            }
        }
        Tool::BookViewing => {
            plain(&["Booking that for you now.", "Let me book that.", "I'll put that down now."])
        }
        Tool::TakeMessage => plain(&["Let me write that down.", "Noting that for them now."]),
        Tool::TransferToHuman => plain(&["Let me find someone for you.", "I'll see who is free."]),
        Tool::SendSummary => plain(&["Sending it to you now.", "Let me send that off."]),
        Tool::RequestCallback => plain(&["Let me arrange that call.", "Arranging your call back now."]),
        Tool::RescheduleViewing => plain(&["Moving your viewing now.", "Let me move your viewing."]),
        Tool::CancelViewing => plain(&["Cancelling your viewing now.", "Let me cancel your viewing."]),
        Tool::SaveLead | Tool::EndCall => None,
    }
}

/// "anna dot lee at example dot com".
fn spoken_address(address: &str) -> String {
    let symbol = |char| match char {
        '@' => Some("at"),
        '.' => Some("dot"),
        '_' => Some("underscore"),
        '-' => Some("dash"),
        '+' => Some("plus"),
        _ => None,
    };
    email::spoken(address, symbol, number_to_words)
}
