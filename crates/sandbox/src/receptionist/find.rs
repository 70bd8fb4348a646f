//! Finding a home: what to ask, what to search for, what to offer, and questions about what was offered.

use super::{
    caller::{can_call_back, down},
    decide::can,
    heard::{Act, Facet, Wish},
    listing::{Listing, street_word},
    memory::{Criterion, Found, Memory},
    moves::{Asked, Line, Move, Tool},
    viewing::schedule,
    vocabulary::title_case,
    wanted::{Relaxed, Wanted},
};
use serde_json::{Value, json};

/// Homes offered in one breath.
const OFFERED_HOMES: usize = 2;

/// Answers to questions about homes.
pub(super) enum Facts {
    None,
    Need(Move),
    Known(Vec<Line>),
}

pub(super) fn facts(memory: &Memory) -> Facts {
    let heard = &memory.turn;
    let booked = memory.bookings.last().map(|booking| &booking.listing);
    let ids: Vec<&String> = match &memory.chosen {
        Some(id) => vec![id],
        None if memory.presented.is_empty() => booked.into_iter().collect(),
        None => memory.presented.iter().collect(),
    };
    let homes: Vec<&Listing> = ids.into_iter().filter_map(|id| memory.listings.get(id)).collect();
    if heard.facets.is_empty() || homes.is_empty() {
        return Facts::None;
    }
    if heard.facets.contains(&Facet::Description)
        && let [home] = homes.as_slice()
        && home.description.is_none()
        && can(memory, Tool::GetListing)
    {
        return Facts::Need(Move::Call(vec![(Tool::GetListing, json!({"listing": home.id}))]));
    }
    let mut lines = Vec::new();
    for facet in heard.facets.iter().take(2) {
        lines.extend(homes.iter().map(|home| Line::Fact { facet: *facet, home: (*home).clone() }));
    }
    Facts::Known(lines)
}

enum Search<'a> {
    Call(Vec<Value>),
    Homes { ids: Vec<&'a str>, total: u64, relaxed: Option<Relaxed> },
    Nothing,
    NoSuchStreet(&'a str),
    Down,
}

pub(super) fn find_home(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let heard = &memory.turn;

    if let Some(home) = memory.chosen.as_ref().and_then(|id| memory.listings.get(id)) {
        return schedule(memory, home, lines);
    }
    let just_view = (heard.is(Act::View) || heard.is(Act::AskTimes))
        && !heard.has_criteria()
        && !heard.is(Act::More)
        && memory.presented.is_empty();
    if let Some(booking) = memory.bookings.last().filter(|_| just_view) {
        lines.push(Line::AlreadyBooked { booking: booking.clone() });
        return Move::say(lines, Asked::AnythingElse);
    }
    if !heard.is(Act::AskAreas)
        && let Some(asked) = missing_criterion(memory)
    {
        if lines.is_empty() {
            let again = memory.variant_of(&asked) > 0;
            lines.push(if again && heard.is_empty() { Line::Unclear(0) } else { Line::Happy });
        }
        return Move::say(lines, asked);
    }
    let no_idea = heard.is(Act::Indifferent) || heard.is(Act::No);
    if memory.asked == Asked::Change && no_idea && !heard.has_facts() {
        return Move::say(
            vec![Line::NoRush],
            if can_call_back(memory) { Asked::CallBack } else { Asked::AnythingElse },
        );
    }
    match search(memory) {
        Search::Call(searches) => {
            Move::Call(searches.into_iter().map(|search| (Tool::SearchListings, search)).collect())
        }
        Search::Down => down(memory, lines, Line::Down),
        Search::NoSuchStreet(street) => {
            lines.push(Line::NoSuchStreet(street.to_owned()));
            Move::say(lines, Asked::Area)
        }
        Search::Nothing => {
            lines.push(Line::NothingFits);
            Move::say(lines, Asked::Change)
        }
        Search::Homes { ids, total, relaxed } => {
            if heard.is(Act::AskAreas) {
                lines.push(Line::Areas(areas(memory)));
                return Move::say(lines, Asked::Area);
            }
            offer(memory, &ids, total, relaxed, lines)
        }
    }
}

/// What has to be asked before a search makes sense.
fn missing_criterion(memory: &Memory) -> Option<Asked> {
    if memory.wanted.is_enough() {
        return None;
    }
    let open = |criterion: Criterion| {
        !memory.inquired.contains(&criterion) && !memory.indifferent.contains(&criterion)
    };
    if memory.wanted.is_vague() {
        // With nothing to go by, each question comes once; the first comes until it was understood.
        if open(Criterion::Area)
            || (!memory.indifferent.contains(&Criterion::Area)
                && memory.asked == Asked::Area
                && memory.variant < 2)
        {
            return Some(Asked::Area);
        }
        if open(Criterion::Bedrooms) {
            return Some(Asked::Bedrooms);
        }
        return open(Criterion::Budget).then_some(Asked::Budget);
    }
    (memory.wanted.area.is_none() && open(Criterion::Area)).then_some(Asked::Area)
}

fn search(memory: &Memory) -> Search<'_> {
    let result = |wanted: &Wanted| {
        let arguments = wanted.arguments();
        memory.searches.iter().find(|(searched, _)| *searched == arguments).map(|(_, found)| found)
    };
    let call = |searches: Vec<Value>| {
        if can(memory, Tool::SearchListings) { Search::Call(searches) } else { Search::Down }
    };
    let homes = |found: &Found, relaxed| {
        let ids =
            found.ids.iter().filter_map(|id| memory.listings.get(id)).map(|home| home.id.as_str()).collect();
        Search::Homes { ids, total: found.total, relaxed }
    };
    if let Some(street) = &memory.wanted.street {
        // A street is looked for as an area, and failing that among all that fits otherwise.
        let as_area = Wanted { area: Some(title_case(street)), ..Wanted::default() };
        let ids: Vec<&str> = memory
            .listings
            .values()
            .filter(|home| is_in_street(home, street))
            .map(|home| home.id.as_str())
            .collect();
        if !ids.is_empty() {
            return Search::Homes { total: ids.len() as u64, ids, relaxed: None };
        }
        let missing = [&as_area, &memory.wanted].into_iter().find(|wanted| result(wanted).is_none());
        return missing.map_or(Search::NoSuchStreet(street), |wanted| call(vec![wanted.arguments()]));
    }
    let Some(exact) = result(&memory.wanted) else { return call(vec![memory.wanted.arguments()]) };
    if !exact.ids.is_empty() {
        return homes(exact, None);
    }
    let relaxed = memory.wanted.relaxed();
    let mut missing: Vec<Value> = relaxed
        .iter()
        .filter(|(_, wanted)| result(wanted).is_none())
        .map(|(_, wanted)| wanted.arguments())
        .collect();
    missing.dedup();
    if !missing.is_empty() && can(memory, Tool::SearchListings) {
        return Search::Call(missing);
    }
    let first = relaxed.iter().find_map(|(relaxed, wanted)| {
        Some((*relaxed, result(wanted).filter(|found| !found.ids.is_empty())?))
    });
    first.map_or(Search::Nothing, |(relaxed, found)| homes(found, Some(relaxed)))
}

fn is_in_street(home: &Listing, street: &str) -> bool {
    let wanted: Vec<String> = street.split(' ').flat_map(street_word).collect();
    home.street_words() == wanted
}

fn areas(memory: &Memory) -> Vec<String> {
    let mut areas: Vec<String> = Vec::new();
    for home in memory.listings.values().filter(|home| !home.area.is_empty()) {
        if !areas.contains(&home.area) && areas.len() < 4 {
            areas.push(home.area.clone());
        }
    }
    areas
}

fn offer(memory: &Memory, ids: &[&str], total: u64, relaxed: Option<Relaxed>, mut lines: Vec<Line>) -> Move {
    let heard = &memory.turn;
    let home = |id: &&str| memory.listings.get(*id);
    let further = heard.is(Act::More)
        || (heard.is(Act::No) && matches!(memory.asked, Asked::Interest | Asked::Which))
        || (heard.is(Act::Search) && !heard.has_criteria() && !memory.bookings.is_empty());
    let fresh: Vec<&str> =
        ids.iter().filter(|id| !further || !memory.shown.contains(**id)).copied().collect();
    if fresh.is_empty() {
        lines.push(Line::NoMore);
        return Move::say(lines, Asked::Change);
    }
    let exact_when = (memory.day.is_some() || memory.soonest) && matches!(memory.time, Some(Wish::At(_)));
    let when_known = memory.day.is_some() || memory.soonest;
    if relaxed.is_none()
        && !further
        && (exact_when || (fresh.len() == 1 && when_known))
        && let Some(home) = fresh.first().and_then(home)
    {
        return schedule(memory, home, lines);
    }
    let homes: Vec<Listing> = fresh.iter().filter_map(home).take(OFFERED_HOMES).cloned().collect();
    let one = homes.len() == 1;
    let wants_to_see = heard.is(Act::View) && !further && relaxed.is_none();
    lines.push(Line::Offers { homes, total, relaxed, further, area: memory.wanted.area.clone() });
    Move::say(
        lines,
        match (one, wants_to_see) {
            (true, true) => Asked::Day,
            (true, false) => Asked::Interest,
            (false, _) => Asked::Which,
        },
    )
}
