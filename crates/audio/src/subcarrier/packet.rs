//! One packet: 40 bits, most significant first.
//!
//! `sync 7 | last of its run 1 | number 5 | code 5 | code 5 | code 5 | CRC 12`. Everything behind the run bit is
//! whitened by a fixed pattern, the codes also by one that depends on the number, so that fill does not become a tone
//! and two equal packets do not look alike. The CRC covers what is sent (run bit, number, whitened codes), contiguous,
//! so that every burst of up to twelve wrong bits is noticed.

use super::CODES_PER_SLOT;

/// Bits, and symbols, of a packet.
pub(super) const BITS: u32 = 40;
/// Bits of the sync word.
pub(super) const SYNC_BITS: u32 = 7;
/// Barker's sequence of length 7: every shift of it over itself agrees in at most half of its bits.
pub(super) const SYNC: u64 = 0b111_0010;

/// Packet numbers count modulo this.
pub(super) const NUMBERS: u8 = 32;

const CRC_BITS: u32 = 12;
const CRC_GENERATOR: u32 = 0x80F;
const CODE_MASK: u32 = 0x7FFF;
/// 32 bits with sixteen ones and no long runs.
const WHITENING: u64 = 0x5A69_3C96;

/// What a packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) last_of_run: bool,
    pub(super) number: u8,
    pub(super) codes: [u8; CODES_PER_SLOT],
}

impl Packet {
    /// The 40 bits to send.
    pub(super) fn to_bits(self) -> u64 {
        let number = u32::from(self.number % NUMBERS);
        let codes = self.codes.iter().fold(0, |bits, &code| bits << 5 | u32::from(code & 0x1F));
        let covered = u32::from(self.last_of_run) << 20 | number << 15 | (codes ^ code_whitening(number));
        let body = u64::from(covered) << CRC_BITS | u64::from(crc12(covered));
        SYNC << (BITS - SYNC_BITS) | (body ^ WHITENING)
    }

    /// Reads 40 bits whose sync word has been found; `None` when the CRC is wrong.
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        let body = (bits & ((1 << (BITS - SYNC_BITS)) - 1)) ^ WHITENING;
        let covered = (body >> CRC_BITS) as u32;
        if u64::from(crc12(covered)) != body & ((1 << CRC_BITS) - 1) {
            return None;
        }
        let number = covered >> 15 & 0x1F;
        let codes = (covered & CODE_MASK) ^ code_whitening(number);
        Some(Self {
            last_of_run: covered >> 20 & 1 == 1,
            number: number as u8,
            codes: [(codes >> 10) as u8 & 0x1F, (codes >> 5) as u8 & 0x1F, codes as u8 & 0x1F],
        })
    }
}

/// Fifteen bits that differ in about half of their places from one number to the next.
const fn code_whitening(number: u32) -> u32 {
    ((number + 1) * 0x4D2B) >> 2 & CODE_MASK
}

/// CRC of 21 bits.
fn crc12(covered: u32) -> u32 {
    let mut register = 0xFFF;
    for bit in (0..21).rev() {
        let feedback = (register >> (CRC_BITS - 1) ^ covered >> bit) & 1;
        register = (register << 1) & 0xFFF;
        if feedback == 1 {
            register ^= CRC_GENERATOR;
        }
    }
    register
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Packet {
        Packet { last_of_run: true, number: 29, codes: [30, 25, 5] }
    }

    #[test]
    fn every_number_and_code_survives() {
        for number in 0..NUMBERS {
            for code in 0..32 {
                let packet = Packet { last_of_run: code % 2 == 0, number, codes: [code, 31 - code, number] };
                let bits = packet.to_bits();
                assert_eq!(bits >> (BITS - SYNC_BITS), SYNC);
                assert_eq!(Packet::from_bits(bits), Some(packet));
            }
        }
    }

    #[test]
    fn every_burst_of_up_to_twelve_bits_is_noticed() {
        let bits = sample().to_bits();
        for burst in 1u64..1 << 12 {
            for shift in 0..=21 {
                assert_eq!(Packet::from_bits(bits ^ burst << shift), None);
            }
        }
    }

    #[test]
    fn fill_is_neither_a_tone_nor_the_same_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..NUMBERS {
            let bits = Packet { last_of_run: false, number, codes: [0; 3] }.to_bits();
            assert!((11..=29).contains(&bits.count_ones()), "number {number}: {bits:040b}");
            assert!(seen.insert(bits & 0xFFF_FFFF));
        }
    }
}
