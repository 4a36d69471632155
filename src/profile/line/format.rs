//! Numbers as instruments write and read them: the conversions of C's printf, without its traps.

use std::fmt;

/// How a field is written: `.2f`, `+.7E`, `.4g`, `06d`, `s`. `e3` is short for `.3e`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// Whether positive numbers bear their sign.
    pub plus: bool,
    /// Whether the width is filled with zeros.
    pub zeros: bool,
    /// Least width in characters.
    pub width: usize,
    /// Digits after the point, or significant digits of `g`; none is the conversion's own.
    pub precision: Option<usize>,
    /// The conversion.
    pub conversion: Conversion,
}

/// How a field is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Text as it is, or the shortest decimal number that reads back as the same value.
    Text,
    /// A whole number.
    Integer,
    /// Digits after the point.
    Fixed,
    /// With an exponent of at least two digits; the flag is for `E`.
    Exponent(bool),
    /// Significant digits, with an exponent where that is shorter; the flag is for `G`.
    General(bool),
}

/// Most digits after the point and widest field: more is a slip.
const MOST: usize = 40;

impl Format {
    /// A field without a format.
    pub const PLAIN: Self = Self {
        plus: false,
        zeros: false,
        width: 0,
        precision: None,
        conversion: Conversion::Text,
    };

    /// Reads a format.
    ///
    /// # Errors
    /// In words, where it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no format; known are .2f, .7e, +.7E, .4g, 05d and s");
        let mut format = Self::PLAIN;
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('+') {
            format.plus = true;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('0') {
            format.zeros = true;
            rest = after;
        }
        let (width, after) = digits(rest);
        format.width = width.unwrap_or(0);
        rest = after;
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = digits(after);
            format.precision = Some(precision.ok_or_else(wrong)?);
            rest = after;
        }
        let mut characters = rest.chars();
        let letter = characters.next().ok_or_else(wrong)?;
        format.conversion = match letter {
            's' => Conversion::Text,
            'd' => Conversion::Integer,
            'f' => Conversion::Fixed,
            'e' | 'E' => Conversion::Exponent(letter == 'E'),
            'g' | 'G' => Conversion::General(letter == 'G'),
            _ => return Err(wrong()),
        };
        let (precision, after) = digits(characters.as_str());
        if precision.is_some() && format.precision.is_none() {
            format.precision = precision;
        } else if precision.is_some() {
            return Err(wrong());
        }
        let too_much = format.width > MOST || format.precision.is_some_and(|precision| precision > MOST);
        if !after.is_empty() || too_much {
            return Err(wrong());
        }
        Ok(format)
    }

    /// Whether the field is a number and nothing else.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.conversion != Conversion::Text
    }

    /// Writes a number. What is not finite is written as `nan`, `inf` or `-inf`.
    #[must_use]
    pub fn write(&self, value: f64) -> String {
        let body = if value.is_finite() {
            match self.conversion {
                Conversion::Text => format!("{value}"),
                Conversion::Integer => format!("{:.0}", value.round() + 0.0),
                Conversion::Fixed => format!("{value:.*}", self.precision.unwrap_or(6)),
                Conversion::Exponent(upper) => exponent(value, self.precision.unwrap_or(6), upper),
                Conversion::General(upper) => general(value, self.precision.unwrap_or(6).max(1), upper),
            }
        } else if value.is_nan() {
            "nan".to_owned()
        } else if value > 0.0 {
            "inf".to_owned()
        } else {
            "-inf".to_owned()
        };
        let (sign, digits) = match body.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None if self.plus => ("+", body.as_str()),
            None => ("", body.as_str()),
        };
        let missing = self.width.saturating_sub(sign.len() + digits.len());
        if self.zeros && value.is_finite() {
            format!("{sign}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{digits}", " ".repeat(missing))
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |set: bool, text: &'static str| if set { text } else { "" };
        write!(f, "{}{}", flag(self.plus, "+"), flag(self.zeros, "0"))?;
        if self.width > 0 {
            write!(f, "{}", self.width)?;
        }
        if let Some(precision) = self.precision {
            write!(f, ".{precision}")?;
        }
        f.write_str(match self.conversion {
            Conversion::Text => "s",
            Conversion::Integer => "d",
            Conversion::Fixed => "f",
            Conversion::Exponent(upper) => ["e", "E"][usize::from(upper)],
            Conversion::General(upper) => ["g", "G"][usize::from(upper)],
        })
    }
}

/// Leading digits as a number, and the rest.
fn digits(text: &str) -> (Option<usize>, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (text[..end].parse().ok(), &text[end..])
}

fn exponent(value: f64, precision: usize, upper: bool) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    let letter = if upper { 'E' } else { 'e' };
    format!("{mantissa}{letter}{sign}{digits:0>2}")
}

/// C's `%g`: trailing zeros are left out.
fn general(value: f64, significant: usize, upper: bool) -> String {
    let scientific = format!("{value:.*e}", significant - 1);
    let power: i32 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let trimmed = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if power < -4 || power >= significant as i32 {
        let text = exponent(value, significant - 1, upper);
        let at = text.find(['e', 'E']).unwrap_or(text.len());
        format!("{}{}", trimmed(&text[..at]), &text[at..])
    } else {
        let after = usize::try_from(significant as i32 - 1 - power).unwrap_or(0);
        trimmed(&format!("{value:.after$}"))
    }
}

/// The number at the start of a text, with the blanks before it, and what follows. Also `nan`, `inf`.
#[must_use]
pub fn leading_number(text: &str) -> Option<(f64, &str)> {
    let start = text.trim_start_matches([' ', '\t']);
    let bytes = start.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    for word in ["nan", "infinity", "inf"] {
        let found = start.get(end..end + word.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(word)) {
            end += word.len();
            return Some((start[..end].parse().ok()?, &start[end..]));
        }
    }
    let count = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let whole = count(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = count(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if signed <= bytes.len() {
            let power = count(signed);
            if power > 0 {
                end = signed + power;
            }
        }
    }
    Some((start[..end].parse().ok()?, &start[end..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(format: &str, value: f64) -> String {
        Format::parse(format).unwrap().write(value)
    }

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        // Right-hand sides from printf(1) of GNU coreutils.
        for (format, value, expected) in [
            (".2f", 99.999_732, "100.00"),
            ("+.7E", 0.005_123_4, "+5.1234000E-03"),
            ("+.7E", -1.5e10, "-1.5000000E+10"),
            (".7e", 1e-120, "1.0000000e-120"),
            (".4g", 1000.0, "1000"),
            (".4g", 158.489_32, "158.5"),
            (".4g", 12_345.0, "1.234e+04"),
            (".6g", 0.1, "0.1"),
            (".6g", 0.000_012_3, "1.23e-05"),
            (".3G", 0.000_012_3, "1.23E-05"),
            ("05d", 7.4, "00007"),
            ("+05d", -7.0, "-0007"),
            ("d", -0.2, "0"),
            ("8.2f", 3.5, "    3.50"),
            ("e3", 1234.0, "1.234e+03"),
            ("s", 0.1, "0.1"),
        ] {
            assert_eq!(written(format, value), expected, "{format}");
        }
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for wrong in [
            "", "x", ".f", ".2", "2.3.4f", ".2f ", "+", ".99f", "999d", "e3x", ".2f3", "é",
        ] {
            assert!(Format::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_ends_where_it_ends() {
        for (text, value, rest) in [
            ("1.5e3,2", 1500.0, ",2"),
            ("  -2.E+1x", -20.0, "x"),
            (".5 V", 0.5, " V"),
            ("1e", 1.0, "e"),
            ("1e+", 1.0, "e+"),
            ("3.mOhm", 3.0, "mOhm"),
            ("-inf;", f64::NEG_INFINITY, ";"),
            ("9.9E37", 9.9e37, ""),
        ] {
            assert_eq!(leading_number(text), Some((value, rest)), "{text}");
        }
        assert!(leading_number("nan,1").unwrap().0.is_nan());
        for text in ["", "x", "-", ".", "+.e3", "-é"] {
            assert_eq!(leading_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back_to_the_digits_written(
            value in prop_oneof![-1e9..1e9_f64, -1e-6..1e-6_f64], digits in 0_usize..12, kind in 0..3_usize, plus: bool
        ) {
            let letter = ["f", "E", "g"][kind];
            let text = written(&format!("{}.{digits}{letter}", if plus { "+" } else { "" }), value);
            let (back, rest) = leading_number(&text).unwrap();
            prop_assert_eq!(rest, "");
            let step = match kind {
                0 => 0.5 * 10_f64.powi(-(digits as i32)),
                1 => value.abs() * 10_f64.powi(-(digits as i32)),
                _ => value.abs() * 10_f64.powi(1 - digits.max(1) as i32),
            };
            prop_assert!((back - value).abs() <= step * 1.0001 + 1e-15 * value.abs() + 1e-300, "{text} for {value}");
        }

        #[test]
        fn a_format_prints_as_itself(plus: bool, zeros: bool, width in 0_usize..=40, precision in proptest::option::of(0_usize..=40), kind in 0..7_usize) {
            let conversion = [Conversion::Text, Conversion::Integer, Conversion::Fixed, Conversion::Exponent(false),
                Conversion::Exponent(true), Conversion::General(false), Conversion::General(true)][kind];
            let format = Format { plus, zeros, width, precision, conversion };
            prop_assert_eq!(Format::parse(&format.to_string()), Ok(format));
        }
    }
}
