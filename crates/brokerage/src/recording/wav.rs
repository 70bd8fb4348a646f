//! The header of a stereo WAV file (RIFF; Microsoft, Multimedia Data Standards Update, 1994).

use super::chunks::sample_bytes;
use bytes::{BufMut, Bytes, BytesMut};
use seiketsu_domain::AudioFormat;

/// Format tags of the standard.
const PCM: u16 = 1;
const ALAW: u16 = 6;
const MULAW: u16 = 7;
/// The header, up to the first sample. `fact` is there for every format, so that its length is.
pub(super) const HEADER_BYTES: usize = 58;

/// The header in front of so many bytes of sound. A file beyond 4 GiB, some 74 hours of telephone, says 4 GiB.
pub(super) fn header(format: AudioFormat, audio_bytes: u64) -> Bytes {
    let tag = match format {
        AudioFormat::Mulaw8k => MULAW,
        AudioFormat::Alaw8k => ALAW,
        AudioFormat::Pcm16k | AudioFormat::Pcm24k => PCM,
    };
    let frame = 2 * sample_bytes(format);
    let length = |bytes: u64| u32::try_from(bytes).unwrap_or(u32::MAX);
    let mut header = BytesMut::with_capacity(HEADER_BYTES);
    header.put_slice(b"RIFF");
    header.put_u32_le(length(audio_bytes + HEADER_BYTES as u64 - 8));
    header.put_slice(b"WAVEfmt ");
    header.put_u32_le(18);
    header.put_u16_le(tag);
    header.put_u16_le(2);
    header.put_u32_le(format.sample_rate_hz());
    header.put_u32_le(format.sample_rate_hz() * frame as u32);
    header.put_u16_le(frame as u16);
    header.put_u16_le(8 * sample_bytes(format) as u16);
    header.put_u16_le(0);
    header.put_slice(b"fact");
    header.put_u32_le(4);
    header.put_u32_le(length(audio_bytes / frame as u64));
    header.put_slice(b"data");
    header.put_u32_le(length(audio_bytes));
    header.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_says_stereo_mu_law_and_how_long_it_is() {
        let header = header(AudioFormat::Mulaw8k, 16_000);
        assert_eq!(header.len(), HEADER_BYTES);
        let u16_at = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let u32_at =
            |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        assert_eq!((&header[..4], &header[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]));
        assert_eq!(u32_at(4), 16_000 + 50);
        assert_eq!((u16_at(20), u16_at(22), u32_at(24), u32_at(28)), (MULAW, 2, 8_000, 16_000));
        assert_eq!((u16_at(32), u16_at(34)), (2, 8));
        assert_eq!((&header[38..42], u32_at(46)), (&b"fact"[..], 8_000));
        assert_eq!((&header[50..54], u32_at(54)), (&b"data"[..], 16_000));
    }

    #[test]
    fn a_recording_beyond_what_the_header_can_say_says_the_most() {
        let header = header(AudioFormat::Pcm24k, u64::from(u32::MAX) + 5);
        assert_eq!(header[54..58], [0xff; 4]);
        assert_eq!(header[20..22], PCM.to_le_bytes());
    }
}
