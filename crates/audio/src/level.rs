//! How loud samples are.
//!
//! 0 dBFS is the RMS of a full-scale square wave (32,768), so a full-scale sine is at -3.01 dBFS.

/// Full scale of 16-bit samples.
pub const FULL_SCALE: f32 = 32_768.0;

/// Root mean square in dBFS; negative infinity for silence and for an empty slice.
pub fn rms_dbfs(pcm: &[i16]) -> f32 {
    20.0 * (rms(pcm) / FULL_SCALE).log10()
}

/// Root mean square in sample units; 0 for an empty slice.
pub fn rms(pcm: &[i16]) -> f32 {
    if pcm.is_empty() {
        return 0.0;
    }
    (energy(pcm) as f64 / pcm.len() as f64).sqrt() as f32
}

/// Greatest magnitude, 0 to 32,768.
pub fn peak(pcm: &[i16]) -> u16 {
    pcm.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

/// Samples before the first 5 ms window whose RMS exceeds `threshold_dbfs`; the whole length if none does.
///
/// Windows are disjoint, so the answer is a multiple of 5 ms (or the whole length): no audible window is ever cut,
/// and less than 5 ms of silence is left before the sound.
pub fn leading_silence(pcm: &[i16], rate_hz: u32, threshold_dbfs: f32) -> usize {
    let window = (rate_hz as usize / 200).max(1);
    pcm.chunks(window)
        .position(|part| rms_dbfs(part) > threshold_dbfs)
        .map_or(pcm.len(), |index| index * window)
}

/// Linear factor of a gain in decibels.
pub fn from_db(gain_db: f32) -> f32 {
    10.0f32.powf(gain_db / 20.0)
}

fn energy(pcm: &[i16]) -> u64 {
    pcm.iter().map(|&sample| u64::from(sample.unsigned_abs()).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_scale_square_is_zero_dbfs_and_silence_is_minus_infinity() {
        assert!(rms_dbfs(&[i16::MIN; 80]).abs() < 1e-4);
        assert!((rms_dbfs(&[3_277; 80]) + 20.0).abs() < 0.01);
        assert!(rms_dbfs(&[0; 80]).is_infinite() && rms_dbfs(&[]).is_infinite());
    }

    #[test]
    fn full_scale_sine_is_three_decibels_down() {
        let sine: Vec<i16> =
            (0..8_000).map(|n| ((n as f32 * 0.1 * std::f32::consts::TAU).sin() * 32_767.0) as i16).collect();
        assert!((rms_dbfs(&sine) + 3.01).abs() < 0.02);
    }

    #[test]
    fn peak_counts_the_most_negative_sample() {
        assert_eq!(peak(&[3, i16::MIN, 5]), 32_768);
        assert_eq!(peak(&[]), 0);
    }

    #[test]
    fn leading_silence_ends_at_the_window_where_sound_begins() {
        let mut pcm = vec![2i16; 1_440]; // 180 ms of faint noise
        pcm.extend([900i16; 400]);
        assert_eq!(leading_silence(&pcm, 8_000, -60.0), 1_440);
        assert_eq!(leading_silence(&pcm[..1_000], 8_000, -60.0), 1_000);
        assert_eq!(leading_silence(&[900; 10], 8_000, -60.0), 0);
        assert_eq!(leading_silence(&[], 8_000, -60.0), 0);
    }
}
