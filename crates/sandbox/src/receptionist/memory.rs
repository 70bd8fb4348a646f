//! Everything known at a point of the conversation, rebuilt from the request alone.

use super::{
    Prompt, PromptMessage, ToolCallMade,
    decide::decide,
    errands::Errands,
    heard::{Act, Heard, Topic, Wish},
    language::Language,
    listing::Listing,
    moves::{Asked, Line, Move, Say, Tool},
    phrases::{Tone, rest_of},
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
    /// The caller wants a person: the call is put through.
    Person,
    /// Words are to be passed on.
    Message,
    /// Everything that was found and booked is to be sent by e-mail.
    Mail,
    /// Somebody is to call back at a certain time.
    CallAt,
    /// A viewing that was booked before this call is to be moved.
    Move,
    /// A viewing is to be cancelled.
    Cancel,
}

/// The line of the system prompt that asks for a word before a tool is used.
const ANNOUNCE: &str =
    "Before a tool that looks something up or books, say in at most six words what you are about to do.";

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
    /// It replaces an earlier viewing of the same home.
    pub(super) moved: bool,
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
    pub(super) language: Language,
    /// The model is asked to say what it is about to do.
    pub(super) announces: bool,
    // What the caller wants and is.
    pub(super) goal: Goal,
    pub(super) wanted: Wanted,
    /// Criteria the caller has no preference in.
    pub(super) indifferent: BTreeSet<Criterion>,
    /// Criteria that were asked for once.
    pub(super) inquired: BTreeSet<Criterion>,
    pub(super) chosen: Option<String>,
    /// The viewing of the chosen home is to be moved.
    pub(super) moving: bool,
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
    pub(super) errands: Errands,
    // What happened since the caller spoke.
    pub(super) turn: Heard,
    pub(super) rounds: usize,
    pub(super) failed: BTreeSet<Tool>,
    pub(super) fresh_booking: Option<Booking>,
    pub(super) fresh_lead: bool,
    /// The booking was confirmed in this turn; only the closing question is left to ask.
    pub(super) confirmed: bool,
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
    /// What the caller did not hear of the last answer.
    pub(super) rest: Option<String>,
    /// Utterances so far: varies the wording.
    pub(super) utterances: u64,
    /// Announcements so far: no announcement comes twice in a row.
    pub(super) announced: usize,
    /// Whether something was announced since the caller spoke.
    pub(super) turn_announced: bool,
    pub(super) topic: Option<Topic>,
    /// Tool calls that were made and are not answered yet.
    pub(super) pending: BTreeMap<String, (Tool, Value)>,
    /// Tool calls that the platform says are not finished.
    pub(super) unfinished: Vec<(Tool, Value)>,
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
            language: Language::of(&prompt.system),
            announces: prompt.system.contains(ANNOUNCE),
            goal: Goal::None,
            wanted: Wanted::default(),
            indifferent: BTreeSet::new(),
            inquired: BTreeSet::new(),
            chosen: None,
            moving: false,
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
            errands: Errands::default(),
            turn: Heard::default(),
            rounds: 0,
            failed: BTreeSet::new(),
            fresh_booking: None,
            fresh_lead: false,
            confirmed: false,
            last: Last::Nobody,
            asked: Asked::Open,
            variant: 0,
            presented: Vec::new(),
            shown: BTreeSet::new(),
            offered_times: Vec::new(),
            declined_times: BTreeSet::new(),
            last_say: None,
            misses: 0,
            rest: None,
            utterances: 0,
            announced: 0,
            turn_announced: false,
            topic: None,
            pending: BTreeMap::new(),
            unfinished: Vec::new(),
        }
    }

    /// The number to call back: said, or the one the call came from.
    pub(super) fn any_phone(&self) -> Option<&str> {
        self.phone.as_deref().or(self.caller.as_deref())
    }

    /// An answer in words.
    pub(super) fn render(&self, say: &Say) -> String {
        let variant = say.asked.as_ref().map_or(0, |asked| self.variant_of(asked));
        let tone = Tone { today: self.today, variant, seed: self.utterances, again: false };
        self.language.render(say, tone)
    }

    fn said(&mut self, text: Option<&str>, calls: &[ToolCallMade]) {
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        if let Some(text) = text {
            self.spoke(text);
        }
        if !calls.is_empty() {
            self.rounds += 1;
        }
        let mut tools = calls.iter().filter_map(|call| Tool::from_name(&call.name));
        if tools.find(|tool| tool.is_announced()).is_some_and(|tool| self.is_worth_a_word(tool)) {
            self.announced += 1;
            self.turn_announced = true;
        }
        for call in calls {
            if let Some(tool) = Tool::from_name(&call.name) {
                let arguments = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
                self.pending.insert(call.id.clone(), (tool, arguments));
            }
        }
    }

    /// Once for what is looked up in a turn, and before anything that changes something.
    pub(super) fn is_worth_a_word(&self, tool: Tool) -> bool {
        !self.turn_announced || tool.commits()
    }

    /// The agent's words were heard.
    fn spoke(&mut self, text: &str) {
        if self.language.says_nobody_took(text) {
            self.not_put_through();
            self.last = Last::Agent;
            return;
        }
        // The caller still waits for what was asked: the next words join it.
        if self.language.says_still_looking(text) {
            for act in
                [Act::AskRobot, Act::AskWhetherHuman, Act::AskPeople, Act::CanYouHear, Act::Wait, Act::Repeat]
            {
                self.turn.acts.remove(&act);
            }
            return;
        }
        if self.last == Last::Agent {
            return;
        }
        let greeting = self.last == Last::Nobody;
        // The words themselves may have been cut by an interruption; what they were is computed again.
        match decide(self) {
            Move::Say(say) | Move::SayAndCall { say, .. } => {
                let rest = rest_of(&self.render(&say), text);
                self.apply(say);
                self.rest = rest;
                self.last = Last::Agent;
            }
            Move::Call(_) => {}
        }
        if greeting && self.language.asks_to_record(text) {
            self.asked = Asked::Recording;
        }
    }

    fn apply(&mut self, say: Say) {
        for line in &say.lines {
            match line {
                Line::Offers { homes, .. } => {
                    self.present(homes.iter().map(|home| home.id.clone()).collect());
                }
                Line::Intro(home) => self.present(vec![home.id.clone()]),
                Line::NoSuchStreet(_) => self.wanted.street = None,
                Line::DayRefused => (self.day, self.soonest) = (None, false),
                Line::CannotCancel | Line::WillCallBack(_) => {
                    (self.goal, self.note, self.fresh_lead) = (Goal::None, None, false);
                }
                Line::Booked { .. } => {
                    // Where the summary that was asked for should go is asked once all is booked.
                    self.goal = if self.errands.mail_wanted { Goal::Mail } else { Goal::None };
                    (self.fresh_booking, self.fresh_lead) = (None, false);
                    (self.chosen, self.day, self.time, self.soonest) = (None, None, None, false);
                    (self.moving, self.confirmed, self.variant) = (false, true, 0);
                    self.asked = Asked::AnythingElse;
                    self.presented.clear();
                    self.declined_times.clear();
                }
                Line::AlreadyBooked { .. } => {
                    (self.goal, self.chosen, self.moving) = (Goal::None, None, false);
                    (self.day, self.time, self.soonest) = (None, None, false);
                }
                Line::Times { times, .. } | Line::Instead { times, .. } => {
                    self.offered_times.clone_from(times);
                    self.time = None;
                }
                Line::Errand(errand) => self.told(errand),
                Line::Hello(_)
                | Line::Happy
                | Line::Robot
                | Line::NotHuman
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
                | Asked::Recording
                | Asked::Message
                | Asked::WayOut
                | Asked::Person
                | Asked::Email
                | Asked::EmailRight
                | Asked::CallWhen
                | Asked::AnythingElse => {}
            }
            self.variant = self.variant_of(&asked);
            self.asked = asked;
        }
        // A question that follows later belongs to what was said before it.
        let lines = match &self.last_say {
            Some(last) if say.lines.is_empty() => last.lines.clone(),
            Some(_) | None => say.lines,
        };
        self.last_say = Some(Say { lines, asked: say.asked });
    }

    fn present(&mut self, ids: Vec<String>) {
        self.shown.extend(ids.iter().cloned());
        self.presented = ids;
    }

    /// How often this question would have been asked in a row.
    pub(super) fn variant_of(&self, asked: &Asked) -> usize {
        if self.confirmed && self.last == Last::Tools {
            return 0;
        }
        let same = std::mem::discriminant(asked) == std::mem::discriminant(&self.asked);
        if same && self.last_say.is_some() { self.variant + 1 } else { 0 }
    }
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
