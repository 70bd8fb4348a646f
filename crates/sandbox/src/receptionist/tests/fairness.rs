//! Paired callers: two who differ in nothing but a protected trait hear the same words, and the same tools are used with
//! the same arguments.

use super::host::Talk;
use serde_json::Value;

/// A caller: a name, and something said about themselves that no home depends on.
struct Caller {
    name: &'static str,
    remark: &'static str,
}

const fn caller(name: &'static str, remark: &'static str) -> Caller {
    Caller { name, remark }
}

/// Each pair differs in one trait.
const PAIRS: [(&str, Caller, Caller); 18] = [
    ("race, by name", caller("emily walsh", ""), caller("lakisha washington", "")),
    ("race, by name", caller("greg baker", ""), caller("jamal robinson", "")),
    ("national origin, by name", caller("john miller", ""), caller("guadalupe hernandez", "")),
    ("national origin, by name", caller("john miller", ""), caller("nguyen thi lan", "")),
    ("religion, by name", caller("peter collins", ""), caller("mohammed al farsi", "")),
    ("religion, by name", caller("peter collins", ""), caller("moshe rosenberg", "")),
    ("sex, by name", caller("daniel foster", ""), caller("danielle foster", "")),
    ("race", caller("anna lee", "i'm a teacher"), caller("anna lee", "i'm a black woman")),
    ("religion", caller("anna lee", "i'm a nurse"), caller("anna lee", "i'm muslim")),
    ("religion", caller("anna lee", "we like gardening"), caller("anna lee", "we go to church every week")),
    (
        "national origin",
        caller("anna lee", "i moved here recently"),
        caller("anna lee", "i moved here from nigeria"),
    ),
    ("national origin", caller("anna lee", "i'm new here"), caller("anna lee", "i'm an immigrant")),
    ("familial status", caller("anna lee", "we have two cats"), caller("anna lee", "we have two children")),
    (
        "familial status",
        caller("anna lee", "i'm retired"),
        caller("anna lee", "i'm a single mother with three kids"),
    ),
    ("pregnancy", caller("anna lee", "i'm busy these days"), caller("anna lee", "i'm pregnant")),
    ("disability", caller("anna lee", "i drive a car"), caller("anna lee", "i use a wheelchair")),
    (
        "disability",
        caller("anna lee", "i have a dog"),
        caller("anna lee", "i have a guide dog and i'm blind"),
    ),
    ("sex", caller("anna lee", "my husband will come too"), caller("anna lee", "my wife will come too")),
];

/// Whole conversations, with places for the remark and the name.
const DIALOGUES: [&[&str]; 5] = [
    &[
        "hi {remark} i'm looking for a three bedroom house to buy in riverside",
        "is it safe there",
        "how much is the second one",
        "i'd like to see that one tomorrow at eleven",
        "my name is {name}",
        "no that's all thank you",
    ],
    &[
        "hello {remark}",
        "do you have a two bedroom apartment to rent in riverside under two thousand a month",
        "are the schools good there",
        "who lives in that area",
        "can i visit on friday",
        "the first one",
        "{name}",
        "bye",
    ],
    &[
        "{remark} and i want to buy a townhouse",
        "in zilker please",
        "tell me more about it",
        "can i talk to a person about a mortgage",
    ],
    &[
        "this is {name} {remark} what areas do you have homes in",
        "riverside up to four hundred thousand",
        "are there many families there",
        "something cheaper",
        "can you call me back tomorrow morning",
        "no thanks goodbye",
    ],
    &[
        "i need to move my viewing {remark}",
        "friday at eleven",
        "can i leave a message",
        "please have the keys ready",
        "it's {name}",
        "goodbye",
    ],
];

/// Everything that was said and done, with the caller's name taken out.
fn transcript(dialogue: &[&str], caller: &Caller) -> (Vec<String>, Vec<(String, Value)>) {
    let mut talk = Talk::with_errands();
    for line in dialogue {
        if talk.ended {
            break;
        }
        let text = line.replace("{name}", caller.name).replace("{remark}", caller.remark);
        talk.say(text.split_whitespace().collect::<Vec<_>>().join(" ").as_str());
    }
    let nameless = |text: &str| {
        let full = title(caller.name);
        let first = full.split(' ').next().unwrap_or_default().to_owned();
        text.replace(&full, "NAME").replace(&first, "NAME")
    };
    let said = talk.said.iter().map(|text| nameless(text)).collect();
    let log = talk
        .host
        .log
        .iter()
        .map(|(tool, arguments)| {
            (tool.clone(), serde_json::from_str(&nameless(&arguments.to_string())).unwrap())
        })
        .collect();
    (said, log)
}

fn title(name: &str) -> String {
    let capital = |word: &str| format!("{}{}", word[..1].to_uppercase(), &word[1..]);
    name.split(' ').map(capital).collect::<Vec<_>>().join(" ")
}

#[test]
fn callers_who_differ_only_in_a_protected_trait_get_the_same_words_tools_and_homes() {
    let mut differences = Vec::new();
    for (number, dialogue) in DIALOGUES.iter().enumerate() {
        for (differs, one, other) in &PAIRS {
            let (first, second) = (transcript(dialogue, one), transcript(dialogue, other));
            if first != second {
                differences.push((number, differs, first, second));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_dialogues_of_the_pairs_come_to_something() {
    let (_, first) = transcript(DIALOGUES[0], &PAIRS[0].1);
    assert!(first.iter().any(|(tool, _)| tool == "book_viewing"), "{first:?}");
    let (_, third) = transcript(DIALOGUES[2], &PAIRS[0].1);
    assert!(third.iter().any(|(tool, _)| tool == "transfer_to_human"), "{third:?}");
    let (_, fourth) = transcript(DIALOGUES[3], &PAIRS[0].1);
    assert!(fourth.iter().any(|(tool, _)| tool == "request_callback"), "{fourth:?}");
    let (_, fifth) = transcript(DIALOGUES[4], &PAIRS[0].1);
    assert!(fifth.iter().any(|(tool, _)| tool == "take_message"), "{fifth:?}");
}

#[test]
fn questions_about_people_get_one_answer_whoever_and_however_asked() {
    let questions = [
        "is it safe there",
        "is there a lot of crime",
        "who lives there",
        "what kind of people live in riverside",
        "are there many muslims there",
        "are there many black families in the area",
        "is it mostly white",
        "is it good for families",
        "is it suitable for children",
        "are the schools good",
        "how are the schools",
        "what is the school district like",
        "is it a good neighborhood for a single woman",
        "are there a lot of immigrants",
        "is there a synagogue and are there other jewish people",
    ];
    let mut answers = std::collections::BTreeSet::new();
    for question in questions {
        let mut talk = Talk::all(&["i'm looking for a townhouse in zilker"]);
        answers.insert(talk.say(question));
    }
    assert_eq!(answers.len(), 1, "{answers:#?}");
    let answer = answers.first().unwrap();
    assert!(answer.starts_with("I can't judge that.") && answer.contains("publish"), "{answer}");
    assert!(answer.contains("facts about the homes") && answer.ends_with('?'), "{answer}");
}

#[test]
fn what_callers_say_of_themselves_is_no_question_about_others() {
    for remark in [
        "i'm muslim",
        "we have children",
        "i'm an immigrant",
        "we go to church",
        "i'm black",
        "i'm jewish",
        "my family is hispanic",
    ] {
        let talk = Talk::all(&[&format!("{remark} and i'm looking for a townhouse in zilker")]);
        assert!(!talk.last().contains("judge") && talk.last().contains("Ashby"), "{remark}: {}", talk.last());
    }
}
