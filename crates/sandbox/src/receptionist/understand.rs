//! Turns one utterance into facts and acts, in the light of what was said before.

use super::{
    acts::{hear_acts, is_question},
    contact, criteria,
    heard::{Act, Facet, Heard, Topic},
    keypad,
    listing::Listing,
    moves::Asked,
    numbers::{amount_at, small_at},
    reference, schedule,
    tokens::Tokens,
};
use jiff::civil::Date;
use std::collections::BTreeMap;

/// What is known before the utterance.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) today: Option<Date>,
    /// What the agent asked last.
    pub(super) asked: &'a Asked,
    /// All homes that tools have named.
    pub(super) listings: &'a BTreeMap<String, Listing>,
    /// Homes the agent offered last, in order.
    pub(super) presented: &'a [String],
    /// The talk is of rent.
    pub(super) rent: bool,
    /// A day or a time is known already.
    pub(super) scheduling: bool,
    /// Fact that was spoken of last.
    pub(super) topic: Option<Topic>,
    /// A home has been offered, chosen or booked, so that questions can be about it.
    pub(super) homes_in_talk: bool,
    /// The number the caller calls from.
    pub(super) caller: Option<&'a str>,
}

/// Characters of a message that are passed on.
const MAX_MESSAGE_CHARS: usize = 800;

/// Words that announce that what follows replaces what was said.
const CORRECTIONS: &str = "\
    no, sorry, i mean, i meant, actually, make it, make that, or rather, rather, instead, wait, \
    correction, i said, change it to, change that to, not";

/// What follows a number of people.
const PEOPLE_COUNTED: &str = "\
    kids, children, kid, child, daughters, daughter, sons, son, people, adults, adult, of us, cats, dogs, dog, cat, \
    small children, small kids, young children, little kids, little ones, babies, toddlers, teenagers";

/// Understands one utterance.
pub(super) fn understand(text: &str, context: &Context<'_>) -> Heard {
    if let Some(typed) = keypad::typed(text, context) {
        return typed;
    }
    let mut tokens = Tokens::new(text);
    let mut heard = Heard::default();
    if tokens.is_empty() {
        return heard;
    }
    if *context.asked == Asked::Message {
        return dictated(text, &tokens);
    }
    // The order matters: each claims its words, the most recognisable come first.
    let mut topics: Vec<(usize, Topic)> = Vec::new();
    contact::email(&mut tokens, &mut heard);
    contact::phone(&mut tokens, context, &mut heard);
    reference::address(&mut tokens, context, &mut heard);
    criteria::prices(&mut tokens, context, &mut heard, &mut topics);
    criteria::rooms(&mut tokens, &mut heard, &mut topics);
    contact::timeline_and_financing(&mut tokens, &mut heard);
    let days = schedule::days(&mut tokens, context, &mut heard, &mut topics);
    schedule::times(&mut tokens, context, &days, &mut heard, &mut topics);
    contact::name(&mut tokens, context, &mut heard);
    reference::choice(&mut tokens, context, &mut heard);
    leftover_numbers(&mut tokens, context, &mut heard, &mut topics);
    criteria::kind_and_offer(&mut tokens, &mut heard);
    criteria::area(&mut tokens, context, &mut heard);
    hear_acts(&tokens, context.homes_in_talk, &mut heard);
    addressee(&tokens, context, &mut heard);
    consents(&tokens, context, &mut heard);
    contact::bare_name(&mut tokens, context, &mut heard);
    reference::described(&tokens, context, &mut heard);
    if heard.is(Act::AskPeople) {
        only_about_people(&tokens, &mut heard);
    }
    heard.topic = topics.iter().max_by_key(|(at, _)| *at).map(|(_, topic)| *topic);
    heard
}

/// Whom the caller wants to reach, and what is to be passed on.
fn addressee(tokens: &Tokens, context: &Context<'_>, heard: &mut Heard) {
    const TO_SOMEBODY: &str = "\
        speak to, speak with, talk to, talk with, put me through to, transfer me to, connect me to, connect me with";
    let wanted = heard.is(Act::AskHuman) || heard.is(Act::LeaveMessage);
    let named = tokens.has(TO_SOMEBODY) && !tokens.has("am i, are you");
    let tells = tokens.has("tell, let") && !tokens.has("tell me, let me, let's, let us, tell us");
    if wanted || named || tells || *context.asked == Asked::Person {
        contact::person(tokens, context, heard);
    }
    if heard.is(Act::LeaveMessage) || heard.person.is_some() || *context.asked == Asked::WayOut {
        contact::message(tokens, heard);
    }
    if named && heard.person.is_some() {
        heard.acts.insert(Act::AskHuman);
    }
    if tells && heard.person.is_some() && heard.message.is_some() {
        heard.acts.insert(Act::LeaveMessage);
    } else if !wanted && !named && *context.asked != Asked::Person {
        heard.person = None;
    }
}

/// "Are the schools in Riverside good" asks about people and places, wishes for no home there and agrees to nothing.
fn only_about_people(tokens: &Tokens, heard: &mut Heard) {
    heard.facets.remove(&Facet::Description);
    heard.facets.remove(&Facet::Area);
    heard.facets.remove(&Facet::Kind);
    if is_question(tokens) && !heard.is(Act::Search) {
        heard.acts.remove(&Act::Yes);
        (heard.area, heard.kind) = (None, None);
    }
}

/// Words for somebody else: nothing in them is about this conversation, unless they take the wish back.
fn dictated(text: &str, tokens: &Tokens) -> Heard {
    const TAKEN_BACK: &str = "\
        no thanks, no thank you, never mind, nevermind, forget it, no message, goodbye, bye, no";
    const RAW_LEADS: [&str; 6] =
        ["yes please ", "yes ", "okay ", "please say that ", "please say ", "the message is that "];
    const WORDS_OF_A_REFUSAL: usize = 5;
    let mut heard = Heard::default();
    if tokens.len() <= WORDS_OF_A_REFUSAL {
        let mut acts = Heard::default();
        hear_acts(tokens, false, &mut acts);
        let aside =
            [Act::AskHuman, Act::AskRobot, Act::AskWhetherHuman, Act::Wait, Act::Repeat, Act::CanYouHear];
        if tokens.has(TAKEN_BACK) || aside.iter().any(|act| acts.is(*act)) {
            return acts;
        }
    }
    let trimmed = text.trim();
    let start =
        RAW_LEADS.iter().find(|lead| trimmed.to_lowercase().starts_with(**lead)).map_or(0, |lead| lead.len());
    let words = trimmed.get(start..).unwrap_or(trimmed);
    heard.message = Some(words.chars().take(MAX_MESSAGE_CHARS).collect());
    heard
}

/// "No problem" is a yes to being recorded, whatever it is elsewhere.
fn consents(tokens: &Tokens, context: &Context<'_>, heard: &mut Heard) {
    const FINE: &str =
        "no problem, no objection, no objections, not a problem, don't mind, no worries, fine, not at all";
    if *context.asked == Asked::Recording && tokens.has(FINE) && !tokens.has("not fine, not ok, rather not") {
        heard.acts.remove(&Act::No);
        heard.acts.remove(&Act::Indifferent);
        heard.acts.insert(Act::Yes);
    }
}

/// Numbers without any word that says what they are: the question that was asked says so, or the fact they correct.
fn leftover_numbers(
    tokens: &mut Tokens,
    context: &Context<'_>,
    heard: &mut Heard,
    topics: &mut Vec<(usize, Topic)>,
) {
    let mut at = 0;
    while at < tokens.len() {
        let Some((value, length)) = small_at(tokens, at).filter(|_| !is_pronoun(tokens, at)) else {
            at += 1;
            continue;
        };
        let corrects = (0..at).rev().take(4).any(|from| tokens.any_at(from, CORRECTIONS).is_some());
        let before = topics.iter().filter(|(place, _)| *place < at).max_by_key(|(place, _)| *place);
        let topic = before
            .filter(|_| corrects)
            .map(|(_, topic)| *topic)
            .or_else(|| asked_topic(context.asked))
            .or_else(|| (context.scheduling || heard.day.is_some()).then_some(Topic::Schedule))
            .or(context.topic.filter(|_| corrects || tokens.len() <= 3));
        // "Two kids" are not two bedrooms.
        let counts_people = tokens.any_at(at + length, PEOPLE_COUNTED).is_some();
        let used = match topic {
            Some(_) if counts_people => 0,
            Some(Topic::Bedrooms) if value <= 12 => {
                heard.bedrooms = Some(value);
                length
            }
            Some(Topic::Budget) => match amount_at(tokens, at) {
                Some((amount, length)) if amount.value >= 20 => {
                    heard.max_price = Some(amount.dollars(context.rent));
                    length
                }
                Some(_) | None => 0,
            },
            Some(Topic::Schedule) => schedule::bare_time(tokens, at, heard),
            Some(Topic::Bedrooms) | None => 0,
        };
        if let Some(topic) = topic.filter(|_| used > 0) {
            topics.push((at, topic));
            tokens.claim(at..at + used);
        }
        at += used.max(length);
    }
}

fn asked_topic(asked: &Asked) -> Option<Topic> {
    match asked {
        Asked::Bedrooms => Some(Topic::Bedrooms),
        Asked::Budget => Some(Topic::Budget),
        Asked::Day | Asked::Time { .. } | Asked::CallWhen => Some(Topic::Schedule),
        Asked::Open
        | Asked::Area
        | Asked::Interest
        | Asked::Which
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
        | Asked::AnythingElse => None,
    }
}

/// "the first one", "one of them": not the number.
pub(super) fn is_pronoun(tokens: &Tokens, at: usize) -> bool {
    let points = matches!(
        tokens.before(at),
        "the"
            | "that"
            | "this"
            | "which"
            | "first"
            | "second"
            | "third"
            | "last"
            | "other"
            | "another"
            | "any"
            | "cheaper"
            | "bigger"
            | "next"
            | "every"
            | "no"
            | "good"
            | "great"
            | "nice"
            | "better"
            | "new"
            | "right"
            | "street"
    );
    tokens.word(at) == "one"
        && ((points && tokens.before(at) != "no")
            || matches!(tokens.word(at + 1), "of" | "with" | "on" | "in" | "that" | "by" | "near"))
}

impl Context<'_> {
    /// The homes that were offered last.
    pub(super) fn offered(&self) -> impl Iterator<Item = &Listing> {
        self.presented.iter().filter_map(|id| self.listings.get(id))
    }

    /// Whether the caller is choosing among homes.
    pub(super) fn choosing(&self) -> bool {
        self.presented.len() > 1
    }
}
