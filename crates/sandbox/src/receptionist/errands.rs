//! What a receptionist does besides homes: putting through, messages, e-mail, call backs, and viewings that are moved or
//! called off.

use super::{
    caller::{call_back, can_call_back, down, phone_question},
    decide::can,
    heard::{Act, Offer, Wish},
    hours::Part,
    listing::kind_word,
    memory::{Goal, Memory, time_argument},
    moves::{Asked, Errand, Hour, Line, Move, Say, Tool},
};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Names told in one breath.
const TOLD_NAMES: usize = 4;

/// What is known of the errands of a call.
#[derive(Debug, Default)]
pub(super) struct Errands {
    pub(super) message: Option<String>,
    /// Whom the caller asked for.
    pub(super) person: Option<String>,
    /// What the caller has called about, in their words.
    pub(super) concern: Option<String>,
    /// Nobody took the call, or nobody can.
    pub(super) nobody: bool,
    /// A summary by e-mail is wanted and was not sent yet.
    pub(super) mail_wanted: bool,
    /// The caller has said that the address is right.
    pub(super) mail_confirmed: bool,
    pub(super) call_day: Option<Date>,
    pub(super) call_time: Option<Wish>,
    /// The viewing that is to be cancelled, if it was booked in this call.
    pub(super) cancelling: Option<String>,
    /// What tools have answered and the caller has not been told.
    pub(super) answers: BTreeMap<Tool, Value>,
    /// What tools have refused since the caller spoke.
    pub(super) refusals: BTreeMap<Tool, Value>,
}

/// Decides about the errand that the caller is after, if there is one.
pub(super) fn errand(memory: &Memory, lines: &[Line]) -> Option<Move> {
    let lines = lines.to_vec();
    Some(match memory.goal {
        Goal::Person => person(memory, lines),
        Goal::Message => message(memory, lines),
        Goal::Mail => mail(memory, lines),
        Goal::CallAt => call_at(memory, lines),
        Goal::Move => move_viewing(memory, lines),
        Goal::Cancel => cancel_viewing(memory, lines),
        Goal::None | Goal::Home | Goal::Sale | Goal::CallBack => return None,
    })
}

/// The summary that was asked for together with something else, where it can be sent now.
pub(super) fn summary_to_send(memory: &Memory) -> Option<(Tool, Value)> {
    let email = memory.email.as_ref().filter(|_| memory.errands.mail_wanted)?;
    can(memory, Tool::SendSummary).then(|| (Tool::SendSummary, mail_arguments(memory, email)))
}

fn person(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    if let Some(answer) = errands.answers.get(&Tool::TransferToHuman) {
        let name = answer.get("putting_through_to").and_then(Value::as_str).unwrap_or_default();
        lines.push(Line::Errand(Errand::PuttingThrough(name.chars().take(60).collect())));
        return Move::Say(Say { lines, asked: None });
    }
    if let Some(refusal) = errands.refusals.get(&Tool::TransferToHuman) {
        let names = names_in(refusal);
        if !names.is_empty() {
            lines.push(Line::Errand(Errand::NotListed(names)));
            return Move::say(lines, Asked::Person);
        }
    } else if can(memory, Tool::TransferToHuman) && !(errands.nobody && errands.person.is_none()) {
        let mut arguments = json!({"summary": summary(memory)});
        if let (Some(person), Some(map)) = (&errands.person, arguments.as_object_mut()) {
            map.insert("to".to_owned(), person.as_str().into());
        }
        return Move::call(Tool::TransferToHuman, arguments);
    }
    lines.push(Line::Errand(Errand::NobodyFree));
    Move::say(lines, way_out(memory))
}

/// What can be offered instead of a person.
fn way_out(memory: &Memory) -> Asked {
    if memory.tools.contains(&Tool::TakeMessage) {
        Asked::WayOut
    } else if memory.tools.contains(&Tool::RequestCallback) || can_call_back(memory) {
        Asked::CallBack
    } else {
        Asked::AnythingElse
    }
}

fn message(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    if errands.answers.contains_key(&Tool::TakeMessage) {
        lines.push(Line::Errand(Errand::MessageTaken(errands.person.clone())));
        return Move::say(lines, Asked::AnythingElse);
    }
    if !memory.tools.contains(&Tool::TakeMessage) {
        return call_back(memory, lines);
    }
    if !can(memory, Tool::TakeMessage) {
        return down(memory, lines, Line::Down);
    }
    let Some(message) = &errands.message else {
        if lines.is_empty() {
            lines.push(Line::Happy);
        }
        return Move::say(lines, Asked::Message);
    };
    // Whoever is about to go is asked nothing more: the message counts.
    if !is_going(memory) {
        if memory.name.is_none() && memory.variant_of(&Asked::Name) < 2 {
            return Move::say(lines, Asked::Name);
        }
        if let Ok(question) = phone_question(memory, lines) {
            return question;
        }
    }
    let mut map = Map::new();
    put(&mut map, "for", errands.person.as_deref());
    put(&mut map, "message", Some(message));
    put(&mut map, "name", memory.name.as_deref());
    put(&mut map, "phone", memory.phone.as_deref());
    Move::call(Tool::TakeMessage, Value::Object(map))
}

/// Whether the caller has nothing more to say.
fn is_going(memory: &Memory) -> bool {
    [Act::Goodbye, Act::Enough, Act::No].into_iter().any(|act| memory.turn.is(act))
}

/// A message that a caller who says goodbye has left and nobody has taken down yet.
pub(super) fn message_is_due(memory: &Memory) -> bool {
    let errands = &memory.errands;
    memory.goal == Goal::Message
        && errands.message.is_some()
        && !errands.answers.contains_key(&Tool::TakeMessage)
        && can(memory, Tool::TakeMessage)
}

fn mail(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    let address = memory.email.as_ref();
    if let (true, Some(address)) = (errands.answers.contains_key(&Tool::SendSummary), address) {
        lines.push(Line::Errand(Errand::Sent(address.clone())));
        return Move::say(lines, Asked::AnythingElse);
    }
    if !memory.tools.contains(&Tool::SendSummary) {
        return down(memory, lines, Line::Errand(Errand::NoMail));
    }
    if !can(memory, Tool::SendSummary) {
        lines.push(Line::Errand(Errand::NotSent));
        return Move::say(lines, way_out(memory));
    }
    match address {
        None => {
            if lines.is_empty() {
                let missed = memory.asked == Asked::Email;
                lines.push(if missed { Line::Unclear(memory.variant) } else { Line::Happy });
            }
            Move::say(lines, Asked::Email)
        }
        Some(address) if !errands.mail_confirmed => {
            lines.push(Line::Errand(Errand::ReadBack(address.clone())));
            Move::say(lines, Asked::EmailRight)
        }
        Some(address) => Move::call(Tool::SendSummary, mail_arguments(memory, address)),
    }
}

fn mail_arguments(memory: &Memory, address: &str) -> Value {
    let mut map = Map::new();
    put(&mut map, "email", Some(address));
    let what = match (memory.bookings.is_empty(), memory.shown.is_empty()) {
        (false, _) => Some("the viewing and the homes we talked about"),
        (true, false) => Some("the homes we talked about"),
        (true, true) => None,
    };
    put(&mut map, "what", what);
    Value::Object(map)
}

fn call_at(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    let when =
        memory.today.and_then(|today| call_time(errands, today, memory.variant_of(&Asked::CallWhen) > 1));
    if let (true, Some((day, when))) = (errands.answers.contains_key(&Tool::RequestCallback), when) {
        lines.push(Line::Errand(Errand::CallArranged { day, when }));
        if errands.answers.contains_key(&Tool::SendSummary)
            && let Some(address) = &memory.email
        {
            lines.push(Line::Errand(Errand::Sent(address.clone())));
        }
        return Move::say(lines, Asked::AnythingElse);
    }
    if !memory.tools.contains(&Tool::RequestCallback) {
        return call_back(memory, lines);
    }
    if errands.refusals.contains_key(&Tool::RequestCallback) {
        lines.push(Line::Errand(Errand::NotArranged));
        return Move::say(lines, Asked::CallWhen);
    }
    if !can(memory, Tool::RequestCallback) {
        return down(memory, lines, Line::Down);
    }
    let Some((day, hour)) = when else {
        if lines.is_empty() {
            lines.push(Line::Happy);
        }
        return Move::say(lines, Asked::CallWhen);
    };
    if memory.any_phone().is_none() && memory.variant_of(&Asked::Phone) < 2 {
        if memory.turn.partial_phone {
            lines.push(Line::NeedDigits);
        }
        return Move::say(lines, Asked::Phone);
    }
    let mut map = Map::new();
    let when = match hour {
        Hour::At(time) => format!("{day} {}", time_argument(time)),
        Hour::In(Part::Morning) => format!("{day} morning"),
        Hour::In(Part::Afternoon | Part::Evening) => format!("{day} afternoon"),
    };
    put(&mut map, "when", Some(&when));
    put(&mut map, "phone", memory.phone.as_deref());
    put(&mut map, "about", Some(summary(memory).as_str()).filter(|about| !about.is_empty()));
    let mut calls = vec![(Tool::RequestCallback, Value::Object(map))];
    // Neither needs the other.
    calls.extend(summary_to_send(memory));
    Move::Call(calls)
}

/// Day and hour of a call back, once enough is known. Whoever does not choose an hour is called in the morning.
fn call_time(errands: &Errands, today: Date, patience_ends: bool) -> Option<(Date, Hour)> {
    let hour = match errands.call_time {
        Some(Wish::At(time) | Wish::After(time)) => Some(Hour::At(time)),
        Some(Wish::In(part)) => Some(Hour::In(part)),
        Some(Wish::Before(_) | Wish::Earliest) => Some(Hour::In(Part::Morning)),
        Some(Wish::Latest | Wish::Later) => Some(Hour::In(Part::Afternoon)),
        Some(Wish::Nth(_) | Wish::Earlier) | None => None,
    };
    match (errands.call_day, hour) {
        (Some(day), Some(hour)) => Some((day, hour)),
        (Some(day), None) => patience_ends.then_some((day, Hour::In(Part::Morning))),
        (None, Some(hour)) => Some((today, hour)),
        (None, None) => None,
    }
}

/// A viewing that was booked before this call: which one, the tool knows by the caller's number.
fn move_viewing(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    let time = match memory.time {
        Some(Wish::At(time)) => Some(time),
        Some(
            Wish::In(_)
            | Wish::After(_)
            | Wish::Before(_)
            | Wish::Earliest
            | Wish::Latest
            | Wish::Nth(_)
            | Wish::Later
            | Wish::Earlier,
        )
        | None => None,
    };
    if let Some(answer) = errands.answers.get(&Tool::RescheduleViewing) {
        let Some((day, time)) = memory.day.zip(time) else { return down(memory, lines, Line::Down) };
        lines.push(Line::Errand(Errand::Moved { address: address_in(answer), day, time }));
        return Move::say(lines, Asked::AnythingElse);
    }
    if let Some(refusal) = errands.refusals.get(&Tool::RescheduleViewing) {
        let times: Vec<Time> = super::filing::times_in(refusal.get("free").unwrap_or(&Value::Null));
        if let (Some(day), false) = (memory.day, times.is_empty()) {
            let times = super::viewing::nearest(&times, time.unwrap_or(times[0]));
            lines.push(Line::Instead { day, wanted: time, times });
            return Move::say(lines, Asked::Time { day });
        }
        lines.push(Line::Errand(Errand::NotMoved));
        return Move::say(lines, way_out(memory));
    }
    if !can(memory, Tool::RescheduleViewing) {
        return down(memory, lines, Line::Errand(Errand::NotMoved));
    }
    let Some(day) = memory.day else {
        if lines.is_empty() {
            lines.push(Line::Happy);
        }
        return Move::say(lines, Asked::Day);
    };
    let Some(time) = time else { return Move::say(lines, Asked::Time { day }) };
    Move::call(Tool::RescheduleViewing, json!({"date": day.to_string(), "time": time_argument(time)}))
}

fn cancel_viewing(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let errands = &memory.errands;
    if let Some(answer) = errands.answers.get(&Tool::CancelViewing) {
        lines.push(Line::Errand(Errand::Cancelled { address: address_in(answer) }));
        return Move::say(lines, Asked::AnythingElse);
    }
    if can(memory, Tool::CancelViewing) {
        let mut map = Map::new();
        put(&mut map, "viewing", errands.cancelling.as_deref());
        return Move::call(Tool::CancelViewing, Value::Object(map));
    }
    lines.push(Line::Errand(Errand::NotCancelled));
    Move::say(lines, way_out(memory))
}

fn put(map: &mut Map<String, Value>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

/// What an utterance says that the call is about: "a question about a mortgage", "talk to somebody about my lease".
pub(super) fn concern_in(text: &str) -> Option<String> {
    const BEFORE: &str =
        "question questions talk speak person somebody someone anybody anyone human calling call";
    const LONGEST: usize = 8;
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .collect();
    let about = words.iter().position(|word| word == "about")?;
    let is_reason = words[..about].iter().any(|word| BEFORE.split(' ').any(|known| known == word));
    let concern: Vec<&str> = words[about + 1..].iter().take(LONGEST).map(String::as_str).collect();
    (is_reason && !concern.is_empty()).then(|| concern.join(" "))
}

/// What a colleague should know before taking over.
fn summary(memory: &Memory) -> String {
    let wanted = &memory.wanted;
    let mut sentences = Vec::new();
    let mut wish: Vec<String> = Vec::new();
    if !wanted.is_vague() || wanted.offer.is_some() {
        let offer = wanted.offer.map_or("a", |offer| match offer {
            Offer::Sale => "to buy a",
            Offer::Rent => "to rent a",
        });
        wish.push(format!("looking for {offer}").replace("for to", "to"));
        wish.extend(wanted.bedrooms.map(|bedrooms| format!("{bedrooms} bedroom")));
        wish.push(wanted.kind.map_or("home", kind_word).to_owned());
        wish.extend(wanted.area.as_ref().map(|area| format!("in {area}")));
        wish.extend(wanted.max_price.map(|price| format!("up to {price} dollars")));
    }
    match (&memory.name, wish.is_empty()) {
        (Some(name), true) => sentences.push(format!("{name} is calling.")),
        (Some(name), false) => sentences.push(format!("{name} is {}.", wish.join(" "))),
        (None, false) => sentences.push(format!("The caller is {}.", wish.join(" "))),
        (None, true) => {}
    }
    for booking in &memory.bookings {
        sentences.push(format!(
            "A viewing of {} is booked on {} at {}.",
            booking.address,
            booking.day,
            time_argument(booking.time)
        ));
    }
    match (memory.goal == Goal::Person, &memory.errands.concern) {
        (true, Some(concern)) => sentences.push(format!("Asks to speak to a person about {concern}.")),
        (true, None) => sentences.push("Asks to speak to a person.".to_owned()),
        (false, Some(concern)) => sentences.push(format!("Calls about {concern}.")),
        (false, None) => {}
    }
    sentences.join(" ")
}

/// The people that a refusal offers instead.
fn names_in(refusal: &Value) -> Vec<String> {
    let list = ["reachable_now", "names"].iter().find_map(|name| refusal.get(name)?.as_array());
    let names = list.into_iter().flatten().filter_map(Value::as_str);
    names.take(TOLD_NAMES).map(|name| name.chars().take(60).collect()).collect()
}

fn address_in(answer: &Value) -> Option<String> {
    answer.get("address").and_then(Value::as_str).map(|address| address.chars().take(120).collect())
}
