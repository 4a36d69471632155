//! Whether a file was cut off inside its last number.
//!
//! Of a last line without an end nobody can know in general whether digits are missing: `-1.2` may have been
//! `-1.25`. Where the numbers before it were written with a fixed number of digits it can be known.

/// So few numbers say nothing about how they are written.
const FEWEST: usize = 3;

/// How the last numbers of all rows so far are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LastNumbers {
    count: usize,
    digits: Option<Digits>,
    differ: bool,
    padded: bool,
}

/// What of a number stands behind its decimal sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digits {
    decimals: usize,
    /// Characters of the exponent, its letter included.
    exponent: usize,
}

impl LastNumbers {
    /// Learns from the last field of a row.
    pub fn observe(&mut self, field: &str) {
        let (digits, padded) = digits(field);
        self.differ |= self.digits.is_some_and(|known| known != digits);
        self.digits = Some(digits);
        self.padded |= padded;
        self.count += 1;
    }

    /// Whether a field has fewer digits than all before it, whose writer fills up with zeros: then it is certainly
    /// cut off. Who writes as few digits as will do may end with a short number.
    pub fn is_cut(&self, field: &str) -> bool {
        let Some(expected) = self.digits else {
            return false;
        };
        let (found, _) = digits(field);
        let shorter = found.decimals < expected.decimals && found.exponent == 0
            || found.decimals == expected.decimals && found.exponent < expected.exponent;
        self.count >= FEWEST && !self.differ && self.padded && shorter
    }
}

/// What stands behind the decimal sign, and whether the decimals end with a zero that says nothing.
fn digits(field: &str) -> (Digits, bool) {
    let (mantissa, exponent) = match field.find(['e', 'E', 'd', 'D']) {
        Some(at) => (&field[..at], field.len() - at),
        None => (field, 0),
    };
    let decimals = mantissa
        .split_once(['.', ','])
        .map_or("", |(_, decimals)| decimals);
    let digits = Digits {
        decimals: decimals.len(),
        exponent,
    };
    (digits, decimals.ends_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut(before: &[&str], field: &str) -> bool {
        let mut numbers = LastNumbers::default();
        before.iter().for_each(|field| numbers.observe(field));
        numbers.is_cut(field)
    }

    #[test]
    fn a_number_shorter_than_all_that_were_filled_up_is_cut() {
        let fixed = ["-1.250", "-13.100", "-7.333"];
        for field in ["-", "-1", "-13.", "-13.1", "-13.10"] {
            assert!(is_cut(&fixed, field), "{field}");
        }
        assert!(!is_cut(&fixed, "-13.102"));
        let scientific = ["1.0003201E+003", "-2.5000000E+002", "1.1234567E+001"];
        for field in ["1", "1.12", "1.1234567", "1.1234567E", "1.1234567E+0"] {
            assert!(is_cut(&scientific, field), "{field}");
        }
        assert!(!is_cut(&scientific, "1.1234567E+001"));
        assert!(is_cut(&["1,50", "2,25", "3,75"], "4,5"), "a decimal comma");
    }

    #[test]
    fn where_a_short_number_is_possible_it_is_taken() {
        assert!(!is_cut(&["-1.25", "-3.125", "-7.50"], "-2"), "lengths differ");
        assert!(
            !is_cut(&["-1.25", "-3.12", "-7.55"], "-2.5"),
            "perhaps without zeros at the end"
        );
        assert!(!is_cut(&["-1.20", "-3.12"], "-2.5"), "too few to know");
        assert!(!is_cut(&["10", "20", "30"], "4"), "whole numbers");
    }
}
