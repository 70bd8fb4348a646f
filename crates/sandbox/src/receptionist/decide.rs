//! What to do next: call tools, say something, or end the call. Pure policy over what is known.

use super::{
    caller::{call_back, can_call_back, cancel, lead, leave},
    find::{Facts, facts, find_home},
    heard::Act,
    memory::{Goal, Last, Memory},
    moves::{Asked, Line, Move, Say, Tool},
};

/// Rounds of tools in one turn; after them something is said, whatever is known.
const MAX_ROUNDS: usize = 4;

/// Decides.
pub(super) fn decide(memory: &Memory) -> Move {
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
        // The lead is saved once the viewing is there, so that it counts; the question follows when that is done.
        if can(memory, Tool::SaveLead) && !memory.lead_saved {
            let home = memory.listings.get(&booking.listing);
            let say = Say { lines: vec![booked], asked: None };
            return Move::SayAndCall { say, calls: vec![(Tool::SaveLead, lead(memory, None, home))] };
        }
        return Move::say(vec![booked], Asked::AnythingElse);
    }
    if memory.confirmed && memory.last == Last::Tools {
        return Move::say(Vec::new(), Asked::AnythingElse);
    }
    if let Some(leave) = leave(memory) {
        return leave;
    }
    let heard = &memory.turn;
    let mut lines = remarks(memory);
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

/// The question to go on with after a remark.
fn resume(memory: &Memory) -> Asked {
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
    if heard.has_contact() && memory.asked == Asked::Open {
        return Move::say(vec![Line::Hello(memory.name.clone())], Asked::Open);
    }
    match memory.asked {
        Asked::AnythingElse if heard.is(Act::Yes) => Move::say(vec![Line::Happy], Asked::Open),
        Asked::Open if heard.is(Act::No) => Move::say(vec![Line::NoRush], Asked::AnythingElse),
        Asked::Open if heard.is(Act::Yes) => Move::say(vec![Line::Happy], Asked::Area),
        Asked::CallBack | Asked::Change if heard.is(Act::No) => {
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
        | Asked::AnythingElse => Move::say(vec![Line::Happy], resume(memory)),
    }
}

/// Whether this tool can be used now.
pub(super) fn can(memory: &Memory, tool: Tool) -> bool {
    memory.tools.contains(&tool) && !memory.failed.contains(&tool) && memory.rounds < MAX_ROUNDS
}
