//! Words with their times.

use super::activity::{Activity, PART_SAMPLES};

/// A word and when it is spoken, in milliseconds from the start of its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimedWord {
    /// As written; normalised when it is embedded.
    pub text: String,
    /// Where it begins.
    pub start_ms: u32,
    /// Where it ends.
    pub end_ms: u32,
}

/// Word times for a voice that tells none: time of active speech shared out by letters.
///
/// `speech` is the voice's audio of `text` at 8 kHz. Silence (pauses of 200 ms and more, head and tail) belongs to no
/// word. Digits count as four letters, because they are spoken as words. Tokens are those between white space.
pub fn estimate_word_times(text: &str, speech: &[i16]) -> Vec<TimedWord> {
    let activity = Activity::of(&speech.iter().map(|&sample| f32::from(sample)).collect::<Vec<_>>());
    let mut active_parts: Vec<usize> = activity.active_indices().collect();
    if active_parts.is_empty() {
        active_parts = (0..speech.len().div_ceil(PART_SAMPLES)).collect(); // silence: share out what there is
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let total: usize = words.iter().map(|word| weight(word)).sum();
    let ms_at = |weight_before: usize, end: bool| -> u32 {
        if active_parts.is_empty() || total == 0 {
            return 0;
        }
        // Position on the axis of active time, back to real time; an end belongs to the part before it.
        let position = weight_before as f64 / total as f64 * active_parts.len() as f64;
        let index =
            if end { position.ceil() as usize - 1 } else { position as usize }.min(active_parts.len() - 1);
        let within = (position - index as f64).clamp(0.0, 1.0);
        ((active_parts[index] as f64 + within) * PART_MS).round() as u32
    };
    let mut before = 0;
    words
        .into_iter()
        .map(|word| {
            let start_ms = ms_at(before, false);
            before += weight(word);
            TimedWord { text: word.to_owned(), start_ms, end_ms: ms_at(before, true) }
        })
        .collect()
}

const PART_MS: f64 = 10.0;

fn weight(word: &str) -> usize {
    1 + word
        .chars()
        .map(|character| match character {
            digit if digit.is_ascii_digit() => 4,
            letter if letter.is_alphanumeric() => 1,
            _ => 0,
        })
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8 kHz, true = 100 ms of tone, false = 100 ms of silence.
    fn pattern(parts: &[bool]) -> Vec<i16> {
        parts
            .iter()
            .flat_map(|&on| {
                (0..800).map(move |n| if on { ((n as f32 * 0.7).sin() * 5_000.0) as i16 } else { 0 })
            })
            .collect()
    }

    #[test]
    fn words_share_the_active_time_by_letters() {
        let words = estimate_word_times("one three", &pattern(&[true; 10]));
        // weights 4 and 6 of 1,000 ms
        assert_eq!((words[0].start_ms, words[0].end_ms), (0, 400));
        assert_eq!((words[1].start_ms, words[1].end_ms), (400, 1_000));
    }

    #[test]
    fn pauses_belong_to_no_word() {
        let mut parts = vec![false; 2];
        parts.extend([true; 4]);
        parts.extend([false; 5]);
        parts.extend([true; 4]);
        parts.extend([false; 3]);
        let words = estimate_word_times("yes, sure", &pattern(&parts));
        assert_eq!(words.len(), 2);
        assert!(words[0].start_ms == 200 && words[0].end_ms < 600);
        assert!(words[1].start_ms < 600 && words[1].end_ms == 1_500);
    }

    #[test]
    fn no_words_and_no_audio_are_no_trouble() {
        assert!(estimate_word_times("  ", &pattern(&[true])).is_empty());
        assert_eq!(estimate_word_times("hm", &[]), [TimedWord { text: "hm".into(), start_ms: 0, end_ms: 0 }]);
        assert_eq!(estimate_word_times("hm", &[0; 1_600])[0].end_ms, 200);
    }
}
