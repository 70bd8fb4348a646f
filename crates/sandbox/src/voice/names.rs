//! Which espeak-ng voice stands in for a vendor's voice.

use seiketsu_domain::Language;
use sha2::{Digest, Sha256};

/// Variants of espeak-ng's own voices that stay intelligible over the telephone.
const VARIANTS: [&str; 12] =
    ["", "+f1", "+f2", "+f3", "+f4", "+f5", "+m1", "+m2", "+m3", "+m4", "+m5", "+m7"];

/// Accents of English.
const ENGLISH: [&str; 3] = ["en-us", "en-gb", "en-gb-x-rp"];

/// What the second cast speaks with: none of the first cast sounds like it.
const SECOND_VARIANTS: [&str; 5] = ["+m6", "+m8", "+klatt2", "+klatt3", "+klatt4"];

/// Accents of the second cast.
const SECOND_ENGLISH: [&str; 2] = ["en-gb-scotland", "en-029"];

/// The lowest pitch (espeak-ng's scale is 0 to 99, 50 its default) and how many steps of two there are from it.
const LOWEST_PITCH: u8 = 40;
const PITCH_STEPS: u8 = 13;

/// A voice of espeak-ng.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EspeakVoice {
    name: String,
    pitch: u8,
}

impl EspeakVoice {
    /// The voice that stands in for a vendor's voice (or for a simulated caller, by any name): always the same for the
    /// same id, and another one for almost every other id.
    pub fn of(id: &str, language: Language) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        let pick = |byte: usize, count: usize| usize::from(digest[byte]) % count;
        let base = match language {
            Language::En => ENGLISH[pick(0, ENGLISH.len())],
            Language::Es => "es",
            Language::Zh => "cmn",
        };
        let name = format!("{base}{}", VARIANTS[pick(1, VARIANTS.len())]);
        Self { name, pitch: LOWEST_PITCH + 2 * (digest[2] % PITCH_STEPS) }
    }

    /// The voice of a second vendor, which nobody takes for one of the first: a fallback is to be heard.
    pub fn of_second_cast(id: &str, language: Language) -> Self {
        let digest = Sha256::digest(id.as_bytes());
        let pick = |byte: usize, count: usize| usize::from(digest[byte]) % count;
        let base = match language {
            Language::En => SECOND_ENGLISH[pick(0, SECOND_ENGLISH.len())],
            Language::Es => "es-419",
            Language::Zh => "cmn",
        };
        let name = format!("{base}{}", SECOND_VARIANTS[pick(1, SECOND_VARIANTS.len())]);
        Self { name, pitch: LOWEST_PITCH + 2 * (digest[2] % PITCH_STEPS) }
    }

    /// What espeak-ng's `-v` takes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What espeak-ng's `-p` takes.
    pub fn pitch(&self) -> u8 {
        self.pitch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_id_keeps_its_voice_and_other_ids_get_others() {
        let of = |id: &str| EspeakVoice::of(id, Language::En);
        assert_eq!(of("21m00Tcm4TlvDq8ikWAM"), of("21m00Tcm4TlvDq8ikWAM"));
        let different: HashSet<_> = (0..50).map(|number| of(&format!("voice-{number}"))).collect();
        assert!(different.len() >= 44, "{}", different.len());
    }

    #[test]
    fn the_second_cast_shares_no_voice_with_the_first() {
        for language in [Language::En, Language::Es, Language::Zh] {
            let ids: Vec<String> = (0..200).map(|number| format!("voice-{number}")).collect();
            let names = |of: fn(&str, Language) -> EspeakVoice| -> HashSet<String> {
                ids.iter().map(|id| of(id, language).name).collect()
            };
            let (first, second) = (names(EspeakVoice::of), names(EspeakVoice::of_second_cast));
            assert!(second.len() >= 5 && first.is_disjoint(&second), "{first:?} {second:?}");
        }
    }

    #[test]
    fn each_language_has_its_own_base() {
        assert!(EspeakVoice::of("x", Language::En).name().starts_with("en-"));
        assert!(EspeakVoice::of("x", Language::Es).name().starts_with("es"));
        assert!(EspeakVoice::of("x", Language::Zh).name().starts_with("cmn"));
    }
}
