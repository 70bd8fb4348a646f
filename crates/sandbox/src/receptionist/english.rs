//! What the receptionist says about homes and viewings, in English.

use super::{
    calendar::{full_day, spoken_day},
    english_errands,
    heard::{Facet, Offer},
    hours::{short_time, spoken_time},
    language::Words,
    listing::{Listing, capitalise, kind_word, speakable, street_word},
    moves::{Asked, Line},
    numbers::number_to_words,
    phrases::{Tone, first_name, join, pick},
    vocabulary::title_case,
    wanted::Relaxed,
};
use jiff::civil::{Date, Time};

/// What English has to say.
pub(super) const WORDS: Words = Words {
    statement,
    question,
    announcement: english_errands::announcement,
    openers: &["All right.", "Certainly.", "Let's see.", "Of course."],
    gap: " ",
    still_looking: &english_errands::STILL_LOOKING,
    nobody_took: "nobody could take your call",
    recording: &["record"],
};

fn statement(line: &Line, tone: Tone) -> String {
    match line {
        Line::Hello(None) => "Hello!".to_owned(),
        Line::Hello(Some(name)) => format!("Nice to meet you, {}.", first_name(name)),
        Line::Happy => pick(&["Happy to help.", "Sure.", "Of course.", "Certainly."], tone.seed).to_owned(),
        Line::Robot => "Yes, I'm an AI assistant.".to_owned(),
        Line::NotHuman => "No, I'm an AI assistant.".to_owned(),
        // The same words for everybody: nothing about people, and nothing that suggests an answer.
        Line::HomesOnly => {
            "I can't judge that. The police department and the school district publish figures. \
            I can give you facts about the homes."
                .to_owned()
        }
        Line::Welcome => "You're welcome.".to_owned(),
        Line::Unclear(times) => UNCLEAR[times.min(&(UNCLEAR.len() - 1)).to_owned()].to_owned(),
        Line::DontKnow => "I don't know that, I'm afraid.".to_owned(),
        Line::Hearing => "Yes, I can hear you.".to_owned(),
        Line::NoRush => "No problem, take your time.".to_owned(),
        Line::Again => {
            pick(&["Of course.", "Sure, once more.", "Certainly."], tone.variant as u64).to_owned()
        }
        Line::Offers { homes, total, relaxed, further, area } => {
            if tone.again {
                return described_again(homes);
            }
            let opening = offers_opening(homes.len(), *total, *relaxed, *further, area.as_deref());
            format!("{opening} {}", described(homes))
        }
        Line::NothingFits => "I found nothing like that, sorry.".to_owned(),
        Line::NoMore => "Those are all I have.".to_owned(),
        Line::NoSuchStreet(street) => format!("I can't find {}.", spoken_place(street)),
        Line::Areas(areas) if areas.is_empty() => "I don't have a list of areas.".to_owned(),
        Line::Areas(areas) => format!("We're in several areas. For example, {}.", join(areas, "and")),
        Line::Intro(home) => {
            format!("{}, {} at {}.", home.spoken_address(), home.spoken_kind(), home.spoken_price())
        }
        Line::IsFree { day, time } => {
            format!("{} at {} is free.", capitalise(&spoken_day(*day, tone.today)), spoken_time(*time))
        }
        Line::Times { day, times } => times_line(*day, times, tone),
        Line::Instead { day, wanted, times } => {
            if tone.again {
                return times_line(*day, times, tone);
            }
            let gone = wanted.map_or_else(
                || "Nothing is free then.".to_owned(),
                |time| format!("{} isn't free.", capitalise(&short_time(time))),
            );
            format!("{gone} {}", times_line(*day, times, tone))
        }
        Line::DayFull => "That day is fully booked.".to_owned(),
        Line::DayRefused => "I can't offer that day.".to_owned(),
        Line::Booked { booking, .. } if tone.again => format!(
            "Your viewing is booked. It's {} at {}.",
            spoken_day(booking.day, tone.today),
            spoken_time(booking.time)
        ),
        Line::Booked { booking, home, name } => {
            let done = if booking.moved { "It's moved" } else { "You're booked" };
            let opening = name
                .as_ref()
                .map_or_else(|| format!("{done}."), |name| format!("{done}, {}.", first_name(name)));
            let address =
                home.as_ref().map_or_else(|| speakable(&booking.address, 12), Listing::spoken_address);
            format!("{opening} {address}, {} at {}.", full_day(booking.day), spoken_time(booking.time))
        }
        Line::AlreadyBooked { booking } => format!(
            "Your viewing is booked. It's {} at {}.",
            spoken_day(booking.day, tone.today),
            spoken_time(booking.time),
        ),
        Line::CannotCancel => {
            "I can't cancel viewings myself. I've passed it on, and a colleague will call you.".to_owned()
        }
        Line::WillCallBack(name) => {
            let thanks = name
                .as_ref()
                .map_or_else(|| "Thank you.".to_owned(), |name| format!("Thank you, {}.", first_name(name)));
            format!("{thanks} A colleague will call you back.")
        }
        Line::Down => "I can't reach that right now.".to_owned(),
        Line::BookingFailed => "The booking didn't go through.".to_owned(),
        Line::NeedName => "I need a name for the viewing.".to_owned(),
        Line::NeedDigits => "I need all ten digits.".to_owned(),
        Line::Fact { facet, home } => fact(*facet, home),
        Line::StillThere => "Are you still there?".to_owned(),
        Line::Errand(errand) => english_errands::errand(errand, tone),
        Line::Goodbye => "Thank you for calling. Goodbye.".to_owned(),
        Line::GiveUp => "I'm sorry, I can't understand you. Please call again later. Goodbye.".to_owned(),
    }
}

const UNCLEAR: [&str; 5] = [
    "Sorry, I didn't catch that.",
    "I'm afraid I missed that.",
    "I still didn't get it, sorry.",
    "The line may be poor.",
    "I really want to get this right.",
];

/// Each question in several wordings: whoever is asked again is asked differently.
fn question(asked: &Asked, tone: Tone, lines: &[Line]) -> String {
    let variants: &[&str] = match asked {
        Asked::Open => &[
            "How can I help you today?",
            "Are you looking to buy or to rent?",
            "You can name an area, a price or a size. What would you like?",
        ],
        Asked::Area => &[
            "Which area would you like?",
            "Which part of town should I look in?",
            "Could you name a neighborhood, or say anywhere?",
        ],
        Asked::Bedrooms => {
            &["How many bedrooms do you need?", "One bedroom, two, or more?", "What size should it be?"]
        }
        Asked::Budget => {
            &["What is your budget?", "Up to what price should I look?", "Roughly how much would you spend?"]
        }
        Asked::Interest => &["Would you like to see it?", "Shall I book a viewing?", "Is it worth a visit?"],
        Asked::Which => &[
            "Which one interests you?",
            "Would you like to see the first or the second?",
            "Shall I tell you more about either?",
        ],
        Asked::Day => {
            &["Which day suits you?", "What day could you come?", "Would tomorrow work, or another day?"]
        }
        Asked::Time { .. } => {
            &["Which time suits you?", "What time would you prefer?", "Could you name one of those times?"]
        }
        Asked::Name => &[
            "May I have your name?",
            "What name should I put down?",
            "Could you say your first and last name?",
        ],
        Asked::Phone => {
            &["What number can we reach you on?", "Could you give me a phone number, digit by digit?"]
        }
        Asked::CallBack => &["Shall a colleague call you back?", "Would a call back help?"],
        Asked::Change => &[
            "Shall I try another area or price?",
            "What could be different: area, size or price?",
            "Where else should I look?",
        ],
        Asked::Recording => &["May I record this call?", "Is it all right if I record this call?"],
        Asked::Message => {
            &["What is the message?", "What shall I pass on?", "What would you like them to know?"]
        }
        Asked::WayOut => &[
            "May I take a message, or shall someone call you back?",
            "Would you rather leave a message, or be called back?",
        ],
        Asked::Person => &["Who would you like to speak to?", "Which of them may I try?"],
        Asked::Email => &[
            "What is your email address?",
            "Could you spell the email address?",
            "Which address should it go to, letter by letter?",
        ],
        Asked::EmailRight => &["Is that right?", "Did I get it right?"],
        Asked::CallWhen => &[
            "When should we call you?",
            "Would the morning or the afternoon suit you?",
            "Which day and hour should we call?",
        ],
        Asked::AnythingElse => &["Anything else I can do?", "What else can I help with?"],
    };
    let offers_one_time = lines.iter().any(
        |line| matches!(line, Line::Times { times, .. } | Line::Instead { times, .. } if times.len() == 1),
    );
    if offers_one_time {
        return "Does that suit you?".to_owned();
    }
    pick(variants, tone.variant as u64).to_owned()
}

fn offers_opening(
    count: usize,
    total: u64,
    relaxed: Option<Relaxed>,
    further: bool,
    area: Option<&str>,
) -> String {
    if further {
        return if count == 1 { "There is one more." } else { "There are others." }.to_owned();
    }
    match (relaxed, area) {
        (Some(Relaxed::Price), _) => "Nothing within that budget. A little above it:".to_owned(),
        (Some(Relaxed::Rooms), _) => "Nothing exactly like that. Close to it:".to_owned(),
        (Some(Relaxed::Area), Some(area)) => {
            format!("Nothing in {}. Elsewhere I have:", spoken_place(area))
        }
        (Some(Relaxed::Area), None) => "Nothing there. Elsewhere I have:".to_owned(),
        (None, _) => match total {
            0 | 1 => "I found one.".to_owned(),
            2 => "I found two.".to_owned(),
            3..=9 => format!("I found {}.", number_to_words(total)),
            _ => "I found several.".to_owned(),
        },
    }
}

fn described(homes: &[Listing]) -> String {
    if let [home] = homes {
        return format!("{}, {} at {}.", home.spoken_address(), home.spoken_kind(), home.spoken_price());
    }
    let each = homes.iter().map(|home| {
        format!("{}, {}, {}.", home.spoken_address(), home.spoken_bedrooms(), home.spoken_price())
    });
    each.collect::<Vec<_>>().join(" ")
}

/// The same in other words, for whoever did not catch it.
fn described_again(homes: &[Listing]) -> String {
    let each = homes.iter().enumerate().map(|(at, home)| {
        let lead = if at == 0 { "There is" } else { "Then there is" };
        format!(
            "{lead} {}. It has {}, for {}.",
            home.spoken_address(),
            home.spoken_bedrooms(),
            home.spoken_price()
        )
    });
    each.collect::<Vec<_>>().join(" ")
}

fn times_line(day: Date, times: &[Time], tone: Tone) -> String {
    let day = capitalise(&spoken_day(day, tone.today));
    match times {
        [] => String::new(),
        [time] => format!("{day} at {} is free.", spoken_time(*time)),
        _ => {
            let spoken: Vec<String> = times.iter().map(|time| short_time(*time)).collect();
            if tone.again {
                return format!("{day}. Free are {}.", join(&spoken, "and"));
            }
            format!("{day} I have {}.", join(&spoken, "or"))
        }
    }
}

fn fact(facet: Facet, home: &Listing) -> String {
    let address = home.spoken_address();
    match facet {
        Facet::Price if home.offer == Offer::Rent => format!("The rent is {}.", home.spoken_price()),
        Facet::Price => format!("{address} is {}.", home.spoken_price()),
        Facet::Bedrooms => format!("{address} has {}.", home.spoken_bedrooms()),
        Facet::Bathrooms => format!("{address} has {}.", home.spoken_bathrooms()),
        Facet::Address if home.area.is_empty() => format!("The address is {address}."),
        Facet::Address | Facet::Area => format!("It's {address}, in {}.", home.area),
        Facet::Kind => format!(
            "{address} is {}.",
            home.kind.map_or("a home".to_owned(), |kind| format!(
                "a{} {}",
                if kind_word(kind).starts_with('a') { "n" } else { "" },
                kind_word(kind)
            ))
        ),
        Facet::Available => format!("Yes, {address} is still available."),
        Facet::Description => {
            let text = home.description.as_deref().filter(|text| !text.is_empty()).unwrap_or(&home.headline);
            let spoken = speakable(text, 26);
            match spoken.as_str() {
                "" => format!("{address} is {}.", home.spoken_kind()),
                text if text.ends_with(['.', '!', '?']) => text.to_owned(),
                text => format!("{text}."),
            }
        }
    }
}

/// A place as the caller named it, fit to be spoken.
fn spoken_place(place: &str) -> String {
    let words: Vec<String> = place.to_lowercase().split(' ').take(4).flat_map(street_word).collect();
    title_case(&words.join(" "))
}
