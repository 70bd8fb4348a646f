//! Conversations that callers take in turn when many call: short and long, to the point and not, with and without a
//! booking, so that a measurement is not that of one sentence.

use seiketsu_carrier::{Script, ScriptLine};

/// A conversation that books a viewing, for those who just want to hear one.
const FIRST_CALL: [&str; 5] = [
    "hi i am looking for a three bedroom house to buy",
    "the first one please book me the earliest time you have tomorrow",
    "my name is jordan lee",
    "no that is all thank you",
    "goodbye",
];

const MANY: [&[&str]; 12] = [
    &FIRST_CALL,
    &[
        "hello",
        "i would like to buy a house",
        "what is the first one like",
        "how much is it",
        "thank you goodbye",
    ],
    &[
        "do you have apartments to rent",
        "up to two thousand dollars a month",
        "does it have parking",
        "and are pets allowed",
        "i will think about it thanks bye",
    ],
    &[
        "are you a robot",
        "okay what condos do you have",
        "tell me more about the second one",
        "no thank you goodbye",
    ],
    &[
        "i am looking for something with two bedrooms",
        "to buy",
        "is there anything cheaper",
        "when could i see the first one",
        "friday at eleven",
        "my name is sam brown",
        "no that is everything goodbye",
    ],
    &["what houses do you have for sale", "do you have anything else", "no thank you goodbye"],
    &[
        "hi i want to see a house next monday",
        "a three bedroom house",
        "the first one",
        "two thirty in the afternoon",
        "it is anna miller",
        "thank you goodbye",
    ],
    &[
        "i would like to rent a condo",
        "with one bedroom",
        "how big is it",
        "what does it cost",
        "thanks that is all bye",
    ],
    &["what are your opening hours", "i am looking for a townhouse to buy", "thank you goodbye"],
    &[
        "good morning",
        "i want to buy a home for less than five hundred thousand",
        "the first one sounds good",
        "tomorrow at ten",
        "my name is chris taylor",
        "no goodbye",
    ],
    &[
        "who am i speaking with",
        "do you have houses with a garden",
        "how much is the first one",
        "okay goodbye",
    ],
    &[
        "sorry i did not catch that",
        "i am looking for a four bedroom house to buy",
        "is it still free",
        "no thanks goodbye",
    ],
];

fn script(lines: &[&str]) -> Script {
    Script::of(lines.iter().map(|line| ScriptLine::Say((*line).to_owned())).collect())
}

/// What one caller says who was told nothing.
pub(super) fn one() -> Script {
    script(&FIRST_CALL)
}

/// What many callers say who were told nothing.
pub(super) fn many() -> Vec<Script> {
    MANY.iter().map(|lines| script(lines)).collect()
}
