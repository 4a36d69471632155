//! Numbers as instruments and spreadsheets write them.

/// What a field of a table says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// A finite number.
    Value(f64),
    /// That there is none: empty, `NaN`, `inf`, `1.#QNAN`, `---`, `*****` and the like.
    Missing,
    /// Something that is no number.
    Text,
    /// A number with a decimal comma in a file of decimal points, or the other way round.
    MixedDecimals,
}

/// Reads the numbers of one file and watches that its decimal sign stays the same: `1,234` is 1.234 in one file
/// and 1234 in another, never both.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    comma_allowed: bool,
    decimal_sign: Option<char>,
    /// Whether a comma stood where no sign between thousands stands.
    comma_is_decimal: bool,
}

impl Numbers {
    /// Numbers of a file; a decimal comma is possible where commas do not separate fields.
    pub fn new(comma_allowed: bool) -> Self {
        Self {
            comma_allowed,
            decimal_sign: None,
            comma_is_decimal: false,
        }
    }

    /// Whether every comma so far may as well stand between thousands: `1,000` in one file is 1, in another 1000.
    pub fn commas_are_ambiguous(&self) -> bool {
        self.decimal_sign == Some(',') && !self.comma_is_decimal
    }

    /// What a field says.
    pub fn read(&mut self, field: &str) -> Number {
        let field = field.trim();
        if let Ok(value) = field.parse::<f64>() {
            if !value.is_finite() {
                return Number::Missing;
            }
            return match self.decimal_sign {
                Some('.') => Number::Value(value),
                _ if !field.contains('.') => Number::Value(value),
                None => self.decide('.', value),
                Some(_) => Number::MixedDecimals,
            };
        }
        if is_missing(field) {
            return Number::Missing;
        }
        if let Some(value) = self.with_comma(field) {
            self.comma_is_decimal |= !could_be_thousands(field);
            return match self.decimal_sign {
                Some('.') => Number::MixedDecimals,
                _ => self.decide(',', value),
            };
        }
        rewritten(field).map_or(Number::Text, Number::Value)
    }

    fn decide(&mut self, sign: char, value: f64) -> Number {
        self.decimal_sign = Some(sign);
        Number::Value(value)
    }

    fn with_comma(self, field: &str) -> Option<f64> {
        if !self.comma_allowed || field.contains('.') || field.bytes().filter(|b| *b == b',').count() != 1 {
            return None;
        }
        let value: f64 = field.replacen(',', ".", 1).parse().ok()?;
        value.is_finite().then_some(value)
    }
}

/// The number of a field, `value`, times a factor. A factor that is a power of ten moves the decimal point of the field,
/// so that 12.5 mA is the same f64 as 0.0125 A.
pub(super) fn scaled(field: &str, value: f64, factor: f64) -> f64 {
    const POWERS: [(f64, i32); 6] = [(1e-9, -9), (1e-6, -6), (1e-3, -3), (1e3, 3), (1e6, 6), (1e9, 9)];
    let found = POWERS.into_iter().find(|(power, _)| *power == factor.abs());
    let power = found.map(|(_, exponent)| exponent);
    let Some(power) = power else {
        return value * factor;
    };
    let plain = field.trim().replace(',', ".");
    let (mantissa, exponent) = plain.split_once(['e', 'E']).unwrap_or((&plain, "0"));
    let exponent: Option<i32> = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok();
    let moved = exponent
        .and_then(|exponent| {
            format!("{mantissa}e{}", exponent.checked_add(power)?)
                .parse::<f64>()
                .ok()
        })
        .filter(|moved| moved.is_finite());
    match moved {
        Some(moved) => moved.copysign(value * factor),
        None => value * factor,
    }
}

/// A single number outside of a table, with whichever decimal sign.
pub(super) fn single(field: &str) -> Option<f64> {
    match Numbers::new(true).read(field) {
        Number::Value(value) => Some(value),
        _ => None,
    }
}

/// Whether the comma of a number with one comma may stand between thousands.
fn could_be_thousands(field: &str) -> bool {
    let Some((before, behind)) = field.trim_start_matches(['+', '-']).split_once(',') else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&before.len())
        && !before.starts_with('0')
        && behind.len() == 3
        && digits(before)
        && digits(behind)
}

/// Whether a field may be the beginning of a number whose rest was cut off.
pub(super) fn is_beginning(field: &str) -> bool {
    // A quote that was opened is still open.
    let field = field.trim().trim_start_matches('"');
    if matches!(field, "" | "+" | "-") || single(field).is_some() {
        return true;
    }
    let unsigned = field.strip_suffix(['+', '-']).unwrap_or(field);
    unsigned
        .strip_suffix(['e', 'E'])
        .is_some_and(|mantissa| single(mantissa).is_some())
}

/// The ways of writing that there is no number.
fn is_missing(field: &str) -> bool {
    let unsigned = field.trim_start_matches(['+', '-']).to_ascii_lowercase();
    unsigned.is_empty()
        || unsigned.bytes().all(|byte| matches!(byte, b'-' | b'*' | b'?'))
        || unsigned.starts_with("1.#")
        || unsigned.starts_with("1,#")
        || unsigned.starts_with("nan(")
        || matches!(
            unsigned.as_str(),
            "nan" | "inf" | "infinity" | "∞" | "n/a" | "na" | "null" | "none" | "#num!" | "#n/a" | "#div/0!"
        )
}

/// Typographic minus signs and the exponent D of Fortran.
fn rewritten(field: &str) -> Option<f64> {
    let plain = field.replace(['−', '–'], "-").replace(['D', 'd'], "E");
    if plain == field {
        return None;
    }
    plain.parse::<f64>().ok().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_many_hands_are_read() {
        for (field, expected) in [
            ("1.0003201E+003", 1000.3201),
            (" -3,25 ", -3.25),
            ("1,5e-3", 1.5e-3),
            ("+7", 7.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("−2.5", -2.5),
            ("1.5D+02", 150.0),
        ] {
            assert_eq!(Numbers::new(true).read(field), Number::Value(expected), "{field}");
        }
    }

    #[test]
    fn signs_of_a_missing_value_are_not_text() {
        for field in [
            "",
            "NaN",
            "-nan",
            "inf",
            "-Inf",
            "1.#QNAN",
            "-1.#IND00",
            "---",
            "*****",
            "1e999",
            "#N/A",
        ] {
            assert_eq!(Numbers::new(false).read(field), Number::Missing, "{field}");
        }
        for field in ["x", "1.2.3", "12 5", "0x10", "1,234,5", "ok"] {
            assert_eq!(Numbers::new(true).read(field), Number::Text, "{field}");
        }
    }

    #[test]
    fn a_prefix_moves_the_decimal_point() {
        for (field, factor, expected) in [
            ("12.5", 1e-3, 0.0125),
            ("0,3", 1e-3, 0.000_3),
            ("-1.1E+001", 1e-6, -11e-6),
            ("7e-3", 1e3, 7.0),
            ("-0.0", 1e-3, -0.0),
            ("5", -1e-3, -0.005),
            ("2", 3600.0, 7200.0),
        ] {
            let Number::Value(value) = Numbers::new(true).read(field) else {
                panic!("{field}");
            };
            assert_eq!(
                scaled(field, value, factor).to_bits(),
                f64::to_bits(expected),
                "{field}"
            );
        }
    }

    #[test]
    fn a_comma_among_points_is_not_taken_for_a_decimal_comma() {
        let mut numbers = Numbers::new(true);
        assert_eq!(numbers.read("12.5"), Number::Value(12.5));
        assert_eq!(numbers.read("1,234"), Number::MixedDecimals);
        let mut numbers = Numbers::new(true);
        assert_eq!(numbers.read("1,234"), Number::Value(1.234));
        assert_eq!(numbers.read("12.5"), Number::MixedDecimals);
        assert_eq!(Numbers::new(false).read("1,234"), Number::Text);
    }

    #[test]
    fn what_is_cut_off_inside_a_number_is_known() {
        for field in ["", "-", "1", "1.", "1.5e", "1.5E-", "-3,2E+", "\"", "\"-3.2"] {
            assert!(is_beginning(field), "{field}");
        }
        for field in ["x", "ok", "1.2.3", "---", "NaN"] {
            assert!(!is_beginning(field), "{field}");
        }
    }
}
