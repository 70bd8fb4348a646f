//! What a decision can be: tools to call, statements to make, a question to ask. Data only.

use super::{heard::Facet, hours::Part, listing::Listing, memory::Booking, wanted::Relaxed};
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
    TakeMessage,
    TransferToHuman,
    SendSummary,
    RequestCallback,
    RescheduleViewing,
    CancelViewing,
    EndCall,
}

impl Tool {
    const ALL: [Self; 12] = [
        Self::SearchListings,
        Self::GetListing,
        Self::CheckAvailability,
        Self::BookViewing,
        Self::SaveLead,
        Self::TakeMessage,
        Self::TransferToHuman,
        Self::SendSummary,
        Self::RequestCallback,
        Self::RescheduleViewing,
        Self::CancelViewing,
        Self::EndCall,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SearchListings => "search_listings",
            Self::GetListing => "get_listing",
            Self::CheckAvailability => "check_availability",
            Self::BookViewing => "book_viewing",
            Self::SaveLead => "save_lead",
            Self::TakeMessage => "take_message",
            Self::TransferToHuman => "transfer_to_human",
            Self::SendSummary => "send_summary",
            Self::RequestCallback => "request_callback",
            Self::RescheduleViewing => "reschedule_viewing",
            Self::CancelViewing => "cancel_viewing",
            Self::EndCall => "end_call",
        }
    }

    /// Whether the caller is told before it is used.
    pub(super) fn is_announced(self) -> bool {
        match self {
            Self::SearchListings
            | Self::GetListing
            | Self::CheckAvailability
            | Self::BookViewing
            | Self::TakeMessage
            | Self::TransferToHuman
            | Self::SendSummary
            | Self::RequestCallback
            | Self::RescheduleViewing
            | Self::CancelViewing => true,
            Self::SaveLead | Self::EndCall => false,
        }
    }

    /// Whether it changes something for the caller: worth a word of its own.
    pub(super) fn commits(self) -> bool {
        !matches!(self, Self::SearchListings | Self::GetListing | Self::CheckAvailability)
            && self.is_announced()
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
    /// May this call be recorded? Asked by the platform's greeting.
    Recording,
    /// What is the message?
    Message,
    /// A message, or a call back?
    WayOut,
    /// Which of the people who can be asked for?
    Person,
    Email,
    /// Is this the right address?
    EmailRight,
    /// When shall somebody call back?
    CallWhen,
    AnythingElse,
}

/// A statement of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Hello(Option<String>),
    Happy,
    Robot,
    /// Asked whether a person is speaking.
    NotHuman,
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
    /// What is said of an errand.
    Errand(Errand),
    Goodbye,
    GiveUp,
}

/// A statement about what the agent does for the caller besides finding and showing homes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Errand {
    PuttingThrough(String),
    NobodyFree,
    /// Nobody of that name; these can be asked for.
    NotListed(Vec<String>),
    /// A message was taken, perhaps for somebody.
    MessageTaken(Option<String>),
    /// An address, read back.
    ReadBack(String),
    Sent(String),
    NotSent,
    NoMail,
    CallArranged {
        day: Date,
        when: Hour,
    },
    NotArranged,
    Moved {
        address: Option<String>,
        day: Date,
        time: Time,
    },
    NotMoved,
    Cancelled {
        address: Option<String>,
    },
    NotCancelled,
    /// A tool is at work and has not answered.
    StillLooking,
    /// Recording was assented to.
    Assented,
    NotRecorded,
    /// The part of the last answer that was not heard.
    Rest(String),
}

/// When on a day somebody calls back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hour {
    At(Time),
    In(Part),
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

    /// Calls one tool.
    pub(super) fn call(tool: Tool, arguments: Value) -> Self {
        Self::Call(vec![(tool, arguments)])
    }
}
