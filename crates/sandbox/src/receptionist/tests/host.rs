//! A brokerage in memory, and the loop that an engine drives a model with.

use crate::receptionist::{Prompt, PromptMessage, Reply, ToolCallMade, reply};
use jiff::civil::{Date, Weekday};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tuesday morning.
pub(super) const SYSTEM: &str = "You are Ava.\nToday is Tuesday 2026-11-24, 10:15 in America/Chicago.\n\
    The caller's number is +15125550188.\n";
pub(super) const SYSTEM_WITHOUT_NUMBER: &str = "Today is Tuesday 2026-11-24, 10:15 in America/Chicago.";
const TOOLS: [&str; 6] =
    ["search_listings", "get_listing", "check_availability", "book_viewing", "save_lead", "end_call"];
const ERRANDS: [&str; 6] = [
    "take_message",
    "transfer_to_human",
    "send_summary",
    "request_callback",
    "reschedule_viewing",
    "cancel_viewing",
];
/// People who can be put through to.
const PEOPLE: [&str; 2] = ["Maria Lopez", "David Chen"];
pub(super) const ANNOUNCE: &str =
    "- Before a tool that looks something up or books, say in at most six words what you are about to do.\n";
const SLOTS: [&str; 12] = [
    "09:00", "09:45", "10:30", "11:00", "11:15", "12:00", "13:00", "14:00", "14:30", "15:30", "16:00",
    "17:00",
];

/// A home: id, address, area, price, bedrooms, type, offer.
type Home = (&'static str, &'static str, &'static str, u64, u64, &'static str, &'static str);

const HOMES: [Home; 9] = [
    ("lst_maple", "12 Maple Street", "Hyde Park", 450_000, 3, "house", "sale"),
    ("lst_willow", "1204 Willow Bend", "Riverside", 390_000, 3, "house", "sale"),
    ("lst_lake", "88 Lakeshore Drive", "Riverside", 420_000, 3, "house", "sale"),
    ("lst_cypress", "7 Cypress Court", "Riverside", 310_000, 2, "condo", "sale"),
    ("lst_pecan", "415 Pecan Grove Road", "Riverside", 1_850, 2, "apartment", "rent"),
    ("lst_fifth", "20 5th Street", "Downtown", 2_400, 1, "apartment", "rent"),
    ("lst_kinney", "301 Kinney Road", "Zilker", 640_000, 4, "house", "sale"),
    ("lst_ashby", "9 Ashby Avenue", "Zilker", 515_000, 3, "townhouse", "sale"),
    ("lst_garden", "33 Garden Street", "Mueller", 365_000, 2, "townhouse", "sale"),
];

/// What the tools know, and what was asked of them.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) taken: BTreeSet<(String, String, String)>,
    pub(super) full_days: BTreeSet<String>,
    /// Tools that answer with a failure.
    pub(super) broken: BTreeSet<&'static str>,
    pub(super) viewings: Vec<Value>,
    pub(super) leads: Vec<Value>,
    pub(super) log: Vec<(String, Value)>,
    /// Tools that are still at work.
    pub(super) slow: BTreeSet<&'static str>,
    /// Nobody takes a call.
    pub(super) closed: bool,
    named_listings: BTreeSet<String>,
    named_times: BTreeSet<String>,
}

impl Host {
    fn run(&mut self, name: &str, arguments: &Value) -> Value {
        self.log.push((name.to_owned(), arguments.clone()));
        if self.broken.contains(name) {
            return json!({"error": "this is not possible right now; offer another way"});
        }
        if self.slow.contains(name) {
            return json!({"status": "not finished yet"});
        }
        self.finish(name, arguments)
    }

    /// What a tool answers in the end.
    pub(super) fn finish(&mut self, name: &str, arguments: &Value) -> Value {
        match name {
            "search_listings" => self.search(arguments),
            "get_listing" => {
                let id = arguments["listing"].as_str().unwrap();
                assert!(self.named_listings.contains(id), "{id} was never named");
                let mut home = home_json(HOMES.iter().find(|home| home.0 == id).unwrap());
                home["description"] =
                    json!("The kitchen opens to a garden of 400 square feet. The roof is new.");
                home
            }
            "check_availability" => self.check(arguments),
            "book_viewing" => self.book(arguments),
            "save_lead" => {
                self.leads.push(arguments.clone());
                json!({"lead": format!("lead_{}", self.leads.len()), "score": 60, "reasons": []})
            }
            "end_call" => json!({"ok": true}),
            "take_message" => {
                assert!(!arguments["message"].as_str().unwrap().is_empty());
                json!({"message": "msg_1", "for": arguments["for"]})
            }
            "transfer_to_human" => self.transfer(arguments),
            "send_summary" => {
                assert!(arguments["email"].as_str().unwrap().contains('@'));
                json!({"sent_to": "a***@example.com"})
            }
            "request_callback" => json!({"callback": "cbk_1", "at": arguments["when"]}),
            "reschedule_viewing" => self.reschedule(arguments),
            "cancel_viewing" => {
                json!({"cancelled": "view_9", "address": "12 Maple Street", "day": "2026-11-27", "time": "11:00"})
            }
            other => panic!("unknown tool {other}"),
        }
    }

    fn transfer(&self, arguments: &Value) -> Value {
        assert!(arguments["summary"].is_string());
        if self.closed {
            return json!({"error": "nobody can be reached at this hour", "hint": "offer to take a message"});
        }
        let wanted = arguments["to"].as_str().map(str::to_lowercase);
        let found = PEOPLE
            .iter()
            .find(|name| wanted.as_ref().is_none_or(|wanted| name.to_lowercase().contains(wanted)));
        match found {
            Some(name) => json!({"putting_through_to": name}),
            None => json!({"error": "nobody of that name", "hint": "offer one of these", "names": PEOPLE}),
        }
    }

    /// The caller has a viewing of Maple Street from an earlier call.
    fn reschedule(&mut self, arguments: &Value) -> Value {
        let (day, time) = (arguments["date"].as_str().unwrap(), arguments["time"].as_str().unwrap());
        let listing = match arguments["viewing"].as_str() {
            Some(_) => self.viewings.last().unwrap()["listing"].as_str().unwrap().to_owned(),
            None => "lst_maple".to_owned(),
        };
        let free = self.free(&listing, day);
        if !free.contains(&time) {
            return json!({"error": "that time is taken", "hint": "offer one of these", "free": free});
        }
        json!({"viewing": "view_8", "listing": listing, "address": "12 Maple Street", "day": day, "time": time})
    }

    fn search(&mut self, wanted: &Value) -> Value {
        let text = |name: &str| wanted[name].as_str().map(str::to_lowercase);
        let number = |name: &str| wanted[name].as_u64();
        let fitting: Vec<&Home> = HOMES
            .iter()
            .filter(|home| {
                let place = format!("{} {}", home.1, home.2).to_lowercase();
                text("area").is_none_or(|area| place.contains(&area))
            })
            .filter(|home| number("min_price").is_none_or(|price| home.3 >= price))
            .filter(|home| number("max_price").is_none_or(|price| home.3 <= price))
            .filter(|home| number("bedrooms").is_none_or(|bedrooms| home.4 >= bedrooms))
            .filter(|home| text("property_type").is_none_or(|kind| kind == home.5))
            .filter(|home| text("offer").is_none_or(|offer| offer == home.6))
            .collect();
        let listed: Vec<Value> = fitting.iter().take(5).map(|home| home_json(home)).collect();
        self.named_listings.extend(fitting.iter().take(5).map(|home| home.0.to_owned()));
        json!({"listings": listed, "more": fitting.len().saturating_sub(5)})
    }

    fn free(&self, listing: &str, day: &str) -> Vec<&'static str> {
        let date: Date = day.parse().unwrap();
        if date.weekday() == Weekday::Sunday || self.full_days.contains(day) {
            return Vec::new();
        }
        let free =
            |slot: &&&str| !self.taken.contains(&(listing.to_owned(), day.to_owned(), (**slot).to_owned()));
        SLOTS.iter().filter(free).copied().collect()
    }

    fn check(&mut self, arguments: &Value) -> Value {
        let (listing, day) = (arguments["listing"].as_str().unwrap(), arguments["day"].as_str().unwrap());
        assert!(self.named_listings.contains(listing), "{listing} was never named");
        if day < "2026-11-24" {
            return json!({"error": "that day is past", "hint": "offer a day to come"});
        }
        let free = self.free(listing, day);
        self.named_times.extend(free.iter().map(|time| format!("{listing} {day} {time}")));
        json!({"day": day, "weekday": "x", "free": free})
    }

    fn book(&mut self, arguments: &Value) -> Value {
        let text = |name: &str| arguments[name].as_str().unwrap().to_owned();
        let (listing, day, time) = (text("listing"), text("day"), text("time"));
        assert!(!text("name").is_empty());
        let named = format!("{listing} {day} {time}");
        assert!(self.named_times.contains(&named), "{named} was never offered by a tool");
        let same = |viewing: &Value| {
            viewing["listing"] == *listing && viewing["day"] == *day && viewing["time"] == *time
        };
        assert!(!self.viewings.iter().any(same), "booked twice");
        if self.taken.contains(&(listing.clone(), day.clone(), time.clone())) {
            let free = self.free(&listing, &day);
            self.named_times.extend(free.iter().map(|time| format!("{listing} {day} {time}")));
            return json!({"error": "taken", "free": free});
        }
        self.taken.insert((listing.clone(), day.clone(), time.clone()));
        // Another time for the same home moves the viewing.
        self.viewings.retain(|viewing| viewing["listing"] != *listing);
        self.viewings.push(arguments.clone());
        let address = HOMES.iter().find(|home| home.0 == listing).unwrap().1;
        json!({"viewing": format!("view_{}", self.viewings.len()), "listing": listing, "address": address,
            "day": day, "time": time})
    }
}

fn home_json(home: &Home) -> Value {
    let (id, address, area, price, bedrooms, kind, offer) = home;
    json!({"listing": id, "address": address, "area": area, "price": price, "bedrooms": bedrooms, "bathrooms": 2,
        "type": kind, "offer": offer, "headline": format!("Sunny {kind}")})
}

/// A conversation in progress.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) prompt: Prompt,
    pub(super) host: Host,
    /// What the agent said, answer by answer.
    pub(super) said: Vec<String>,
    pub(super) ended: bool,
    /// Every reply: its words and the tools it called.
    pub(super) rounds: Vec<(Option<String>, Vec<String>)>,
    calls: usize,
}

impl Talk {
    pub(super) fn new() -> Self {
        Self::with_system(SYSTEM)
    }

    pub(super) fn with_system(system: &str) -> Self {
        let greeting = PromptMessage::Assistant {
            text: Some(
                "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. How can I help?"
                    .to_owned(),
            ),
            tool_calls: Vec::new(),
        };
        let tools = TOOLS.map(str::to_owned).to_vec();
        let prompt = Prompt { system: system.to_owned(), messages: vec![greeting], tools };
        Self { prompt, host: Host::default(), said: Vec::new(), ended: false, rounds: Vec::new(), calls: 0 }
    }

    /// With every tool there is.
    pub(super) fn with_errands() -> Self {
        Self::with_errands_and(SYSTEM)
    }

    pub(super) fn with_errands_and(system: &str) -> Self {
        let mut talk = Self::with_system(system);
        talk.prompt.tools.extend(ERRANDS.map(str::to_owned));
        talk
    }

    /// The greeting, in other words.
    pub(super) fn greeted(mut self, greeting: &str) -> Self {
        self.prompt.messages =
            vec![PromptMessage::Assistant { text: Some(greeting.to_owned()), tool_calls: Vec::new() }];
        self
    }

    /// The caller heard the last answer only up to these words.
    pub(super) fn heard_until(&mut self, words: &str) {
        let last = self.prompt.messages.last_mut();
        let Some(PromptMessage::Assistant { text: Some(text), .. }) = last else {
            panic!("no answer was given")
        };
        let at = text.find(words).unwrap_or_else(|| panic!("{words} is not in: {text}"));
        text.truncate(at + words.len());
    }

    /// The platform says this by itself.
    pub(super) fn platform_says(&mut self, text: &str) {
        let message = PromptMessage::Assistant { text: Some(text.to_owned()), tool_calls: Vec::new() };
        self.prompt.messages.push(message);
    }

    /// Tools that were slow have answered: their results take the place of the note that they had not.
    pub(super) fn results_arrive(&mut self) {
        self.host.slow.clear();
        let made: Vec<ToolCallMade> = self
            .prompt
            .messages
            .iter()
            .flat_map(|message| match message {
                PromptMessage::Assistant { tool_calls, .. } => tool_calls.clone(),
                PromptMessage::User(_) | PromptMessage::Tool { .. } => Vec::new(),
            })
            .collect();
        for message in &mut self.prompt.messages {
            if let PromptMessage::Tool { id, content } = message
                && content.contains("not finished yet")
            {
                let call = made.iter().find(|call| call.id == *id).unwrap();
                let arguments = serde_json::from_str(&call.arguments).unwrap();
                *content = self.host.finish(&call.name, &arguments).to_string();
            }
        }
    }

    /// Arguments of every call of a tool.
    pub(super) fn calls(&self, tool: &str) -> Vec<&Value> {
        self.host.log.iter().filter(|(name, _)| name == tool).map(|(_, arguments)| arguments).collect()
    }

    /// The caller says this; returns the answer. Checks on the way what must hold for every reply.
    pub(super) fn say(&mut self, text: &str) -> String {
        assert!(!self.ended, "the call has ended; nothing more can be said: {text}");
        self.prompt.messages.push(PromptMessage::User(text.to_owned()));
        self.answer()
    }

    /// Runs the model until it has spoken.
    pub(super) fn answer(&mut self) -> String {
        let mut tools_in_turn = 0;
        let mut spoken: Vec<String> = Vec::new();
        for _ in 0..6 {
            let made = reply(&self.prompt);
            assert_eq!(made, reply(&self.prompt), "the same request gets the same reply");
            check(&made);
            let Reply { text, tool_calls } = made;
            self.rounds.push((text.clone(), tool_calls.iter().map(|(name, _)| name.clone()).collect()));
            tools_in_turn += tool_calls.len();
            assert!(tools_in_turn <= 8, "too many tools in one turn");
            let mut results = Vec::new();
            let mut calls = Vec::new();
            for (name, arguments) in tool_calls {
                self.calls += 1;
                let id = format!("call_{}", self.calls);
                let content = self.host.run(&name, &arguments).to_string();
                self.ended |= name == "end_call";
                calls.push(ToolCallMade { id: id.clone(), name, arguments: arguments.to_string() });
                results.push(PromptMessage::Tool { id, content });
            }
            self.prompt.messages.push(PromptMessage::Assistant { text: text.clone(), tool_calls: calls });
            let done = results.is_empty() || self.ended;
            self.prompt.messages.extend(results);
            spoken.extend(text);
            if done {
                let spoken = spoken.join(" ");
                assert!(!spoken.is_empty(), "a turn is answered");
                self.said.push(spoken.clone());
                return spoken;
            }
        }
        panic!("no answer within six rounds: {:#?}", self.prompt.messages);
    }

    /// A conversation in which the caller says all of this.
    pub(super) fn all(lines: &[&str]) -> Self {
        let mut talk = Self::new();
        for line in lines {
            talk.say(line);
        }
        talk
    }

    /// Listing, day, time and name of the only viewing.
    pub(super) fn booked(&self) -> (String, String, String, String) {
        assert_eq!(self.host.viewings.len(), 1, "exactly one viewing; said: {:#?}", self.said);
        let text = |name: &str| self.host.viewings[0][name].as_str().unwrap_or_default().to_owned();
        (text("listing"), text("day"), text("time"), text("name"))
    }

    pub(super) fn last(&self) -> &str {
        self.said.last().map_or("", String::as_str)
    }

    pub(super) fn searches(&self) -> Vec<&Value> {
        self.host
            .log
            .iter()
            .filter(|(name, _)| name == "search_listings")
            .map(|(_, arguments)| arguments)
            .collect()
    }

    pub(super) fn count(&self, tool: &str) -> usize {
        self.host.log.iter().filter(|(name, _)| name == tool).count()
    }
}

/// What holds for every reply.
pub(super) fn check(reply: &Reply) {
    assert!(reply.text.is_some() || !reply.tool_calls.is_empty(), "a reply says or does something");
    let Some(text) = &reply.text else { return };
    assert!(!text.trim().is_empty());
    assert!(text.chars().count() <= 400, "too long: {text}");
    assert!(!text.chars().any(|char| char.is_ascii_digit()), "digits are for the eye: {text}");
    assert!(!text.contains(['*', '#', '_', '{', '<', '\n']), "markup: {text}");
    let first = text.split_inclusive(['.', '?', '!', '。', '？', '！']).next().unwrap_or_default();
    assert!(first.split_whitespace().count() <= 8, "a long first sentence: {text}");
}

/// As [`Host`] spells a booking.
pub(super) fn booking(listing: &str, day: &str, time: &str, name: &str) -> (String, String, String, String) {
    (listing.to_owned(), day.to_owned(), time.to_owned(), name.to_owned())
}
