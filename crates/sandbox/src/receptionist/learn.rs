//! What an utterance changes in what is known.

use super::{
    errands::{Errands, concern_in},
    heard::{Act, DayWish, Heard, Offer, Wish},
    language::Language,
    memory::{Booking, Criterion, Goal, Last, Memory},
    moves::{Asked, Tool},
    understand::{Context, understand},
};

/// A budget of so many dollars is for buying.
const LOWEST_SALE_PRICE: u64 = 30_000;

impl Memory {
    /// The caller spoke.
    pub(super) fn hear(&mut self, text: &str) {
        let mut heard = understand(&self.language.gloss(text), &self.context());
        if heard.message.is_some() && self.language != Language::English {
            // A gloss is good enough to be understood, not to be passed on.
            heard.message = (self.asked == Asked::Message).then(|| text.trim().chars().take(800).collect());
        }
        self.go_on(&mut heard);
        self.utterances += 1;
        self.topic = heard.topic.or(self.topic);
        self.misses = if heard.is_empty() { self.misses + 1 } else { 0 };
        if let Some(concern) = concern_in(text).filter(|_| self.language == Language::English) {
            self.errands.concern = Some(concern);
        }
        self.learn_contact(&heard);
        let changed = self.learn_criteria(&heard);
        self.learn_choice(&heard, changed);
        if !self.learn_errands(&heard) {
            self.learn_schedule(&heard, changed);
        }
        self.set_goal(&heard, changed);
        // What was said before the agent came to answer still waits for its answer.
        if matches!(self.last, Last::Caller | Last::Tools) {
            self.turn.merge(heard);
        } else {
            self.turn = heard;
        }
        self.last = Last::Caller;
        self.confirmed = false;
        self.rounds = 0;
        self.turn_announced = false;
        self.failed.clear();
        self.errands.refusals.clear();
    }

    /// "Go on" after a whole answer wants it again.
    fn go_on(&self, heard: &mut Heard) {
        if heard.is(Act::GoOn) && self.rest.is_none() {
            heard.acts.insert(Act::Repeat);
        }
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
            // Nobody rents for as much: whoever talked of renting before talks of buying now.
            let is_price = heard.max_price.or(heard.min_price) >= Some(LOWEST_SALE_PRICE);
            if heard.offer.is_none() && wanted.offer == Some(Offer::Rent) && is_price {
                wanted.offer = Some(Offer::Sale);
            }
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
                _ = self.indifferent.insert(Criterion::Area);
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
            | Asked::Recording
            | Asked::Message
            | Asked::WayOut
            | Asked::Person
            | Asked::Email
            | Asked::EmailRight
            | Asked::CallWhen
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
        let either = heard.is(Act::Either) && self.asked == Asked::Which;
        if self.chosen.is_none() && !changed && (wants_it || either) {
            self.chosen = self.presented.first().cloned();
        }
    }

    fn learn_schedule(&mut self, heard: &Heard, changed: bool) {
        if changed || (heard.choice.is_some() && !self.is_booked(heard.choice.as_deref())) {
            self.moving = false;
        }
        if let Some(booking) = self.concerned_booking(heard, changed).cloned() {
            if heard.is(Act::Cancel) && self.tools.contains(&Tool::CancelViewing) {
                self.errands.cancelling = Some(booking.viewing);
                return;
            }
            if heard.is(Act::Cancel) {
                self.note = Some(format!("asks to cancel viewing {}", booking.viewing));
                return;
            }
            // What is not said anew stays as it was booked, unless nothing is.
            self.moving = true;
            self.chosen = Some(booking.listing);
            if heard.has_schedule() {
                (self.day, self.time) = (Some(booking.day), Some(Wish::At(booking.time)));
            }
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

    pub(super) fn is_booked(&self, listing: Option<&str>) -> bool {
        self.bookings.iter().any(|booking| Some(booking.listing.as_str()) == listing)
    }

    /// The viewing that this utterance wants changed, if it does.
    fn concerned_booking(&self, heard: &Heard, changed: bool) -> Option<&Booking> {
        if let Some(choice) = &heard.choice {
            let booking = self.bookings.iter().find(|booking| booking.listing == *choice)?;
            let differs = match (heard.day, heard.time) {
                (Some(DayWish::On(day)), _) if day != booking.day => true,
                (_, Some(Wish::At(time))) => time != booking.time,
                (_, other) => other.is_some(),
            };
            return (differs || heard.is(Act::Rebook) || heard.is(Act::Cancel)).then_some(booking);
        }
        let settled = self.goal == Goal::None && self.chosen.is_none();
        let concerns = heard.is(Act::Rebook)
            || heard.is(Act::Cancel)
            || (heard.has_schedule() && !heard.is(Act::View) && !changed);
        self.bookings.last().filter(|_| settled && concerns)
    }

    /// Whether days and times that are named belong to something else than a home.
    fn on_errand(&self) -> bool {
        match self.goal {
            Goal::CallAt | Goal::Move | Goal::Message | Goal::Person | Goal::Mail | Goal::Cancel => true,
            Goal::None | Goal::Home | Goal::Sale | Goal::CallBack => false,
        }
    }

    fn set_goal(&mut self, heard: &Heard, changed: bool) {
        const HOME: [Act; 7] =
            [Act::View, Act::Search, Act::More, Act::Cheaper, Act::Bigger, Act::AskAreas, Act::AskTimes];
        let called_back = self.asked == Asked::CallBack && heard.is(Act::Yes);
        if self.drops_errand(heard) {
            (self.goal, self.errands) = (Goal::None, Errands::default());
        } else if let Some(goal) = self.errand_goal(heard) {
            if goal == Goal::Move {
                (self.day, self.time, self.soonest) = (None, None, false);
                self.offered_times.clear();
                self.learn_schedule(heard, false);
            }
            self.goal = goal;
        } else if heard.is(Act::Sell) {
            self.goal = Goal::Sale;
            self.note = Some("wants to sell a home".to_owned());
        } else if heard.is(Act::AskHuman)
            || heard.is(Act::CallMe)
            || heard.is(Act::LeaveMessage)
            || called_back
            || (heard.is(Act::Rebook) && self.bookings.is_empty() && self.chosen.is_none())
        {
            self.goal = Goal::CallBack;
            self.note = Some("asks for a call back".to_owned());
        } else if changed
            || heard.choice.is_some()
            || self.moving
            || HOME.iter().any(|act| heard.is(*act))
            || (heard.has_schedule() && self.note.is_none() && !self.on_errand())
            || (heard.is(Act::Indifferent) && self.asked == Asked::Open)
        {
            self.goal = Goal::Home;
        }
    }
}
