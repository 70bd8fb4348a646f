//! Where speech is: in parts of 10 ms, against its own level.

/// Samples of a part.
pub(super) const PART_SAMPLES: usize = 80;
/// A part this far below the level of active speech is silence.
const THRESHOLD_DB: f32 = -32.0;
/// Shorter silences are part of the speech: closures of consonants, not pauses.
const BRIDGED_PARTS: usize = 20;
/// Below this RMS (one step of the 16-bit scale) nothing is speech, whatever its relation to the rest.
const FLOOR_RMS: f32 = 1.0;

/// Which parts of a recording are speech, and how loud they are.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    parts: Vec<bool>,
    rms: f32,
}

impl Activity {
    pub(super) fn of(speech: &[f32]) -> Self {
        let energies: Vec<f32> = speech
            .chunks(PART_SAMPLES)
            .map(|part| part.iter().map(|sample| sample * sample).sum::<f32>() / PART_SAMPLES as f32)
            .collect();
        let relative = 10.0f32.powf(THRESHOLD_DB / 10.0);
        let loudest = energies.iter().copied().fold(0.0, f32::max);
        // First against the loudest part, then against the level found by that.
        let first = mean_above(&energies, loudest * relative);
        let threshold = (first * relative).max(FLOOR_RMS * FLOOR_RMS);
        let mut parts: Vec<bool> = energies.iter().map(|&energy| energy > threshold).collect();
        let level = mean_above(&energies, threshold);
        bridge(&mut parts);
        Self { parts, rms: level.sqrt() }
    }

    /// RMS of the active parts, 0 when there are none.
    pub(super) fn rms(&self) -> f32 {
        self.rms
    }

    /// Index of the first active part.
    pub(super) fn first(&self) -> Option<usize> {
        self.parts.iter().position(|&active| active)
    }

    /// Active parts among the `len` from `start`; beyond the end all is silent.
    pub(super) fn active_among(&self, start: usize, len: usize) -> usize {
        self.parts.iter().skip(start).take(len).filter(|&&active| active).count()
    }

    /// Indices of the active parts.
    pub(super) fn active_indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.parts.iter().enumerate().filter_map(|(index, &active)| active.then_some(index))
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }
}

fn mean_above(energies: &[f32], threshold: f32) -> f32 {
    let (sum, count) = energies
        .iter()
        .filter(|&&energy| energy > threshold)
        .fold((0.0f64, 0u32), |(sum, count), &energy| (sum + f64::from(energy), count + 1));
    if count == 0 { 0.0 } else { (sum / f64::from(count)) as f32 }
}

fn bridge(parts: &mut [bool]) {
    let mut last_active = None;
    for index in 0..parts.len() {
        if !parts[index] {
            continue;
        }
        if let Some(last) = last_active
            && index - last <= BRIDGED_PARTS
        {
            parts[last..index].fill(true);
        }
        last_active = Some(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(parts: &[f32]) -> Vec<f32> {
        parts.iter().flat_map(|&level| [level; PART_SAMPLES]).collect()
    }

    #[test]
    fn short_gaps_are_bridged_and_long_ones_are_not() {
        let mut parts = vec![1_000.0];
        parts.extend([0.0; 19]);
        parts.push(1_000.0);
        parts.extend([0.0; 20]);
        parts.push(1_000.0);
        let activity = Activity::of(&level(&parts));
        assert_eq!(activity.active_among(0, 21), 21);
        assert_eq!(activity.active_among(21, 20), 0);
        assert_eq!(activity.active_indices().last(), Some(41));
        assert!((activity.rms() - 1_000.0).abs() < 0.1);
    }

    #[test]
    fn faint_noise_is_not_speech() {
        let activity = Activity::of(&level(&[10.0, 1_000.0, 10.0]));
        assert_eq!(activity.active_indices().collect::<Vec<_>>(), [1]);
        assert_eq!(Activity::of(&level(&[0.5; 9])).first(), None);
        assert_eq!(Activity::of(&[]).len(), 0);
    }
}
