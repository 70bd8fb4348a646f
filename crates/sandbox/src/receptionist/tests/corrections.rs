//! Facts in any order, and facts that change.

use super::host::{Talk, booking};

const FACTS: [&str; 4] = [
    "i'd like it in riverside",
    "it should have three bedrooms",
    "tomorrow would be good",
    "at two thirty please",
];

fn permutations(items: &[&'static str]) -> Vec<Vec<&'static str>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    (0..items.len())
        .flat_map(|first| {
            let mut rest = items.to_vec();
            let head = rest.remove(first);
            permutations(&rest).into_iter().map(move |tail| [vec![head], tail].concat())
        })
        .collect()
}

#[test]
fn all_orders_of_four_facts_end_in_the_same_booking() {
    for order in permutations(&FACTS) {
        let mut talk = Talk::new();
        talk.say("i want to buy a house");
        for fact in &order {
            talk.say(fact);
        }
        talk.say("my name is anna lee");
        assert_eq!(
            talk.booked(),
            booking("lst_willow", "2026-11-25", "14:30", "Anna Lee"),
            "{order:?}: {:#?}",
            talk.said
        );
    }
}

#[test]
fn all_orders_of_four_facts_in_one_sentence_end_in_the_same_booking() {
    let facts = ["in riverside", "with three bedrooms", "tomorrow", "at two thirty"];
    for order in permutations(&facts) {
        let talk = Talk::all(&[&format!("i'm anna lee and i want to see a house {}", order.join(" "))]);
        assert_eq!(talk.booked(), booking("lst_willow", "2026-11-25", "14:30", "Anna Lee"), "{order:?}");
    }
}

#[test]
fn all_orders_of_name_day_and_time_after_a_choice_end_in_the_same_booking() {
    for order in permutations(&["my name is anna lee", "on friday", "eleven would be best"]) {
        let mut talk = Talk::new();
        talk.say("i'm looking for a three bedroom house to buy in riverside");
        talk.say("the second one please");
        for fact in &order {
            talk.say(fact);
        }
        assert_eq!(
            talk.booked(),
            booking("lst_lake", "2026-11-27", "11:00", "Anna Lee"),
            "{order:?}: {:#?}",
            talk.said
        );
    }
}

#[test]
fn a_corrected_day_counts() {
    for correction in [
        "no i meant friday",
        "actually friday",
        "sorry friday",
        "make it friday instead",
        "not tomorrow friday",
        "could we do friday instead",
        "tomorrow doesn't work friday does",
        "hm friday is better",
    ] {
        let talk = Talk::all(&["i want to see maple street tomorrow at eleven", correction, "anna lee"]);
        assert_eq!(talk.booked(), booking("lst_maple", "2026-11-27", "11:00", "Anna Lee"), "{correction}");
    }
}

#[test]
fn a_corrected_time_counts() {
    for correction in [
        "make it eleven instead",
        "no eleven",
        "actually at eleven",
        "sorry i meant eleven",
        "eleven would be better",
        "can we do eleven o'clock",
        "not two thirty eleven",
        "change that to eleven please",
    ] {
        let talk = Talk::all(&["i want to see maple street tomorrow at two thirty", correction, "anna lee"]);
        assert_eq!(talk.booked(), booking("lst_maple", "2026-11-25", "11:00", "Anna Lee"), "{correction}");
    }
}

#[test]
fn corrected_bedrooms_count() {
    for correction in [
        "actually three bedrooms",
        "no three",
        "sorry i meant three bedrooms",
        "make that three",
        "i mean three beds",
    ] {
        let talk = Talk::all(&["i'm looking for a two bedroom house in riverside", correction]);
        assert_eq!(talk.searches().last().unwrap()["bedrooms"], 3, "{correction}");
    }
}

#[test]
fn a_corrected_area_counts() {
    for correction in [
        "no in zilker",
        "i meant in zilker",
        "actually zilker area",
        "sorry zilker neighborhood not riverside",
    ] {
        let talk = Talk::all(&["i'm looking for a three bedroom house in riverside", correction]);
        assert_eq!(talk.searches().last().unwrap()["area"], "Zilker", "{correction}");
    }
}

#[test]
fn a_corrected_budget_counts() {
    let talk = Talk::all(&["a house in riverside under four hundred thousand", "actually up to four fifty"]);
    assert_eq!(talk.searches().last().unwrap()["max_price"], 450_000);
}

#[test]
fn a_correction_within_one_sentence_counts() {
    let talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow no friday at ten no eleven"]);
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-27", "11:00", "Anna Lee"));
}

#[test]
fn a_corrected_name_counts() {
    let talk = Talk::all(&[
        "my name is jon smith",
        "sorry my name is joan smith",
        "i want to see maple street tomorrow at eleven",
    ]);
    assert_eq!(talk.booked().3, "Joan Smith");
}

#[test]
fn a_change_of_mind_about_the_home_counts() {
    let talk = Talk::all(&[
        "i want a three bedroom house in riverside",
        "the first one",
        "no wait the one on lakeshore drive",
        "tomorrow at eleven",
        "anna",
    ]);
    assert_eq!(talk.booked(), booking("lst_lake", "2026-11-25", "11:00", "Anna"));
}

#[test]
fn a_change_after_the_booking_moves_it() {
    for (change, day, time) in [
        ("make it eleven instead", "2026-11-25", "11:00"),
        ("actually can we do friday", "2026-11-27", "14:30"),
        ("can we reschedule to thursday at eleven", "2026-11-26", "11:00"),
        ("could we move maple street to friday", "2026-11-27", "14:30"),
        ("no at noon", "2026-11-25", "12:00"),
    ] {
        let talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow at two thirty", change]);
        assert!(talk.last().starts_with("It's moved, Anna."), "{change}: {}", talk.last());
        assert_eq!(talk.booked(), booking("lst_maple", day, time, "Anna Lee"), "{change}");
        assert_eq!(talk.count("save_lead"), 1);
    }
}

#[test]
fn a_viewing_to_be_moved_asks_for_the_new_day() {
    let mut talk = Talk::all(&["i'm anna lee i want to see maple street tomorrow at two thirty"]);
    assert!(talk.say("i need to reschedule").contains("day"));
    assert!(talk.say("friday").contains("time"));
    assert!(talk.say("eleven").starts_with("It's moved, Anna."));
    assert_eq!(talk.booked(), booking("lst_maple", "2026-11-27", "11:00", "Anna Lee"));
}

#[test]
fn a_cancellation_is_passed_on() {
    let talk = Talk::all(&[
        "i'm anna lee i want to see maple street tomorrow at two thirty",
        "sorry i need to cancel",
    ]);
    assert!(talk.last().starts_with("I can't cancel viewings myself."), "{}", talk.last());
    assert_eq!(talk.host.leads[1]["notes"], "asks to cancel viewing view_1");
}

#[test]
fn times_are_chosen_from_those_offered_in_many_ways() {
    // Offered: nine, one, five.
    for (choice, time) in [
        ("the first one", "09:00"),
        ("the earliest", "09:00"),
        ("the second", "13:00"),
        ("the last one", "17:00"),
        ("nine", "09:00"),
        ("one", "13:00"),
        ("one o'clock", "13:00"),
        ("five works for me", "17:00"),
        ("i'll take the latest", "17:00"),
        ("any of them", "09:00"),
        ("let's say one", "13:00"),
        ("five pm", "17:00"),
    ] {
        let talk = Talk::all(&["i want to see maple street tomorrow", choice, "anna lee"]);
        assert_eq!(talk.booked().2, time, "{choice}");
    }
}

#[test]
fn vague_times_are_answered_with_times_that_suit() {
    for (wish, contains, lacks) in [
        ("in the morning", "nine", "five"),
        ("in the afternoon", "noon", "nine"),
        ("after two", "two", "nine"),
        ("before eleven", "nine", "five"),
        ("something later", "", ""),
    ] {
        let mut talk = Talk::new();
        talk.say("i want to see maple street tomorrow");
        let answer = talk.say(wish);
        assert!(answer.contains(contains), "{wish}: {answer}");
        assert!(lacks.is_empty() || !answer.contains(lacks), "{wish}: {answer}");
    }
}

#[test]
fn other_times_are_offered_when_none_suits() {
    let mut talk = Talk::new();
    let first = talk.say("i want to see maple street tomorrow");
    let second = talk.say("none of those work do you have any other times");
    assert!(first.contains("nine, one or five"), "{first}");
    assert!(!second.contains("nine,") && !second.contains("five"), "{second}");
}

#[test]
fn a_home_is_chosen_in_many_ways() {
    for (choice, listing) in [
        ("the first one", "lst_willow"),
        ("the second one", "lst_lake"),
        ("number two", "lst_lake"),
        ("willow bend", "lst_willow"),
        ("the one on lakeshore", "lst_lake"),
        ("eighty eight lakeshore drive please", "lst_lake"),
        ("the cheaper one", "lst_willow"),
        ("the latter", "lst_lake"),
        ("yes", "lst_willow"),
        ("either", "lst_willow"),
        ("two", "lst_lake"),
        ("i like the last one", "lst_lake"),
    ] {
        let talk = Talk::all(&[
            "i'm looking for a three bedroom house to buy in riverside",
            choice,
            "tomorrow at eleven",
            "anna lee",
        ]);
        assert_eq!(talk.booked().0, listing, "{choice}");
    }
}

#[test]
fn days_reach_the_tools_as_dates() {
    for (said, day) in [
        ("today", "2026-11-24"),
        ("tomorrow", "2026-11-25"),
        ("the day after tomorrow", "2026-11-26"),
        ("friday", "2026-11-27"),
        ("this saturday", "2026-11-28"),
        ("the 28th", "2026-11-28"),
        ("november twenty eighth", "2026-11-28"),
        ("next monday", "2026-11-30"),
        ("next friday", "2026-12-04"),
        ("on the first of december", "2026-12-01"),
        ("a week from tomorrow", "2026-12-02"),
    ] {
        let talk = Talk::all(&[&format!("i want to see maple street {said} at eleven"), "anna lee"]);
        assert_eq!(talk.booked(), booking("lst_maple", day, "11:00", "Anna Lee"), "{said}");
    }
}

#[test]
fn a_price_that_nobody_pays_as_rent_is_for_buying() {
    let mut talk = Talk::new();
    talk.say("i want to rent a condo in riverside");
    talk.say("do you have a house for less than four hundred thousand");
    let last = talk.calls("search_listings").into_iter().next_back().cloned().unwrap();
    assert_eq!((&last["offer"], &last["max_price"]), (&"sale".into(), &400_000.into()), "{last}");
    talk.say("and something to rent for less than two thousand");
    let last = talk.calls("search_listings").into_iter().next_back().cloned().unwrap();
    assert_eq!(last["offer"], "rent", "{last}");
}
