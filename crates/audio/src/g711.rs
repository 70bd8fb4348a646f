//! G.711 mu-law and A-law, 8 bits for 16.
//!
//! ITU-T G.711 (11/88), tables 1 (A-law) and 2 (mu-law). The tables are in 13 and 14 bits; linear samples here are 16
//! bits wide, so A-law values are shifted by 3 and mu-law values by 2. Negative samples are taken by one's complement,
//! as the ITU's own software library (G.191) does. Functions append to `out`, one value for one.

/// What a quiet line sends in mu-law: positive zero.
pub const MULAW_SILENCE: u8 = 0xFF;
/// What a quiet line sends in A-law: the smallest positive value (A-law has no zero).
pub const ALAW_SILENCE: u8 = 0xD5;

/// The linear value of every mu-law code.
static MULAW_LINEAR: [i16; 256] = {
    let (mut table, mut code) = ([0; 256], 0);
    while code < 256 {
        table[code] = mulaw_to_linear(code as u8);
        code += 1;
    }
    table
};

/// The linear value of every A-law code.
static ALAW_LINEAR: [i16; 256] = {
    let (mut table, mut code) = ([0; 256], 0);
    while code < 256 {
        table[code] = alaw_to_linear(code as u8);
        code += 1;
    }
    table
};

/// Appends the mu-law code of every sample.
pub fn mulaw_encode(pcm: &[i16], out: &mut Vec<u8>) {
    out.extend(pcm.iter().map(|&sample| mulaw_from_linear(sample)));
}

/// Appends the linear value of every mu-law code.
pub fn mulaw_decode(codes: &[u8], out: &mut Vec<i16>) {
    out.extend(codes.iter().map(|&code| MULAW_LINEAR[usize::from(code)]));
}

/// Appends the A-law code of every sample.
pub fn alaw_encode(pcm: &[i16], out: &mut Vec<u8>) {
    out.extend(pcm.iter().map(|&sample| alaw_from_linear(sample)));
}

/// Appends the linear value of every A-law code.
pub fn alaw_decode(codes: &[u8], out: &mut Vec<i16>) {
    out.extend(codes.iter().map(|&code| ALAW_LINEAR[usize::from(code)]));
}

/// One sample to mu-law.
pub const fn mulaw_from_linear(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = (if negative { !sample } else { sample } >> 2) as u16;
    let biased = magnitude + 33;
    let biased = if biased > 0x1FFF { 0x1FFF } else { biased }; // overload clips to the outermost step
    let segment = 10 - biased.leading_zeros() as u16; // 33 is 6 bits wide: segment 0
    let step = (biased >> (segment + 1)) & 0x0F;
    let code = (segment << 4 | step) as u8;
    !(if negative { code | 0x80 } else { code })
}

/// One mu-law code to its output value, +-32,124 at most.
pub const fn mulaw_to_linear(code: u8) -> i16 {
    let code = !code;
    let segment = (code >> 4) & 0x07;
    let step = (code & 0x0F) as i16;
    let magnitude = ((((step << 1) + 33) << segment) - 33) << 2;
    if code & 0x80 == 0 { magnitude } else { -magnitude }
}

/// One sample to A-law.
pub const fn alaw_from_linear(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = (if negative { !sample } else { sample } >> 4) as u16;
    let code = if magnitude < 32 {
        magnitude // segments 0 and 1 share one step size
    } else {
        let segment = 12 - magnitude.leading_zeros() as u16;
        segment << 4 | (magnitude >> (segment - 1)) & 0x0F
    } as u8;
    (if negative { code } else { code | 0x80 }) ^ 0x55
}

/// One A-law code to its output value, +-32,256 at most.
pub const fn alaw_to_linear(code: u8) -> i16 {
    let code = code ^ 0x55;
    let segment = (code >> 4) & 0x07;
    let step = (code & 0x0F) as i16;
    let magnitude = if segment == 0 { (step << 4) + 8 } else { ((step << 4) + 0x108) << (segment - 1) };
    if code & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 2: output value of segment `s`, step `m`, in 14 bits, is (2m + 33) 2^s - 33.
    fn itu_mulaw_output(segment: i32, step: i32) -> i32 {
        ((2 * step + 33) * (1 << segment) - 33) * 4
    }

    /// Table 1: output value in 13 bits is 2m + 1 in segment 0, (2m + 33) 2^(s-1) above.
    fn itu_alaw_output(segment: i32, step: i32) -> i32 {
        8 * if segment == 0 { 2 * step + 1 } else { (2 * step + 33) << (segment - 1) }
    }

    #[test]
    fn every_mulaw_code_decodes_to_the_value_of_table_2() {
        for code in 0..=255u8 {
            let bits = i32::from(!code);
            let value = itu_mulaw_output(bits >> 4 & 7, bits & 15);
            let expected = if bits & 0x80 == 0 { value } else { -value };
            assert_eq!(i32::from(mulaw_to_linear(code)), expected, "code {code:#04x}");
        }
        assert_eq!(mulaw_to_linear(0x80), 32_124);
        assert_eq!(mulaw_to_linear(MULAW_SILENCE), 0);
    }

    #[test]
    fn every_alaw_code_decodes_to_the_value_of_table_1() {
        for code in 0..=255u8 {
            let bits = i32::from(code ^ 0x55);
            let value = itu_alaw_output(bits >> 4 & 7, bits & 15);
            let expected = if bits & 0x80 == 0 { -value } else { value };
            assert_eq!(i32::from(alaw_to_linear(code)), expected, "code {code:#04x}");
        }
        assert_eq!(alaw_to_linear(0xAA), 32_256);
        assert_eq!(alaw_to_linear(ALAW_SILENCE), 8);
    }

    #[test]
    fn every_sample_takes_the_mulaw_code_whose_decision_interval_holds_it() {
        for sample in i16::MIN..=i16::MAX {
            let bits = i32::from(!mulaw_from_linear(sample));
            let (segment, step) = (bits >> 4 & 7, bits & 15);
            assert_eq!(bits & 0x80 != 0, sample < 0);
            let magnitude = i32::from(if sample < 0 { !sample } else { sample });
            // Decision values of table 2 in 14 bits: (m + 16) 2^(s+1) - 33.
            let lower = ((step + 16) * (2 << segment) - 33) * 4;
            let upper = ((step + 17) * (2 << segment) - 33) * 4;
            let outermost = segment == 7 && step == 15;
            assert!(lower <= magnitude && (outermost || magnitude < upper), "sample {sample}");
        }
    }

    #[test]
    fn every_sample_takes_the_alaw_code_whose_decision_interval_holds_it() {
        for sample in i16::MIN..=i16::MAX {
            let bits = i32::from(alaw_from_linear(sample) ^ 0x55);
            let (segment, step) = (bits >> 4 & 7, bits & 15);
            assert_eq!(bits & 0x80 == 0, sample < 0);
            let magnitude = i32::from(if sample < 0 { !sample } else { sample });
            // Decision values of table 1 in 13 bits: 2m in segment 0, (m + 16) 2^s above.
            let decision = |m: i32| 8 * if segment == 0 { 2 * m } else { (m + 16) << segment };
            assert!(decision(step) <= magnitude && magnitude < decision(step + 1), "sample {sample}");
        }
    }

    #[test]
    fn every_code_survives_decoding_and_encoding_except_negative_zero() {
        for code in 0..=255u8 {
            assert_eq!(alaw_from_linear(alaw_to_linear(code)), code);
            let expected = if code == 0x7F { 0xFF } else { code };
            assert_eq!(mulaw_from_linear(mulaw_to_linear(code)), expected);
        }
    }

    #[test]
    fn a_slice_of_every_code_decodes_to_the_value_of_each() {
        let codes: Vec<u8> = (0..=255).collect();
        let mut linear = Vec::new();
        mulaw_decode(&codes, &mut linear);
        alaw_decode(&codes, &mut linear);
        let values = codes.iter().map(|&code| mulaw_to_linear(code));
        assert!(linear.into_iter().eq(values.chain(codes.iter().map(|&code| alaw_to_linear(code)))));
    }

    #[test]
    fn slices_are_coded_one_value_for_one_and_appended() {
        let mut coded = vec![1];
        mulaw_encode(&[0, -32_768, 32_767], &mut coded);
        alaw_encode(&[0], &mut coded);
        assert_eq!(coded, [1, 0xFF, 0x00, 0x80, 0xD5]);
        let mut linear = Vec::new();
        mulaw_decode(&coded[1..4], &mut linear);
        alaw_decode(&coded[4..], &mut linear);
        assert_eq!(linear, [0, -32_124, 32_124, 8]);
    }
}
