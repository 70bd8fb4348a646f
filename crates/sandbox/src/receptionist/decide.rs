//! What to do next: call tools, say something, or end the call. Pure policy over what is known.

use super::{
    heard::{Act, Facet, Offer, Wish},
    listing::Listing,
    memory::{Booking, Criterion, DayPlan, Found, Goal, Last, Memory, time_argument},
    wanted::{Relaxed, Wanted, offer_word},
};
use jiff::civil::{Date, Time};
use serde_json::{Map, Value, json};

/// Rounds of tools in one turn; after them something is said, whatever is known.
const MAX_ROUNDS: usize = 4;
/// Utterances in a row without any sense after which the agent gives up.
const MAX_MISSES: usize = 6;
/// Times offered in one breath.
const OFFERED_TIMES: usize = 3;
/// Homes offered in one breath.
const OFFERED_HOMES: usize = 2;
/// Days after the wanted one that are tried when it is full.
const FURTHER_DAYS: i64 = 3;

/// The tools a receptionist knows how to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tool {
    SearchListings,
    GetListing,
    CheckAvailability,
    BookViewing,
    SaveLead,
    EndCall,
}

impl Tool {
    const ALL: [Self; 6] = [
        Self::SearchListings,
        Self::GetListing,
        Self::CheckAvailability,
        Self::BookViewing,
        Self::SaveLead,
        Self::EndCall,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SearchListings => "search_listings",
            Self::GetListing => "get_listing",
            Self::CheckAvailability => "check_availability",
            Self::BookViewing => "book_viewing",
            Self::SaveLead => "save_lead",
            Self::EndCall => "end_call",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }
}

/// The question that ends an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Open,
    Area,
    Bedrooms,
    Budget,
    /// Would you like to see the one that was offered?
    Interest,
    /// Which of those that were offered?
    Which,
    Day,
    Time {
        day: Date,
    },
    Name,
    Phone,
    /// Shall a colleague call back?
    CallBack,
    /// What could be different, as nothing was found?
    Change,
    AnythingElse,
}

/// A statement of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Hello(Option<String>),
    Happy,
    Robot,
    HomesOnly,
    Welcome,
    /// Not understood, for the n-th time in a row.
    Unclear(usize),
    DontKnow,
    Hearing,
    NoRush,
    Again,
    Offers {
        homes: Vec<Listing>,
        total: u64,
        relaxed: Option<Relaxed>,
        further: bool,
        area: Option<String>,
    },
    NothingFits,
    NoMore,
    NoSuchStreet(String),
    Areas(Vec<String>),
    Intro(Listing),
    IsFree {
        day: Date,
        time: Time,
    },
    Times {
        day: Date,
        times: Vec<Time>,
    },
    /// The wanted time is not free, these are.
    Instead {
        day: Date,
        wanted: Option<Time>,
        times: Vec<Time>,
    },
    DayFull,
    DayRefused,
    Booked {
        booking: Booking,
        home: Option<Listing>,
        name: Option<String>,
    },
    AlreadyBooked {
        booking: Booking,
    },
    CannotMove,
    WillCallBack(Option<String>),
    Down,
    BookingFailed,
    NeedName,
    NeedDigits,
    Fact {
        facet: Facet,
        home: Listing,
    },
    StillThere,
    Goodbye,
    GiveUp,
}

/// An answer in words.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Say {
    pub(super) lines: Vec<Line>,
    /// `None` where nothing is asked.
    pub(super) asked: Option<Asked>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Move {
    Call(Vec<(Tool, Value)>),
    Say(Say),
    /// Say it, and call these: the last answer of the call.
    Leave {
        say: Say,
        calls: Vec<(Tool, Value)>,
    },
}

fn say(lines: Vec<Line>, asked: Asked) -> Move {
    Move::Say(Say { lines, asked: Some(asked) })
}

/// Decides.
pub(super) fn decide(memory: &Memory) -> Move {
    match memory.last {
        Last::Nobody => return say(vec![Line::Hello(None)], Asked::Open),
        Last::Agent => return say(vec![Line::StillThere], memory.asked.clone()),
        Last::Tools if memory.ended => return Move::Say(Say { lines: vec![Line::Goodbye], asked: None }),
        Last::Caller | Last::Tools => {}
    }
    if let Some(booking) = &memory.fresh_booking {
        let booked = Line::Booked {
            booking: booking.clone(),
            home: memory.listings.get(&booking.listing).cloned(),
            name: memory.name.clone(),
        };
        return say(vec![booked], Asked::AnythingElse);
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
        return rebook(memory, lines);
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
        return say(vec![Line::DontKnow], resume(memory));
    }
    let moves_on =
        heard.moves_on() && (heard.facets.is_empty() || heard.has_schedule() || heard.is(Act::View));
    if memory.goal == Goal::Home && (moves_on || !answered) {
        return find_home(memory, lines);
    }
    if answered {
        return say(lines, resume(memory));
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
    match &memory.asked {
        // Once a home was talked about, the open question has become a narrower one.
        Asked::Open | Asked::AnythingElse if memory.goal == Goal::Home => match memory.presented.len() {
            0 => memory.asked.clone(),
            1 => Asked::Interest,
            _ => Asked::Which,
        },
        asked => asked.clone(),
    }
}

fn unclear(memory: &Memory) -> Move {
    let lines = vec![Line::Unclear(memory.misses.saturating_sub(1))];
    // The third time, another way out is offered.
    let asked = if memory.misses == 3 && can_call_back(memory) { Asked::CallBack } else { resume(memory) };
    say(lines, asked)
}

/// A turn that says something but is after nothing.
fn small_talk(memory: &Memory) -> Move {
    let heard = &memory.turn;
    if heard.has_contact() && memory.asked == Asked::Open {
        return say(vec![Line::Hello(memory.name.clone())], Asked::Open);
    }
    match memory.asked {
        Asked::AnythingElse if heard.is(Act::Yes) => say(vec![Line::Happy], Asked::Open),
        Asked::Open if heard.is(Act::No) => say(vec![Line::NoRush], Asked::AnythingElse),
        Asked::Open if heard.is(Act::Yes) => say(vec![Line::Happy], Asked::Area),
        Asked::CallBack | Asked::Change if heard.is(Act::No) => say(vec![Line::NoRush], Asked::AnythingElse),
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
        | Asked::AnythingElse => say(vec![Line::Happy], resume(memory)),
    }
}

// ---- the end -------------------------------------------------------------------------------------------------

fn leave(memory: &Memory) -> Option<Move> {
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
            && !heard.is(Act::AskHuman))
        || give_up;
    if !leaves {
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
    Some(Move::Leave { say: Say { lines: vec![line], asked: None }, calls })
}

// ---- the caller ----------------------------------------------------------------------------------------------

fn can(memory: &Memory, tool: Tool) -> bool {
    memory.tools.contains(&tool) && !memory.failed.contains(&tool) && memory.rounds < MAX_ROUNDS
}

fn can_call_back(memory: &Memory) -> bool {
    memory.tools.contains(&Tool::SaveLead) && !memory.failed.contains(&Tool::SaveLead)
}

/// Without the tool that is needed, a colleague is offered.
fn down(memory: &Memory, mut lines: Vec<Line>, line: Line) -> Move {
    lines.push(line);
    say(lines, if can_call_back(memory) { Asked::CallBack } else { Asked::AnythingElse })
}

fn call_back(memory: &Memory, mut lines: Vec<Line>) -> Move {
    if memory.fresh_lead {
        lines.push(Line::WillCallBack(memory.name.clone()));
        return say(lines, Asked::AnythingElse);
    }
    if !can(memory, Tool::SaveLead) {
        lines.push(Line::Down);
        return say(lines, Asked::AnythingElse);
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
        return say(lines, Asked::Name);
    }
    match phone_question(memory, lines) {
        Ok(question) => question,
        Err(_) => Move::Call(vec![(Tool::SaveLead, lead(memory, memory.note.as_deref(), None))]),
    }
}

/// Asks for a number where none is known; gives the lines back where that is not needed.
fn phone_question(memory: &Memory, mut lines: Vec<Line>) -> Result<Move, Vec<Line>> {
    if memory.any_phone().is_some() || memory.phone_declined {
        return Err(lines);
    }
    if memory.turn.partial_phone {
        lines.push(Line::NeedDigits);
    }
    Ok(say(lines, Asked::Phone))
}

fn rebook(memory: &Memory, mut lines: Vec<Line>) -> Move {
    if memory.fresh_lead {
        lines.push(Line::CannotMove);
        return say(lines, Asked::AnythingElse);
    }
    if can(memory, Tool::SaveLead) {
        return Move::Call(vec![(Tool::SaveLead, lead(memory, memory.note.as_deref(), None))]);
    }
    lines.push(Line::Down);
    say(lines, Asked::AnythingElse)
}

/// What is known of the caller, with the home that is being booked or was booked last.
fn lead(memory: &Memory, note: Option<&str>, home: Option<&Listing>) -> Value {
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
    put("phone", memory.any_phone().map(Value::from));
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

// ---- questions about homes -----------------------------------------------------------------------------------

enum Facts {
    None,
    Need(Move),
    Known(Vec<Line>),
}

fn facts(memory: &Memory) -> Facts {
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

// ---- finding a home ------------------------------------------------------------------------------------------

enum Search<'a> {
    Call(Vec<Value>),
    Homes { ids: Vec<&'a str>, total: u64, relaxed: Option<Relaxed> },
    Nothing,
    NoSuchStreet(&'a str),
    Down,
}

fn find_home(memory: &Memory, mut lines: Vec<Line>) -> Move {
    let heard = &memory.turn;
    if let Some(booking) =
        memory.bookings.iter().find(|booking| memory.chosen.as_ref() == Some(&booking.listing))
    {
        lines.push(Line::AlreadyBooked { booking: booking.clone() });
        return say(lines, Asked::AnythingElse);
    }
    if let Some(home) = memory.chosen.as_ref().and_then(|id| memory.listings.get(id)) {
        return schedule(memory, home, lines);
    }
    let just_view =
        heard.is(Act::View) && !heard.has_criteria() && !heard.is(Act::More) && memory.presented.is_empty();
    if let Some(booking) = memory.bookings.last().filter(|_| just_view) {
        lines.push(Line::AlreadyBooked { booking: booking.clone() });
        return say(lines, Asked::AnythingElse);
    }
    if !heard.is(Act::AskAreas)
        && let Some(asked) = missing_criterion(memory)
    {
        if lines.is_empty() {
            let again = memory.variant_of(&asked) > 0;
            lines.push(if again && heard.is_empty() { Line::Unclear(0) } else { Line::Happy });
        }
        return say(lines, asked);
    }
    match search(memory) {
        Search::Call(searches) => {
            Move::Call(searches.into_iter().map(|search| (Tool::SearchListings, search)).collect())
        }
        Search::Down => down(memory, lines, Line::Down),
        Search::NoSuchStreet(street) => {
            lines.push(Line::NoSuchStreet(street.to_owned()));
            say(lines, Asked::Area)
        }
        Search::Nothing => {
            lines.push(Line::NothingFits);
            say(lines, Asked::Change)
        }
        Search::Homes { ids, total, relaxed } => {
            if heard.is(Act::AskAreas) {
                lines.push(Line::Areas(areas(memory)));
                return say(lines, Asked::Area);
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
        // No tool searches by street: look for it as an area, and among all that fits otherwise.
        let as_area = Wanted { area: Some(super::vocabulary::title_case(street)), ..Wanted::default() };
        let mut missing: Vec<Value> = [&as_area, &memory.wanted]
            .into_iter()
            .filter(|wanted| result(wanted).is_none())
            .map(Wanted::arguments)
            .collect();
        missing.dedup();
        let ids: Vec<&str> = memory
            .listings
            .values()
            .filter(|home| is_in_street(home, street))
            .map(|home| home.id.as_str())
            .collect();
        return match (ids.is_empty(), missing.is_empty()) {
            (false, _) => Search::Homes { total: ids.len() as u64, ids, relaxed: None },
            (true, false) => call(missing),
            (true, true) => Search::NoSuchStreet(street),
        };
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
    let wanted: Vec<String> = street.split(' ').flat_map(super::listing::street_word).collect();
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
        return say(lines, Asked::Change);
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
    say(
        lines,
        match (one, wants_to_see) {
            (true, true) => Asked::Day,
            (true, false) => Asked::Interest,
            (false, _) => Asked::Which,
        },
    )
}

// ---- the viewing ---------------------------------------------------------------------------------------------

enum DaySearch<'a> {
    Call(Vec<Date>),
    Free { day: Date, times: &'a [Time] },
    Full,
    Refused,
}

fn schedule(memory: &Memory, home: &Listing, mut lines: Vec<Line>) -> Move {
    if !memory.shown.contains(&home.id) {
        lines.push(Line::Intro(home.clone()));
    }
    let Some(today) = memory.today else { return down(memory, lines, Line::Down) };
    let wanted = if memory.soonest {
        today
    } else {
        let Some(day) = memory.day else {
            if lines.is_empty() {
                lines.push(Line::Happy);
            }
            return say(lines, Asked::Day);
        };
        day
    };
    if memory.failed.contains(&Tool::BookViewing) {
        return down(memory, lines, Line::BookingFailed);
    }
    match find_day(memory, home, wanted) {
        DaySearch::Call(days) if can(memory, Tool::CheckAvailability) => Move::Call(
            days.into_iter()
                .map(|day| (Tool::CheckAvailability, json!({"listing": home.id, "day": day.to_string()})))
                .collect(),
        ),
        DaySearch::Call(_) => down(memory, lines, Line::Down),
        DaySearch::Refused => {
            lines.push(Line::DayRefused);
            say(lines, Asked::Day)
        }
        DaySearch::Full => {
            lines.push(Line::DayFull);
            say(lines, Asked::Day)
        }
        DaySearch::Free { day, times } => choose_time(memory, home, wanted, day, times, lines),
    }
}

fn find_day<'a>(memory: &'a Memory, home: &Listing, wanted: Date) -> DaySearch<'a> {
    let plan = |day: Date| memory.plans.get(&(home.id.clone(), day));
    match plan(wanted) {
        None => DaySearch::Call(vec![wanted]),
        Some(DayPlan::Refused) => DaySearch::Refused,
        Some(DayPlan::Free(times)) if !times.is_empty() => DaySearch::Free { day: wanted, times },
        Some(DayPlan::Free(_)) => {
            let further: Vec<Date> = (1..=FURTHER_DAYS)
                .filter_map(|days| wanted.checked_add(jiff::Span::new().days(days)).ok())
                .collect();
            let free = further.iter().find_map(|day| match plan(*day) {
                Some(DayPlan::Free(times)) if !times.is_empty() => Some(DaySearch::Free { day: *day, times }),
                Some(DayPlan::Free(_) | DayPlan::Refused) | None => None,
            });
            let unknown: Vec<Date> = further.into_iter().filter(|day| plan(*day).is_none()).collect();
            match free {
                Some(free) => free,
                None if !unknown.is_empty() => DaySearch::Call(unknown),
                None => DaySearch::Full,
            }
        }
    }
}

fn choose_time(
    memory: &Memory,
    home: &Listing,
    wanted_day: Date,
    day: Date,
    free: &[Time],
    mut lines: Vec<Line>,
) -> Move {
    let other_day = day != wanted_day && !memory.soonest;
    if other_day {
        lines.push(Line::DayFull);
    }
    let wanted = match memory.time {
        Some(Wish::At(time)) => Some(time),
        Some(Wish::Earliest) => free.first().copied(),
        Some(Wish::Latest) => free.last().copied(),
        Some(Wish::In(_) | Wish::After(_) | Wish::Before(_) | Wish::Nth(_) | Wish::Later | Wish::Earlier)
        | None => None,
    };
    match wanted {
        Some(time) if !free.contains(&time) => {
            let times = nearest(free, time);
            lines.push(Line::Instead { day, wanted: Some(time), times });
            say(lines, Asked::Time { day })
        }
        Some(time) if !other_day => book(memory, home, day, time, lines),
        Some(_) | None => {
            let suits = |time: &Time| match memory.time {
                Some(Wish::In(part)) => part.contains(*time),
                Some(Wish::After(after)) => *time >= after,
                Some(Wish::Before(before)) => *time <= before,
                Some(
                    Wish::At(_) | Wish::Earliest | Wish::Latest | Wish::Nth(_) | Wish::Later | Wish::Earlier,
                )
                | None => true,
            };
            let mut fitting: Vec<Time> = free.iter().filter(|time| suits(time)).copied().collect();
            let unheard: Vec<Time> =
                fitting.iter().filter(|time| !memory.declined_times.contains(time)).copied().collect();
            if !unheard.is_empty() {
                fitting = unheard;
            }
            let line = if fitting.is_empty() {
                Line::Instead { day, wanted: None, times: spread(free) }
            } else if memory.soonest {
                Line::Times { day, times: fitting.into_iter().take(OFFERED_TIMES).collect() }
            } else {
                Line::Times { day, times: spread(&fitting) }
            };
            lines.push(line);
            say(lines, Asked::Time { day })
        }
    }
}

/// First, middle and last: a few times that cover the day.
fn spread(times: &[Time]) -> Vec<Time> {
    match times.len() {
        0..=OFFERED_TIMES => times.to_vec(),
        count => vec![times[0], times[count / 2], times[count - 1]],
    }
}

/// The free times closest to the one that is not.
fn nearest(free: &[Time], wanted: Time) -> Vec<Time> {
    let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    let mut times = free.to_vec();
    times.sort_by_key(|time| (minutes(*time) - minutes(wanted)).abs());
    times.truncate(OFFERED_TIMES);
    times.sort_unstable();
    times
}

fn book(memory: &Memory, home: &Listing, day: Date, time: Time, mut lines: Vec<Line>) -> Move {
    let Some(name) = &memory.name else {
        if memory.asked == Asked::Name && memory.variant_of(&Asked::Name) > 0 {
            lines.push(if memory.turn.is(Act::No) { Line::NeedName } else { Line::Happy });
        } else {
            lines.push(Line::IsFree { day, time });
        }
        return say(lines, Asked::Name);
    };
    let lines = match phone_question(memory, lines) {
        Ok(question) => return question,
        Err(lines) => lines,
    };
    if !can(memory, Tool::BookViewing) {
        return down(memory, lines, Line::BookingFailed);
    }
    let mut arguments = json!({
        "listing": home.id, "day": day.to_string(), "time": time_argument(time), "name": name,
    });
    if let (Some(phone), Some(map)) = (memory.any_phone(), arguments.as_object_mut()) {
        map.insert("phone".to_owned(), phone.into());
    }
    let mut calls = vec![(Tool::BookViewing, arguments)];
    if can(memory, Tool::SaveLead) && !memory.lead_saved {
        calls.push((Tool::SaveLead, lead(memory, None, Some(home))));
    }
    Move::Call(calls)
}
