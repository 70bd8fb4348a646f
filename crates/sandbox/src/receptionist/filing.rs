//! What a tool's answer changes in what is known. Foreign text: anything may be missing or wrong.

use super::{
    listing::Listing,
    memory::{Booking, DayPlan, Found, Last, Memory},
    moves::Tool,
};
use jiff::civil::{Date, Time};
use serde_json::Value;

impl Memory {
    /// A tool answered.
    pub(super) fn tool_answered(&mut self, id: &str, content: &str) {
        self.last = Last::Tools;
        let Some((tool, arguments)) = self.pending.remove(id) else { return };
        let answer: Value = serde_json::from_str(content).unwrap_or(Value::Null);
        if answer.get("status").and_then(Value::as_str) == Some("not finished yet") {
            self.unfinished.push((tool, arguments));
            return;
        }
        let understood = match tool {
            Tool::SearchListings => self.searched(arguments, &answer),
            Tool::GetListing => self.described(&answer),
            Tool::CheckAvailability => self.checked(&arguments, &answer),
            Tool::BookViewing => self.booked(&arguments, &answer),
            Tool::SaveLead => {
                let saved = answer.get("lead").is_some();
                if saved {
                    (self.lead_saved, self.fresh_lead) = (true, self.note.is_some());
                }
                saved
            }
            Tool::RescheduleViewing => self.rescheduled(&arguments, answer),
            Tool::CancelViewing => self.cancelled(&arguments, answer),
            Tool::TakeMessage | Tool::TransferToHuman | Tool::SendSummary | Tool::RequestCallback => {
                self.ran_errand(tool, answer)
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
            let moved = self.is_booked(Some(&listing));
            self.bookings.retain(|booking| booking.listing != listing);
            let booking = Booking {
                viewing: viewing.to_owned(),
                address: address.or_else(|| text("address").map(str::to_owned)).unwrap_or_default(),
                listing,
                day: text("day").and_then(|day| day.parse().ok()).unwrap_or(day),
                time,
                moved,
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

impl Memory {
    /// An errand is run if its tool says nothing else.
    fn ran_errand(&mut self, tool: Tool, answer: Value) -> bool {
        let done =
            answer.as_object().is_some_and(|answer| !answer.is_empty() && !answer.contains_key("error"));
        let told = if done { &mut self.errands.answers } else { &mut self.errands.refusals };
        told.insert(tool, answer);
        done
    }

    fn rescheduled(&mut self, arguments: &Value, answer: Value) -> bool {
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let day: Option<Date> = text("date").and_then(|day| day.parse().ok());
        let time = text("time").and_then(parse_time);
        let own = text("viewing")
            .and_then(|viewing| self.bookings.iter().position(|booking| booking.viewing == viewing));
        let (Some(at), Some(day), Some(time)) = (own, day, time) else {
            return self.ran_errand(Tool::RescheduleViewing, answer);
        };
        let listing = self.bookings[at].listing.clone();
        if let Some(free) = answer.get("free").filter(|_| answer.get("error").is_some()) {
            let free = times_in(free).into_iter().filter(|free| *free != time).collect();
            self.plans.insert((listing, day), DayPlan::Free(free));
            return true;
        }
        let done =
            answer.as_object().is_some_and(|answer| !answer.is_empty() && !answer.contains_key("error"));
        if done {
            let mut booking = self.bookings.remove(at);
            (booking.day, booking.time, booking.moved) = (day, time, true);
            if let Some(viewing) = answer.get("viewing").and_then(Value::as_str) {
                viewing.clone_into(&mut booking.viewing);
            }
            self.fresh_booking = Some(booking.clone());
            self.bookings.push(booking);
        }
        done
    }

    fn cancelled(&mut self, arguments: &Value, answer: Value) -> bool {
        let done = self.ran_errand(Tool::CancelViewing, answer);
        if done && let Some(viewing) = arguments.get("viewing").and_then(Value::as_str) {
            self.bookings.retain(|booking| booking.viewing != viewing);
        }
        done
    }
}

fn listing_and_day(arguments: &Value) -> Option<(String, Date)> {
    let listing = arguments.get("listing")?.as_str()?.to_owned();
    Some((listing, arguments.get("day")?.as_str()?.parse().ok()?))
}

pub(super) fn times_in(value: &Value) -> Vec<Time> {
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
