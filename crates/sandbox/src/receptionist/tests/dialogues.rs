//! Whole conversations.

use super::host::{SYSTEM_WITHOUT_NUMBER, Talk, booking};
use crate::receptionist::{Prompt, PromptMessage, reply};
use serde_json::json;

const ANNA: &str = "hi i'm anna lee i want to see a three bedroom house in riverside tomorrow at two thirty";

#[test]
fn one_rich_sentence_books_a_viewing_without_a_question() {
    let talk = Talk::all(&[ANNA]);
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:30", "Anna Lee"));
    assert_eq!(
        talk.last(),
        "You're booked, Anna. Twelve oh four Willow Bend, Wednesday, November twenty fifth at two thirty in the \
         afternoon. Anything else I can do?"
    );
    assert_eq!(
        talk.host.leads,
        [json!({"name": "Anna Lee", "areas": ["Riverside"], "bedrooms": 3,
        "intent": "buy"})]
    );
}

#[test]
fn a_conversation_in_small_steps_leads_from_the_wish_to_the_viewing_and_ends() {
    let mut talk = Talk::new();
    assert_eq!(talk.say("hello"), "Hello! Are you looking to buy or to rent?");
    assert!(talk.say("i'd like to buy a house").contains("area"));
    assert!(talk.say("riverside please").contains("Willow Bend"));
    assert!(talk.say("how much is the second one").contains("four hundred twenty thousand dollars"));
    assert!(talk.say("ok i would like to visit that one").contains("day"));
    assert!(talk.say("friday").contains("time"));
    assert!(talk.say("at eleven").contains("name"));
    assert!(talk.say("john smith").starts_with("You're booked, John."));
    assert_eq!(talk.booked(), booking("lst_lake", "2026-11-27", "11:00", "John Smith"));
    let goodbye = talk.say("no that's all thank you");
    assert!(goodbye.ends_with("Goodbye."));
    assert!(talk.ended);
    assert_eq!((talk.count("save_lead"), talk.count("end_call")), (1, 1));
}

#[test]
fn the_house_on_a_street_is_found_by_its_address() {
    let talk = Talk::all(&[
        "i'd like to see the house on maple street tomorrow at ten thirty",
        "my name is john smith",
    ]);
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-25", "10:30", "John Smith"));
}

#[test]
fn a_street_nobody_has_is_said_to_be_unknown() {
    let talk = Talk::all(&["i'd like to see the house on baker street"]);
    assert!(talk.last().starts_with("I can't find Baker Street."), "{}", talk.last());
    assert!(talk.host.viewings.is_empty());
}

#[test]
fn a_street_with_a_numeral_is_found_as_it_is_spoken() {
    let talk = Talk::all(&[
        "what do you have downtown",
        "i'd like to see twenty fifth street tomorrow at noon",
        "it's sam",
    ]);
    assert_eq!(talk.booked(), booking("lst_fifth", "2026-11-25", "12:00", "Sam"));
}

#[test]
fn a_wanted_time_that_is_taken_is_answered_with_the_nearest_free_ones() {
    let mut talk = Talk::new();
    talk.host.taken.insert(("lst_willow".into(), "2026-11-25".into(), "14:30".into()));
    let answer = talk.say(ANNA);
    assert!(answer.contains("Two thirty isn't free. Tomorrow I have one, two or three thirty."), "{answer}");
    assert!(talk.say("two is fine").starts_with("You're booked, Anna."));
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:00", "Anna Lee"));
}

#[test]
fn a_time_taken_between_the_check_and_the_booking_is_not_lost_on_the_caller() {
    let mut talk = Talk::new();
    talk.say("i want to see the three bedroom house in hyde park tomorrow at two thirty");
    talk.host.taken.insert(("lst_maple".into(), "2026-11-25".into(), "14:30".into()));
    let answer = talk.say("my name is anna lee");
    assert!(answer.contains("isn't free"), "{answer}");
    assert!(talk.host.viewings.is_empty());
    talk.say("three thirty then");
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-25", "15:30", "Anna Lee"));
}

#[test]
fn a_full_day_is_answered_with_the_next_free_one() {
    let mut talk = Talk::new();
    talk.host.full_days.insert("2026-11-25".into());
    let answer = talk.say(ANNA);
    assert!(answer.contains("fully booked") && answer.contains("Thursday"), "{answer}");
    talk.say("ok eleven then");
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-26", "11:00", "Anna Lee"));
}

#[test]
fn a_day_that_the_brokerage_refuses_is_asked_again() {
    let talk = Talk::all(&["i want to see maple street on monday at ten thirty", "the name is jo"]);
    assert_eq!(talk.booked().1, "2026-11-30");
}

#[test]
fn an_empty_search_is_relaxed_and_said_to_be() {
    let cases = [
        ("i'm looking for a four bedroom house in riverside", "Nothing exactly like that."),
        ("i want to buy a house in hyde park under four hundred thousand", "Nothing within that budget."),
        ("do you have anything in westlake", "Nothing in Westlake."),
    ];
    for (said, opening) in cases {
        let talk = Talk::all(&[said]);
        assert!(talk.last().starts_with(opening), "{said}: {}", talk.last());
    }
}

#[test]
fn where_nothing_fits_another_wish_is_asked_for() {
    let mut talk = Talk::new();
    talk.host.broken.clear();
    let answer = talk.say("i want a ten bedroom villa under fifty thousand dollars for sale in riverside");
    assert!(answer.starts_with("I found nothing like that, sorry."), "{answer}");
    assert!(talk.say("three bedrooms and up to five hundred thousand").contains("Willow Bend"));
}

#[test]
fn more_homes_are_shown_on_request_and_none_twice() {
    let mut talk = Talk::new();
    let first = talk.say("what houses do you have for sale in riverside");
    let second = talk.say("do you have anything else");
    assert!(first.contains("Willow Bend") && !second.contains("Willow Bend"), "{first} {second}");
    assert!(second.starts_with("Those are all I have."), "{second}");
}

#[test]
fn a_cheaper_home_costs_less_than_those_offered() {
    let mut talk = Talk::new();
    talk.say("i'm looking for a house to buy in riverside");
    let answer = talk.say("that's too expensive do you have something cheaper");
    assert_eq!(talk.searches()[1]["max_price"], 389_999);
    assert!(answer.contains("Cypress Court") || answer.contains("Nothing"), "{answer}");
}

#[test]
fn without_a_callers_number_one_is_asked_for_once() {
    let mut talk = Talk::with_system(SYSTEM_WITHOUT_NUMBER);
    assert!(talk.say(ANNA).contains("number"));
    talk.say("five one two five five five oh one two three");
    assert_eq!(talk.host.viewings[0]["phone"], "+15125550123");
    let mut talk = Talk::with_system(SYSTEM_WITHOUT_NUMBER);
    talk.say(ANNA);
    assert!(talk.say("five five five oh one two three").contains("ten digits"));
    talk.say("i'd rather not");
    assert_eq!(talk.host.viewings.len(), 1);
    assert!(talk.host.viewings[0].get("phone").is_none());
}

#[test]
fn a_caller_who_leaves_without_a_viewing_leaves_a_lead() {
    let talk = Talk::all(&[
        "this is maria i'm looking for a condo in riverside under three fifty",
        "ok thanks i'll think about it bye",
    ]);
    assert!(talk.ended);
    assert_eq!(talk.host.leads, [json!({"name": "Maria", "budget": 350_000, "areas": ["Riverside"]})]);
}

#[test]
fn a_caller_who_sells_is_called_back() {
    let mut talk = Talk::new();
    assert!(talk.say("i want to sell my house").contains("name"));
    assert!(talk.say("maria gomez").contains("colleague will call you back"));
    assert_eq!(
        talk.host.leads,
        [json!({"name": "Maria Gomez", "intent": "sell", "notes": "wants to sell a home"})]
    );
    talk.say("no thanks");
    assert!(talk.ended);
    assert_eq!(talk.count("save_lead"), 1);
}

#[test]
fn a_caller_who_wants_a_person_is_called_back() {
    let talk = Talk::all(&["can i speak to a human please", "it's bob"]);
    assert!(talk.last().contains("colleague will call you back"));
    assert_eq!(talk.host.leads[0]["notes"], "asks for a call back");
}

#[test]
fn financing_mail_and_plans_reach_the_lead() {
    let talk = Talk::all(&[
        "i'm looking to buy a three bedroom house in hyde park in three months i'm pre approved",
        "tomorrow at eleven my name is anna lee and my email is anna dot lee at example dot com",
    ]);
    let lead = &talk.host.leads[0];
    assert_eq!(
        (&lead["timeline"], &lead["financing"], &lead["email"]),
        (&json!("3_months"), &json!("pre_approved"), &json!("anna.lee@example.com"))
    );
    assert_eq!(talk.booked().2, "11:00");
}

#[test]
fn tools_that_fail_lead_to_a_call_back_and_never_to_a_made_up_answer() {
    for broken in ["search_listings", "check_availability", "book_viewing"] {
        let mut talk = Talk::new();
        talk.host.broken.insert(broken);
        let answer = talk.say(ANNA);
        assert!(answer.contains("call you back"), "{broken}: {answer}");
        assert!(!answer.contains("booked,"), "{broken}: {answer}");
        assert!(talk.host.viewings.is_empty());
        assert!(talk.say("yes please").contains("colleague will call you back"), "{broken}");
    }
}

#[test]
fn a_tool_that_recovers_is_used_again() {
    let mut talk = Talk::new();
    talk.host.broken.insert("check_availability");
    talk.say(ANNA);
    talk.host.broken.clear();
    talk.say("can we try again tomorrow at two thirty");
    assert_eq!(talk.booked().2, "14:30");
}

#[test]
fn garbage_from_every_tool_still_ends_in_an_answer() {
    for content in
        ["", "null", "[]", "{}", "not json", r#"{"listings": 5}"#, r#"{"listings":[{}]}"#, r#"{"free":"x"}"#]
    {
        let mut prompt = Talk::new().prompt;
        prompt.messages.push(PromptMessage::User(ANNA.to_owned()));
        for round in 0..6 {
            let made = reply(&prompt);
            if made.tool_calls.is_empty() {
                assert!(made.text.is_some());
                break;
            }
            assert!(round < 5, "{content}: still calling tools");
            let calls: Vec<_> = made
                .tool_calls
                .iter()
                .enumerate()
                .map(|(number, (name, arguments))| crate::receptionist::ToolCallMade {
                    id: format!("{round}.{number}"),
                    name: name.clone(),
                    arguments: arguments.to_string(),
                })
                .collect();
            let ids: Vec<String> = calls.iter().map(|call| call.id.clone()).collect();
            prompt.messages.push(PromptMessage::Assistant { text: made.text, tool_calls: calls });
            prompt
                .messages
                .extend(ids.into_iter().map(|id| PromptMessage::Tool { id, content: content.to_owned() }));
        }
    }
}

#[test]
fn a_tool_that_is_not_offered_is_never_called() {
    for missing in ["search_listings", "check_availability", "book_viewing", "save_lead", "end_call"] {
        let mut talk = Talk::new();
        talk.prompt.tools.retain(|name| name != missing);
        talk.say(ANNA);
        talk.say("no thanks bye");
        assert_eq!(talk.count(missing), 0, "{missing}");
        assert_eq!(
            talk.host.viewings.len(),
            usize::from(matches!(missing, "save_lead" | "end_call")),
            "{missing}"
        );
    }
}

#[test]
fn without_todays_date_no_day_is_made_up() {
    let mut talk = Talk::with_system("You are Ava.");
    let answer = talk.say(ANNA);
    assert_eq!(talk.count("check_availability"), 0);
    assert!(answer.contains("Which one") || answer.contains("call you back"), "{answer}");
}

#[test]
fn an_answer_cut_by_an_interruption_does_not_derail_the_talk() {
    let mut talk = Talk::new();
    talk.say("i'm looking for a house in riverside to buy");
    // The caller heard only the first words.
    if let Some(PromptMessage::Assistant { text, .. }) = talk.prompt.messages.last_mut() {
        *text = Some("I found".to_owned());
    }
    talk.say("the second one tomorrow at eleven");
    talk.say("anna lee");
    assert_eq!(talk.booked(), booking("lst_lake", "2026-11-25", "11:00", "Anna Lee"));
}

#[test]
fn an_utterance_cut_in_two_is_understood_as_one() {
    let mut talk = Talk::new();
    talk.prompt
        .messages
        .push(PromptMessage::User("i'd like to see a three bedroom house in riverside".to_owned()));
    talk.say("tomorrow at eleven my name is anna lee");
    assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "11:00", "Anna Lee"));
}

#[test]
fn an_acknowledgement_in_the_history_is_not_taken_for_the_answer() {
    let mut talk = Talk::new();
    talk.say("i'm looking for a house in riverside to buy");
    for message in &mut talk.prompt.messages {
        if let PromptMessage::Assistant { text, tool_calls } = message
            && !tool_calls.is_empty()
        {
            *text = Some("One moment please.".to_owned());
        }
    }
    assert!(talk.say("the first one").contains("day"));
}

#[test]
fn a_request_without_messages_is_greeted() {
    let greeted = reply(&Prompt::default());
    assert_eq!(greeted.text.as_deref(), Some("Hello! How can I help you today?"));
    let mut talk = Talk::new();
    assert!(talk.answer().starts_with("Are you still there?"));
}

#[test]
fn a_model_asked_again_after_the_end_only_says_goodbye() {
    let mut talk = Talk::new();
    talk.say("bye");
    let after = reply(&talk.prompt);
    assert!(after.tool_calls.is_empty());
    assert!(after.text.is_some_and(|text| text.ends_with("Goodbye.")));
}

#[test]
fn a_second_viewing_of_another_home_can_be_booked_and_the_lead_is_saved_once() {
    let talk = Talk::all(&[ANNA, "i'd also like to see a townhouse in zilker on friday at eleven"]);
    assert_eq!(talk.host.viewings.len(), 2);
    assert_eq!(talk.host.viewings[1]["listing"], "lst_ashby");
    assert_eq!(talk.count("save_lead"), 1);
}

#[test]
fn the_same_viewing_is_never_booked_twice() {
    for again in [
        "book it again",
        "yes please book it",
        "i want to see a three bedroom house in riverside tomorrow at two thirty",
        "i'd like to see willow bend tomorrow at two thirty",
        "tomorrow at two thirty",
        ANNA,
    ] {
        let talk = Talk::all(&[ANNA, again]);
        let same = talk.host.viewings.iter().filter(|viewing| viewing["listing"] == "lst_willow").count();
        assert_eq!(same, 1, "{again}");
    }
}

#[test]
fn the_whole_catalogue_of_times_ends_in_the_same_booking() {
    for said in [
        "two thirty",
        "half past two",
        "two thirty p m",
        "2 30 pm",
        "14 30",
        "two thirty in the afternoon",
        "thirty minutes past two",
        "half two",
    ] {
        let talk = Talk::all(&[
            "i want to see a three bedroom house in riverside",
            &format!("the first one tomorrow at {said}"),
            "my name is anna lee",
        ]);
        assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:30", "Anna Lee"), "{said}");
    }
}
