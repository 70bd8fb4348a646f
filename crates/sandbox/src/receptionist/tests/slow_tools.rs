//! Tools that have not answered yet.

use super::host::Talk;

#[test]
fn a_slow_tool_is_said_to_be_at_work_and_not_asked_twice() {
    let mut talk = Talk::with_errands();
    talk.host.slow.insert("search_listings");
    let said = talk.say("i'm looking for a townhouse in zilker");
    assert!(said.contains("still"), "{said}");
    let said = talk.say("are you there");
    assert!(said.contains("still") || said.contains("hear you"), "{said}");
    assert_eq!(talk.count("search_listings"), 1);
}

#[test]
fn a_late_result_is_reported_unasked() {
    for remark in ["okay", "mhm", "all right"] {
        let mut talk = Talk::with_errands();
        talk.host.slow.insert("search_listings");
        talk.say("i'm looking for a townhouse in zilker");
        talk.results_arrive();
        assert!(talk.say(remark).contains("Ashby Avenue"), "{remark}: {}", talk.last());
    }
    // Without a word of the caller.
    let mut talk = Talk::with_errands();
    talk.host.slow.insert("search_listings");
    talk.say("i'm looking for a townhouse in zilker");
    talk.results_arrive();
    assert!(talk.answer().contains("Ashby Avenue"));
}

#[test]
fn a_late_booking_is_confirmed_and_not_made_twice() {
    let mut talk = Talk::with_errands();
    talk.host.slow.insert("book_viewing");
    let said = talk.say("i'm anna lee i want to see maple street tomorrow at eleven");
    assert!(said.contains("still") && !said.contains("booked"), "{said}");
    talk.results_arrive();
    let said = talk.say("hello");
    assert!(said.contains("You're booked, Anna."), "{said}");
    assert_eq!(talk.host.viewings.len(), 1);
}

#[test]
fn another_question_is_answered_while_a_tool_is_at_work() {
    let mut talk = Talk::with_errands();
    talk.host.slow.insert("search_listings");
    talk.say("i'm looking for a townhouse in zilker");
    assert!(talk.say("are you a robot").contains("I'm an AI assistant"), "{}", talk.last());
}
