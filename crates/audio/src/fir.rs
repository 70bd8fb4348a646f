//! Window-method filter design, shared by the resamplers and the sub-carrier.
//!
//! Kaiser, "Nonrecursive digital filter design using the I0-sinh window function" (1974): for a stop-band attenuation
//! `A` in dB above 50, beta = 0.1102 (A - 8.7); the transition width follows from the length.

use std::f64::consts::PI;

/// Kaiser's shape parameter for a stop-band attenuation in dB.
pub(crate) fn kaiser_beta(attenuation_db: f64) -> f64 {
    if attenuation_db > 50.0 {
        0.1102 * (attenuation_db - 8.7)
    } else if attenuation_db >= 21.0 {
        0.5842 * (attenuation_db - 21.0).powf(0.4) + 0.07886 * (attenuation_db - 21.0)
    } else {
        0.0
    }
}

/// Kaiser's window at `x` in -1..=1 (0 outside).
pub(crate) fn kaiser(x: f64, beta: f64) -> f64 {
    if x.abs() > 1.0 { 0.0 } else { bessel_i0(beta * (1.0 - x * x).sqrt()) / bessel_i0(beta) }
}

/// sin(pi x) / (pi x).
pub(crate) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Linear-phase low-pass of `2 * half + 1` taps with gain 1 at DC; `cutoff` in cycles per sample.
pub(crate) fn low_pass(half: usize, cutoff: f64, attenuation_db: f64) -> Vec<f64> {
    let beta = kaiser_beta(attenuation_db);
    let reach = half as f64 + 1.0; // no tap wasted on the window's edge
    let mut taps: Vec<f64> = (0..=2 * half)
        .map(|i| {
            let t = i as f64 - half as f64;
            2.0 * cutoff * sinc(2.0 * cutoff * t) * kaiser(t / reach, beta)
        })
        .collect();
    let gain: f64 = taps.iter().sum();
    for tap in &mut taps {
        *tap /= gain;
    }
    taps
}

/// Sum of products, in eight lanes so that the compiler may vectorise it (floating-point sums are not reordered).
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0f32; 8];
    for (x, y) in a8.iter().zip(b8) {
        for i in 0..8 {
            lanes[i] += x[i] * y[i];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    lanes.iter().sum::<f32>() + rest
}

/// Modified Bessel function of the first kind, order 0, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-15 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bessel_matches_tabulated_values() {
        // Abramowitz and Stegun, table 9.8.
        assert!((bessel_i0(1.0) - 1.266_065_877_752_008).abs() < 1e-12);
        assert!((bessel_i0(5.0) - 27.239_871_823_604_44).abs() < 1e-9);
    }

    #[test]
    fn low_pass_reaches_the_attenuation_it_was_designed_for() {
        // 133 taps, 2,750 Hz at 8 kHz, 200 Hz transition, 55 dB: the speech filter of the sub-carrier.
        let taps = low_pass(66, 2_750.0 / 8_000.0, 55.0);
        let gain_db = |hz: f64| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, tap) in taps.iter().enumerate() {
                let phase = 2.0 * PI * hz / 8_000.0 * i as f64;
                re += tap * phase.cos();
                im += tap * phase.sin();
            }
            20.0 * f64::hypot(re, im).log10()
        };
        assert!((0..=265).all(|i| gain_db(f64::from(i) * 10.0).abs() < 0.05));
        assert!((286..=400).all(|i| gain_db(f64::from(i) * 10.0) < -54.0));
    }

    #[test]
    fn dot_equals_the_plain_sum_for_every_length() {
        for len in 0..40 {
            let a: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let b: Vec<f32> = (0..len).map(|i| (i * 2) as f32).collect();
            let plain: f32 = a.iter().zip(&b).map(|(x, y)| x * y).sum();
            assert!((dot(&a, &b) - plain).abs() < f32::EPSILON);
        }
    }
}
