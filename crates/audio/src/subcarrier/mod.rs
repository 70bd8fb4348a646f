//! Text in the telephone band: the spoken words, hidden in the top of the audio that speaks them.
//!
//! [`embed`] adds a quiet data carrier at 3,200 Hz to speech; [`Decoder`] reads the words back from the samples, as
//! they come. The sandbox's recogniser therefore hears only what really arrived over its socket, and a test can read
//! what an agent said, and how far. The decoder raises a flag when something happened to the audio on the way; a
//! transcript that is wrong *and* unflagged is a defect of this module.
//!
//! | layer | value |
//! |---|---|
//! | symbols | differential BPSK, 400 baud (20 samples at 8 kHz), root-raised cosine, roll-off 0.35, span 8 symbols |
//! | band | about 2,930 to 3,470 Hz; the speech is low-passed at 2,750 Hz to make room |
//! | level | active speech at -31 dBFS RMS (so that 12 dB of gain clip nothing), carrier 16 dB below |
//! | packet | 100 ms, 40 symbols: sync `1110010`, "last of its run", 5-bit packet number, three 5-bit codes, CRC-12 |
//! | codes | fill, a-z, space, apostrophe, escape (+ digit), START, END (+ two check codes over the whole text) |
//! | gating | on a 100 ms grid from the first active sample, only while speech is active; one reference symbol per run |
//! | schedule | every word as late as possible before its end; text is never dropped, the audio is lengthened first |
//!
//! Why it can be trusted: a packet is accepted at most once per sync peak, only with a right CRC, and only where grid
//! and packet number agree with the one before (or, off the grid, with a neighbour or a very clean signal). Packets
//! are *numbered*, not stamped with their time slot: a run of speech whose packets were lost together would leave a
//! time stamp consistent, but not a number. Bursts of up to twelve symbols cannot pass the CRC, and what passes
//! it by chance (1 in 4,096) still meets the check codes behind END (1 in 1,024).
//!
//! Limits: 30 codes a second; noise beyond 20 dB below the speech, clipping, time-stretching and lossy wide-band
//! codecs are not survived, but noticed. Text is what [`normalise_text`] leaves of it.
//!
//! Sources of the formulae: root-raised cosine and differential detection as in Proakis, *Digital Communications*;
//! generator polynomials CRC-12 0x80F (3GPP TS 25.212) and CRC-10 0x233 (ITU-T I.610).

mod activity;
mod alphabet;
mod decoder;
mod encoder;
mod modem;
mod packet;
mod receiver;
mod schedule;
mod tracker;
mod utterance;
mod words;

pub use alphabet::{has_space_between, in_a_row, is_written_without_spaces, normalise_text, written};
pub use decoder::{Decoder, Event, FlagReason, Reading, read};
pub use encoder::embed;
pub use words::{TimedWord, estimate_word_times};

/// Rate of all audio here.
pub const SAMPLE_RATE_HZ: u32 = 8_000;
/// Centre of the data carrier.
pub const CARRIER_HZ: u32 = 3_200;
/// Length of a packet and pitch of the grid.
pub const SLOT_MS: u32 = 100;
/// Letters, spaces and the like that one packet carries; a digit takes two.
pub const CODES_PER_SLOT: usize = 3;
/// What fits into uninterrupted speech.
pub const TEXT_RATE_CODES_PER_SECOND: u32 = 30;
/// RMS of active speech after [`embed`]; less where its peaks would clip at 12 dB of gain.
pub const SPEECH_DBFS: f32 = -31.0;
/// RMS of the carrier after [`embed`].
pub const CARRIER_DBFS: f32 = SPEECH_DBFS - 16.0;

/// Samples of a slot.
const SLOT_SAMPLES: usize = 800;
