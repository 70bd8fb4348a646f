//! Telephone audio as plain samples, for vendors that take nothing else.
//!
//! Source: ITU-T G.711. This crate knows no more of sound than this; whoever converts in earnest uses the `audio` crate.

use seiketsu_domain::AudioFormat;

/// The samples of some audio, signed 16-bit little-endian at the rate of its format. Half a sample at its end is left
/// out.
pub(crate) fn to_pcm(format: AudioFormat, audio: &[u8]) -> Vec<u8> {
    match format {
        AudioFormat::Mulaw8k => audio.iter().flat_map(|&code| mulaw(code).to_le_bytes()).collect(),
        AudioFormat::Alaw8k => audio.iter().flat_map(|&code| alaw(code).to_le_bytes()).collect(),
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => audio[..audio.len() & !1].to_vec(),
    }
}

/// The byte of which silence consists.
pub(crate) const fn silence(format: AudioFormat) -> u8 {
    match format {
        AudioFormat::Mulaw8k => 0xff,
        AudioFormat::Alaw8k => 0xd5,
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => 0,
    }
}

const fn mulaw(code: u8) -> i16 {
    const BIAS: i16 = 132;
    let code = !code;
    let magnitude = ((((code & 0x0f) as i16) << 3) + BIAS) << ((code & 0x70) >> 4);
    if code & 0x80 == 0 { magnitude - BIAS } else { BIAS - magnitude }
}

const fn alaw(code: u8) -> i16 {
    let code = code ^ 0x55;
    let step = ((code & 0x0f) as i16) << 4;
    let magnitude = match (code & 0x70) >> 4 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_mean_what_the_recommendation_says() {
        assert_eq!([0x00, 0x80, 0x7f, 0xff, 0x8f].map(mulaw), [-32_124, 32_124, 0, 0, 16_764]);
        assert_eq!([0x2a, 0xaa, 0x55, 0xd5].map(alaw), [-32_256, 32_256, -8, 8]);
    }

    #[test]
    fn louder_codes_are_louder_samples() {
        // Codes of one sign run from loud to quiet in mu-law, and from quiet to loud in A-law once the mask is off.
        assert!((0x80..=0xff_u8).map(mulaw).is_sorted_by(|a, b| a > b));
        assert!((0x80..=0xff_u8).map(|code| alaw(code ^ 0x55)).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn each_format_becomes_samples_and_its_silence_stays_silent() {
        for format in [AudioFormat::Mulaw8k, AudioFormat::Alaw8k, AudioFormat::Pcm16k, AudioFormat::Pcm24k] {
            let pcm = to_pcm(format, &[silence(format); 161]);
            assert_eq!(pcm.len() % 2, 0);
            assert!(pcm.chunks(2).all(|pair| i16::from_le_bytes([pair[0], pair[1]]).abs() <= 8));
        }
        assert_eq!(to_pcm(AudioFormat::Pcm16k, &[1, 2, 3]), [1, 2]);
    }
}
