//! What the model says before it uses a tool.

use super::host::{ANNOUNCE, SYSTEM, Talk};

const ANNA: &str = "i'm looking for a three bedroom house in riverside to buy";

fn announcing(language: &str) -> Talk {
    Talk::with_errands_and(&format!("{SYSTEM}{language}\n{ANNOUNCE}"))
}

/// Words that came with tools which are announced.
fn announcements(talk: &Talk) -> Vec<String> {
    let announced =
        |tools: &[String]| tools.iter().any(|tool| !matches!(tool.as_str(), "save_lead" | "end_call"));
    talk.rounds.iter().filter(|(_, tools)| announced(tools)).filter_map(|(text, _)| text.clone()).collect()
}

#[test]
fn what_is_about_to_be_done_is_said_in_at_most_six_words_and_never_the_same_twice_in_a_row() {
    let mut talk = announcing("");
    for said in [
        ANNA,
        "do you have a condo",
        "anything in zilker",
        "i'd like to see that one",
        "tomorrow",
        "what about friday",
        "at eleven",
        "anna lee",
        "actually make it saturday",
        "send me that by email",
        "anna at example dot com",
        "yes",
        "call me back tomorrow morning",
    ] {
        talk.say(said);
    }
    let said = announcements(&talk);
    assert!(said.len() >= 8, "{said:#?}");
    for text in &said {
        assert!(text.split_whitespace().count() <= 6 && text.ends_with('.'), "{text}");
    }
    assert!(said.windows(2).all(|two| two[0] != two[1]), "{said:#?}");
    assert_eq!(said[0], "Let me look in Riverside.");
    talk.say("no that's all thanks bye");
    let (text, tools) = talk.rounds.last().unwrap();
    assert!(tools.contains(&"end_call".to_owned()) && text.as_ref().unwrap().ends_with("Goodbye."));
}

#[test]
fn what_is_looked_up_in_one_turn_is_announced_once_and_a_booking_again() {
    let mut talk = announcing("");
    talk.say("i'm anna lee i want to see a three bedroom house in riverside tomorrow at two thirty");
    let rounds: Vec<(bool, &str)> = talk
        .rounds
        .iter()
        .map(|(text, tools)| (text.is_some(), tools.first().map_or("", String::as_str)))
        .collect();
    assert_eq!(
        rounds,
        [
            (true, "search_listings"),
            (false, "check_availability"),
            (true, "book_viewing"),
            (true, "save_lead"),
            (true, "")
        ]
    );
}

#[test]
fn nothing_is_announced_where_the_prompt_does_not_ask_for_it() {
    let mut talk = Talk::with_errands();
    talk.say(ANNA);
    assert!(announcements(&talk).is_empty());
}

#[test]
fn an_announcement_changes_nothing_of_the_conversation() {
    let (mut with, mut without) = (announcing(""), Talk::with_errands());
    for said in [ANNA, "the second one tomorrow", "eleven", "anna lee", "bye"] {
        with.say(said);
        without.say(said);
    }
    assert_eq!(with.host.log, without.host.log);
    for (with, without) in with.said.iter().zip(&without.said) {
        assert!(with.ends_with(without), "{with} / {without}");
    }
}

#[test]
fn announcements_are_in_the_language_of_the_agent() {
    let mut talk = announcing("Speak Spanish.");
    talk.say("busco una casa en riverside");
    assert_eq!(announcements(&talk), ["Déjeme buscar en Riverside."]);
    let mut talk = announcing("Speak Chinese.");
    talk.say("我想在riverside买房子");
    assert_eq!(announcements(&talk), ["我来找一下房子。"]);
}
