//! Everything known at a point of the conversation, rebuilt from the request alone.

use super::{
    Prompt, PromptMessage, ToolCallMade,
    decide::{Asked, Line, Move, Say, Tool, decide},
    heard::{Act, DayWish, Heard, Offer, Topic, Wish},
    listing::Listing,
    understand::{Context, understand},
    wanted::Wanted,
};
use jiff::civil::{Date, Time};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Messages that are looked at; older ones are forgotten.
const MAX_MESSAGES: usize = 400;

/// What the conversation is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Nothing in particular yet, or anymore.
    None,
    /// A home, and a viewing of it.
    Home,
    /// The caller has a home to sell: a colleague calls back.
    Sale,
    /// The caller wants a person: a colleague calls back.
    CallBack,
}

/// Who spoke last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Last {
    Nobody,
    Agent,
    Caller,
    Tools,
}

/// What a tool said about a day at a home.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DayPlan {
    Free(Vec<Time>),
    /// No viewings on that day at all, for a reason of the brokerage.
    Refused,
}

/// A viewing that exists.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Booking {
    pub(super) viewing: String,
    pub(super) listing: String,
    pub(super) address: String,
    pub(super) day: Date,
    pub(super) time: Time,
}

/// Result of one search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) ids: Vec<String>,
    pub(super) total: u64,
}

/// The state of the conversation.
#[derive(Debug)]
pub(super) struct Memory {
    // What the request says.
    pub(super) today: Option<Date>,
    pub(super) caller: Option<String>,
    pub(super) tools: BTreeSet<Tool>,
    // What the caller wants and is.
    pub(super) goal: Goal,
    pub(super) wanted: Wanted,
    /// Criteria the caller has no preference in.
    pub(super) indifferent: BTreeSet<Criterion>,
    /// Criteria that were asked for once.
    pub(super) inquired: BTreeSet<Criterion>,
    pub(super) chosen: Option<String>,
    pub(super) day: Option<Date>,
    pub(super) soonest: bool,
    pub(super) time: Option<Wish>,
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    pub(super) phone_declined: bool,
    pub(super) email: Option<String>,
    pub(super) timeline: Option<&'static str>,
    pub(super) financing: Option<&'static str>,
    // What tools have said.
    pub(super) listings: BTreeMap<String, Listing>,
    pub(super) searches: Vec<(Value, Found)>,
    pub(super) plans: BTreeMap<(String, Date), DayPlan>,
    pub(super) bookings: Vec<Booking>,
    pub(super) lead_saved: bool,
    /// Something a colleague must be told, not saved yet.
    pub(super) note: Option<String>,
    pub(super) ended: bool,
    // What happened since the caller spoke.
    pub(super) turn: Heard,
    pub(super) rounds: usize,
    pub(super) failed: BTreeSet<Tool>,
    pub(super) fresh_booking: Option<Booking>,
    pub(super) fresh_lead: bool,
    // What the agent said.
    pub(super) last: Last,
    pub(super) asked: Asked,
    /// How often the same question was asked in a row, from zero.
    pub(super) variant: usize,
    pub(super) presented: Vec<String>,
    pub(super) shown: BTreeSet<String>,
    pub(super) offered_times: Vec<Time>,
    pub(super) declined_times: BTreeSet<Time>,
    pub(super) last_say: Option<Say>,
    /// Utterances in a row that were not understood.
    pub(super) misses: usize,
    topic: Option<Topic>,
    pending: BTreeMap<String, (Tool, Value)>,
}

/// What a search can be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Criterion {
    Area,
    Bedrooms,
    Budget,
}

impl Memory {
    /// Replays a request.
    pub(super) fn of(prompt: &Prompt) -> Self {
        let mut memory = Self::new(prompt);
        let skip = prompt.messages.len().saturating_sub(MAX_MESSAGES);
        for message in &prompt.messages[skip..] {
            match message {
                PromptMessage::User(text) => memory.hear(text),
                PromptMessage::Assistant { text, tool_calls } => memory.said(text.as_deref(), tool_calls),
                PromptMessage::Tool { id, content } => memory.tool_answered(id, content),
            }
        }
        memory
    }

    fn new(prompt: &Prompt) -> Self {
        Self {
            today: today_in(&prompt.system),
            caller: caller_in(&prompt.system),
            tools: prompt.tools.iter().filter_map(|name| Tool::from_name(name)).collect(),
            goal: Goal::None,
            wanted: Wanted::default(),
            indifferent: BTreeSet::new(),
            inquired: BTreeSet::new(),
            chosen: None,
            day: None,
            soonest: false,
            time: None,
            name: None,
            phone: None,
            phone_declined: false,
            email: None,
            timeline: None,
            financing: None,
            listings: BTreeMap::new(),
            searches: Vec::new(),
            plans: BTreeMap::new(),
            bookings: Vec::new(),
            lead_saved: false,
            note: None,
            ended: false,
            turn: Heard::default(),
            rounds: 0,
            failed: BTreeSet::new(),
            fresh_booking: None,
            fresh_lead: false,
            last: Last::Nobody,
            asked: Asked::Open,
            variant: 0,
            presented: Vec::new(),
            shown: BTreeSet::new(),
            offered_times: Vec::new(),
            declined_times: BTreeSet::new(),
            last_say: None,
            misses: 0,
            topic: None,
            pending: BTreeMap::new(),
        }
    }

    /// The number to call back: said, or the one the call came from.
    pub(super) fn any_phone(&self) -> Option<&str> {
        self.phone.as_deref().or(self.caller.as_deref())
    }

    // ---- the caller ------------------------------------------------------------------------------------------

    fn hear(&mut self, text: &str) {
        let heard = understand(text, &self.context());
        self.topic = heard.topic.or(self.topic);
        self.misses = if heard.is_empty() { self.misses + 1 } else { 0 };
        self.learn_contact(&heard);
        let changed = self.learn_criteria(&heard);
        self.learn_choice(&heard, changed);
        self.learn_schedule(&heard, changed);
        self.set_goal(&heard, changed);
        // What was said before the agent came to answer still waits for its answer.
        if matches!(self.last, Last::Caller | Last::Tools) {
            self.turn.merge(heard);
        } else {
            self.turn = heard;
        }
        self.last = Last::Caller;
        self.rounds = 0;
        self.failed.clear();
    }

    fn context(&self) -> Context<'_> {
        Context {
            today: self.today,
            asked: &self.asked,
            listings: &self.listings,
            presented: &self.presented,
            rent: self.wanted.offer == Some(Offer::Rent),
            scheduling: self.day.is_some() || self.time.is_some(),
            topic: self.topic,
            homes_in_talk: !self.presented.is_empty() || self.chosen.is_some() || !self.bookings.is_empty(),
            caller: self.caller.as_deref(),
        }
    }

    fn learn_contact(&mut self, heard: &Heard) {
        let declines =
            heard.is(Act::No) || heard.is(Act::Indifferent) || (!heard.is_empty() && !heard.partial_phone);
        if self.asked == Asked::Phone && heard.phone.is_none() && (declines || self.variant > 0) {
            self.phone_declined = true;
        }
        let keep = |known: &mut Option<String>, said: &Option<String>| {
            if said.is_some() {
                known.clone_from(said);
            }
        };
        keep(&mut self.name, &heard.name);
        keep(&mut self.phone, &heard.phone);
        keep(&mut self.email, &heard.email);
        self.timeline = heard.timeline.or(self.timeline);
        self.financing = heard.financing.or(self.financing);
    }

    /// Returns whether what is wanted has changed.
    fn learn_criteria(&mut self, heard: &Heard) -> bool {
        let before = self.wanted.clone();
        let wanted = &mut self.wanted;
        wanted.offer = heard.offer.or(wanted.offer);
        wanted.kind = heard.kind.or(wanted.kind);
        wanted.bedrooms = heard.bedrooms.or(wanted.bedrooms);
        if heard.min_price.is_some() || heard.max_price.is_some() {
            (wanted.min_price, wanted.max_price) = (heard.min_price, heard.max_price);
        }
        if heard.area.is_some() {
            wanted.area.clone_from(&heard.area);
            wanted.street = None;
        }
        if heard.street.is_some() {
            wanted.street.clone_from(&heard.street);
        }
        let offered = || self.presented.iter().chain(&self.chosen).filter_map(|id| self.listings.get(id));
        if heard.is(Act::Cheaper) {
            wanted.max_price = offered()
                .map(|home| home.price)
                .min()
                .map(|price| price.saturating_sub(1))
                .or(wanted.max_price);
            wanted.min_price = None;
        }
        if heard.is(Act::Bigger) && heard.bedrooms.is_none() {
            wanted.bedrooms =
                offered().map(|home| home.bedrooms).max().map(|bedrooms| bedrooms + 1).or(wanted.bedrooms);
        }
        let open = heard.is(Act::Indifferent) || heard.is(Act::No);
        match self.asked {
            Asked::Area if open => _ = self.indifferent.insert(Criterion::Area),
            Asked::Bedrooms if open => _ = self.indifferent.insert(Criterion::Bedrooms),
            Asked::Budget if open => _ = self.indifferent.insert(Criterion::Budget),
            Asked::Open | Asked::Change if heard.is(Act::Indifferent) => {
                _ = self.indifferent.insert(Criterion::Area)
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
            | Asked::AnythingElse => {}
        }
        let changed = self.wanted != before;
        if changed {
            let fits = |id: &String| self.listings.get(id).is_some_and(|home| self.wanted.fits(home));
            self.chosen = self.chosen.take().filter(fits);
            if self.chosen.is_none() {
                self.presented.clear();
            }
        }
        changed
    }

    fn learn_choice(&mut self, heard: &Heard, changed: bool) {
        if heard.choice.is_some() {
            self.chosen.clone_from(&heard.choice);
            return;
        }
        if heard.is(Act::More) || (heard.is(Act::No) && matches!(self.asked, Asked::Interest | Asked::Which))
        {
            self.chosen = None;
            return;
        }
        // Whoever speaks of a time after an offer means the home that was offered, the first of two.
        let wants_it = heard.is(Act::Yes) || heard.is(Act::View) || heard.has_schedule();
        let either = heard.is(Act::Indifferent) && self.asked == Asked::Which;
        if self.chosen.is_none() && !changed && (wants_it || either) {
            self.chosen = self.presented.first().cloned();
        }
    }

    fn learn_schedule(&mut self, heard: &Heard, changed: bool) {
        let settled = !self.bookings.is_empty() && self.goal == Goal::None && self.chosen.is_none();
        let moves = heard.is(Act::Rebook) || (heard.has_schedule() && !heard.is(Act::View) && !changed);
        if settled && moves {
            self.note = self.bookings.last().map(|booking| rebooking_note(booking, heard));
            return;
        }
        match heard.day {
            Some(DayWish::On(day)) => (self.day, self.soonest) = (Some(day), false),
            Some(DayWish::Soonest) => (self.day, self.soonest) = (None, true),
            Some(DayWish::Another) => (self.day, self.soonest) = (None, false),
            None => {}
        }
        if heard.day.is_some() {
            self.declined_times.clear();
        }
        let offered = &self.offered_times;
        let choosing = matches!(self.asked, Asked::Time { .. });
        let said = match heard.time {
            Some(Wish::Nth(number)) => offered.get(number).copied().map(Wish::At),
            Some(Wish::Earliest) if choosing => offered.first().copied().map(Wish::At),
            Some(Wish::Latest) if choosing => offered.last().copied().map(Wish::At),
            Some(Wish::Later) => offered.last().copied().map(Wish::After),
            Some(Wish::Earlier) => offered.first().copied().map(Wish::Before),
            Some(
                Wish::At(_) | Wish::In(_) | Wish::After(_) | Wish::Before(_) | Wish::Earliest | Wish::Latest,
            ) => heard.time,
            None if choosing && heard.is(Act::Yes) && offered.len() == 1 => {
                offered.first().copied().map(Wish::At)
            }
            None => None,
        };
        if said.is_some() {
            self.time = said;
        } else if choosing && (heard.is(Act::AskTimes) || heard.is(Act::No)) {
            self.declined_times.extend(self.offered_times.iter().copied());
        }
    }

    fn set_goal(&mut self, heard: &Heard, changed: bool) {
        const HOME: [Act; 7] =
            [Act::View, Act::Search, Act::More, Act::Cheaper, Act::Bigger, Act::AskAreas, Act::AskTimes];
        let called_back = self.asked == Asked::CallBack && heard.is(Act::Yes);
        if heard.is(Act::Sell) {
            self.goal = Goal::Sale;
            self.note = Some("wants to sell a home".to_owned());
        } else if heard.is(Act::AskHuman) || called_back {
            self.goal = Goal::CallBack;
            self.note = Some("asks for a call back".to_owned());
        } else if changed
            || heard.choice.is_some()
            || HOME.iter().any(|act| heard.is(*act))
            || (heard.has_schedule() && self.note.is_none())
            || (heard.is(Act::Indifferent) && self.asked == Asked::Open)
        {
            self.goal = Goal::Home;
        }
    }

    // ---- the agent -------------------------------------------------------------------------------------------

    fn said(&mut self, text: Option<&str>, calls: &[ToolCallMade]) {
        // The words themselves may have been cut by an interruption; what they were is computed again.
        if text.is_some_and(|text| !text.trim().is_empty()) && self.last != Last::Agent {
            match decide(self) {
                Move::Say(say) | Move::Leave { say, .. } => {
                    self.apply(say);
                    self.last = Last::Agent;
                }
                Move::Call(_) => {}
            }
        }
        if !calls.is_empty() {
            self.rounds += 1;
        }
        for call in calls {
            if let Some(tool) = Tool::from_name(&call.name) {
                let arguments = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
                self.pending.insert(call.id.clone(), (tool, arguments));
            }
        }
    }

    fn apply(&mut self, say: Say) {
        for line in &say.lines {
            match line {
                Line::Offers { homes, .. } => {
                    self.present(homes.iter().map(|home| home.id.clone()).collect())
                }
                Line::Intro(home) => self.present(vec![home.id.clone()]),
                Line::NoSuchStreet(_) => self.wanted.street = None,
                Line::DayRefused => (self.day, self.soonest) = (None, false),
                Line::CannotMove | Line::WillCallBack(_) => {
                    (self.goal, self.note, self.fresh_lead) = (Goal::None, None, false);
                }
                Line::Booked { .. } => {
                    (self.goal, self.fresh_booking, self.fresh_lead) = (Goal::None, None, false);
                    (self.chosen, self.day, self.time, self.soonest) = (None, None, None, false);
                    self.presented.clear();
                    self.declined_times.clear();
                }
                Line::AlreadyBooked { .. } => (self.goal, self.chosen) = (Goal::None, None),
                Line::Times { times, .. } | Line::Instead { times, .. } => {
                    self.offered_times.clone_from(times);
                    self.time = None;
                }
                Line::Hello(_)
                | Line::Happy
                | Line::Robot
                | Line::HomesOnly
                | Line::Welcome
                | Line::Unclear(_)
                | Line::DontKnow
                | Line::Hearing
                | Line::NoRush
                | Line::Again
                | Line::NothingFits
                | Line::NoMore
                | Line::Areas(_)
                | Line::IsFree { .. }
                | Line::DayFull
                | Line::Down
                | Line::BookingFailed
                | Line::NeedName
                | Line::NeedDigits
                | Line::Fact { .. }
                | Line::StillThere
                | Line::Goodbye
                | Line::GiveUp => {}
            }
        }
        if let Some(asked) = say.asked.clone() {
            match asked {
                Asked::Area => _ = self.inquired.insert(Criterion::Area),
                Asked::Bedrooms => _ = self.inquired.insert(Criterion::Bedrooms),
                Asked::Budget => _ = self.inquired.insert(Criterion::Budget),
                Asked::Time { day } => self.day = Some(day),
                Asked::Open
                | Asked::Interest
                | Asked::Which
                | Asked::Day
                | Asked::Name
                | Asked::Phone
                | Asked::CallBack
                | Asked::Change
                | Asked::AnythingElse => {}
            }
            self.variant = self.variant_of(&asked);
            self.asked = asked;
        }
        self.last_say = Some(say);
    }

    fn present(&mut self, ids: Vec<String>) {
        self.shown.extend(ids.iter().cloned());
        self.presented = ids;
    }

    /// How often this question would have been asked in a row.
    pub(super) fn variant_of(&self, asked: &Asked) -> usize {
        let same = std::mem::discriminant(asked) == std::mem::discriminant(&self.asked);
        if same && self.last_say.is_some() { self.variant + 1 } else { 0 }
    }

    // ---- the tools -------------------------------------------------------------------------------------------

    fn tool_answered(&mut self, id: &str, content: &str) {
        self.last = Last::Tools;
        let Some((tool, arguments)) = self.pending.remove(id) else { return };
        let answer: Value = serde_json::from_str(content).unwrap_or(Value::Null);
        let understood = match tool {
            Tool::SearchListings => self.searched(arguments, &answer),
            Tool::GetListing => self.described(&answer),
            Tool::CheckAvailability => self.checked(&arguments, &answer),
            Tool::BookViewing => self.booked(&arguments, &answer),
            Tool::SaveLead => {
                let saved = answer.get("lead").is_some();
                if saved {
                    (self.lead_saved, self.fresh_lead) = (true, true);
                }
                saved
            }
            Tool::EndCall => {
                self.ended = true;
                true
            }
        };
        if !understood {
            self.failed.insert(tool);
        }
    }

    fn searched(&mut self, arguments: Value, answer: &Value) -> bool {
        let Some(all) = answer.get("listings").and_then(Value::as_array) else { return false };
        let homes: Vec<Listing> = all.iter().take(50).filter_map(Listing::from_json).collect();
        let ids: Vec<String> = homes.iter().map(|home| home.id.clone()).collect();
        for home in homes {
            // A description, once known, is kept.
            let description = self.listings.get(&home.id).and_then(|known| known.description.clone());
            let home = Listing { description: home.description.clone().or(description), ..home };
            self.listings.insert(home.id.clone(), home);
        }
        let total = ids.len() as u64 + answer.get("more").and_then(Value::as_u64).unwrap_or(0);
        self.searches.retain(|(searched, _)| *searched != arguments);
        self.searches.push((arguments, Found { ids, total }));
        true
    }

    fn described(&mut self, answer: &Value) -> bool {
        let Some(mut home) = Listing::from_json(answer) else { return false };
        home.description.get_or_insert_default();
        self.listings.insert(home.id.clone(), home);
        true
    }

    fn checked(&mut self, arguments: &Value, answer: &Value) -> bool {
        let Some((listing, day)) = listing_and_day(arguments) else { return false };
        if let Some(free) = answer.get("free") {
            self.plans.insert((listing, day), DayPlan::Free(times_in(free)));
            return true;
        }
        // "Not possible right now" is a failure; any other refusal has a reason, and asking again would not help.
        let error = answer.get("error").and_then(Value::as_str);
        let refused = error.is_some_and(|error| !error.contains("not possible right now"));
        if refused {
            self.plans.insert((listing, day), DayPlan::Refused);
        }
        refused
    }

    fn booked(&mut self, arguments: &Value, answer: &Value) -> bool {
        let Some((listing, day)) = listing_and_day(arguments) else { return false };
        if let Some(viewing) = answer.get("viewing").and_then(Value::as_str) {
            let text = |name: &str| answer.get(name).and_then(Value::as_str);
            let asked_for = arguments.get("time").and_then(Value::as_str);
            let Some(time) = text("time").and_then(parse_time).or_else(|| asked_for.and_then(parse_time))
            else {
                return false;
            };
            let address = self.listings.get(&listing).map(|home| home.address.clone());
            let booking = Booking {
                viewing: viewing.to_owned(),
                address: address.or_else(|| text("address").map(str::to_owned)).unwrap_or_default(),
                listing,
                day: text("day").and_then(|day| day.parse().ok()).unwrap_or(day),
                time,
            };
            self.fresh_booking = Some(booking.clone());
            self.bookings.push(booking);
            return true;
        }
        match answer.get("free").filter(|_| answer.get("error").is_some()) {
            Some(free) => {
                let mut free = times_in(free);
                // Whatever the list says, the refused time is not free.
                free.retain(|time| {
                    arguments.get("time").and_then(Value::as_str).and_then(parse_time) != Some(*time)
                });
                self.plans.insert((listing, day), DayPlan::Free(free));
                true
            }
            None => false,
        }
    }
}

fn rebooking_note(booking: &Booking, heard: &Heard) -> String {
    let day = match heard.day {
        Some(DayWish::On(day)) => format!(", new day {day}"),
        Some(DayWish::Soonest | DayWish::Another) | None => String::new(),
    };
    let time = match heard.time {
        Some(Wish::At(time)) => format!(", new time {}", time_argument(time)),
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
        | None => String::new(),
    };
    format!("asks to change or cancel viewing {}{day}{time}", booking.viewing)
}

fn listing_and_day(arguments: &Value) -> Option<(String, Date)> {
    let listing = arguments.get("listing")?.as_str()?.to_owned();
    Some((listing, arguments.get("day")?.as_str()?.parse().ok()?))
}

fn times_in(value: &Value) -> Vec<Time> {
    let mut times: Vec<Time> = value
        .as_array()
        .into_iter()
        .flatten()
        .take(200)
        .filter_map(Value::as_str)
        .filter_map(parse_time)
        .collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// `HH:MM`, perhaps with seconds or a date before it.
fn parse_time(text: &str) -> Option<Time> {
    let clock = text.rsplit('T').next()?;
    let (hour, minute) = (clock.get(..2)?, clock.get(3..5)?);
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// As tools want a time.
pub(super) fn time_argument(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// "Today is Tuesday 2026-11-24, …"
fn today_in(system: &str) -> Option<Date> {
    let rest = system.split("Today is ").nth(1)?;
    rest.split([' ', ',', '.', '\n']).take(3).find_map(|word| word.parse().ok())
}

/// "The caller's number is +1…"
fn caller_in(system: &str) -> Option<String> {
    let rest = system.split("The caller's number is ").nth(1)?.trim_start();
    let number: String =
        rest.chars().take_while(|char| char.is_ascii_digit() || *char == '+').take(20).collect();
    (number.len() >= 8).then_some(number)
}
