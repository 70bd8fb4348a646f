//! Mail addresses as people say and spell them, and back.

use super::{numbers::digit_word, numbers::small_at, tokens::Tokens, vocabulary::is_common};

/// Endings of an address that are taken for one.
const ENDINGS: [&str; 22] = [
    "com", "net", "org", "edu", "gov", "info", "biz", "io", "me", "app", "dev", "us", "co", "example", "es",
    "mx", "cn", "uk", "ca", "de", "fr", "ai",
];
/// Words before the "at" that are looked at.
const MAX_LOCAL_WORDS: usize = 32;
/// Words between the "at" and the ending.
const MAX_DOMAIN_WORDS: usize = 16;

/// "anna dot lee at example dot com", "j o h n at g mail dot com", "john forty two at example dot com".
///
/// Claims the words.
pub(super) fn email_in(tokens: &mut Tokens) -> Option<String> {
    let (at, domain, end) = (1..tokens.len()).find_map(|at| {
        (tokens.word(at) == "at").then(|| domain_at(tokens, at + 1).map(|(domain, end)| (at, domain, end)))?
    })?;
    let (local, from) = local_before(tokens, at)?;
    tokens.claim(from..end);
    Some(format!("{local}@{domain}"))
}

/// An address as it is read back: "anna dot lee at example dot com".
pub(super) fn spoken(
    address: &str,
    symbol: impl Fn(char) -> Option<&'static str>,
    digit: impl Fn(u64) -> String,
) -> String {
    let mut words = String::new();
    for char in address.chars() {
        if let Some(word) = symbol(char) {
            words.push(' ');
            words.push_str(word);
            words.push(' ');
        } else if let Some(value) = char.to_digit(10) {
            words.push(' ');
            words.push_str(&digit(u64::from(value)));
            words.push(' ');
        } else {
            words.push(char);
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The domain that starts here, and where it ends.
fn domain_at(tokens: &Tokens, from: usize) -> Option<(String, usize)> {
    let mut domain = String::new();
    let mut at = from;
    let mut ending = None;
    while at < tokens.len() && at - from < MAX_DOMAIN_WORDS {
        match tokens.word(at) {
            "dot" | "period" if !domain.is_empty() && !domain.ends_with('.') => domain.push('.'),
            "dash" | "hyphen" if !domain.is_empty() => domain.push('-'),
            word if domain.ends_with('.') && ENDINGS.contains(&word) => {
                domain.push_str(word);
                ending = Some((domain.clone(), at + 1));
                // Only another dot goes on: "co dot uk".
                if tokens.word(at + 1) != "dot" {
                    break;
                }
            }
            word if belongs_to_domain(word, &domain) => {
                domain.push_str(word);
            }
            _ => break,
        }
        at += 1;
    }
    ending
}

/// Whether a word goes on with a domain: ordinary words only at its beginning and after a dot, but for "g mail".
fn belongs_to_domain(word: &str, domain: &str) -> bool {
    let begins = domain.is_empty() || domain.ends_with(['.', '-']);
    word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (begins || word.len() == 1 || word == "mail" || !is_common(word))
}

/// What stands before the "at", and where it begins.
fn local_before(tokens: &Tokens, at: usize) -> Option<(String, usize)> {
    const JOINS: [&str; 8] = ["dot", "period", "underscore", "dash", "hyphen", "minus", "plus", "point"];
    let mut end = at;
    // "All one word" is about the address, not of it.
    for remark in ["all one word", "one word", "all together", "in one word"] {
        let length = remark.split(' ').count();
        if end >= length && tokens.phrase_at(end - length, remark).is_some() {
            end -= length;
            break;
        }
    }
    let joined = end < at;
    let mut from = end;
    while from > 0 && end - from < MAX_LOCAL_WORDS {
        let word = tokens.word(from - 1);
        let single = word.chars().count() == 1 || digit_word(word).is_some();
        let number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let tens = small_at(tokens, from - 1).is_some();
        let linked = from < end && JOINS.contains(&tokens.word(from)) || JOINS.contains(&word);
        let last = from == end;
        let next_is_number =
            from < end && (small_at(tokens, from).is_some() || digit_word(tokens.word(from)).is_some());
        let strange = !is_common(word);
        // A single letter before a whole word begins it ("j smith"); a whole word before a letter is not part of it.
        let next_is_word = from < end && tokens.word(from).chars().count() > 1;
        let belongs = match word {
            "a" | "i" | "o" => !next_is_word || linked,
            _ if JOINS.contains(&word) => from < end,
            _ if single || number || tens => true,
            _ => linked || last || (next_is_number && strange) || (joined && strange),
        };
        if !belongs {
            break;
        }
        from -= 1;
    }
    let mut local = String::new();
    let mut place = from;
    while place < end {
        let word = tokens.word(place);
        if let Some((value, length)) = small_at(tokens, place).filter(|_| word.len() > 1) {
            local.push_str(&value.to_string());
            place += length;
            continue;
        }
        match word {
            "dot" | "period" | "point" => local.push('.'),
            "underscore" => local.push('_'),
            "dash" | "hyphen" | "minus" => local.push('-'),
            "plus" => local.push('+'),
            word => local.extend(word.chars().filter(char::is_ascii_alphanumeric)),
        }
        place += 1;
    }
    let local = local.trim_matches('.').to_owned();
    (!local.is_empty()).then_some((local, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_spoken_and_spelled() {
        for (said, address) in [
            ("john at example dot com", "john@example.com"),
            ("it's john at example dot com thanks", "john@example.com"),
            ("my email is anna dot lee at example dot com", "anna.lee@example.com"),
            ("j o h n at example dot com", "john@example.com"),
            ("that's j o h n dot s m i t h at g mail dot com", "john.smith@gmail.com"),
            ("anna underscore lee at my dash mail dot org", "anna_lee@my-mail.org"),
            ("john forty two at example dot com", "john42@example.com"),
            ("john four two at example dot com", "john42@example.com"),
            ("send it to john smith all one word at example dot co dot uk", "johnsmith@example.co.uk"),
            ("anna.lee@example.com", "anna.lee@example.com"),
            ("write to maria plus homes at example dot com please", "maria+homes@example.com"),
        ] {
            assert_eq!(email_in(&mut Tokens::new(said)).as_deref(), Some(address), "{said}");
        }
    }

    #[test]
    fn what_is_no_address_is_not_taken_for_one() {
        for said in [
            "",
            "at",
            "see you at ten",
            "look at maple street",
            "at dot com",
            "at example dot com",
            "john at example",
        ] {
            assert_eq!(email_in(&mut Tokens::new(said)), None, "{said}");
        }
    }
}
