//! Which codes go into which slot.
//!
//! Slots lie on a grid of 100 ms from the first active sample. Text goes as late as possible, but before the end of
//! its word; what does not fit goes earlier; what does not fit there either goes later, into pauses, and at last
//! beyond the end of the speech. Nothing is dropped.

use super::activity::{Activity, PART_SAMPLES};
use super::alphabet::{self, END, FILL, SPACE, START, TextCheck};
use super::modem::{PULSE_REACH, SYMBOL_SAMPLES};
use super::packet::{NUMBERS, Packet};
use super::words::TimedWord;
use super::{CODES_PER_SLOT, SAMPLE_RATE_HZ, SLOT_SAMPLES};

const PARTS_PER_SLOT: usize = SLOT_SAMPLES / PART_SAMPLES;
/// A slot is on from so many active parts on: the carrier may end before the speech, never long after it.
const PARTS_FOR_ON: usize = 6;
/// Room before the first slot for the reference symbol and its pulse, in whole parts.
const LEAD_PARTS: usize = (SYMBOL_SAMPLES + PULSE_REACH).div_ceil(PART_SAMPLES);

/// Consecutive packets without a pause between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    /// Sample of the first packet's first symbol.
    pub(super) start: usize,
    pub(super) packets: Vec<Packet>,
}

/// Plans the packets of one utterance; nothing when there are no words.
pub(super) fn plan(activity: &Activity, words: &[TimedWord]) -> Vec<Run> {
    let origin_part = activity.first().unwrap_or(0).max(LEAD_PARTS);
    let origin = origin_part * PART_SAMPLES;
    let units = units_of(words, origin);
    if units.is_empty() {
        return Vec::new();
    }
    let slots = activity.len().saturating_sub(origin_part).div_ceil(PARTS_PER_SLOT);
    let gated: Vec<usize> = (0..slots)
        .filter(|slot| {
            activity.active_among(origin_part + slot * PARTS_PER_SLOT, PARTS_PER_SLOT) >= PARTS_FOR_ON
        })
        .collect();
    let mut filled = place(&units, &gated);
    if filled.len() > gated.len()
        && let Some(&last) = gated.last()
    {
        filled = place(&units, &(0..=last).collect::<Vec<_>>()); // too much text: the pauses are used as well
    }
    into_runs(&filled, origin)
}

/// Codes that must share a packet, and the last slot in which they are in time.
#[derive(Debug, Clone, Copy)]
struct Unit {
    codes: [u8; CODES_PER_SLOT],
    len: usize,
    due_slot: usize,
}

/// START, the words with a space between, END with its check codes.
fn units_of(words: &[TimedWord], origin: usize) -> Vec<Unit> {
    let texts: Vec<(String, usize)> = words
        .iter()
        .map(|word| (alphabet::normalise_text(&word.text), due_slot(word.end_ms, origin)))
        .filter(|(text, _)| !text.is_empty())
        .collect();
    if texts.is_empty() {
        return Vec::new();
    }
    let mut units = vec![Unit { codes: [START, FILL, FILL], len: 1, due_slot: 0 }];
    let mut check = TextCheck::new();
    for (index, (text, due_slot)) in texts.iter().enumerate() {
        // The space behind a word is what finishes it, so it is due with the word.
        let finish = (index + 1 < texts.len()).then_some(' ');
        for character in text.chars().chain(finish) {
            let ([first, second], len) = alphabet::codes_of(character);
            check.add(first);
            if len == 2 {
                check.add(second);
            }
            debug_assert!(character != ' ' || first == SPACE, "only spaces are neither letters nor digits");
            units.push(Unit { codes: [first, second, FILL], len, due_slot: *due_slot });
        }
    }
    let [high, low] = check.codes();
    units.push(Unit { codes: [END, high, low], len: 3, due_slot: usize::MAX });
    units
}

/// The slot whose end is nearest to the end of the word.
fn due_slot(end_ms: u32, origin: usize) -> usize {
    let end = end_ms as usize * (SAMPLE_RATE_HZ as usize / 1_000);
    ((end + SLOT_SAMPLES / 2).saturating_sub(origin) / SLOT_SAMPLES).saturating_sub(1)
}

/// A slot of the grid and what it carries.
type Filled = (usize, [u8; CODES_PER_SLOT]);

/// Fills the given slots; goes on behind the last where they do not suffice. END is in the last one.
fn place(units: &[Unit], slots: &[usize]) -> Vec<Filled> {
    // Backwards: as late as is in time.
    let mut latest = vec![0; units.len()];
    let (mut at, mut used) = (slots.len(), CODES_PER_SLOT);
    for (unit, latest) in units.iter().zip(&mut latest).rev() {
        let due = slots.partition_point(|&slot| slot <= unit.due_slot).saturating_sub(1);
        if due < at {
            (at, used) = (due, 0);
        }
        if used + unit.len > CODES_PER_SLOT {
            if at == 0 {
                break; // more text than time before it: the rest starts at the first slot
            }
            (at, used) = (at - 1, 0);
        }
        used += unit.len;
        *latest = at;
    }
    if let Some(start) = latest.first_mut() {
        *start = 0; // START names the beginning of the speech
    }
    // Forwards: not before that, and never two in one place.
    let nth = |index: usize| match slots.get(index) {
        Some(&slot) => slot,
        None => slots.last().map_or(index, |last| last + 1 + index - slots.len()),
    };
    let mut filled: Vec<Filled> = slots.iter().map(|&slot| (slot, [FILL; CODES_PER_SLOT])).collect();
    let (mut at, mut used) = (0, 0);
    for (unit, &latest) in units.iter().zip(&latest) {
        if latest > at {
            (at, used) = (latest, 0);
        }
        if used + unit.len > CODES_PER_SLOT {
            (at, used) = (at + 1, 0);
        }
        while filled.len() <= at {
            filled.push((nth(filled.len()), [FILL; CODES_PER_SLOT]));
        }
        filled[at].1[used..used + unit.len].copy_from_slice(&unit.codes[..unit.len]);
        used += unit.len;
    }
    filled
}

fn into_runs(filled: &[Filled], origin: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, &(slot, codes)) in filled.iter().enumerate() {
        let continues = index.checked_sub(1).is_some_and(|before| filled[before].0 + 1 == slot);
        let last_of_run = filled.get(index + 1).is_none_or(|next| next.0 != slot + 1);
        let packet = Packet { last_of_run, number: (index % usize::from(NUMBERS)) as u8, codes };
        match runs.last_mut() {
            Some(run) if continues => run.packets.push(packet),
            _ => runs.push(Run { start: origin + slot * SLOT_SAMPLES, packets: vec![packet] }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(parts: &[(bool, usize)]) -> Activity {
        let samples: Vec<f32> = parts
            .iter()
            .flat_map(|&(on, len)| vec![if on { 1_000.0 } else { 0.0 }; len * PART_SAMPLES])
            .collect();
        Activity::of(&samples)
    }

    fn word(text: &str, end_ms: u32) -> TimedWord {
        TimedWord { text: text.into(), start_ms: 0, end_ms }
    }

    /// (slot start in ms, codes as text) of every packet that carries something.
    fn carried(runs: &[Run]) -> Vec<(usize, String)> {
        let show = |code: &u8| match *code {
            START => "<".to_owned(),
            SPACE => "_".to_owned(),
            code => alphabet::letter_of(code).map_or_else(|| format!("[{code}]"), String::from),
        };
        runs.iter()
            .flat_map(|run| {
                run.packets.iter().enumerate().map(|(i, packet)| (run.start + i * SLOT_SAMPLES, packet))
            })
            .filter(|(_, packet)| packet.codes != [FILL; 3])
            .map(|(start, packet)| {
                let codes: String = match packet.codes {
                    [END, ..] => ">".into(),
                    codes => codes.iter().filter(|&&code| code != FILL).map(show).collect(),
                };
                (start / 8, codes)
            })
            .collect()
    }

    #[test]
    fn words_finish_in_the_slot_that_ends_with_them() {
        let activity = speech(&[(false, 10), (true, 100)]);
        let runs = plan(&activity, &[word("so", 500), word("far", 900)]);
        let expected = [(100, "<"), (400, "so_"), (800, "far"), (1_000, ">")];
        assert_eq!(carried(&runs), expected.map(|(at, text)| (at, text.to_owned())));
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0].packets.len(), 10);
        assert!(runs[0].packets[9].last_of_run && !runs[0].packets[8].last_of_run);
    }

    #[test]
    fn what_does_not_fit_before_its_words_end_goes_earlier() {
        let runs = plan(&speech(&[(true, 100)]), &[word("ab", 400), word("lengthy", 600)]);
        let expected = [(20, "<"), (220, "a"), (320, "b_l"), (420, "eng"), (520, "thy"), (920, ">")];
        assert_eq!(carried(&runs), expected.map(|(at, text)| (at, text.to_owned())));
    }

    #[test]
    fn pauses_carry_nothing_and_packets_are_numbered_across_them() {
        let activity = speech(&[(true, 40), (false, 60), (true, 40)]);
        let runs = plan(&activity, &[word("yes", 400), word("sir", 1_400)]);
        assert_eq!(runs.len(), 2);
        let numbers: Vec<u8> = runs.iter().flat_map(|run| &run.packets).map(|packet| packet.number).collect();
        assert_eq!(numbers, (0..numbers.len() as u8).collect::<Vec<_>>());
        assert!(runs.iter().all(|run| run.packets.last().unwrap().last_of_run));
    }

    #[test]
    fn too_much_text_uses_the_pauses_and_then_lengthens_the_audio() {
        let activity = speech(&[(true, 40), (false, 60), (true, 40)]);
        let text = "abcdefghijklmnopqrstuvwxyz".repeat(3);
        let runs = plan(&activity, &[word(&text[..40], 400), word(&text[40..], 1_400)]);
        let sent: String = carried(&runs).into_iter().map(|(_, codes)| codes).collect();
        assert_eq!(sent, format!("<{}_{}>", &text[..40], &text[40..]));
        assert_eq!(runs.len(), 1);
        assert!(runs[0].packets.len() * 800 > 140 * PART_SAMPLES);
    }

    #[test]
    fn digits_are_never_split_over_packets() {
        let runs = plan(&speech(&[(true, 200)]), &[word("1234567", 1_500)]);
        for packet in runs.iter().flat_map(|run| &run.packets) {
            assert_ne!(packet.codes[2], alphabet::ESCAPE);
        }
    }

    #[test]
    fn silence_still_carries_its_words_and_no_words_need_no_carrier() {
        assert_eq!(carried(&plan(&speech(&[(false, 5)]), &[word("hi", 10)])).len(), 2);
        assert!(plan(&speech(&[(true, 50)]), &[]).is_empty());
        assert!(plan(&speech(&[(true, 50)]), &[word("--", 100)]).is_empty());
    }
}
