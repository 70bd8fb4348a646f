//! When: days and times in an utterance.

use super::{
    calendar::{LowOrdinals, day_at},
    heard::{Act, DayWish, Heard, Topic, Wish},
    hours::{Bare, Part, part_in, time_at},
    moves::Asked,
    numbers::ordinal_at,
    tokens::Tokens,
    understand::{Context, is_pronoun},
};
use jiff::civil::{Date, Time};
use std::ops::Range;

/// Days, and where they stand. The last one counts, unless "or" leaves the choice to the agent, or it was ruled out.
pub(super) fn days(
    tokens: &mut Tokens,
    context: &Context<'_>,
    heard: &mut Heard,
    topics: &mut Vec<(usize, Topic)>,
) -> Vec<Range<usize>> {
    const SOONEST: &str = "\
        as soon as possible, asap, soonest, whenever, any day, first available, next available, earliest \
        available, earliest possible, whatever day, first opening, next opening, earliest appointment";
    let Some(today) = context.today else { return Vec::new() };
    if let Some(found) = tokens.find(SOONEST) {
        heard.day = Some(DayWish::Soonest);
        tokens.claim(found);
    }
    // "The second" is a day where days are asked for, and one of those offered where a choice is open.
    let choosing = matches!(context.asked, Asked::Time { .. }) || context.choosing();
    let low =
        if choosing && *context.asked != Asked::Day { LowOrdinals::AreChoices } else { LowOrdinals::AreDays };
    let mut found: Vec<(Date, Range<usize>)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match day_at(tokens, at, today, low) {
            Some((day, length)) => {
                found.push((day, at..at + length));
                at += length;
            }
            None => at += 1,
        }
    }
    let ruled_out: Vec<bool> = found.iter().map(|(_, range)| is_ruled_out(tokens, range)).collect();
    for (number, (day, range)) in found.iter().enumerate() {
        let alternative =
            number > 0 && tokens.before(range.start) == "or" && matches!(heard.day, Some(DayWish::On(_)));
        if ruled_out[number] {
            heard.day = heard.day.or(Some(DayWish::Another));
        } else if !alternative {
            heard.day = Some(DayWish::On(*day));
        }
        topics.push((range.start, Topic::Schedule));
        tokens.claim(range.clone());
    }
    if heard.day.is_none() && tokens.has("another day, different day, other day, other days, some other day")
    {
        heard.day = Some(DayWish::Another);
    }
    found.into_iter().map(|(_, range)| range).collect()
}

/// Whether the words around say that it does not suit: "not friday", "friday doesn't work".
fn is_ruled_out(tokens: &Tokens, range: &Range<usize>) -> bool {
    const BEFORE: &str = "not, can't do, can't make, cannot do, except, isn't, anything but, can't come";
    const AFTER: &str = "\
        doesn't work, does not work, won't work, will not work, is no good, is not good, isn't good, is \
        bad, is too early, is too late, isn't possible, is not possible, doesn't suit, is difficult, is \
        out, isn't going to work, is tough, i can't, i'm busy";
    let before = (range.start.saturating_sub(3)..range.start).any(|from| {
        // "no, not friday, saturday": only what directly follows is ruled out.
        tokens.any_at(from, BEFORE).is_some_and(|length| {
            let gap = range.start.saturating_sub(from + length);
            from + length <= range.start
                && (gap == 0 || (gap == 1 && matches!(tokens.before(range.start), "on" | "at" | "the")))
        })
    });
    before || tokens.any_at(range.end, AFTER).is_some()
}

/// Times with words or days before them that make them times, and vague wishes ("in the morning", "after two").
pub(super) fn times(
    tokens: &mut Tokens,
    context: &Context<'_>,
    days: &[Range<usize>],
    heard: &mut Heard,
    topics: &mut Vec<(usize, Topic)>,
) {
    let part = part_in(tokens);
    let half = part.as_ref().map(|(part, _)| *part);
    let mut wish: Option<Wish> = None;
    let mut at = 0;
    while at < tokens.len() {
        let (lead, kind) = lead_at(tokens, at);
        let day_before = days.iter().any(|day| day.end == at) && !is_pronoun(tokens, at);
        let bare = if lead > 0 || day_before { Bare::Allowed } else { Bare::Refused };
        let Some((time, length)) =
            time_at(tokens, at + lead, bare, half).filter(|_| tokens.all_free(at..at + lead))
        else {
            at += 1;
            continue;
        };
        let range = at + lead..at + lead + length;
        let said = match kind {
            Lead::At => Wish::At(time),
            Lead::After => Wish::After(time),
            Lead::Before => Wish::Before(time),
        };
        if is_ruled_out(tokens, &range) {
            heard.acts.insert(Act::AskTimes);
        } else if !(tokens.before(at) == "or" && wish.is_some()) {
            wish = Some(said);
        }
        topics.push((at, Topic::Schedule));
        tokens.claim(at..range.end);
        at = range.end;
    }
    let wish = wish.or_else(|| vague(tokens, context)).or_else(|| {
        let (part, range) = part.clone()?;
        (!is_ruled_out(tokens, &range)).then_some(Wish::In(part))
    });
    if let Some((_, range)) = part {
        tokens.claim(range);
    }
    heard.time = wish;
}

#[derive(Debug, Clone, Copy)]
enum Lead {
    At,
    After,
    Before,
}

/// Words that announce a time.
fn lead_at(tokens: &Tokens, at: usize) -> (usize, Lead) {
    const AT: &str = "\
        at about, at around, at like, at, around, about, by about, by, say, how about, what about, for";
    const AFTER: &str = "\
        any time after, anytime after, no earlier than, not before, later than, after, from, between";
    const BEFORE: &str = "any time before, no later than, not after, earlier than, before, until";
    if let Some(length) = tokens.any_at(at, AFTER) {
        return (length, Lead::After);
    }
    if let Some(length) = tokens.any_at(at, BEFORE) {
        return (length, Lead::Before);
    }
    (tokens.any_at(at, AT).unwrap_or(0), Lead::At)
}

/// Wishes that name no hour.
fn vague(tokens: &Tokens, context: &Context<'_>) -> Option<Wish> {
    let choosing_time = matches!(context.asked, Asked::Time { .. });
    let hour = |hour: i8| Time::new(hour, 0, 0, 0).ok();
    if tokens.has("after lunch") {
        return hour(13).map(Wish::After);
    }
    if tokens.has("after work") {
        return hour(17).map(Wish::After);
    }
    if tokens.has("lunchtime, lunch time, over lunch") {
        return hour(12).map(Wish::At);
    }
    if !choosing_time {
        return tokens.has("first thing, earliest, as early as").then_some(Wish::Earliest);
    }
    if tokens.has("too early, later, something later, a bit later") {
        return Some(Wish::Later);
    }
    if tokens.has("too late, earlier, something earlier") {
        return Some(if tokens.has("the earlier") { Wish::Earliest } else { Wish::Earlier });
    }
    if tokens.has("\
        whatever, earliest, soonest, first thing, as early as, any of them, any time, anytime, whichever, either \
        one, either, doesn't matter, don't mind, don't care, you choose, you pick, up to you") {
        return Some(Wish::Earliest);
    }
    if tokens.has("latest, the last, last one, as late as") {
        return Some(Wish::Latest);
    }
    if tokens.has("middle one, the middle") {
        return Some(Wish::Nth(1));
    }
    (0..tokens.len()).find_map(|at| {
        let (number, _) = ordinal_at(tokens, at)?;
        usize::try_from(number).ok()?.checked_sub(1).map(Wish::Nth)
    })
}

/// A bare number that the conversation makes a time. Returns how many words it took.
pub(super) fn bare_time(tokens: &Tokens, at: usize, heard: &mut Heard) -> usize {
    let half = match heard.time {
        Some(Wish::In(part)) => Some(part),
        Some(
            Wish::At(_)
            | Wish::After(_)
            | Wish::Before(_)
            | Wish::Earliest
            | Wish::Latest
            | Wish::Nth(_)
            | Wish::Later
            | Wish::Earlier,
        )
        | None => part_in(tokens).map(|(part, _): (Part, _)| part),
    };
    match time_at(tokens, at, Bare::Allowed, half) {
        Some((time, length)) => {
            let alternative = tokens.before(at) == "or" && matches!(heard.time, Some(Wish::At(_)));
            if !alternative && !is_ruled_out(tokens, &(at..at + length)) {
                heard.time = Some(Wish::At(time));
            }
            length
        }
        None => 0,
    }
}
