//! What holds whatever the caller says.

use super::host::{Talk, check};
use crate::receptionist::{Prompt, PromptMessage, ToolCallMade, reply};
use proptest::prelude::*;

/// Words that mean something here, alone and in any mixture.
const WORDS: [&str; 84] = [
    "a",
    "the",
    "no",
    "yes",
    "not",
    "i'm",
    "my",
    "name",
    "is",
    "anna",
    "lee",
    "three",
    "two",
    "thirty",
    "half",
    "past",
    "quarter",
    "to",
    "ten",
    "eleven",
    "one",
    "first",
    "second",
    "bedroom",
    "bedrooms",
    "house",
    "condo",
    "rent",
    "buy",
    "in",
    "riverside",
    "zilker",
    "hyde",
    "park",
    "maple",
    "street",
    "tomorrow",
    "friday",
    "next",
    "monday",
    "week",
    "the 28th",
    "november",
    "at",
    "after",
    "before",
    "morning",
    "under",
    "over",
    "between",
    "and",
    "hundred",
    "thousand",
    "million",
    "point",
    "dollars",
    "how",
    "much",
    "where",
    "robot",
    "safe",
    "cheaper",
    "another",
    "double",
    "call me back",
    "leave a message",
    "for sarah",
    "talk to a person",
    "by email",
    "john at example dot com",
    "reschedule",
    "my viewing",
    "cancel",
    "go on",
    "what",
    "5 1 2 5 5 5 0 1 4 2",
    "3",
    "that",
    "tell him that",
    "may i",
    "record",
    "mañana",
    "明天",
    "dot com",
];

fn utterance() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(WORDS.to_vec()), 0..14).prop_map(|words| words.join(" ")),
        1 => "[a-z' ]{0,80}",
        1 => "\\PC{0,60}",
    ]
}

fn message() -> impl Strategy<Value = PromptMessage> {
    let tool = prop::sample::select(vec![
        "search_listings",
        "get_listing",
        "check_availability",
        "book_viewing",
        "save_lead",
        "end_call",
        "take_message",
        "transfer_to_human",
        "send_summary",
        "request_callback",
        "reschedule_viewing",
        "cancel_viewing",
        "x",
    ]);
    let json = prop_oneof![
        Just(r#"{"listings":[{"listing":"lst_1","address":"99999999999999999999 1st St","area":"","price":1e300,"bedrooms":-1}]}"#.to_owned()),
        Just(r#"{"listing":"lst_1","day":"2026-11-25","time":"25:99","free":["10:00","x",5,"99:99"]}"#.to_owned()),
        Just(r#"{"viewing":"view_1","time":"10:00"}"#.to_owned()),
        Just(r#"{"status":"not finished yet"}"#.to_owned()),
        Just(r#"{"error":"no","names":["Bob"],"free":["10:00"]}"#.to_owned()),
        Just(r#"{"putting_through_to":"Bob","cancelled":"view_1"}"#.to_owned()),
        Just("{}".to_owned()),
        "\\PC{0,40}",
    ];
    prop_oneof![
        4 => utterance().prop_map(PromptMessage::User),
        2 => (prop::option::of("\\PC{0,40}"), prop::collection::vec((0..4_u8, tool, json.clone()), 0..3)).prop_map(|(text, calls)| {
            let tool_calls = calls.into_iter().map(|(id, name, arguments)| ToolCallMade { id: id.to_string(), name: name.to_owned(), arguments }).collect();
            PromptMessage::Assistant { text, tool_calls }
        }),
        2 => (0..4_u8, json).prop_map(|(id, content)| PromptMessage::Tool { id: id.to_string(), content }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_of_a_caller_get_a_proper_reply_and_never_a_second_booking_of_a_home(said in prop::collection::vec(utterance(), 1..10)) {
        let mut talk = Talk::new();
        for text in &said {
            if talk.ended {
                break;
            }
            talk.say(text);
        }
        let mut homes: Vec<String> = talk.host.viewings.iter().map(|viewing| viewing["listing"].to_string()).collect();
        let booked = homes.len();
        homes.sort();
        homes.dedup();
        prop_assert_eq!(homes.len(), booked);
        if !talk.ended {
            talk.say("goodbye");
            prop_assert!(talk.ended);
        }
    }

    #[test]
    fn any_words_of_a_caller_get_a_proper_reply_with_every_tool(said in prop::collection::vec(utterance(), 1..10)) {
        let mut talk = Talk::with_errands();
        for text in &said {
            if talk.ended {
                break;
            }
            talk.say(text);
        }
    }

    #[test]
    fn any_request_gets_a_proper_reply(
        system in prop_oneof![Just(super::host::SYSTEM.to_owned()), "\\PC{0,60}", Just("Today is 9999-12-31. The caller's number is x".to_owned()),
            Just(format!("{}Speak Spanish.\n", super::host::SYSTEM)), Just(format!("{}Speak Chinese.\n", super::host::SYSTEM))],
        messages in prop::collection::vec(message(), 0..12),
    ) {
        let tools = Talk::with_errands().prompt.tools;
        let made = reply(&Prompt { system, messages, tools });
        prop_assert!(made.text.is_some() || !made.tool_calls.is_empty());
        if let Some(text) = made.text {
            prop_assert!(!text.trim().is_empty());
            prop_assert!(text.chars().count() <= 400);
        }
    }
}

#[test]
fn a_very_long_conversation_is_answered() {
    let mut prompt = Talk::new().prompt;
    for _ in 0..2_000 {
        prompt.messages.push(PromptMessage::User("i want a house in riverside ".repeat(50)));
        prompt
            .messages
            .push(PromptMessage::Assistant { text: Some("ok".to_owned()), tool_calls: Vec::new() });
    }
    prompt.messages.push(PromptMessage::User("tomorrow".to_owned()));
    check(&reply(&prompt));
}
