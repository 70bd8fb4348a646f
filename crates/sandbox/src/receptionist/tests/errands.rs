//! Messages, people, e-mail, call backs, viewings that are moved or cancelled, recording.

use super::host::{SYSTEM_WITHOUT_NUMBER, Talk};
use serde_json::json;

const ANNA: &str = "hi i'm anna lee i want to see a three bedroom house in riverside tomorrow at two thirty";

#[test]
fn a_message_is_taken_in_the_callers_own_words() {
    let mut talk = Talk::with_errands();
    assert!(talk.say("can i leave a message for sarah").contains("message"));
    assert!(talk.say("I'll be ten minutes late tomorrow, the keys are with Bob").contains("name"));
    let said = talk.say("anna lee");
    assert_eq!(
        talk.calls("take_message"),
        [&json!({"for": "Sarah", "message": "I'll be ten minutes late tomorrow, the keys are with Bob",
            "name": "Anna Lee"})]
    );
    assert!(said.starts_with("I've written that down. Sarah will get your message."), "{said}");
    assert!(talk.host.viewings.is_empty());
    talk.say("no that's all");
    assert!(talk.ended);
}

#[test]
fn a_message_said_in_one_breath_is_not_asked_for_again() {
    let mut talk = Talk::with_errands();
    talk.say("this is bob miller please tell sarah that the offer is signed");
    assert_eq!(
        talk.calls("take_message"),
        [&json!({"for": "Sarah", "message": "the offer is signed", "name": "Bob Miller"})]
    );
}

#[test]
fn a_caller_who_goes_without_telling_a_name_has_left_the_message_all_the_same() {
    let mut talk = Talk::with_errands();
    talk.say("can i leave a message for sarah");
    assert!(talk.say("the keys are with bob").contains("name"));
    talk.say("no that is all thank you goodbye");
    assert_eq!(talk.calls("take_message"), [&json!({"for": "Sarah", "message": "the keys are with bob"})]);
    assert!(talk.ended, "{:?}", talk.said);
}

#[test]
fn a_person_is_told_what_the_call_is_about() {
    for (said, summary) in [
        (
            &["i have a question about a mortgage", "can i talk to a person"][..],
            "Asks to speak to a person about a mortgage.",
        ),
        (&["Can I talk to somebody about my contract?"], "Asks to speak to a person about my contract."),
        (&["tell me about the area", "can i talk to a person"], "Asks to speak to a person."),
    ] {
        let mut talk = Talk::with_errands();
        for line in said {
            talk.say(line);
        }
        assert_eq!(talk.calls("transfer_to_human"), [&json!({ "summary": summary })], "{said:?}");
    }
}

#[test]
fn without_a_callers_number_one_is_asked_for_before_a_message_is_taken() {
    let mut talk = Talk::with_errands_and(SYSTEM_WITHOUT_NUMBER);
    talk.say("i'm anna lee and i'd like to leave a message");
    assert!(talk.say("please send the papers").contains("number"));
    talk.say("five one two five five five oh one four two");
    assert_eq!(talk.calls("take_message")[0]["phone"], "+15125550142");
}

#[test]
fn whoever_takes_a_message_back_is_asked_what_else_there_is() {
    let mut talk = Talk::with_errands();
    talk.say("can i leave a message");
    let said = talk.say("no never mind");
    assert_eq!(talk.count("take_message"), 0);
    assert!(said.contains("else"), "{said}");
}

#[test]
fn a_caller_who_wants_a_person_is_put_through_with_a_summary() {
    for wish in [
        "can i talk to a person",
        "i would like to talk to a person",
        "put me through to a human please",
        "let me speak to your manager",
        "get me an agent",
    ] {
        let mut talk = Talk::with_errands();
        talk.say("i'm anna lee and i'm looking for a three bedroom house to buy in riverside under four hundred thousand");
        let said = talk.say(wish);
        assert_eq!(
            talk.calls("transfer_to_human"),
            [
                &json!({"summary": "Anna Lee is looking to buy a 3 bedroom house in Riverside up to 400000 dollars. \
                Asks to speak to a person."})
            ],
            "{wish}"
        );
        assert!(said.starts_with("I'm putting you through now. Maria Lopez"), "{wish}: {said}");
        assert!(!said.ends_with('?'), "{said}");
    }
}

#[test]
fn a_person_who_is_asked_for_by_name_is_passed_on_and_an_unknown_one_is_not_made_up() {
    let mut talk = Talk::with_errands();
    assert!(talk.say("could i speak to david chen").contains("David Chen"));
    assert_eq!(talk.calls("transfer_to_human")[0]["to"], "David Chen");

    let mut talk = Talk::with_errands();
    let said = talk.say("put me through to roberta");
    assert!(said.contains("I can't find that name. You can speak to Maria Lopez or David Chen."), "{said}");
    assert!(talk.say("david then").contains("putting you through now. David Chen"));
}

#[test]
fn where_nobody_can_be_reached_a_message_or_a_call_back_is_offered() {
    for (choice, tool) in [
        ("i'll leave a message", "take_message"),
        ("yes please", "take_message"),
        ("a call back tomorrow morning", "request_callback"),
        ("someone should call me back tomorrow morning", "request_callback"),
    ] {
        let mut talk = Talk::with_errands();
        talk.host.closed = true;
        let said = talk.say("i'm anna lee can i talk to a person");
        assert!(said.starts_with("Nobody can take your call right now. May I take a message"), "{said}");
        talk.say(choice);
        if tool == "take_message" {
            talk.say("please ring me about the house on maple street");
        }
        assert_eq!(talk.count(tool), 1, "{choice}: {:?}", talk.said);
        assert_eq!(talk.count("transfer_to_human"), 1, "{choice}");
    }
}

#[test]
fn a_call_that_comes_back_as_nobody_took_it_goes_on_with_a_message() {
    for (answer, tool) in [
        ("yes please", Some("take_message")),
        ("no thank you", None),
        ("no just call me back tomorrow at ten", Some("request_callback")),
    ] {
        let mut talk = Talk::with_errands();
        talk.say("i'm anna lee can i talk to a person");
        talk.platform_says("I am sorry, nobody could take your call just now. May I take a message?");
        let said = talk.say(answer);
        match tool {
            Some("take_message") => {
                assert!(said.contains("message"), "{said}");
                talk.say("tell them i am interested in the condo");
                assert_eq!(
                    talk.calls("take_message")[0]["message"],
                    "tell them i am interested in the condo"
                );
            }
            Some(tool) => assert_eq!(talk.calls(tool)[0]["when"], "2026-11-25 10:00"),
            None => {
                assert!(said.contains("else"), "{said}");
                assert_eq!((talk.count("take_message"), talk.count("request_callback")), (0, 0));
            }
        }
        assert_eq!(talk.count("transfer_to_human"), 1, "nobody is tried again unasked");
    }
}

#[test]
fn a_summary_is_sent_to_an_address_that_was_read_back() {
    for (address, spoken) in [
        ("john at example dot com", "john@example.com"),
        ("it's j o h n at example dot com", "john@example.com"),
        ("my email is anna dot lee at example dot com", "anna.lee@example.com"),
    ] {
        let mut talk = Talk::with_errands();
        talk.say("i'm looking for a townhouse in zilker");
        assert!(talk.say("can you send me that by email").contains("email address"), "{:?}", talk.said);
        let back = talk.say(address);
        assert!(back.contains("at example dot com") && back.ends_with("Is that right?"), "{back}");
        assert_eq!(talk.count("send_summary"), 0, "not before it is confirmed");
        let said = talk.say("yes");
        assert_eq!(
            talk.calls("send_summary"),
            [&json!({"email": spoken, "what": "the homes we talked about"})],
            "{address}"
        );
        assert!(said.starts_with("It's on its way."), "{said}");
    }
}

#[test]
fn a_wrong_address_is_taken_again() {
    let mut talk = Talk::with_errands();
    talk.say("i'm looking for a townhouse in zilker");
    talk.say("please email me the details to john at example dot com");
    let back = talk.say("no it's jon at example dot com");
    assert!(back.contains("jon at example dot com"), "{back}");
    talk.say("yes that's right");
    assert_eq!(talk.calls("send_summary")[0]["email"], "jon@example.com");
    let mut talk = Talk::with_errands();
    talk.say("i'm looking for a townhouse in zilker");
    talk.say("please email me the details to john at example dot com");
    assert!(talk.say("no that's wrong").contains("email address") || talk.last().contains("spell"));
}

#[test]
fn a_booking_a_lead_and_a_summary_go_out_together_where_they_do_not_need_each_other() {
    let mut talk = Talk::with_errands();
    talk.say(&format!("{ANNA} and send me the details by email to anna at example dot com"));
    assert_eq!(talk.host.viewings.len(), 1);
    let parallel = talk.rounds.iter().any(|(_, tools)| *tools == ["save_lead", "send_summary"]);
    assert!(parallel, "{:?}", talk.rounds);
    assert!(
        talk.last().contains("booked") && talk.last().contains("anna at example dot com"),
        "{}",
        talk.last()
    );

    let mut talk = Talk::with_errands();
    talk.say("call me back tomorrow at ten and send the list to anna at example dot com by email");
    let parallel = talk.rounds.iter().any(|(_, tools)| *tools == ["request_callback", "send_summary"]);
    assert!(parallel, "{:?}", talk.rounds);
}

#[test]
fn call_backs_are_arranged_for_the_time_that_was_said() {
    for (said, when) in [
        ("please call me back tomorrow morning", "2026-11-25 morning"),
        ("can someone call me back on friday at three", "2026-11-27 15:00"),
        ("call me back this afternoon", "2026-11-24 afternoon"),
        ("i'd like a callback tomorrow afternoon", "2026-11-25 afternoon"),
    ] {
        let mut talk = Talk::with_errands();
        let answer = talk.say(said);
        assert_eq!(
            talk.calls("request_callback").first().map(|call| &call["when"]),
            Some(&json!(when)),
            "{said}: {answer}"
        );
        assert!(answer.starts_with("That's arranged. Someone will call you"), "{answer}");
        assert!(
            talk.calls("request_callback")[0].get("about").is_none(),
            "no name is made of these words: {said}"
        );
    }
    let mut talk = Talk::with_errands();
    assert!(talk.say("can you call me back").contains("When should we call you?"));
    talk.say("tomorrow");
    talk.say("in the morning");
    assert_eq!(talk.calls("request_callback")[0]["when"], "2026-11-25 morning");
}

#[test]
fn a_call_back_after_a_booking_does_not_move_the_viewing() {
    let mut talk = Talk::with_errands();
    talk.say(ANNA);
    talk.say("please call me back on friday at ten");
    assert_eq!(talk.calls("request_callback")[0]["when"], "2026-11-27 10:00");
    assert_eq!(talk.host.viewings[0]["day"], "2026-11-25");
    assert_eq!(talk.count("reschedule_viewing"), 0);
}

#[test]
fn a_viewing_of_an_earlier_call_is_moved() {
    let mut talk = Talk::with_errands();
    assert!(talk.say("i need to reschedule my viewing").contains("day"));
    assert!(talk.say("friday").contains("time"));
    let said = talk.say("at eleven");
    assert_eq!(talk.calls("reschedule_viewing"), [&json!({"date": "2026-11-27", "time": "11:00"})]);
    assert!(said.starts_with("It's moved. Your viewing of twelve Maple Street is now Friday"), "{said}");

    let mut talk = Talk::with_errands();
    talk.say("can you move my viewing to friday at three twenty");
    assert!(talk.last().contains("isn't free"), "{}", talk.last());
    talk.say("three thirty then");
    assert_eq!(talk.calls("reschedule_viewing")[1]["time"], "15:30");
}

#[test]
fn a_viewing_of_this_call_is_moved_by_its_id() {
    let mut talk = Talk::with_errands();
    talk.say(ANNA);
    let said = talk.say("no thursday i meant");
    assert_eq!(
        talk.calls("reschedule_viewing"),
        [&json!({"viewing": "view_1", "date": "2026-11-26", "time": "14:30"})]
    );
    assert!(said.starts_with("It's moved, Anna."), "{said}");
}

#[test]
fn a_viewing_is_cancelled_whether_it_was_booked_in_this_call_or_before() {
    let mut talk = Talk::with_errands();
    let said = talk.say("i want to cancel my viewing");
    assert_eq!(talk.calls("cancel_viewing"), [&json!({})]);
    assert!(said.starts_with("It's cancelled. Your viewing of twelve Maple Street"), "{said}");

    let mut talk = Talk::with_errands();
    talk.say(ANNA);
    talk.say("actually please cancel the viewing");
    assert_eq!(talk.calls("cancel_viewing"), [&json!({"viewing": "view_1"})]);
}

#[test]
fn an_errand_whose_tool_fails_is_said_honestly_and_another_way_is_offered() {
    for (broken, said) in [
        ("transfer_to_human", "can i talk to a person"),
        ("cancel_viewing", "please cancel my viewing"),
        ("reschedule_viewing", "move my viewing to friday at eleven"),
        ("request_callback", "call me back tomorrow at ten"),
    ] {
        let mut talk = Talk::with_errands();
        talk.host.broken.insert(broken);
        let answer = talk.say(said);
        assert!(
            answer.contains("couldn't") || answer.contains("Nobody can") || answer.contains("can't"),
            "{broken}: {answer}"
        );
        assert!(answer.ends_with('?'), "{broken}: {answer}");
        assert!(!answer.contains("It's") && !answer.contains("arranged."), "{broken}: {answer}");
    }
    let mut talk = Talk::with_errands();
    talk.host.broken.insert("send_summary");
    talk.say("email me the details at john at example dot com");
    let answer = talk.say("yes");
    assert!(answer.starts_with("I couldn't send that email."), "{answer}");
}

#[test]
fn an_errand_without_its_tool_is_never_pretended() {
    for said in [
        "can i talk to a person",
        "call me back tomorrow",
        "can i leave a message",
        "cancel my viewing",
        "email me that",
    ] {
        let mut talk = Talk::new();
        let answer = talk.say(said);
        assert!(!answer.contains("arranged") && !answer.contains("putting you"), "{said}: {answer}");
    }
}

#[test]
fn a_bare_answer_to_the_recording_question_is_taken_naturally() {
    const GREETING: &str = "Thanks for calling Lone Star Homes. This is Ava, an AI assistant. \
        May I record this call to help you better?";
    for (said, answer) in [
        ("yes", "Thank you. How can I help you today?"),
        ("sure go ahead", "Thank you. How can I help you today?"),
        ("no problem", "Thank you. How can I help you today?"),
        ("no", "That's fine, nothing is recorded. How can I help you today?"),
        ("i'd rather not", "That's fine, nothing is recorded. How can I help you today?"),
        ("no thank you", "That's fine, nothing is recorded. How can I help you today?"),
    ] {
        let mut talk = Talk::with_errands().greeted(GREETING);
        assert_eq!(talk.say(said), answer, "{said}");
        assert!(talk.host.log.is_empty());
        assert!(talk.say("i'm looking for a townhouse in zilker").contains("Ashby Avenue"));
    }
    for said in [
        "i'm looking for a townhouse in zilker",
        "yes i'm looking for a townhouse in zilker",
        "no i am just looking for a townhouse in zilker",
    ] {
        let mut talk = Talk::with_errands().greeted(GREETING);
        assert!(talk.say(said).contains("Ashby Avenue"), "{said}: {}", talk.last());
    }
}

#[test]
fn keys_are_taken_for_what_was_asked() {
    let mut talk = Talk::with_system(SYSTEM_WITHOUT_NUMBER);
    talk.say(ANNA);
    talk.say("5 1 2 5 5 5 0 1 4 2");
    assert_eq!(talk.host.viewings[0]["phone"], "+15125550142");

    let mut talk = Talk::new();
    talk.say("i want to buy a home");
    talk.say("anywhere");
    assert!(talk.last().contains("bedrooms"), "{}", talk.last());
    talk.say("3");
    assert!(
        talk.last().contains("budget") || talk.searches().iter().any(|search| search["bedrooms"] == 3),
        "{}",
        talk.last()
    );
    if talk.last().contains("budget") {
        talk.say("4 5 0 0 0 0 #");
    }
    let search = talk.searches();
    assert_eq!(search.last().unwrap()["bedrooms"], 3);

    let mut talk = Talk::new();
    talk.say("i want to see maple street tomorrow");
    talk.say("1 1 0 0");
    talk.say("anna lee");
    assert_eq!(talk.booked().2, "11:00");

    let mut talk = Talk::new();
    talk.say("i'm looking for a house to buy in riverside");
    talk.say("2");
    talk.say("tomorrow at eleven");
    talk.say("anna lee");
    assert_eq!(talk.booked().0, "lst_lake");
}
