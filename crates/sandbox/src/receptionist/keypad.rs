//! Digits typed on the keys of a telephone: they mean what was asked for.

use super::{
    heard::{DayWish, Heard, Topic, Wish},
    moves::Asked,
    understand::Context,
};
use jiff::civil::Time;

/// Keys of one utterance that are looked at.
const MAX_KEYS: usize = 20;

/// Reads an utterance that consists of keys only ("5 1 2 5 5 5 0 1 4 2", "4 5 0 0 0 0 #").
pub(super) fn typed(text: &str, context: &Context<'_>) -> Option<Heard> {
    let keys: Vec<&str> = text.split_whitespace().collect();
    let is_key = |key: &&str| {
        key.len() == 1 && key.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'#' | b'*'))
    };
    if keys.is_empty() || keys.len() > MAX_KEYS || !keys.iter().all(is_key) {
        return None;
    }
    let digits: String = keys.concat().chars().filter(char::is_ascii_digit).collect();
    let mut heard = Heard::default();
    if let Some(phone) = phone(&digits) {
        heard.phone = Some(phone);
        return Some(heard);
    }
    let value: Option<u64> = digits.parse().ok();
    match context.asked {
        Asked::Budget | Asked::Change if digits.len() >= 3 => {
            heard.max_price = value;
            heard.topic = Some(Topic::Budget);
        }
        Asked::Bedrooms => {
            heard.bedrooms = value.filter(|bedrooms| *bedrooms <= 12);
            heard.topic = heard.bedrooms.map(|_| Topic::Bedrooms);
        }
        Asked::Which => {
            let place = value.and_then(|value| usize::try_from(value).ok()?.checked_sub(1));
            heard.choice = place.and_then(|place| context.presented.get(place)).cloned();
        }
        Asked::Day => {
            let day = value.and_then(|value| i8::try_from(value).ok());
            heard.day =
                day.and_then(|day| super::calendar::day_of_month(context.today?, day)).map(DayWish::On);
        }
        Asked::Time { .. } => heard.time = clock(&digits).map(Wish::At),
        Asked::Phone | Asked::CallWhen => heard.partial_phone = !digits.is_empty(),
        Asked::Open
        | Asked::Area
        | Asked::Budget
        | Asked::Interest
        | Asked::Name
        | Asked::CallBack
        | Asked::Change
        | Asked::Recording
        | Asked::Message
        | Asked::WayOut
        | Asked::Person
        | Asked::Email
        | Asked::EmailRight
        | Asked::AnythingElse => {}
    }
    Some(heard)
}

/// Ten digits are a number of this country, more begin with a country's code.
fn phone(digits: &str) -> Option<String> {
    match digits.len() {
        10 => Some(format!("+1{digits}")),
        11..=15 => Some(format!("+{digits}")),
        _ => None,
    }
}

/// `1030`, `230` or `11`: viewings are by day.
fn clock(digits: &str) -> Option<Time> {
    let (hour, minute) = match digits.len() {
        1 | 2 => (digits, "0"),
        3 | 4 => digits.split_at(digits.len() - 2),
        _ => return None,
    };
    let hour: i8 = hour.parse().ok()?;
    let hour = if (1..=7).contains(&hour) { hour + 12 } else { hour };
    Time::new(hour, minute.parse().ok()?, 0, 0).ok()
}
