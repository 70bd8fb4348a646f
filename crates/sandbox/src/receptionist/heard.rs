//! What one utterance was understood to say: data only.

use super::hours::Part;
use jiff::civil::{Date, Time};
use std::collections::BTreeSet;

/// Whether a home is sold or let.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Offer {
    Sale,
    Rent,
}

/// Kinds of home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    House,
    Condo,
    Townhouse,
    Apartment,
}

/// What a caller does besides giving facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Yes,
    No,
    Greeting,
    Thanks,
    Goodbye,
    /// "That's all": goodbye, if nothing is open.
    Enough,
    /// Asks whether a machine is speaking.
    AskRobot,
    /// Asks the same the other way round: whether a person is speaking.
    AskWhetherHuman,
    /// Asks about neighbours, safety, schools: what a broker must not judge.
    AskPeople,
    AskHuman,
    /// Wants to be called back.
    CallMe,
    LeaveMessage,
    /// Wants it in writing, by e-mail.
    Mail,
    Repeat,
    /// Wants to hear the rest of an answer that was cut.
    GoOn,
    Wait,
    CanYouHear,
    /// Wants to see a home.
    View,
    /// Is looking for homes.
    Search,
    /// Wants to see other homes than those offered.
    More,
    Cheaper,
    Bigger,
    /// Has no preference in what was asked.
    Indifferent,
    /// Any of those offered will do.
    Either,
    AskAreas,
    /// Asks which times are free, or for other ones than those offered.
    AskTimes,
    /// Wants to move a viewing.
    Rebook,
    /// Wants to cancel a viewing.
    Cancel,
    Sell,
    /// A question nobody here can answer.
    OtherQuestion,
}

/// What a caller can ask about a home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Facet {
    Price,
    Bedrooms,
    Bathrooms,
    Address,
    Area,
    Kind,
    Available,
    Description,
}

/// When on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    At(Time),
    In(Part),
    After(Time),
    Before(Time),
    Earliest,
    Latest,
    /// The n-th of the times that were offered, from zero.
    Nth(usize),
    Later,
    Earlier,
}

/// On which day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayWish {
    On(Date),
    Soonest,
    /// Not the one that was named or offered.
    Another,
}

/// What kind of fact was spoken of last: a correction such as "no, four" means the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Bedrooms,
    Budget,
    Schedule,
}

/// When the caller wants to move.
pub(super) type Timeline = &'static str;

/// Everything an utterance said. Facts are absent when they were not mentioned.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Heard {
    pub(super) acts: BTreeSet<Act>,
    pub(super) facets: BTreeSet<Facet>,
    pub(super) offer: Option<Offer>,
    pub(super) kind: Option<Kind>,
    pub(super) bedrooms: Option<u64>,
    pub(super) min_price: Option<u64>,
    pub(super) max_price: Option<u64>,
    pub(super) area: Option<String>,
    /// A street that no known home is in.
    pub(super) street: Option<String>,
    /// A home that the caller chose, by its id.
    pub(super) choice: Option<String>,
    pub(super) day: Option<DayWish>,
    pub(super) time: Option<Wish>,
    pub(super) name: Option<String>,
    pub(super) phone: Option<String>,
    /// Digits that are too few for a telephone number.
    pub(super) partial_phone: bool,
    pub(super) email: Option<String>,
    /// Whom the caller wants to speak to, or to leave a message for.
    pub(super) person: Option<String>,
    /// Words to be passed on.
    pub(super) message: Option<String>,
    pub(super) timeline: Option<Timeline>,
    pub(super) financing: Option<&'static str>,
    pub(super) topic: Option<Topic>,
}

impl Heard {
    pub(super) fn is(&self, act: Act) -> bool {
        self.acts.contains(&act)
    }

    /// Facts about the home that is wanted.
    pub(super) fn has_criteria(&self) -> bool {
        self.offer.is_some()
            || self.kind.is_some()
            || self.bedrooms.is_some()
            || self.min_price.is_some()
            || self.max_price.is_some()
            || self.area.is_some()
            || self.street.is_some()
    }

    pub(super) fn has_schedule(&self) -> bool {
        self.day.is_some() || self.time.is_some()
    }

    /// Facts about the caller.
    pub(super) fn has_contact(&self) -> bool {
        self.name.is_some()
            || self.phone.is_some()
            || self.partial_phone
            || self.email.is_some()
            || self.message.is_some()
            || self.timeline.is_some()
            || self.financing.is_some()
    }

    /// Any fact at all.
    pub(super) fn has_facts(&self) -> bool {
        self.has_criteria() || self.has_schedule() || self.has_contact() || self.choice.is_some()
    }

    /// Something to be done that is not about finding a home.
    pub(super) fn asks_errand(&self) -> bool {
        const ERRANDS: [Act; 6] =
            [Act::AskHuman, Act::CallMe, Act::LeaveMessage, Act::Mail, Act::Rebook, Act::Cancel];
        ERRANDS.iter().any(|act| self.is(*act))
    }

    /// Something that moves the conversation on, rather than a remark beside it.
    pub(super) fn moves_on(&self) -> bool {
        const MOVES: [Act; 12] = [
            Act::Yes,
            Act::No,
            Act::View,
            Act::Search,
            Act::More,
            Act::Cheaper,
            Act::Bigger,
            Act::Indifferent,
            Act::Either,
            Act::AskAreas,
            Act::AskTimes,
            Act::Sell,
        ];
        self.has_facts() || MOVES.iter().any(|act| self.is(*act))
    }

    /// Nothing was understood.
    pub(super) fn is_empty(&self) -> bool {
        self.acts.is_empty() && self.facets.is_empty() && !self.has_facts()
    }

    /// Adds what a further utterance said before the first was answered; the later one wins.
    pub(super) fn merge(&mut self, later: Self) {
        self.acts.extend(later.acts);
        self.facets.extend(later.facets);
        self.offer = later.offer.or(self.offer);
        self.kind = later.kind.or(self.kind);
        self.bedrooms = later.bedrooms.or(self.bedrooms);
        self.min_price = later.min_price.or(self.min_price);
        self.max_price = later.max_price.or(self.max_price);
        self.area = later.area.or(self.area.take());
        self.street = later.street.or(self.street.take());
        self.choice = later.choice.or(self.choice.take());
        self.day = later.day.or(self.day);
        self.time = later.time.or(self.time);
        self.name = later.name.or(self.name.take());
        self.phone = later.phone.or(self.phone.take());
        self.partial_phone |= later.partial_phone;
        self.email = later.email.or(self.email.take());
        self.person = later.person.or(self.person.take());
        self.message = later.message.or(self.message.take());
        self.timeline = later.timeline.or(self.timeline);
        self.financing = later.financing.or(self.financing);
        self.topic = later.topic.or(self.topic);
    }
}
