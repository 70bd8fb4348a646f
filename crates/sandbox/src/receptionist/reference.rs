//! Which home is meant: by address, by place in a list, or by what sets it apart.

use super::{
    heard::{Act, Facet, Heard, Kind},
    listing::{Listing, street_word},
    moves::Asked,
    numbers::{house_number_to_words, ordinal_at, small_at},
    tokens::Tokens,
    understand::Context,
    vocabulary::{is_common, is_plain_street_suffix, is_soft_street_suffix, is_street_suffix},
};
use std::ops::Range;

/// An address: of a home that tools have named, or else a street to look for.
pub(super) fn address(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    let mut found: Vec<(&Listing, Range<usize>, Rank)> = Vec::new();
    for listing in context.listings.values() {
        let offered = context.presented.contains(&listing.id);
        if let Some((range, full)) = street_in(tokens, listing, offered) {
            let (range, number_said) = with_number(tokens, listing, range);
            found.push((listing, range, Rank { number_said, full, offered }));
        }
    }
    if let Some((listing, range, _)) =
        found.iter().max_by_key(|(_, range, rank)| (*rank, std::cmp::Reverse(range.start)))
    {
        heard.choice = Some(listing.id.clone());
        tokens.claim(range.clone());
        return;
    }
    if let Some(range) = unknown_street(tokens) {
        let words: Vec<&str> = range.clone().map(|at| tokens.word(at)).collect();
        heard.street = Some(words.join(" "));
        let from = number_before(tokens, range.start);
        tokens.claim(from..range.end);
    }
}

/// What makes one match better than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    number_said: bool,
    full: bool,
    offered: bool,
}

/// Where the street of this home is named, and whether in full.
fn street_in(tokens: &Tokens, listing: &Listing, offered: bool) -> Option<(Range<usize>, bool)> {
    let street = listing.street_words();
    if street.is_empty() {
        return None;
    }
    if let Some(range) = words_in(tokens, &street) {
        return Some((range, true));
    }
    let head = match street.split_last() {
        Some((last, head)) if is_street_suffix(last) && !head.is_empty() => head,
        Some(_) | None => return None,
    };
    // A street called by half its name must be unmistakable, or among the homes just offered.
    let distinct = head.iter().any(|word| !is_common(word));
    (distinct || offered).then(|| words_in(tokens, head)).flatten().map(|range| (range, false))
}

fn words_in(tokens: &Tokens, words: &[String]) -> Option<Range<usize>> {
    (0..tokens.len()).find_map(|start| {
        let mut at = start;
        let mut rest = words;
        while !rest.is_empty() {
            let said = street_word(tokens.free(at)?);
            rest = rest.strip_prefix(said.as_slice())?;
            at += 1;
        }
        Some(start..at)
    })
}

/// Takes the number of the house in, and says whether it is this home's.
fn with_number(tokens: &Tokens, listing: &Listing, street: Range<usize>) -> (Range<usize>, bool) {
    let from = number_before(tokens, street.start);
    let said: Vec<&str> = (from..street.start).map(|at| tokens.word(at)).collect();
    let said = said.join(" ");
    let matches = listing.house_number().is_some_and(|number| {
        let whole = super::numbers::number_to_words(number);
        said == number.to_string()
            || said == house_number_to_words(number)
            || said == whole
            || said.replace(" and", "") == whole
    });
    let end = if is_street_suffix(tokens.word(street.end)) { street.end + 1 } else { street.end };
    (from..end, matches)
}

/// Where the run of number words before a street begins.
fn number_before(tokens: &Tokens, street: usize) -> usize {
    let mut from = street;
    while from > 0 {
        let word = tokens.before(from);
        let numeric = small_at(tokens, from - 1).is_some()
            || matches!(word, "hundred" | "thousand" | "oh")
            || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
        if !numeric || tokens.free(from - 1).is_none() || street - from >= 6 {
            break;
        }
        from -= 1;
    }
    from
}

/// "maple street", "old mill road": words before the ending of a street.
fn unknown_street(tokens: &Tokens) -> Option<Range<usize>> {
    (1..tokens.len()).find_map(|end| {
        let suffix = tokens.free(end)?;
        let soft = is_soft_street_suffix(suffix) && !is_common(tokens.before(end));
        if !soft && !is_plain_street_suffix(suffix) {
            return None;
        }
        let mut from = end;
        while from > 0 && end - from < 2 {
            let word = tokens.free(from - 1)?;
            let ordinal = ordinal_at(tokens, from - 1).is_some();
            let belongs = if from == end { !is_never_street(word) } else { !is_common(word) };
            if !belongs && !ordinal {
                break;
            }
            from -= 1;
        }
        (from < end).then_some(from..end + 1)
    })
}

fn is_never_street(word: &str) -> bool {
    matches!(
        word,
        "the"
            | "a"
            | "that"
            | "this"
            | "which"
            | "what"
            | "on"
            | "in"
            | "my"
            | "your"
            | "same"
            | "to"
            | "i"
            | "test"
            | "quiet"
            | "busy"
            | "could"
            | "can"
            | "main's"
    )
}

/// "the second one", "number two", "the cheaper one", "the last".
pub(super) fn choice(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    if heard.choice.is_some() || context.presented.is_empty() || matches!(context.asked, Asked::Time { .. }) {
        return;
    }
    let offered: Vec<&Listing> = context.offered().collect();
    let pick = |number: usize| offered.get(number).map(|listing| listing.id.clone());
    for at in 0..tokens.len() {
        let by_place = ordinal_at(tokens, at).or_else(|| {
            let lead = tokens.any_at(at, "number, option, listing, choice")?;
            small_at(tokens, at + lead).map(|(number, length)| (number, lead + length))
        });
        if let Some((number, length)) = by_place
            && let Some(id) =
                usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).and_then(pick)
        {
            heard.choice = Some(id);
            tokens.claim(at..at + length);
            return;
        }
    }
    let by_price = || offered.iter().min_by_key(|listing| listing.price).map(|listing| listing.id.clone());
    heard.choice = if tokens.has("the former") {
        pick(0)
    } else if tokens.has("the latter, the last one, last one, the other one, the other") && context.choosing()
    {
        pick(offered.len() - 1)
    } else if context.choosing()
        && tokens.has("the cheaper, the cheapest, cheaper one, cheapest one, less expensive one")
    {
        by_price()
    } else if context.choosing()
        && tokens.has("the bigger, the larger, the biggest, the largest, bigger one, larger one")
    {
        offered.iter().max_by_key(|listing| listing.bedrooms).map(|listing| listing.id.clone())
    } else if context.choosing() && *context.asked == Asked::Which {
        // A bare "one" or "two" as the answer to "which?".
        let only_number = tokens.len() <= 2 && !matches!(tokens.word(0), "at" | "no");
        (0..tokens.len())
            .filter(|_| only_number)
            .find_map(|at| small_at(tokens, at))
            .and_then(|(number, _)| usize::try_from(number).ok()?.checked_sub(1))
            .and_then(pick)
    } else {
        None
    };
    if heard.choice.is_some() {
        let all = 0..tokens.len();
        for at in all.filter(|at| matches!(tokens.word(*at), "one" | "two" | "three")).collect::<Vec<_>>() {
            tokens.claim(at..at + 1);
        }
    }
}

/// "the condo", "the three bedroom one", "the one in Riverside": what sets one of the offered homes apart is a choice,
/// not a new wish.
pub(super) fn described(tokens: &Tokens, context: &Context<'_>, heard: &mut Heard) {
    const POINTING: &str = "\
        bedroom one, bed one, the one, one in, the house, the condo, the apartment, the townhouse, the \
        flat, that house, that condo, that apartment, that townhouse, the town house, room one, house \
        one, condo one";
    if heard.choice.is_some() {
        // "The cheaper one" has been found among those offered.
        heard.acts.remove(&Act::Cheaper);
        heard.acts.remove(&Act::Bigger);
        heard.acts.remove(&Act::More);
        heard.acts.remove(&Act::Indifferent);
        heard.acts.remove(&Act::Either);
        return;
    }
    if !context.choosing() || !tokens.has(POINTING) || heard.facets.contains(&Facet::Kind) {
        return;
    }
    // "The house" is no wish for houses, but it tells a house from a condo.
    let kind = heard.kind.or_else(|| tokens.has("the house, that house, house one").then_some(Kind::House));
    if heard.offer.is_some()
        || heard.max_price.is_some()
        || heard.min_price.is_some()
        || heard.street.is_some()
        || heard.is(Act::More)
    {
        return;
    }
    if kind.is_none() && heard.bedrooms.is_none() && heard.area.is_none() {
        return;
    }
    let mut fitting = context.offered().filter(|listing| {
        kind.is_none_or(|kind| listing.kind == Some(kind))
            && heard.bedrooms.is_none_or(|bedrooms| listing.bedrooms == bedrooms)
            && heard.area.as_ref().is_none_or(|area| area.eq_ignore_ascii_case(&listing.area))
    });
    if let (Some(listing), None) = (fitting.next(), fitting.next()) {
        heard.choice = Some(listing.id.clone());
        (heard.kind, heard.bedrooms, heard.area) = (None, None, None);
    }
}
