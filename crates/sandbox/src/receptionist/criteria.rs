//! Facts about the home that is wanted: price, rooms, kind, offer, area.

use super::{
    heard::{Heard, Kind, Offer, Topic},
    moves::Asked,
    numbers::{Amount, amount_at, small_at},
    tokens::Tokens,
    understand::Context,
    vocabulary::{BEDROOM_WORDS, is_common, title_case},
};

const AT_MOST: &str = "\
    under, below, less than, up to, no more than, not more than, at most, max, maximum, within, budget, \
    afford, spend, pay, cap, ceiling, limit, maximum of, price, upto, not over, not above, nothing over, nothing above, nothing more than";
const ABOUT: &str = "around, about, approximately, roughly, somewhere";
const NOT_MORE: &str =
    "no more than, not more than, not over, not above, nothing over, nothing above, nothing more than";
const AT_LEAST: &str = "over, above, more than, at least, minimum, starting at, upwards of";

/// Prices: a limit above, below, or both.
pub(super) fn prices(
    tokens: &mut Tokens,
    context: &Context<'_>,
    heard: &mut Heard,
    topics: &mut Vec<(usize, Topic)>,
) {
    let rent = context.rent || tokens.has("rent, renting, rental, lease, leasing, a month, per month");
    let of_money = *context.asked == Asked::Budget || tokens.has("budget, price, dollars, spend, afford");
    let mut at = 0;
    while at < tokens.len() {
        if let Some(length) = range(tokens, at, rent, heard) {
            topics.push((at, Topic::Budget));
            tokens.claim(at..at + length);
            at += length;
            continue;
        }
        let Some((amount, length)) = amount_at(tokens, at) else {
            at += 1;
            continue;
        };
        let cue = |cues: &str| (at.saturating_sub(4)..at).any(|from| tokens.any_at(from, cues).is_some());
        let (at_least, at_most, about) = (cue(AT_LEAST) && !cue(NOT_MORE), cue(AT_MOST), cue(ABOUT));
        let counted = is_counted(tokens, at + length);
        // A bare "four fifty" is money only where money is the subject; "around ten" is a time.
        let large_enough = amount.exact || amount.monthly || amount.value >= 100;
        let meant = amount.exact && amount.value >= 300
            || amount.monthly
            || ((at_most || at_least || (about && of_money)) && large_enough)
            || (*context.asked == Asked::Budget && amount.value >= 20);
        if counted || !meant {
            at += 1;
            continue;
        }
        // Nobody buys for less than a month's rent.
        if amount.monthly || (amount.exact && amount.value < 10_000) {
            heard.offer = heard.offer.or(Some(Offer::Rent));
        }
        let dollars = amount.dollars(rent);
        if at_least {
            heard.min_price = Some(dollars);
        } else {
            // "Around" leaves some room above.
            heard.max_price = Some(if about { dollars + dollars / 10 } else { dollars });
        }
        topics.push((at, Topic::Budget));
        tokens.claim(at..at + length);
        at += length;
    }
}

/// "between three hundred and four hundred thousand", "three hundred to four hundred thousand".
fn range(tokens: &Tokens, at: usize, rent: bool, heard: &mut Heard) -> Option<usize> {
    let lead = tokens.any_at(at, "between, from")?;
    // "between three and four hundred thousand": "and" would join both numbers, so the first is read word by word.
    let mut best = None;
    for first_length in 1..=6 {
        let link = at + lead + first_length;
        if !matches!(tokens.word(link), "and" | "to") {
            continue;
        }
        let words: Vec<&str> = (at + lead..link).map(|place| tokens.word(place)).collect();
        let first = Tokens::new(&words.join(" "));
        let Some((low, used)) = amount_at(&first, 0).filter(|(_, used)| *used == first.len()) else {
            continue;
        };
        let Some((high, more)) = amount_at(tokens, link + 1) else { continue };
        best = Some((low, high, lead + used + 1 + more));
        break;
    }
    let (low, high, length) = best?;
    let high_dollars = high.dollars(rent);
    if high_dollars < 300 || is_counted(tokens, at + length) {
        return None;
    }
    let mut low_dollars =
        if high.exact { Amount { exact: true, ..low }.dollars(rent) } else { low.dollars(rent) };
    // The first number leaves out what the second says: hundreds, thousands or both.
    for factor in [1_000, 100] {
        if low_dollars * factor < high_dollars && low_dollars * 20 < high_dollars {
            low_dollars *= factor;
        }
    }
    (heard.min_price, heard.max_price) = (Some(low_dollars.min(high_dollars)), Some(high_dollars));
    Some(length)
}

/// Whether the number before this place counts rooms, days and the like.
fn is_counted(tokens: &Tokens, at: usize) -> bool {
    tokens.any_at(at, BEDROOM_WORDS).is_some()
        || tokens
            .any_at(
                at,
                "\
                    bath, baths, bathroom, bathrooms, square, months, days, weeks, years, a m, p m, am, \
                    pm, o'clock, in the morning, in the afternoon, in the evening",
            )
            .is_some()
}

/// Bedrooms are a fact; bathrooms and square feet are only claimed, the search knows nothing of them.
pub(super) fn rooms(tokens: &mut Tokens, heard: &mut Heard, topics: &mut Vec<(usize, Topic)>) {
    let mut at = 0;
    while at < tokens.len() {
        if matches!(tokens.free(at), Some("studio" | "studios")) {
            heard.bedrooms = Some(0);
            tokens.claim(at..at + 1);
        }
        let Some((value, length)) = small_at(tokens, at).or_else(|| article(tokens, at)) else {
            at += 1;
            continue;
        };
        let mut next = at + length;
        // "three or four bedrooms" asks for at least three.
        if matches!(tokens.word(next), "or" | "to") && small_at(tokens, next + 1).is_some() {
            next += 2;
        }
        next += tokens.any_at(next, "or more, plus, or so, good sized, large, big, more").unwrap_or(0);
        if let Some(words) = tokens.any_at(next, BEDROOM_WORDS) {
            if value <= 12 && !is_question_of_it(tokens, at) {
                heard.bedrooms = Some(value);
                topics.push((at, Topic::Bedrooms));
            }
            tokens.claim(at..next + words);
            next += words;
        } else if let Some(words) =
            tokens.any_at(next, "square feet, square foot, bathrooms, bathroom, baths, bath, car garage")
        {
            tokens.claim(at..next + words);
            next += words;
        }
        at = next.max(at + 1);
    }
}

fn article(tokens: &Tokens, at: usize) -> Option<(u64, usize)> {
    let single = tokens.word(at) == "single" && tokens.free(at).is_some();
    single.then_some((1, 1))
}

/// "Does it have three bedrooms" asks about one home and changes no wish.
fn is_question_of_it(tokens: &Tokens, at: usize) -> bool {
    (at.saturating_sub(4)..at)
        .any(|from| tokens.any_at(from, "does it have, has it got, is it a, does that have").is_some())
}

const KINDS: [(Kind, &str); 4] = [
    (
        Kind::Townhouse,
        "\
            town house, town home, town houses, townhouse, townhouses, townhome, townhomes, row house",
    ),
    (Kind::Condo, "condo, condos, condominium, condominiums"),
    (Kind::Apartment, "apartment, apartments, flat, flats"),
    (Kind::House, "single family home, single family, bungalow, house, houses, cottage, villa"),
];

/// Kind of home, and whether to buy or to rent.
pub(super) fn kind_and_offer(tokens: &mut Tokens, heard: &mut Heard) {
    for at in 0..tokens.len() {
        for (kind, phrases) in KINDS {
            let Some(length) = tokens.any_at(at, phrases).filter(|length| tokens.all_free(at..at + length))
            else {
                continue;
            };
            // "That house" points at one; "a house" tells what is wanted.
            let pointed = matches!(
                tokens.before(at),
                "the"
                    | "that"
                    | "this"
                    | "my"
                    | "our"
                    | "your"
                    | "first"
                    | "second"
                    | "third"
                    | "last"
                    | "other"
                    | "same"
                    | "another"
                    | "open"
                    | "new"
                    | "of"
            );
            let negated = (at.saturating_sub(3)..at)
                .any(|from| tokens.any_at(from, "not a, not an, no, don't want a").is_some())
                && tokens.before(at) != "no";
            let one_of_many = pointed && kind == Kind::House;
            if !negated && !one_of_many {
                heard.kind = Some(kind);
            }
            tokens.claim(at..at + length);
        }
        let price_of_rent = matches!(tokens.before(at), "the" | "what's" | "how");
        match tokens.word(at) {
            "rent" | "lease" if price_of_rent => {}
            "rent" | "renting" | "rental" | "rentals" | "lease" | "leasing" => {
                heard.offer = Some(Offer::Rent);
            }
            "buy" | "buying" | "purchase" | "purchasing" | "buyer" => heard.offer = Some(Offer::Sale),
            "sale" if tokens.before(at) == "for" => heard.offer = Some(Offer::Sale),
            _ => {}
        }
    }
}

/// Words that begin the name of an area although they are ordinary.
const AREA_HEADS: [&str; 10] =
    ["north", "south", "east", "west", "lake", "old", "little", "market", "park", "high"];
/// Words that go on with the name of an area although they are ordinary.
const AREA_TAILS: [&str; 16] = [
    "park", "lake", "point", "square", "side", "north", "south", "east", "west", "town", "city", "garden",
    "market", "hill", "end", "district",
];

/// The area, after a word like "in", before a word like "area", or alone when it was asked for.
pub(super) fn area(tokens: &mut Tokens, context: &Context<'_>, heard: &mut Heard) {
    if let Some((name, at, length)) = known_area(tokens, context) {
        tokens.claim(at..at + length);
        heard.area = Some(name);
        return;
    }
    let mut found = None;
    for at in 0..tokens.len() {
        let Some(length) = tokens.any_at(
            at,
            "\
                in, near, around, by, close to, next to, over in, over by, toward, towards, at",
        ) else {
            continue;
        };
        let skip = tokens.any_at(at + length, "the").unwrap_or(0);
        if tokens.before(at) == "not" {
            continue;
        }
        if let Some(area) = area_run(tokens, at + length + skip) {
            found = Some(area);
        }
    }
    let found = found.or_else(|| before_area_word(tokens)).or_else(|| alone(tokens, context, heard));
    if let Some((from, to)) = found {
        let words: Vec<&str> = (from..to).map(|at| tokens.word(at)).collect();
        heard.area = Some(title_case(&words.join(" ")));
        tokens.claim(from..to);
    }
}

fn known_area(tokens: &Tokens, context: &Context<'_>) -> Option<(String, usize, usize)> {
    let areas =
        context.listings.values().map(|listing| listing.area.as_str()).filter(|area| !area.is_empty());
    let mut named: Vec<(String, usize, usize)> = areas
        .flat_map(|area| {
            let words = Tokens::new(area);
            let length = words.len();
            let stands_at = move |at: &usize| {
                (0..length).all(|offset| tokens.free(at + offset) == Some(words.word(offset)))
            };
            let places = (0..tokens.len()).filter(stands_at).filter(|at| !is_excluded(tokens, *at));
            places.map(|at| (area.to_owned(), at, length)).collect::<Vec<_>>()
        })
        .collect();
    named.sort_by_key(|(_, at, length)| (*at, std::cmp::Reverse(*length)));
    // Of several the first counts, unless the later one corrects it.
    let corrected = named.iter().rposition(|(_, at, _)| {
        (at.saturating_sub(3)..*at)
            .any(|from| tokens.any_at(from, "no, actually, sorry, mean, meant, rather").is_some())
    });
    (!named.is_empty()).then(|| named.swap_remove(corrected.unwrap_or(0)))
}

/// "Not Riverside", "not in Riverside".
fn is_excluded(tokens: &Tokens, at: usize) -> bool {
    let before = tokens.before(at);
    before == "not"
        || (matches!(before, "in" | "near" | "around") && at > 1 && tokens.before(at - 1) == "not")
}

/// The run of words from here that can be the name of an area.
fn area_run(tokens: &Tokens, from: usize) -> Option<(usize, usize)> {
    let first = tokens.free(from)?;
    let next = tokens.free(from + 1).unwrap_or_default();
    let head = AREA_HEADS.contains(&first)
        && (AREA_TAILS.contains(&next)
            || (!next.is_empty() && !is_common(next))
            || matches!(first, "north" | "south" | "east" | "west"));
    if is_common(first) && !head {
        return None;
    }
    let mut to = from + 1;
    while to - from < 3 {
        match tokens.free(to) {
            Some(word) if !is_common(word) || AREA_TAILS.contains(&word) => to += 1,
            Some(_) | None => break,
        }
    }
    Some((from, to))
}

fn before_area_word(tokens: &Tokens) -> Option<(usize, usize)> {
    const AFTER: &str = "\
        area, neighborhood, neighbourhood, district, part of town, side of town, houses, homes, \
        listings, properties, condos, apartments, condo, apartment, house, home, townhouse, townhouses";
    // "Is this Lone Star Homes" names the brokerage.
    if tokens.has("is this, is that, this is") {
        return None;
    }
    (0..tokens.len()).find_map(|at| {
        tokens.any_at(at, AFTER)?;
        let mut from = at;
        while from > 0
            && at - from < 2
            && tokens.free(from - 1).is_some_and(|word| !is_common(word) || AREA_TAILS.contains(&word))
        {
            from -= 1;
        }
        (from < at && area_run(tokens, from).is_some()).then_some((from, at))
    })
}

/// The only words nobody else understood, where an area is what is missing.
fn alone(tokens: &Tokens, context: &Context<'_>, heard: &Heard) -> Option<(usize, usize)> {
    let awaited = matches!(context.asked, Asked::Area)
        || (matches!(context.asked, Asked::Bedrooms | Asked::Budget) && !heard.has_facts());
    let wishes = heard.has_criteria()
        || tokens.has("do you have, have you got, looking, available, listings, search, find");
    let likely = matches!(context.asked, Asked::Open | Asked::Change) && wishes;
    let home_named = heard.street.is_some() || heard.choice.is_some();
    if home_named || (!awaited && !likely) {
        return None;
    }
    let mut runs = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        // Where callers come from is not where they want to live.
        let owned = matches!(
            tokens.before(at),
            "my" | "his" | "her" | "our" | "a" | "an" | "your" | "i'm" | "be" | "very" | "from"
        );
        let owned = owned || (!awaited && tokens.before(at) == "the");
        match area_run(tokens, at) {
            Some((_, to)) if owned || is_excluded(tokens, at) => at = to,
            Some((from, to)) => {
                runs.push((from, to));
                at = to;
            }
            None => at += 1,
        }
    }
    // Many unknown words are noise, not an area.
    let unknown: usize = runs.iter().map(|(from, to)| to - from).sum();
    let one_of_two = runs.len() == 2 && tokens.has("or, and");
    let plausible = unknown <= 3 && (awaited || runs.len() == 1 || one_of_two);
    runs.first().copied().filter(|_| plausible)
}
