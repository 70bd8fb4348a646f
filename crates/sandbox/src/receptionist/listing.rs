//! A home as the tools described it, and how it is spoken of.

use super::{
    heard::{Kind, Offer},
    numbers::{house_number_to_words, number_to_words, ordinal_to_words},
    tokens::Tokens,
};
use serde_json::Value;

/// Characters of any text from a tool that are kept.
const MAX_TEXT_CHARS: usize = 600;

/// A home.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listing {
    pub(super) id: String,
    pub(super) address: String,
    pub(super) area: String,
    pub(super) price: u64,
    pub(super) bedrooms: u64,
    pub(super) bathrooms: f64,
    pub(super) kind: Option<Kind>,
    pub(super) offer: Offer,
    pub(super) headline: String,
    /// Known once it was asked for.
    pub(super) description: Option<String>,
}

impl Listing {
    /// Reads one from a tool's answer; without an id and an address it is none.
    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(clip);
        let number = |name: &str| value.get(name).and_then(Value::as_f64).filter(|number| *number >= 0.0);
        let id = text("listing").filter(|id| !id.is_empty())?;
        let address = text("address").filter(|address| !address.is_empty())?;
        Some(Self {
            id,
            address,
            area: text("area").unwrap_or_default(),
            price: number("price").unwrap_or_default() as u64,
            bedrooms: number("bedrooms").unwrap_or_default() as u64,
            bathrooms: number("bathrooms").unwrap_or_default(),
            kind: value.get("type").and_then(Value::as_str).and_then(kind_from_word),
            offer: if value.get("offer").and_then(Value::as_str) == Some("rent") {
                Offer::Rent
            } else {
                Offer::Sale
            },
            headline: text("headline").unwrap_or_default(),
            description: text("description"),
        })
    }

    /// "Twelve Maple Street".
    pub(super) fn spoken_address(&self) -> String {
        let words: Vec<String> =
            self.address.split_whitespace().enumerate().map(spoken_address_word).collect();
        capitalise(&words.join(" "))
    }

    /// "Maple Street": the address without its number.
    pub(super) fn spoken_street(&self) -> String {
        street_of(&self.address)
    }

    /// "a three bedroom house".
    pub(super) fn spoken_kind(&self) -> String {
        let kind = self.kind.map_or("home", kind_word);
        match self.bedrooms {
            0 => format!("a studio {kind}"),
            8 | 11 | 18 => format!("an {} bedroom {kind}", number_to_words(self.bedrooms)),
            bedrooms => format!("a {} bedroom {kind}", number_to_words(bedrooms)),
        }
    }

    /// "three bedrooms".
    pub(super) fn spoken_bedrooms(&self) -> String {
        match self.bedrooms {
            0 => "one open room".to_owned(),
            1 => "one bedroom".to_owned(),
            bedrooms => format!("{} bedrooms", number_to_words(bedrooms)),
        }
    }

    /// "two and a half bathrooms".
    pub(super) fn spoken_bathrooms(&self) -> String {
        let whole = self.bathrooms.trunc();
        let half = if self.bathrooms - whole >= 0.25 { " and a half" } else { "" };
        let plural = if self.bathrooms > 1.0 { "s" } else { "" };
        format!("{}{half} bathroom{plural}", number_to_words(whole as u64))
    }

    /// "four hundred fifty thousand dollars", with "a month" for rent.
    pub(super) fn spoken_price(&self) -> String {
        let dollars = number_to_words(self.price);
        match self.offer {
            Offer::Sale => format!("{dollars} dollars"),
            Offer::Rent => format!("{dollars} dollars a month"),
        }
    }

    /// The words of the street, without the number, normalised as speech is.
    pub(super) fn street_words(&self) -> Vec<String> {
        let tokens = Tokens::new(self.address.split(',').next().unwrap_or_default());
        let from = usize::from(tokens.word(0).bytes().all(|byte| byte.is_ascii_digit()));
        (from..tokens.len()).flat_map(|at| street_word(tokens.word(at))).collect()
    }

    /// The number of the house, if the address begins with one.
    pub(super) fn house_number(&self) -> Option<u64> {
        self.address.split_whitespace().next()?.parse().ok()
    }
}

/// An address without the number of the house, as it is spoken.
pub(super) fn street_of(address: &str) -> String {
    let numbered = address.split_whitespace().next().is_some_and(|word| word.parse::<u64>().is_ok());
    let words =
        address.split_whitespace().skip(usize::from(numbered)).map(|word| spoken_address_word((1, word)));
    capitalise(&words.collect::<Vec<_>>().join(" "))
}

/// A word of a street as it is said: `5th` is "fifth", `St` is "street".
pub(super) fn street_word(word: &str) -> Vec<String> {
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    if let Ok(number) = digits.parse::<u64>() {
        let words =
            if digits.len() == word.len() { number_to_words(number) } else { ordinal_to_words(number) };
        return words.split(' ').map(str::to_owned).collect();
    }
    let full = match word {
        "st" => "street",
        "ave" => "avenue",
        "rd" => "road",
        "ln" => "lane",
        "dr" => "drive",
        "ct" => "court",
        "blvd" => "boulevard",
        other => other,
    };
    vec![full.to_owned()]
}

pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::House => "house",
        Kind::Condo => "condo",
        Kind::Townhouse => "townhouse",
        Kind::Apartment => "apartment",
    }
}

fn kind_from_word(word: &str) -> Option<Kind> {
    [Kind::House, Kind::Condo, Kind::Townhouse, Kind::Apartment]
        .into_iter()
        .find(|kind| kind_word(*kind) == word)
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}

fn spoken_address_word((at, word): (usize, &str)) -> String {
    let bare = word.trim_matches(|char: char| !char.is_alphanumeric());
    let digits: String = bare.chars().take_while(char::is_ascii_digit).collect();
    let rest = &bare[digits.len()..];
    match digits.parse::<u64>() {
        Ok(number) if rest.is_empty() && at == 0 => house_number_to_words(number),
        Ok(number) if rest.is_empty() => number_to_words(number),
        Ok(number) if matches!(rest, "st" | "nd" | "rd" | "th") => capitalise(&ordinal_to_words(number)),
        Ok(number) => format!("{} {rest}", house_number_to_words(number)),
        Err(_) => bare.to_owned(),
    }
}

/// The first letter as a capital.
pub(super) fn capitalise(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Text written by people, made fit to be spoken: markup gone, digits as words, cut after whole sentences.
pub(super) fn speakable(text: &str, max_words: usize) -> String {
    let mut spoken = String::new();
    let mut words = 0;
    for sentence in text.split_inclusive(['.', '!', '?']) {
        let said: Vec<String> =
            sentence.split_whitespace().map(speakable_word).filter(|word| !word.is_empty()).collect();
        let count = said.iter().map(|word| word.split(' ').count()).sum::<usize>();
        if said.is_empty() {
            continue;
        }
        if words + count > max_words {
            if words == 0 {
                let cut: Vec<&str> = said.iter().flat_map(|word| word.split(' ')).take(max_words).collect();
                spoken = format!("{}.", cut.join(" ").trim_end_matches([',', '.']));
            }
            break;
        }
        words += count;
        if !spoken.is_empty() {
            spoken.push(' ');
        }
        spoken.push_str(&said.join(" "));
    }
    spoken
}

fn speakable_word(word: &str) -> String {
    let kept: String = word
        .chars()
        .map(|char| if char == '-' || char == '\u{2013}' || char == '/' { ' ' } else { char })
        .filter(|char| char.is_alphanumeric() || matches!(char, '\'' | ' ' | ',' | '.' | '!' | '?'))
        .collect();
    let end: String =
        kept.chars().rev().take_while(|char| matches!(char, ',' | '.' | '!' | '?')).take(1).collect();
    let core = kept.trim_end_matches([',', '.', '!', '?']).replace(',', "");
    let parts = core.split(' ').filter(|part| !part.is_empty()).map(|part| match part.parse::<u64>() {
        Ok(number) => number_to_words(number),
        Err(_) => part.to_owned(),
    });
    let said = parts.collect::<Vec<_>>().join(" ");
    if said.is_empty() { said } else { said + &end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listing(address: &str, price: u64, offer: &str) -> Listing {
        Listing::from_json(
            &json!({"listing": "lst_1", "address": address, "area": "Riverside", "price": price,
            "bedrooms": 3, "bathrooms": 2.5, "type": "house", "offer": offer, "headline": "h"}),
        )
        .unwrap()
    }

    #[test]
    fn a_home_is_described_without_digits() {
        let home = listing("1204 5th Street", 435_000, "sale");
        assert_eq!(home.spoken_address(), "Twelve oh four Fifth Street");
        assert_eq!(home.spoken_kind(), "a three bedroom house");
        assert_eq!(home.spoken_bathrooms(), "two and a half bathrooms");
        assert_eq!(home.spoken_price(), "four hundred thirty five thousand dollars");
        assert_eq!(home.street_words(), ["fifth", "street"]);
        assert_eq!(
            listing("7 Elm Row", 2_100, "rent").spoken_price(),
            "two thousand one hundred dollars a month"
        );
    }

    #[test]
    fn descriptions_are_cut_after_whole_sentences() {
        let text =
            "A *three-bedroom* house of 1,620 square feet. Oak floors run through the hall. The roof is new.";
        assert_eq!(
            speakable(text, 20),
            "A three bedroom house of one thousand six hundred twenty square feet. Oak floors run through the hall."
        );
        assert_eq!(speakable("one two three four five", 3), "one two three.");
        assert_eq!(speakable("", 3), "");
    }

    #[test]
    fn what_lacks_an_id_or_an_address_is_no_listing() {
        for value in [
            json!({}),
            json!({"listing": "lst_1"}),
            json!({"address": "1 A Street"}),
            json!("x"),
            json!(null),
        ] {
            assert_eq!(Listing::from_json(&value), None);
        }
    }
}
