//! What a device says it can do: the answers to `CC` and `CM`.
//!
//! The bits are those of the device's maker (palmsens-sdk, `comm_registry.py`); bit 0 is the lowest of the last
//! digit.

use std::fmt;

/// A mask of capabilities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// `C` for communication commands, `M` for commands of scripts.
    pub kind: char,
    /// Hexadecimal digits as sent, the highest first.
    digits: String,
}

/// Bits of `CM` by the technique that they stand for.
const TECHNIQUES: [(&str, u32); 7] = [
    ("ocp", 30),
    ("peis", 31),
    ("geis", 70),
    ("ca", 28),
    ("cp", 67),
    ("cv", 24),
    ("lsv", 23),
];

impl Capabilities {
    /// Reads what follows the first letter: `C` or `M` and the digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kind = text.chars().next().filter(|kind| matches!(kind, 'C' | 'M'))?;
        let digits = text.get(1..)?;
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
        (!digits.is_empty() && digits.len() <= 128 && digits.bytes().all(hexadecimal)).then(|| Self {
            kind,
            digits: digits.to_owned(),
        })
    }

    /// A mask of so many bits with some of them set.
    #[must_use]
    pub fn of(kind: char, bits: &[u32], length: u32) -> Self {
        let digits = (0..length.div_ceil(4)).rev().map(|digit| {
            let value = (0..4)
                .filter(|bit| bits.contains(&(4 * digit + bit)))
                .map(|bit| 1 << bit)
                .sum();
            char::from_digit(value, 16).unwrap_or('0').to_ascii_uppercase()
        });
        Self {
            kind,
            digits: digits.collect(),
        }
    }

    /// A mask of `CM` for the techniques of an instrument and what scripts need besides.
    #[must_use]
    pub fn of_techniques(techniques: &[String]) -> Self {
        // Variables, conditions, loops, packages, ranges, timer and switch, as of the table's 1..=68.
        let common = [
            1, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19, 21, 32, 33, 34, 35, 36, 37, 38, 39, 40,
            41, 42, 47, 62, 63, 64, 65, 66,
        ];
        let has = |name: &str| techniques.iter().any(|technique| technique == name);
        let named = TECHNIQUES
            .into_iter()
            .filter(|(name, _)| has(name))
            .map(|(_, bit)| bit);
        // `set_i` comes with the galvanostat.
        let set_current = (has("cp") || has("geis")).then_some(68);
        let bits: Vec<u32> = common.into_iter().chain(named).chain(set_current).collect();
        Self::of('M', &bits, 160)
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn has(&self, bit: u32) -> bool {
        let digit = self.digits.chars().rev().nth((bit / 4) as usize);
        digit
            .and_then(|digit| digit.to_digit(16))
            .is_some_and(|value| value >> (bit % 4) & 1 == 1)
    }

    /// The techniques of this program that the device has; only of a mask of `CM`.
    #[must_use]
    pub fn techniques(&self) -> Vec<String> {
        let had = TECHNIQUES.into_iter().filter(|(_, bit)| self.has(*bit));
        had.map(|(name, _)| name.to_owned()).collect()
    }
}

/// As a device sends it, without its line end.
impl fmt::Display for Capabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "C{}{}", self.kind, self.digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_mask_is_read_from_its_end() {
        // Of an EmStat4, from the maker's own tests: bit 1 is `t`, 32 to 39 are `CC` to `dlfw`.
        let mask =
            Capabilities::parse("C000000000000000000000000000000000000002F0000003FFFFF98FF00000002").unwrap();
        let bits: Vec<u32> = (0..64).filter(|bit| mask.has(*bit)).collect();
        assert!(
            bits.starts_with(&[1, 32, 33, 34, 35, 36, 37, 38, 39, 43, 44, 47, 48, 49]),
            "{bits:?}"
        );
        assert!(mask.has(96) && mask.has(99) && mask.has(101) && !mask.has(100));
    }

    #[test]
    fn techniques_survive_the_mask() {
        let techniques: Vec<String> = ["ocp", "peis", "ca", "cv", "lsv"].map(str::to_owned).to_vec();
        let mask = Capabilities::of_techniques(&techniques);
        let read = Capabilities::parse(&mask.to_string()[1..]).unwrap();
        assert_eq!(read.techniques(), techniques);
        assert!(!read.has(67) && !read.has(68));
        assert_eq!(Capabilities::parse("Mxyz"), None);
        assert_eq!(Capabilities::parse("M"), None);
    }
}
