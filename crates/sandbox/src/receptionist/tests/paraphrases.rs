//! Many ways to say the same thing.

use super::host::{Talk, booking};
use serde_json::{Value, json};

#[track_caller]
fn searches_for(said: &str, wanted: &Value) {
    let talk = Talk::all(&[said]);
    assert_eq!(talk.searches().first(), Some(&wanted), "{said}: {:?}", talk.said);
}

#[test]
fn wishes_for_a_home_in_many_words_lead_to_the_same_search() {
    let wanted = json!({"area": "Riverside", "bedrooms": 3, "property_type": "house", "offer": "sale"});
    for said in [
        "i'm looking for a three bedroom house for sale in riverside",
        "i want to buy a three bed house in riverside",
        "do you have any three bedroom houses in riverside for sale",
        "we'd like to purchase a house with three bedrooms in riverside",
        "looking to buy in riverside a house three bedrooms",
        "hi there i am interested in buying a 3 bedroom house in the riverside area",
        "could you find me a three bed room house near riverside i want to buy",
        "my wife and i are hoping to buy a house around riverside with at least three bedrooms",
        "in riverside is there a house with three or more bedrooms for sale",
        "show me houses for sale in riverside with three beds please",
        "um yeah so i want to buy like a riverside house uh three bedrooms",
    ] {
        searches_for(said, &wanted);
    }
}

#[test]
fn budgets_in_many_words_lead_to_the_same_search() {
    let wanted = json!({"area": "Riverside", "max_price": 400_000, "offer": "sale"});
    for said in [
        "i want to buy in riverside under four hundred thousand",
        "i want to buy in riverside up to four hundred thousand dollars",
        "looking to buy in riverside my budget is four hundred thousand",
        "buying in riverside no more than four hundred k",
        "i want to buy something in riverside for at most four hundred",
        "i'd like to buy in riverside and can spend four hundred grand",
        "i want to buy in riverside with a maximum of 400 000 dollars",
        "i can afford four hundred thousand and want to buy in riverside",
    ] {
        searches_for(said, &wanted);
    }
}

#[test]
fn other_facts_reach_the_search() {
    for (said, wanted) in [
        (
            "i need a two bedroom apartment to rent in riverside under two thousand a month",
            json!({"area": "Riverside", "bedrooms": 2, "property_type": "apartment", "offer": "rent", "max_price": 2_000}),
        ),
        (
            "a condo in hyde park between three hundred and four hundred thousand",
            json!({"area": "Hyde Park", "property_type": "condo", "min_price": 300_000, "max_price": 400_000}),
        ),
        (
            "townhouse in zilker over half a million",
            json!({"area": "Zilker", "property_type": "townhouse", "min_price": 500_000}),
        ),
        (
            "any flat downtown to rent",
            json!({"area": "Downtown", "property_type": "apartment", "offer": "rent"}),
        ),
        (
            "i'm looking to lease a studio in east austin",
            json!({"area": "East Austin", "bedrooms": 0, "offer": "rent"}),
        ),
        (
            "four bedrooms in travis heights for one point two million",
            json!({"area": "Travis Heights", "bedrooms": 4, "max_price": 1_200_000}),
        ),
        ("what do you have in riverside", json!({"area": "Riverside"})),
        ("can i view willow bend", json!({"area": "Willow Bend"})),
        (
            "hyde park or zilker around six hundred thousand",
            json!({"area": "Hyde Park", "max_price": 660_000}),
        ),
        (
            "my son is moving and he'd like a two bed apartment downtown, nothing over two thousand a month",
            json!({"area": "Downtown", "bedrooms": 2, "property_type": "apartment", "offer": "rent", "max_price": 2_000}),
        ),
    ] {
        searches_for(said, &wanted);
    }
}

#[test]
fn names_are_understood_in_many_words() {
    for (said, name) in [
        ("my name is john smith", "John Smith"),
        ("john smith", "John Smith"),
        ("it's john smith", "John Smith"),
        ("i'm john smith", "John Smith"),
        ("this is john smith", "John Smith"),
        ("sure it's john smith", "John Smith"),
        ("the name's john smith thanks", "John Smith"),
        ("you can put it under john smith", "John Smith"),
        ("yes of course my name is john smith and i'm calling from austin", "John Smith"),
        ("john", "John"),
        ("i am mary o'brien", "Mary O'Brien"),
        ("my name is will price", "Will Price"),
        ("john s m i t h", "John Smith"),
        ("jo march", "Jo March"),
        ("it's will young", "Will Young"),
        ("that would be nguyen thi lan", "Nguyen Thi Lan"),
    ] {
        let talk = Talk::all(&["i want to see maple street tomorrow at eleven", said]);
        assert_eq!(talk.booked(), booking("lst_maple", "2026-11-25", "11:00", name), "{said}");
    }
}

#[test]
fn what_is_no_name_is_not_taken_for_one() {
    for said in [
        "i'm looking for a house in riverside",
        "i'm interested",
        "i'm sorry what",
        "this is great",
        "i'm not sure",
        "i'm free tomorrow",
    ] {
        let talk = Talk::all(&[said, "i want to see maple street tomorrow at eleven"]);
        assert!(talk.host.viewings.is_empty(), "{said}: {:?}", talk.host.viewings);
    }
}

#[test]
fn a_sentence_is_no_name_even_where_one_is_awaited() {
    for said in [
        "could you text me",
        "what do you need that for",
        "my dog ate the keys of the neighbor's boat",
        "is it warm there",
    ] {
        let talk = Talk::all(&["i want to see maple street tomorrow at eleven", said]);
        assert!(talk.host.viewings.is_empty(), "{said}: {:?}", talk.host.viewings);
        assert!(talk.last().contains("name"), "{said}: {}", talk.last());
    }
}

#[test]
fn phone_numbers_are_understood_in_many_words() {
    for said in [
        "five one two five five five oh one two three",
        "512 555 0123",
        "5125550123",
        "it's five one two five fifty five zero one twenty three",
        "one five one two five five five oh one two three",
        "my number is five one two triple five oh one two three",
        "+1 (512) 555-0123",
    ] {
        let mut talk = Talk::with_system(super::host::SYSTEM_WITHOUT_NUMBER);
        talk.say("i'm anna lee i want to see maple street tomorrow at eleven");
        talk.say(said);
        assert_eq!(talk.host.viewings[0]["phone"], "+15125550123", "{said}");
    }
}

#[test]
fn goodbyes_in_many_words_end_the_call_in_the_same_reply() {
    for said in [
        "bye",
        "goodbye",
        "ok bye bye",
        "thanks have a nice day",
        "talk to you later",
        "i've got to go",
        "that's all thank you",
        "thank you goodbye",
        "alright take care",
        "no thank you that would be all",
        "nothing else bye",
    ] {
        let talk = Talk::all(&[said]);
        assert!(talk.ended && talk.last().ends_with("Goodbye."), "{said}: {}", talk.last());
    }
}

#[test]
fn refusals_of_more_help_end_the_call() {
    for said in [
        "no",
        "nope",
        "no thanks",
        "no that's it",
        "i'm good thanks",
        "nothing else",
        "that's everything",
        "no i'm all set thank you",
    ] {
        let talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow at eleven", said]);
        assert!(talk.ended, "{said}: {}", talk.last());
    }
}

#[test]
fn thanks_alone_do_not_end_a_call_that_has_not_begun_to_end() {
    let mut talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow at eleven"]);
    assert_eq!(talk.say("thank you"), "You're welcome. What else can I help with?");
    talk.say("thanks");
    assert!(talk.ended);
}

#[test]
fn indifference_leads_to_a_search_without_that_fact() {
    for said in
        ["anywhere", "i don't mind", "no preference", "it doesn't matter", "i'm flexible", "any area is fine"]
    {
        let talk = Talk::all(&["i want to buy a house", said]);
        assert_eq!(
            talk.searches().first(),
            Some(&&json!({"property_type": "house", "offer": "sale"})),
            "{said}: {:?}",
            talk.said
        );
    }
}
