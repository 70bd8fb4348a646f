//! Questions, remarks and noise.

use super::host::Talk;

fn offered() -> Talk {
    let mut talk = Talk::new();
    talk.say("i'm looking for a townhouse in zilker");
    talk
}

#[test]
fn questions_about_a_home_are_answered_from_what_the_tools_said() {
    for (question, answer) in [
        ("how much is it", "five hundred fifteen thousand dollars"),
        ("what's the price", "five hundred fifteen thousand dollars"),
        ("how many bedrooms does it have", "three bedrooms"),
        ("how many bathrooms", "two bathrooms"),
        ("what's the address", "Nine Ashby Avenue, in Zilker"),
        ("where is it", "Nine Ashby Avenue, in Zilker"),
        ("what kind of home is it", "a townhouse"),
        ("is it still available", "still available"),
        ("tell me more about it", "four hundred square feet"),
        ("does it have a garden", "opens to a garden"),
    ] {
        let mut talk = offered();
        let said = talk.say(question);
        assert!(said.contains(answer), "{question}: {said}");
        assert!(
            said.ends_with("Would you like to see it?") || said.ends_with("Shall I book a viewing?"),
            "{question}: {said}"
        );
    }
}

#[test]
fn a_description_is_fetched_once() {
    let mut talk = offered();
    talk.say("tell me more");
    talk.say("does it have a pool");
    assert_eq!(talk.count("get_listing"), 1);
}

#[test]
fn a_question_in_the_middle_of_a_booking_does_not_lose_the_booking() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street tomorrow at eleven");
    let answer = talk.say("how much is it");
    assert!(answer.contains("four hundred fifty thousand") && answer.contains("name"), "{answer}");
    talk.say("anna lee");
    assert_eq!(talk.booked().2, "11:00");
}

#[test]
fn a_question_with_a_wish_gets_both() {
    let mut talk = offered();
    let answer = talk.say("how much is it and can i see it tomorrow at eleven");
    assert!(answer.contains("five hundred fifteen thousand") && answer.contains("name"), "{answer}");
}

#[test]
fn a_robot_says_that_it_is_one() {
    for (question, answer) in [
        ("are you a robot", "Yes, I'm an AI assistant."),
        ("is this a machine", "Yes, I'm an AI assistant."),
        ("am i talking to a machine", "Yes, I'm an AI assistant."),
        ("are you a robot or a real person", "Yes, I'm an AI assistant."),
        ("am i talking to a real person", "No, I'm an AI assistant."),
        ("are you human", "No, I'm an AI assistant."),
    ] {
        let mut talk = Talk::new();
        let said = talk.say(question);
        assert!(said.starts_with(answer), "{question}: {said}");
        assert!(talk.host.log.is_empty());
    }
}

#[test]
fn a_robot_question_in_the_middle_is_followed_by_the_open_question() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street tomorrow at eleven");
    let said = talk.say("wait are you a robot");
    assert!(said.starts_with("Yes, I'm an AI assistant.") && said.contains("name"), "{said}");
}

#[test]
fn people_and_safety_are_not_judged() {
    for question in [
        "is it safe there",
        "who lives there",
        "is it a good neighborhood",
        "what are the neighbors like",
        "are there many immigrants",
        "is it good for families with kids",
        "is there a lot of crime in riverside",
    ] {
        let mut talk = offered();
        let said = talk.say(question);
        assert!(said.contains("I can't judge that."), "{question}: {said}");
        assert!(!said.contains("safe") && !said.contains("famil"), "{question}: {said}");
    }
}

#[test]
fn unclear_words_are_asked_about_differently_each_time_and_end_at_last() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street tomorrow");
    let mut answers = std::collections::BTreeSet::new();
    for _ in 0..3 {
        let said = talk.say("blurgh zzt wibble frotz plugh");
        assert!(answers.insert(said.clone()), "said twice: {said}");
        assert!(!talk.ended);
    }
    for _ in 0..3 {
        if !talk.ended {
            talk.say("blurgh zzt wibble frotz plugh");
        }
    }
    assert!(talk.ended, "{:#?}", talk.said);
}

#[test]
fn a_conversation_survives_noise_in_between() {
    let mut talk = Talk::new();
    talk.say("i want to see maple street");
    talk.say("blurgh zzt wibble frotz plugh");
    talk.say("tomorrow");
    talk.say("zzz");
    talk.say("eleven");
    talk.say("my name is anna");
    assert_eq!(talk.booked().2, "11:00");
}

#[test]
fn what_nobody_here_knows_is_not_made_up() {
    let mut talk = Talk::new();
    let said = talk.say("what is the capital of france");
    assert!(said.starts_with("I don't know that, I'm afraid."), "{said}");
    assert!(talk.host.log.is_empty());
}

#[test]
fn what_was_said_is_repeated_on_request() {
    let mut talk = Talk::new();
    let first = talk.say("i'm looking for a three bedroom house in riverside to buy");
    let again = talk.say("sorry can you say that again");
    assert!(again.contains("Willow Bend") && first.contains("Willow Bend"), "{again}");
}

#[test]
fn remarks_are_answered_and_the_question_stays() {
    for (remark, answer) in
        [("can you hear me", "Yes, I can hear you."), ("hold on a second", "No problem, take your time.")]
    {
        let mut talk = Talk::new();
        talk.say("i want to see maple street tomorrow at eleven");
        let said = talk.say(remark);
        assert!(said.starts_with(answer) && said.contains("name"), "{remark}: {said}");
    }
}

#[test]
fn areas_are_named_on_request() {
    let mut talk = Talk::new();
    let said = talk.say("what areas do you have homes in");
    assert!(said.contains("Hyde Park") && said.contains("Riverside"), "{said}");
}

#[test]
fn the_reply_is_short_enough_to_be_listened_to() {
    let talk = Talk::all(&[
        "i'm looking for a three bedroom house to buy in riverside",
        "the second one tomorrow",
        "eleven",
        "anna lee",
        "bye",
    ]);
    for said in &talk.said {
        assert!(said.split_whitespace().count() < 40, "{said}");
    }
}

#[test]
fn small_talk_starts_no_search() {
    for said in [
        "hi is this lone star homes",
        "what's up",
        "i lost my dog",
        "could you text me",
        "my mother likes gardening",
        "i'm calling from the airport",
    ] {
        let talk = Talk::all(&[said]);
        assert!(talk.host.log.is_empty(), "{said}: {:?}", talk.host.log);
    }
}

#[test]
fn what_was_booked_is_told_again() {
    for question in ["what day was that again", "what time is my viewing", "when was it"] {
        let mut talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow at eleven"]);
        let said = talk.say(question);
        assert!(
            said.starts_with("Your viewing is booked. It's tomorrow at eleven in the morning."),
            "{said}"
        );
    }
}
