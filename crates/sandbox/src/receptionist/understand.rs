//! Turns one utterance into facts and acts, in the light of what was said before.

use super::{
    acts::hear_acts,
    contact, criteria,
    heard::{Heard, Topic},
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

/// Words that announce that what follows replaces what was said.
const CORRECTIONS: &str = "\
    no, sorry, i mean, i meant, actually, make it, make that, or rather, rather, instead, wait, \
    correction, i said, change it to, change that to, not";

/// Understands one utterance.
pub(super) fn understand(text: &str, context: &Context<'_>) -> Heard {
    let mut tokens = Tokens::new(text);
    let mut heard = Heard::default();
    if tokens.is_empty() {
        return heard;
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
    contact::bare_name(&mut tokens, context, &mut heard);
    reference::described(&tokens, context, &mut heard);
    heard.topic = topics.iter().max_by_key(|(at, _)| *at).map(|(_, topic)| *topic);
    heard
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
        let used = match topic {
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
        Asked::Day | Asked::Time { .. } => Some(Topic::Schedule),
        Asked::Open
        | Asked::Area
        | Asked::Interest
        | Asked::Which
        | Asked::Name
        | Asked::Phone
        | Asked::CallBack
        | Asked::Change
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
