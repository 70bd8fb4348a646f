//! WAV as a program writes it to a pipe: the sizes in its headers are not to be believed.

/// 16-bit mono samples and their rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wav {
    pub(crate) rate_hz: u32,
    pub(crate) samples: Vec<i16>,
}

/// What is not a WAV that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// No RIFF/WAVE header.
    #[error("not a WAV file")]
    NotWav,
    /// Cut off before the samples.
    #[error("the WAV file ends before its samples")]
    Truncated,
    /// Anything but 16-bit mono PCM.
    #[error("not 16-bit mono PCM (format {format}, {channels} channels, {bits} bits)")]
    Unsupported {
        /// 1 is PCM.
        format: u16,
        /// Channels.
        channels: u16,
        /// Bits per sample.
        bits: u16,
    },
}

/// Reads the chunks that matter; a data chunk that claims more than there is takes what there is.
pub(crate) fn parse(bytes: &[u8]) -> Result<Wav, WavError> {
    let rest = bytes.strip_prefix(b"RIFF").ok_or(WavError::NotWav)?;
    let mut rest = rest.get(4..).and_then(|rest| rest.strip_prefix(b"WAVE")).ok_or(WavError::NotWav)?;
    let mut rate_hz = None;
    loop {
        let (header, body) = rest.split_at_checked(8).ok_or(WavError::Truncated)?;
        let claimed = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let content = &body[..claimed.min(body.len())];
        match (&header[..4], rate_hz) {
            (b"fmt ", _) => rate_hz = Some(parse_format(content)?),
            (b"data", Some(rate_hz)) => {
                let samples =
                    content.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
                return Ok(Wav { rate_hz, samples });
            }
            (_, _) => {}
        }
        // Chunks are padded to an even length.
        rest = body.get(claimed.saturating_add(claimed % 2)..).ok_or(WavError::Truncated)?;
    }
}

fn parse_format(content: &[u8]) -> Result<u32, WavError> {
    let word = |at: usize| Some(u16::from_le_bytes([*content.get(at)?, *content.get(at + 1)?]));
    let fields = || Some((word(0)?, word(2)?, word(4)?, word(6)?, word(14)?));
    let (format, channels, rate_low, rate_high, bits) = fields().ok_or(WavError::Truncated)?;
    if (format, channels, bits) != (1, 1, 16) {
        return Err(WavError::Unsupported { format, channels, bits });
    }
    match u32::from(rate_low) | u32::from(rate_high) << 16 {
        0 => Err(WavError::Unsupported { format, channels, bits }),
        rate_hz => Ok(rate_hz),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wav(channels: u16, data_len: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"RIFF\x24\xf0\xff\x7fWAVEfmt \x10\0\0\0\x01\0".to_vec();
        bytes.extend(channels.to_le_bytes());
        bytes.extend(22_050_u32.to_le_bytes());
        bytes.extend(44_100_u32.to_le_bytes());
        bytes.extend([2, 0, 16, 0]);
        bytes.extend(b"LIST\x03\0\0\0abc\0");
        bytes.extend(b"data");
        bytes.extend(data_len.to_le_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_data_chunk_that_claims_two_gigabytes_gives_what_is_there() {
        let parsed = parse(&wav(1, 0x7fff_f000, &[1, 0, 255, 255, 9])).unwrap();
        assert_eq!(parsed, Wav { rate_hz: 22_050, samples: vec![1, -1] });
    }

    #[test]
    fn stereo_truncated_and_foreign_files_are_told_apart() {
        assert_eq!(
            parse(&wav(2, 4, &[0; 4])),
            Err(WavError::Unsupported { format: 1, channels: 2, bits: 16 })
        );
        assert_eq!(parse(&wav(1, 4, &[])[..40]), Err(WavError::Truncated));
        assert_eq!(parse(b"OggS"), Err(WavError::NotWav));
        assert_eq!(parse(b""), Err(WavError::NotWav));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
            let mut headed = wav(1, 4, &[0; 4]);
            headed.truncate(12);
            headed.extend(bytes);
            let _ = parse(&headed);
        }
    }
}
