//! What a call has come to so far, as far as the tools need it again: which homes were found and looked at, what was
//! searched for, whether a viewing was cancelled, and whom the caller is to be put through to.
//!
//! Kept in memory, one per call. A call that comes back after a cut reads it from its history. What must not be lost
//! (viewings, messages, mail) is in the database and not here.

use crate::{arguments::Fields, tools::search_listings};
use seiketsu_domain::{ListingId, Message, PhoneNumber};
use seiketsu_storage::listings::ListingFilter;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many homes are remembered: more are not read by anybody in one mail.
const REMEMBERED: usize = 20;

/// The notebook of a call.
#[derive(Debug, Default)]
pub(crate) struct Notebook(Mutex<Notes>);

#[derive(Debug, Default)]
struct Notes {
    /// Homes that were asked about one by one, in that order.
    looked_at: Vec<ListingId>,
    /// Homes that the last search told.
    found: Vec<ListingId>,
    /// What the last search asked for.
    wanted: Option<ListingFilter>,
    /// Whether a viewing was cancelled.
    cancelled: bool,
    transfer: Option<PhoneNumber>,
}

impl Notebook {
    /// What the history of a call tells.
    pub(crate) fn of(history: &[Message]) -> Self {
        let notebook = Self::default();
        for message in history {
            match message {
                Message::ToolRequest { name, arguments, .. } => {
                    if name == "search_listings"
                        && let Ok(fields) = Fields::parse(arguments.expose())
                        && let Ok(filter) = search_listings::filter(&fields)
                    {
                        notebook.lock().wanted = Some(filter);
                    }
                }
                Message::ToolResult { content, .. } => {
                    let Ok(result) = serde_json::from_str::<Value>(content.expose()) else { continue };
                    if let Some(homes) = result["listings"].as_array() {
                        notebook.found(homes.iter().filter_map(|home| id(&home["listing"])).collect());
                    } else if result["cancelled"].is_string() {
                        notebook.cancelled();
                    } else if let Some(home) = id(&result["listing"]) {
                        notebook.looked_at(home);
                    }
                }
                Message::Caller { .. } | Message::Agent { .. } => {}
            }
        }
        notebook
    }

    /// A search was made.
    pub(crate) fn searched(&self, filter: ListingFilter, told: Vec<ListingId>) {
        let mut notes = self.lock();
        notes.wanted = Some(filter);
        notes.found = told;
    }

    /// One home was asked about.
    pub(crate) fn looked_at(&self, home: ListingId) {
        let homes = &mut self.lock().looked_at;
        if !homes.contains(&home) && homes.len() < REMEMBERED {
            homes.push(home);
        }
    }

    /// The homes worth writing down: those that were asked about, and if there were none, those found last.
    pub(crate) fn homes(&self, at_most: usize) -> Vec<ListingId> {
        let notes = self.lock();
        let homes = if notes.looked_at.is_empty() { &notes.found } else { &notes.looked_at };
        homes.iter().copied().take(at_most).collect()
    }

    /// What was searched for last.
    pub(crate) fn wanted(&self) -> Option<ListingFilter> {
        self.lock().wanted.clone()
    }

    /// A viewing was cancelled.
    pub(crate) fn cancelled(&self) {
        self.lock().cancelled = true;
    }

    /// Whether a viewing was cancelled in this call.
    pub(crate) fn has_cancelled(&self) -> bool {
        self.lock().cancelled
    }

    /// The caller is to be put through to this number.
    pub(crate) fn put_through_to(&self, number: PhoneNumber) {
        self.lock().transfer = Some(number);
    }

    /// Whom the caller is to be put through to.
    pub(crate) fn transfer(&self) -> Option<PhoneNumber> {
        self.lock().transfer.clone()
    }

    fn found(&self, told: Vec<ListingId>) {
        self.lock().found = told;
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id(value: &Value) -> Option<ListingId> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use seiketsu_domain::{MicroDollars, Pii};
    use serde_json::json;

    fn home(number: u128) -> ListingId {
        ListingId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn request(name: &str, arguments: &Value) -> Message {
        let arguments = Pii::new(arguments.to_string());
        Message::ToolRequest { request: "r".to_owned(), name: name.to_owned(), arguments }
    }

    fn result(content: &Value) -> Message {
        Message::ToolResult { request: "r".to_owned(), content: Pii::new(content.to_string()) }
    }

    #[test]
    fn a_call_that_comes_back_remembers_what_was_searched_for_and_which_homes_were_told() {
        let mut history = vec![
            request("search_listings", &json!({"max_price": 450_000})),
            result(&json!({"listings": [{"listing": home(1)}, {"listing": home(2)}], "more": 0})),
        ];
        let notebook = Notebook::of(&history);
        assert_eq!(notebook.homes(5), [home(1), home(2)]);
        assert_eq!(notebook.wanted().unwrap().max_price, Some(MicroDollars::dollars(450_000)));
        history.push(request("get_listing", &json!({"listing": home(2)})));
        assert_eq!(Notebook::of(&history).homes(5), [home(1), home(2)], "without an answer it was not told");
        history.push(result(&json!({"listing": home(2), "address": "12 Maple Street"})));
        assert_eq!(Notebook::of(&history).homes(5), [home(2)]);
    }

    #[test]
    fn a_call_that_comes_back_remembers_that_a_viewing_was_cancelled() {
        let refused = result(&json!({"error": "there is no such viewing of this caller"}));
        assert!(!Notebook::of(&[refused]).has_cancelled());
        let done = result(&json!({"cancelled": "view_1", "listing": home(1), "address": "12 Maple Street"}));
        assert!(Notebook::of(&[done]).has_cancelled());
    }

    #[test]
    fn nonsense_in_a_history_is_passed_over_and_the_notebook_stays_small() {
        let history = [
            Message::ToolResult { request: "r".to_owned(), content: Pii::new("not json".to_owned()) },
            result(&json!({"listings": "none", "listing": 3})),
            request("search_listings", &json!({"bedrooms": "many"})),
        ];
        let notebook = Notebook::of(&history);
        assert_eq!((notebook.homes(5), notebook.wanted()), (Vec::new(), None));
        for number in 0..1_000 {
            notebook.looked_at(home(number));
        }
        assert_eq!(notebook.homes(usize::MAX).len(), REMEMBERED);
    }
}
