//! Answers that were cut, and callers who want them again.

use super::host::{Talk, booking};

#[test]
fn the_rest_of_a_cut_answer_is_said_on_request() {
    for request in ["go on", "please continue", "sorry you were saying"] {
        let mut talk = Talk::new();
        let whole = talk.say("i'm looking for a house to buy in riverside");
        talk.heard_until("I found two. Twelve oh four Willow");
        let rest = talk.say(request);
        let again = &rest[rest.find("Twelve oh four").unwrap()..];
        assert!(whole.ends_with(again) && !rest.contains("I found"), "{request}: {rest}");
    }
}

#[test]
fn after_a_whole_answer_going_on_means_saying_it_again() {
    let mut talk = Talk::new();
    talk.say("i'm looking for a house to buy in riverside");
    assert!(talk.say("go on").contains("Willow Bend"));
}

#[test]
fn an_answer_that_was_not_understood_comes_in_other_words() {
    for (before, request, fact) in [
        (vec!["i'm looking for a house to buy in riverside"], "what was that", "Willow Bend"),
        (vec!["i want to see maple street tomorrow"], "say that again", "nine"),
        (vec!["i'm anna lee i want to see maple street tomorrow at eleven"], "pardon", "eleven"),
    ] {
        let mut talk = Talk::all(&before);
        let first = talk.last().to_owned();
        let again = talk.say(request);
        assert!(again.contains(fact), "{again}");
        assert_ne!(first, again);
        assert!(!again.contains(first.split_inclusive('.').next().unwrap()), "{first} / {again}");
    }
}

#[test]
fn what_alone_asks_for_the_answer_again() {
    let mut talk = Talk::all(&["i want to see maple street tomorrow"]);
    for request in ["what", "huh", "sorry what"] {
        assert!(talk.say(request).contains("nine"), "{request}: {}", talk.last());
    }
}

#[test]
fn a_correction_into_a_cut_answer_replaces_what_was_said() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street on wednesday");
    talk.heard_until("Tomorrow I");
    let said = talk.say("no thursday i meant");
    assert!(said.contains("Thursday"), "{said}");
    talk.say("at eleven");
    talk.say("anna lee");
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-26", "11:00", "Anna Lee"));
}

#[test]
fn a_word_thrown_in_loses_nothing() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street tomorrow at eleven");
    assert!(talk.say("wait").starts_with("No problem, take your time."));
    talk.say("anna lee");
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-25", "11:00", "Anna Lee"));
}
