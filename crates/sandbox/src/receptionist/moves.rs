//! What a decision can be: tools to call, statements to make, a question to ask. Data only.

use super::{heard::Facet, listing::Listing, memory::Booking, wanted::Relaxed};
use jiff::civil::{Date, Time};
use serde_json::Value;

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
    CannotCancel,
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
    /// Say it, and call these meanwhile.
    SayAndCall {
        say: Say,
        calls: Vec<(Tool, Value)>,
    },
}

impl Move {
    /// Says this and asks that.
    pub(super) fn say(lines: Vec<Line>, asked: Asked) -> Self {
        Self::Say(Say { lines, asked: Some(asked) })
    }
}
