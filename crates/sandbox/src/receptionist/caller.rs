//! The caller as a person: leaving, being called back, becoming a lead.

use super::{
    decide::can,
    errands::message_is_due,
    heard::{Act, Offer},
    listing::Listing,
    memory::{Goal, Memory},
    moves::{Asked, Line, Move, Say, Tool},
    wanted::offer_word,
};
use serde_json::{Map, Value, json};

/// Utterances in a row without any sense after which the agent gives up.
const MAX_MISSES: usize = 6;

pub(super) fn leave(memory: &Memory) -> Option<Move> {
    let heard = &memory.turn;
    let open_wish = heard.has_schedule() && memory.bookings.is_empty();
    let nothing_more = !heard.moves_on() || (heard.is(Act::No) && !heard.has_facts());
    let done = heard.is(Act::Enough) || heard.is(Act::No) || (heard.is(Act::Thanks) && memory.variant > 0);
    let give_up = memory.misses >= MAX_MISSES;
    let leaves = (heard.is(Act::Goodbye) && !open_wish)
        || (heard.is(Act::Enough) && !heard.has_facts() && heard.facets.is_empty())
        || (memory.asked == Asked::AnythingElse
            && done
            && nothing_more
            && heard.facets.is_empty()
            && !heard.asks_errand())
        || give_up;
    if !leaves || (message_is_due(memory) && !give_up) {
        return None;
    }
    let mut calls = Vec::new();
    let worth_keeping = memory.name.is_some()
        || memory.phone.is_some()
        || (memory.caller.is_some() && !memory.wanted.is_vague());
    if can(memory, Tool::SaveLead) && worth_keeping && !memory.lead_saved {
        calls.push((Tool::SaveLead, lead(memory, None, None)));
    }
    if memory.tools.contains(&Tool::EndCall) {
        let reason = match (give_up, memory.bookings.is_empty()) {
            (true, _) => "the caller could not be understood",
            (false, true) => "the caller said goodbye",
            (false, false) => "a viewing is booked and the caller said goodbye",
        };
        calls.push((Tool::EndCall, json!({"reason": reason})));
    }
    let line = if give_up { Line::GiveUp } else { Line::Goodbye };
    Some(Move::SayAndCall { say: Say { lines: vec![line], asked: None }, calls })
}

pub(super) fn can_call_back(memory: &Memory) -> bool {
    memory.tools.contains(&Tool::SaveLead) && !memory.failed.contains(&Tool::SaveLead)
}

/// Without the tool that is needed, a colleague is offered.
pub(super) fn down(memory: &Memory, mut lines: Vec<Line>, line: Line) -> Move {
    lines.push(line);
    Move::say(lines, if can_call_back(memory) { Asked::CallBack } else { Asked::AnythingElse })
}

pub(super) fn call_back(memory: &Memory, mut lines: Vec<Line>) -> Move {
    if memory.fresh_lead {
        lines.push(Line::WillCallBack(memory.name.clone()));
        return Move::say(lines, Asked::AnythingElse);
    }
    if !can(memory, Tool::SaveLead) {
        lines.push(Line::Down);
        return Move::say(lines, Asked::AnythingElse);
    }
    if memory.name.is_none() {
        let line = if memory.asked == Asked::Name && memory.turn.is_empty() {
            Line::Unclear(memory.misses.saturating_sub(1))
        } else {
            Line::Happy
        };
        if lines.is_empty() {
            lines.push(line);
        }
        return Move::say(lines, Asked::Name);
    }
    match phone_question(memory, lines) {
        Ok(question) => question,
        Err(_) => Move::Call(vec![(Tool::SaveLead, lead(memory, memory.note.as_deref(), None))]),
    }
}

/// Asks for a number where none is known; gives the lines back where that is not needed.
pub(super) fn phone_question(memory: &Memory, mut lines: Vec<Line>) -> Result<Move, Vec<Line>> {
    if memory.any_phone().is_some() || memory.phone_declined {
        return Err(lines);
    }
    if memory.turn.partial_phone {
        lines.push(Line::NeedDigits);
    }
    Ok(Move::say(lines, Asked::Phone))
}

pub(super) fn cancel(memory: &Memory, mut lines: Vec<Line>) -> Move {
    if memory.fresh_lead {
        lines.push(Line::CannotCancel);
        return Move::say(lines, Asked::AnythingElse);
    }
    if can(memory, Tool::SaveLead) {
        return Move::Call(vec![(Tool::SaveLead, lead(memory, memory.note.as_deref(), None))]);
    }
    lines.push(Line::Down);
    Move::say(lines, Asked::AnythingElse)
}

/// What is known of the caller, with the home that is being booked or was booked last.
pub(super) fn lead(memory: &Memory, note: Option<&str>, home: Option<&Listing>) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    };
    let booked = memory.bookings.last().map(|booking| &booking.listing).or(memory.chosen.as_ref());
    let home = home.or_else(|| memory.listings.get(booked?));
    let offer = memory.wanted.offer.or_else(|| home.map(|home| home.offer));
    let intent = if memory.goal == Goal::Sale {
        Some("sell")
    } else {
        offer.map(|offer| match offer {
            Offer::Sale => "buy",
            Offer::Rent => offer_word(Offer::Rent),
        })
    };
    put("name", memory.name.clone().map(Value::from));
    put("phone", memory.phone.clone().map(Value::from));
    put("email", memory.email.clone().map(Value::from));
    put("intent", intent.map(Value::from));
    put("budget", memory.wanted.max_price.map(Value::from));
    put("timeline", memory.timeline.map(Value::from));
    put("financing", memory.financing.map(Value::from));
    put("areas", memory.wanted.area.clone().map(|area| json!([area])));
    put("bedrooms", memory.wanted.bedrooms.map(Value::from));
    put("notes", note.map(Value::from));
    Value::Object(map)
}
