//! Facts about the caller: name, telephone number, mail address, plans.

use super::{
    acts::is_question,
    email::email_in,
    heard::Heard,
    moves::Asked,
    numbers::{digit_word, small_at},
    tokens::Tokens,
    understand::Context,
    vocabulary::{can_be_family_name, can_be_first_name, ends_name, is_common, title_case},
};

/// Words of a name that are kept.
const MAX_NAME_WORDS: usize = 3;

/// An address of electronic mail.
pub(super) fn email(tokens: &mut Tokens, heard: &mut Heard) {
    if let Some(address) = email_in(tokens) {
        heard.email = Some(address);
    }
}

/// Whom the caller wants to speak to, or to leave a message for: a name, never a kind of person.
pub(super) fn person(tokens: &Tokens, context: &Context<'_>, heard: &mut Heard) {
    const LEADS: &str = "\
        speak to, speak with, talk to, talk with, put me through to, transfer me to, connect me to, connect me with, \
        get me, reach, message for, message to, tell, let, i'm calling for, calling for";
    const ASKED: &str = "to, with, for, please";
    let asked = *context.asked == Asked::Person;
    for at in 0..tokens.len() {
        let lead = tokens.any_at(at, LEADS).or_else(|| asked.then(|| tokens.any_at(at, ASKED)).flatten());
        let Some(length) = lead else { continue };
        let (name, _) = run(tokens, at + length, part_of_name);
        if name.is_some() {
            heard.person = name;
            return;
        }
    }
    if asked {
        let from = (0..tokens.len()).find(|at| tokens.free(*at).is_some_and(part_of_name));
        heard.person = from.and_then(|from| run(tokens, from, part_of_name).0);
    }
}

/// What is to be passed on, where it stands in the same words as the wish: "tell her that the keys are back".
pub(super) fn message(tokens: &Tokens, heard: &mut Heard) {
    const LEADS: &str = "\
        tell them that, tell him that, tell her that, let them know that, let him know that, let her know that, let \
        them know, let him know, let her know, message saying that, message saying, message that, message is that, \
        message is, say that, pass on that";
    // Fewer words are no message.
    const LEAST_WORDS: usize = 3;
    let named = heard.person.is_some().then(|| tokens.find("that, saying")).flatten();
    let Some(found) = tokens.find(LEADS).or(named) else { return };
    if tokens.len() - found.end >= LEAST_WORDS {
        let words: Vec<&str> = (found.end..tokens.len()).map(|at| tokens.word(at)).collect();
        heard.message = Some(words.join(" "));
    }
}

/// A telephone number in digits or words, with "double", "oh" and groups ("five one two, five fifty five…").
pub(super) fn phone(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    if tokens.has(
        "\
        this number, number i'm calling from, number i am calling from, the number i called from, same \
        number, this phone, number you see",
    ) {
        heard.phone = context.caller.map(str::to_owned);
    }
    let mut at = 0;
    while at < tokens.len() {
        let (digits, length) = digits_run(tokens, at);
        if digits.len() >= 10 && digits.len() <= 15 {
            heard.phone = Some(match digits.len() {
                10 => format!("+1{digits}"),
                _ => format!("+{digits}"),
            });
            heard.partial_phone = false;
            tokens.claim(at..at + length);
        } else if digits.len() >= 7 || (digits.len() >= 4 && *context.asked == Asked::Phone) {
            heard.partial_phone = heard.phone.is_none();
            tokens.claim(at..at + length);
        }
        at += length.max(1);
    }
}

fn digits_run(tokens: &Tokens, from: usize) -> (String, usize) {
    let mut digits = String::new();
    let mut at = from;
    while let Some(word) = tokens.free(at).filter(|_| digits.len() < 20) {
        let repeat = match word {
            "double" => 2,
            "triple" => 3,
            _ => 1,
        };
        if repeat > 1 {
            let Some(digit) = tokens.free(at + 1).and_then(digit_word) else { break };
            digits.push_str(&digit.to_string().repeat(repeat));
            at += 2;
        } else if let Some(digit) = digit_word(word) {
            digits.push_str(&digit.to_string());
            at += 1;
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.push_str(word);
            at += 1;
        } else if let Some((value, length)) = small_at(tokens, at).filter(|(value, _)| *value >= 10) {
            digits.push_str(&value.to_string());
            at += length;
        } else if word == "hundred" && !digits.is_empty() {
            digits.push_str("00");
            at += 1;
        } else {
            break;
        }
    }
    (digits, at - from)
}

/// When they want to move, and how they will pay.
pub(super) fn timeline_and_financing(tokens: &mut Tokens, heard: &mut Heard) {
    const WHEN: &[(&str, &str)] = &[
        (
            "now",
            "\
                right away, immediately, as soon as we can move, straight away, move in now, move now",
        ),
        (
            "1_month",
            "\
                in a month, within a month, next month, in one month, within the month, in thirty days, \
                in four weeks",
        ),
        (
            "3_months",
            "\
                three months, couple of months, two months, few months, ninety days, this quarter",
        ),
        ("6_months", "six months, half a year, half year, four months, five months"),
        ("1_year", "next year, a year, one year, twelve months, within the year"),
    ];
    const HOW: &[(&str, &str)] = &[
        (
            "pre_approved",
            "\
                pre approved, preapproved, pre approval, preapproval, already approved, pre qualified",
        ),
        ("cash", "in cash, cash buyer, pay cash, paying cash, all cash, with cash"),
        (
            "needed",
            "\
                need a mortgage, need a loan, need financing, get a mortgage, getting a mortgage, take \
                out a loan, take out a mortgage, need to finance, not pre approved, not preapproved, not \
                approved yet",
        ),
    ];
    for (value, phrases) in WHEN {
        let found =
            tokens.find(phrases).filter(|found| !matches!(tokens.before(found.start), "last" | "a" | "per"));
        if let Some(found) = found.filter(|found| tokens.all_free(found.clone())) {
            heard.timeline = Some(value);
            tokens.claim(found);
        }
    }
    for (value, phrases) in HOW {
        if let Some(found) = tokens.find(phrases) {
            heard.financing = Some(value);
            tokens.claim(found);
        }
    }
}

/// A name after words that announce one: "my name is", "this is", "i'm".
pub(super) fn name(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    const SURE: &str = "\
        my full name is, my name is, the name is, my name's, name is, name's, call me, under the name \
        of, under the name, in the name of, i go by, they call me, it's under";
    const LIKELY: &str = "\
            it's for, it is for, this is for, this is, i'm, i am, you're speaking with, you are speaking with, you're talking to";
    const WHEN_ASKED: &str = "it's, it is, that's, that would be, that'd be, put it under, put, under, for";
    for at in 0..tokens.len() {
        // "Call me back" tells no name.
        let calls = tokens.phrase_at(at, "call me").is_some_and(|length| is_common(tokens.word(at + length)));
        if let Some(length) = tokens.any_at(at, SURE).filter(|_| !calls) {
            let (name, end) = run(tokens, at + length, |word| !ends_name(word));
            if name.is_some() {
                heard.name = name;
                tokens.claim(at..end);
                return;
            }
        }
    }
    let asked = *context.asked == Asked::Name;
    let books =
        tokens.has("book, schedule, reserve, put me down, put us down, sign me up, appointment, viewing");
    for at in 0..tokens.len() {
        let lead = tokens.any_at(at, LIKELY).or_else(|| {
            asked
                .then(|| tokens.any_at(at, WHEN_ASKED))
                .flatten()
                .or_else(|| books.then(|| tokens.any_at(at, "for, under")).flatten())
        });
        let Some(length) = lead else { continue };
        let first = tokens.word(at + length);
        let strange = !is_common(first) || (asked && can_be_first_name(first));
        if !strange || tokens.before(at) == "not" {
            continue;
        }
        let (name, end) = run(tokens, at + length, |word| part_of_name(word) || (word == first && strange));
        if name.is_some() {
            heard.name = name;
            tokens.claim(at..end);
            return;
        }
    }
    // "anna lee speaking", "john here".
    if let Some(found) =
        tokens.find("speaking, here").filter(|found| (1..=MAX_NAME_WORDS).contains(&found.start))
    {
        let (name, end) = run(tokens, 0, part_of_name);
        if name.is_some() && end == found.start {
            heard.name = name;
            tokens.claim(0..found.end);
        }
    }
}

/// Words of a name that no other word announces as one.
fn part_of_name(word: &str) -> bool {
    !ends_name(word) && (!is_common(word) || can_be_family_name(word))
}

/// A name alone, where it was asked for and nothing else was understood.
pub(super) fn bare_name(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    const FILLERS: &str = "yes, yeah, sure, ok, okay, um, uh, oh, well, it's, it, is, that's, my, name, the, of, course, please, \
        thanks, thank, you, sir, madam, and, last, first, would, be, that, under, for, put, so, hi, hello, absolutely, to, me, \
        no, sorry, actually, just, yep, alright";
    if *context.asked != Asked::Name || heard.name.is_some() || is_question(tokens) {
        return;
    }
    let few = tokens.len() <= 3;
    let begins = |word: &str| !ends_name(word) && (!is_common(word) || (few && can_be_first_name(word)));
    let Some(from) = (0..tokens.len()).find(|at| tokens.free(*at).is_some_and(begins)) else { return };
    let (name, end) = run(tokens, from, |word| part_of_name(word) || (few && can_be_first_name(word)));
    // "Purple monkey dishwasher lamp" is no name, and neither is one word of a long sentence.
    let strange = |word: &str| word.len() > 1 && !is_common(word);
    let unknown = (from..tokens.len()).filter(|at| tokens.free(*at).is_some_and(strange)).count();
    let fillers: Vec<&str> = FILLERS.split(", ").collect();
    let beside = |at: &usize| {
        !(from..end).contains(at) && tokens.free(*at).is_some_and(|word| !fillers.contains(&word))
    };
    let others = (0..tokens.len()).filter(beside).count();
    if unknown <= MAX_NAME_WORDS && others <= 2 {
        heard.name = name;
        tokens.claim(from..end);
    }
}

/// Collects the words of a name; letters spelled one by one are put together.
fn run(tokens: &Tokens, from: usize, part_of_name: impl Fn(&str) -> bool) -> (Option<String>, usize) {
    let mut words: Vec<String> = Vec::new();
    let mut at = from;
    while let Some(word) = tokens.free(at) {
        let letters = letters_run(tokens, at);
        if letters >= 3 {
            let spelled: String = (at..at + letters).map(|place| tokens.word(place)).collect();
            if words.last() != Some(&spelled) {
                words.push(spelled);
            }
            at += letters;
            continue;
        }
        let has_digit = word.bytes().any(|byte| byte.is_ascii_digit());
        if words.len() >= MAX_NAME_WORDS || has_digit || word == "$" || !part_of_name(word) {
            break;
        }
        words.push(word.to_owned());
        at += 1;
    }
    words.truncate(MAX_NAME_WORDS);
    let name = title_case(&words.join(" "));
    let plausible = name.chars().filter(|char| char.is_alphabetic()).count() >= 2;
    (plausible.then_some(name), at)
}

fn letters_run(tokens: &Tokens, from: usize) -> usize {
    (from..tokens.len())
        .take_while(|at| tokens.free(*at).is_some_and(|word| word.chars().count() == 1 && word != "$"))
        .count()
}
