//! Cuts streamed text into phrases a voice can begin with.
//!
//! The first phrase of an answer is short, so that speech begins early; later ones are whole sentences, so that they
//! sound whole.

/// Shortest first phrase that may end at a comma, in characters.
const SHORTEST_CLAUSE: usize = 18;
/// A phrase that grows beyond this is cut where one would breathe, in characters.
const LONGEST: usize = 220;
/// No breath is taken after fewer characters of such a phrase.
const SHORTEST_BREATH: usize = 60;
/// Words before which one breathes, if there is no comma.
const BREATH_BEFORE: [&str; 16] = [
    "and", "or", "but", "because", "which", "where", "so", "with", "y", "o", "pero", "porque", "que",
    "donde", "con", "así",
];
/// Shortest phrase after the first, in characters; shorter sentences are joined with the next.
const SHORTEST_SENTENCE: usize = 30;

/// Words whose full stop does not end a sentence.
const ABBREVIATIONS: [&str; 28] = [
    "st", "ave", "rd", "blvd", "dr", "mr", "mrs", "ms", "apt", "no", "vs", "a.m", "p.m", "e.g", "i.e", "etc",
    "approx", "ln", "ct", "hwy", "av", "avda", "sr", "sra", "dra", "apto", "núm", "aprox",
];

/// Collects text and gives out phrases.
#[derive(Debug, Clone, Default)]
pub struct Phraser {
    pending: String,
    given: usize,
}

impl Phraser {
    /// Takes more text; returns the phrases that are complete now.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut phrases = Vec::new();
        while let Some(end) = self.boundary() {
            let rest = self.pending.split_off(end);
            let phrase = std::mem::replace(&mut self.pending, rest);
            self.give(&phrase, &mut phrases);
        }
        phrases
    }

    /// The text is complete: returns what is left.
    pub fn finish(&mut self) -> Option<String> {
        let mut phrases = Vec::new();
        let rest = std::mem::take(&mut self.pending);
        self.give(&rest, &mut phrases);
        phrases.pop()
    }

    /// Drops the text that is no phrase yet.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    fn give(&mut self, phrase: &str, phrases: &mut Vec<String>) {
        let phrase = phrase.trim();
        if phrase.chars().any(char::is_alphanumeric) {
            self.given += 1;
            phrases.push(phrase.to_owned());
        }
    }

    /// The byte index after the first complete phrase.
    fn boundary(&self) -> Option<usize> {
        let shortest = if self.given == 0 { 0 } else { SHORTEST_SENTENCE };
        let mut count = 0;
        let mut last_space = None;
        let mut characters = self.pending.char_indices().peekable();
        while let Some((at, c)) = characters.next() {
            count += 1;
            let after = at + c.len_utf8();
            let next = characters.peek().map(|(_, next)| *next);
            let before_space = next.is_some_and(char::is_whitespace);
            match c {
                '。' | '！' | '？' if count > shortest / 3 => return Some(after),
                '，' | '；' if self.given == 0 && count >= SHORTEST_CLAUSE / 3 => return Some(after),
                '!' | '?' if before_space && count > shortest => return Some(after),
                '\n' if count > shortest => return Some(after),
                '.' if before_space && count > shortest && !self.is_abbreviation(at) => return Some(after),
                ',' | ';' | ':' if before_space && self.given == 0 && count >= SHORTEST_CLAUSE => {
                    return Some(after);
                }
                _ if c.is_whitespace() => last_space = Some(after),
                _ => {}
            }
            if count > LONGEST {
                return Some(self.breath(after).or(last_space).unwrap_or(after));
            }
        }
        None
    }

    /// Where one would breathe in the first `end` bytes: after the last comma, or before the last word that goes on.
    fn breath(&self, end: usize) -> Option<usize> {
        let from = self.pending.char_indices().nth(SHORTEST_BREATH).map_or(end, |(at, _)| at);
        let text = self.pending.get(..end)?;
        let spaces = text.char_indices().filter(|(at, c)| *at >= from && c.is_whitespace());
        let mut comma = None;
        let mut word = None;
        for (at, space) in spaces {
            let after = at + space.len_utf8();
            if text[..at].ends_with([',', ';', ':', '–', '—']) {
                comma = Some(after);
            }
            let next = text[after..].split_whitespace().next().unwrap_or_default();
            if BREATH_BEFORE.contains(&next.to_lowercase().as_str()) && text.len() > after + next.len() {
                word = Some(after);
            }
        }
        let chinese = text.char_indices().rfind(|(at, c)| *at >= from && matches!(c, '，' | '；' | '、'));
        comma.or(chinese.map(|(at, c)| at + c.len_utf8())).or(word)
    }

    fn is_abbreviation(&self, full_stop: usize) -> bool {
        let word = self.pending[..full_stop].rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = word.trim_start_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
        word.len() == 1 || ABBREVIATIONS.contains(&word.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut phraser = Phraser::default();
        let mut phrases = Vec::new();
        for c in text.chars() {
            phrases.extend(phraser.push(&c.to_string()));
        }
        phrases.extend(phraser.finish());
        phrases
    }

    #[test]
    fn the_first_sentence_is_given_as_soon_as_it_is_complete() {
        assert_eq!(
            cut("Sure. I found a three bedroom house on Maple Street. Would you like to see it?"),
            ["Sure.", "I found a three bedroom house on Maple Street.", "Would you like to see it?"]
        );
    }

    #[test]
    fn a_long_first_sentence_is_begun_at_its_first_clause() {
        assert_eq!(
            cut("On Tuesday the twenty fourth, I have ten or eleven free. Which one?"),
            ["On Tuesday the twenty fourth,", "I have ten or eleven free. Which one?"]
        );
    }

    #[test]
    fn abbreviations_and_decimals_do_not_end_a_phrase() {
        assert_eq!(cut("It is at 12 Maple St. near the park"), ["It is at 12 Maple St. near the park"]);
        assert_eq!(cut("That is 2.5 baths at 10 a.m. on Monday"), ["That is 2.5 baths at 10 a.m. on Monday"]);
    }

    #[test]
    fn no_text_is_lost_however_it_arrives_and_no_phrase_is_endless() {
        let endless = "word ".repeat(200);
        let phrases = cut(&endless);
        assert!(phrases.iter().all(|phrase| phrase.chars().count() <= LONGEST + 1));
        assert_eq!(phrases.join(" "), endless.trim());
        assert_eq!(cut("… --- !!!"), Vec::<String>::new());
    }

    #[test]
    fn a_sentence_without_end_is_cut_where_one_would_breathe() {
        let listing = "The house has four bedrooms and three bathrooms on two floors, a kitchen that was renovated two years \
            ago with new appliances and a large island, a garden that faces south and gets sun all day long and a garage for \
            two cars with room for bicycles";
        let phrases = cut(listing);
        assert_eq!(phrases.join(" "), listing);
        assert!(phrases[..phrases.len() - 1].iter().all(|phrase| phrase.ends_with(',')), "{phrases:#?}");
        let endless = "it is a very nice place to live ".repeat(3) + &"because it is quiet ".repeat(12);
        let phrases = cut(&endless);
        assert!(phrases[1..].iter().all(|phrase| phrase.starts_with("because")), "{phrases:#?}");
    }

    #[test]
    fn chinese_is_cut_at_its_own_marks() {
        assert_eq!(
            cut("好的。我们现在有三套带花园的房子。您想看哪一套？"),
            ["好的。", "我们现在有三套带花园的房子。", "您想看哪一套？"]
        );
    }
}
