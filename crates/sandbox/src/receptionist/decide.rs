//! What to do next: call tools, say something, or end the call. Pure policy over what is known.

use super::{
    caller::{call_back, can_call_back, cancel, lead, leave},
    errands::{errand, summary_to_send},
    find::{Facts, facts, find_home},
    heard::Act,
    memory::{Goal, Last, Memory},
    moves::{Asked, Errand, Line, Move, Say, Tool},
};
use serde_json::Value;

/// Rounds of tools in one turn; after them something is said, whatever is known.
const MAX_ROUNDS: usize = 4;

/// Decides. What was called and is still at work is not called again: the caller is told that it is.
pub(super) fn decide(memory: &Memory) -> Move {
    let is_new = |call: &(Tool, Value)| !memory.unfinished.contains(call);
    let still_looking = || {
        let mut lines = remarks(memory);
        lines.push(Line::Errand(Errand::StillLooking));
        Move::Say(Say { lines, asked: None })
    };
    match decide_anew(memory) {
        Move::Call(mut calls) => {
            calls.retain(is_new);
            if calls.is_empty() { still_looking() } else { Move::Call(calls) }
        }
        Move::SayAndCall { say, mut calls } => {
            calls.retain(is_new);
            Move::SayAndCall { say, calls }
        }
        Move::Say(say) => Move::Say(say),
    }
}

fn decide_anew(memory: &Memory) -> Move {
    match memory.last {
        Last::Nobody => return Move::say(vec![Line::Hello(None)], Asked::Open),
        Last::Agent => return Move::say(vec![Line::StillThere], memory.asked.clone()),
        Last::Tools if memory.ended => return Move::Say(Say { lines: vec![Line::Goodbye], asked: None }),
        Last::Caller | Last::Tools => {}
    }
    if let Some(booking) = &memory.fresh_booking {
        let booked = Line::Booked {
            booking: booking.clone(),
            home: memory.listings.get(&booking.listing).cloned(),
            name: memory.name.clone(),
        };
        // The lead is saved and the summary sent once the viewing is there, so that it counts; neither needs the other.
        // The question follows when that is done.
        let mut calls = Vec::new();
        if can(memory, Tool::SaveLead) && !memory.lead_saved {
            let home = memory.listings.get(&booking.listing);
            calls.push((Tool::SaveLead, lead(memory, None, home)));
        }
        calls.extend(summary_to_send(memory));
        if calls.is_empty() {
            return Move::say(vec![booked], closing_question(memory));
        }
        return Move::SayAndCall { say: Say { lines: vec![booked], asked: None }, calls };
    }
    if memory.confirmed && memory.last == Last::Tools {
        if memory.goal == Goal::Mail
            && let Some(told) = errand(memory, &[])
        {
            return told;
        }
        return Move::say(Vec::new(), Asked::AnythingElse);
    }
    if let Some(leave) = leave(memory) {
        return leave;
    }
    if let Some(assent) = assent(memory) {
        return assent;
    }
    let heard = &memory.turn;
    if let Some(rest) = memory.rest.as_ref().filter(|_| heard.is(Act::GoOn) && !heard.has_facts()) {
        let say = Say { lines: vec![Line::Errand(Errand::Rest(rest.clone()))], asked: None };
        return Move::Say(say);
    }
    let mut lines = remarks(memory);
    let repeats = heard.is(Act::Repeat) && !lines.is_empty();
    if !repeats
        && !aside(memory, &lines)
        && let Some(errand) = errand(memory, &lines)
    {
        return errand;
    }
    if memory.goal == Goal::CallBack || memory.goal == Goal::Sale {
        return call_back(memory, lines);
    }
    if memory.note.is_some() {
        return cancel(memory, lines);
    }
    match facts(memory) {
        Facts::None => {}
        Facts::Need(call) => return call,
        Facts::Known(known) => lines.extend(known),
    }
    let answered = !lines.is_empty();
    if heard.is_empty() {
        return unclear(memory);
    }
    if heard.is(Act::OtherQuestion) && !heard.moves_on() {
        return Move::say(vec![Line::DontKnow], resume(memory));
    }
    let moves_on =
        heard.moves_on() && (heard.facets.is_empty() || heard.has_schedule() || heard.is(Act::View));
    if memory.goal == Goal::Home && (moves_on || !answered) {
        return find_home(memory, lines);
    }
    if answered {
        return Move::say(lines, resume(memory));
    }
    small_talk(memory)
}

/// What is said beside the matter: about the agent, about people, thanks.
fn remarks(memory: &Memory) -> Vec<Line> {
    let heard = &memory.turn;
    let mut lines = Vec::new();
    for (act, line) in [
        (Act::AskRobot, Line::Robot),
        (Act::AskWhetherHuman, Line::NotHuman),
        (Act::AskPeople, Line::HomesOnly),
        (Act::CanYouHear, Line::Hearing),
        (Act::Wait, Line::NoRush),
    ] {
        if heard.is(act) && !(act == Act::Wait && heard.moves_on()) {
            lines.push(line);
        }
    }
    if heard.is(Act::Repeat) && !heard.has_facts() && lines.is_empty() {
        lines.push(Line::Again);
        if let Some(last) = &memory.last_say {
            lines.extend(
                last.lines.iter().filter(|line| !matches!(line, Line::Again | Line::Unclear(_))).cloned(),
            );
        }
    }
    let idle = lines.is_empty() && heard.facets.is_empty() && !heard.moves_on();
    if idle && heard.is(Act::Thanks) {
        lines.push(Line::Welcome);
    } else if idle && heard.is(Act::Greeting) {
        lines.push(Line::Hello(None));
    }
    lines
}

/// The answer to "may I record this call", where nothing else was said.
fn assent(memory: &Memory) -> Option<Move> {
    let heard = &memory.turn;
    let bare = !heard.has_facts() && heard.facets.is_empty() && !heard.asks_errand();
    let more = [
        Act::Search,
        Act::View,
        Act::Sell,
        Act::AskAreas,
        Act::AskRobot,
        Act::AskWhetherHuman,
        Act::AskPeople,
    ];
    if memory.asked != Asked::Recording || !bare || more.iter().any(|act| heard.is(*act)) {
        return None;
    }
    let line = match (heard.is(Act::Yes), heard.is(Act::No)) {
        (_, true) => Errand::NotRecorded,
        (true, false) => Errand::Assented,
        (false, false) => return None,
    };
    Some(Move::say(vec![Line::Errand(line)], Asked::Open))
}

/// Whether the utterance was only a remark in the middle of an errand, to be answered before its question is asked again.
fn aside(memory: &Memory, lines: &[Line]) -> bool {
    let heard = &memory.turn;
    let fresh = !memory.errands.answers.is_empty() || !memory.errands.refusals.is_empty();
    let asks_again = !matches!(memory.asked, Asked::Open | Asked::AnythingElse | Asked::Recording);
    !lines.is_empty() && !heard.moves_on() && !heard.asks_errand() && !fresh && asks_again
}

/// What is asked after a booking: where the summary goes, if one was asked for, or whether that was all.
fn closing_question(memory: &Memory) -> Asked {
    let address_missing = memory.errands.mail_wanted && memory.email.is_none();
    if address_missing && memory.tools.contains(&Tool::SendSummary) {
        Asked::Email
    } else {
        Asked::AnythingElse
    }
}

/// The question to go on with after a remark.
fn resume(memory: &Memory) -> Asked {
    if memory.asked == Asked::Recording {
        return Asked::Open;
    }
    let nothing_open = memory.goal == Goal::None && memory.asked == Asked::Open;
    if nothing_open && !memory.bookings.is_empty() {
        return Asked::AnythingElse;
    }
    // Once a home was talked about, the open question has become a narrower one.
    let open = memory.goal == Goal::Home && matches!(memory.asked, Asked::Open | Asked::AnythingElse);
    match memory.presented.len() {
        1 if open => Asked::Interest,
        2.. if open => Asked::Which,
        _ => memory.asked.clone(),
    }
}

fn unclear(memory: &Memory) -> Move {
    let lines = vec![Line::Unclear(memory.misses.saturating_sub(1))];
    // The third time, another way out is offered.
    let asked = if memory.misses == 3 && can_call_back(memory) { Asked::CallBack } else { resume(memory) };
    Move::say(lines, asked)
}

/// A turn that says something but is after nothing.
fn small_talk(memory: &Memory) -> Move {
    let heard = &memory.turn;
    if heard.has_contact() && matches!(memory.asked, Asked::Open | Asked::Recording) {
        return Move::say(vec![Line::Hello(memory.name.clone())], Asked::Open);
    }
    match memory.asked {
        Asked::AnythingElse if heard.is(Act::Yes) => Move::say(vec![Line::Happy], Asked::Open),
        Asked::Open if heard.is(Act::No) => Move::say(vec![Line::NoRush], Asked::AnythingElse),
        Asked::Open if heard.is(Act::Yes) => Move::say(vec![Line::Happy], Asked::Area),
        Asked::CallBack
        | Asked::Change
        | Asked::Message
        | Asked::WayOut
        | Asked::Person
        | Asked::Email
        | Asked::CallWhen
            if heard.is(Act::No) =>
        {
            Move::say(vec![Line::NoRush], Asked::AnythingElse)
        }
        Asked::Open
        | Asked::Area
        | Asked::Bedrooms
        | Asked::Budget
        | Asked::Interest
        | Asked::Which
        | Asked::Day
        | Asked::Time { .. }
        | Asked::Name
        | Asked::Phone
        | Asked::CallBack
        | Asked::Change
        | Asked::Recording
        | Asked::Message
        | Asked::WayOut
        | Asked::Person
        | Asked::Email
        | Asked::EmailRight
        | Asked::CallWhen
        | Asked::AnythingElse => Move::say(vec![Line::Happy], resume(memory)),
    }
}

/// Whether this tool can be used now.
pub(super) fn can(memory: &Memory, tool: Tool) -> bool {
    memory.tools.contains(&tool) && !memory.failed.contains(&tool) && memory.rounds < MAX_ROUNDS
}
