//! Numbers on the wire: eight-character values in data packages, and literals in scripts.

use std::fmt;

/// SI prefixes of the protocol from the finest to the coarsest. A blank is a prefix too: a factor of one.
const PREFIXES: [(char, i32); 13] = [
    ('a', -18),
    ('f', -15),
    ('p', -12),
    ('n', -9),
    ('u', -6),
    ('m', -3),
    (' ', 0),
    ('k', 3),
    ('M', 6),
    ('G', 9),
    ('T', 12),
    ('P', 15),
    ('E', 18),
];

/// What is added to a mantissa so that seven hexadecimal digits hold its sign.
const OFFSET: i64 = 1 << 27;

/// How exact a decimal must be before it counts as written in a coarser prefix without loss.
const EXACT: f64 = 1e-12;

/// How close a literal comes to a number that has no exact form: half a unit of a mantissa of 31 bits
/// where the next coarser prefix would need more.
const CLOSE: f64 = 2.5e-7;

/// A value of a data package.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number in the SI unit of its variable type.
    Number(f64),
    /// A count, written with the prefix `i`; 28 bits with sign.
    Integer(i32),
    /// The device has no number (`     nan`).
    NotANumber,
}

/// Why eight characters are not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not eight characters.
    #[error("a value has 8 characters, `{0}` has not")]
    Length(String),
    /// The mantissa is not seven upper-case hexadecimal digits.
    #[error("`{0}` does not start with 7 upper-case hexadecimal digits")]
    Mantissa(String),
    /// The last character is none of the known prefixes.
    #[error("`{0}` ends with an unknown prefix")]
    Prefix(String),
}

impl Value {
    /// Reads the eight characters of a value. Blanks count: they are never trimmed.
    ///
    /// # Errors
    /// When the characters are not seven upper-case hexadecimal digits and a prefix, nor `     nan`.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "     nan" {
            return Ok(Self::NotANumber);
        }
        let bytes = text.as_bytes();
        if bytes.len() != 8 || !text.is_ascii() {
            return Err(ValueError::Length(text.to_owned()));
        }
        let mantissa = upper_hex(&text[..7]).ok_or_else(|| ValueError::Mantissa(text.to_owned()))? - OFFSET;
        let prefix = char::from(bytes[7]);
        if prefix == 'i' {
            // Seven hexadecimal digits less the offset always fit 28 bits.
            return Ok(Self::Integer(mantissa as i32));
        }
        let exponent = exponent_of(prefix).ok_or_else(|| ValueError::Prefix(text.to_owned()))?;
        Ok(Self::Number(scale(mantissa as f64, exponent)))
    }

    /// The value as a number; NaN where the device has none.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Integer(count) => f64::from(count),
            Self::NotANumber => f64::NAN,
        }
    }

    /// What a device would send for a number: NaN and what is too large become [`Value::NotANumber`].
    #[must_use]
    pub fn of(number: f64) -> Self {
        if finest(number).is_some() {
            Self::Number(number)
        } else {
            Self::NotANumber
        }
    }
}

/// Eight characters: the finest prefix whose mantissa fits 28 bits, as devices write it. Integers beyond
/// 28 bits are written as the nearest that fits.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotANumber => formatter.write_str("     nan"),
            Self::Integer(count) => {
                let mantissa = i64::from(count).clamp(-OFFSET, OFFSET - 1);
                write!(formatter, "{:07X}i", mantissa + OFFSET)
            }
            Self::Number(number) => match finest(number) {
                Some((mantissa, prefix)) => write!(formatter, "{:07X}{prefix}", mantissa + OFFSET),
                None => formatter.write_str("     nan"),
            },
        }
    }
}

/// Mantissa and prefix with the finest prefix that fits; `None` for NaN and what is too large.
fn finest(number: f64) -> Option<(i64, char)> {
    if number == 0.0 {
        return Some((0, ' '));
    }
    PREFIXES.iter().find_map(|&(prefix, exponent)| {
        let mantissa = scale(number, -exponent).round();
        let fits = mantissa >= -(OFFSET as f64) && mantissa < OFFSET as f64;
        // What rounds to nothing is nothing, in whatever unit.
        fits.then_some((mantissa as i64, if mantissa == 0.0 { ' ' } else { prefix }))
    })
}

fn exponent_of(prefix: char) -> Option<i32> {
    PREFIXES
        .iter()
        .find(|&&(known, _)| known == prefix)
        .map(|&(_, exponent)| exponent)
}

/// `number * 10^exponent` with one rounding: powers of ten up to 1e18 are exact, their inverses are not.
fn scale(number: f64, exponent: i32) -> f64 {
    if exponent < 0 {
        number / 10f64.powi(-exponent)
    } else {
        number * 10f64.powi(exponent)
    }
}

/// A fixed number of upper-case hexadecimal digits; signs and lower case are refused.
pub(super) fn upper_hex(text: &str) -> Option<i64> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    if digits && !text.is_empty() {
        i64::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

/// A number as scripts write it: an integer mantissa and an SI prefix, never a decimal point
/// (`10m`, `200k`, `2565u`). The shortest exact form where there is one, else the shortest within 2.5e-7
/// of the value, which a mantissa of 31 bits always reaches. NaN, infinities and what is too large give
/// `nan`, which devices refuse.
#[must_use]
pub fn literal(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let shortest = |tolerance: f64, limit: i64| {
        PREFIXES.iter().rev().find_map(|&(prefix, exponent)| {
            let scaled = scale(value, -exponent);
            let mantissa = scaled.round();
            let fits = mantissa != 0.0 && mantissa.abs() < limit as f64;
            let close = (scaled - mantissa).abs() <= tolerance * scaled.abs();
            (fits && close).then_some((mantissa as i64, prefix))
        })
    };
    match shortest(EXACT, OFFSET)
        .or_else(|| shortest(CLOSE, 1 << 31))
        .or_else(|| finest(value))
    {
        Some((0, _)) => "0".to_owned(),
        Some((mantissa, ' ')) => mantissa.to_string(),
        Some((mantissa, prefix)) => format!("{mantissa}{prefix}"),
        None => "nan".to_owned(),
    }
}

/// A number read from a script.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Literal {
    /// Its value in SI units.
    pub value: f64,
    /// Whether it was written as an integer (`51i`, `0x1Fi`, `0b101`).
    pub integer: bool,
}

/// Why a token of a script is not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// A character that no number has, such as a decimal point.
    #[error("unexpected character at byte {0}")]
    Character(usize),
    /// Nothing but a sign or a base, or too large.
    #[error("not a number")]
    Malformed,
}

/// Reads a number of a script: `-10m`, `200k`, `51i`, `0x1Fi`, `0b101i`.
///
/// # Errors
/// When a character does not belong there (a decimal point above all) or there are no digits.
pub fn parse_literal(text: &str) -> Result<Literal, LiteralError> {
    let (negative, start) = match text.as_bytes().first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        _ => (false, 0),
    };
    let (radix, digits_start) = match text.as_bytes().get(start..start + 2) {
        Some(b"0x" | b"0X") => (16, start + 2),
        Some(b"0b" | b"0B") => (2, start + 2),
        _ => (10, start),
    };
    let rest = text.get(digits_start..).unwrap_or_default();
    let length = rest.find(|c: char| !c.is_digit(radix)).unwrap_or(rest.len());
    let (digits, suffix) = rest.split_at(length);
    let suffix_at = digits_start + length;
    let magnitude = match i64::from_str_radix(digits, radix) {
        Ok(magnitude) => magnitude as f64,
        Err(_) if digits.is_empty() && !suffix.is_empty() => return Err(LiteralError::Character(suffix_at)),
        Err(_) => return Err(LiteralError::Malformed),
    };
    let mantissa = if negative { -magnitude } else { magnitude };
    let mut characters = suffix.chars();
    let literal = match characters.next() {
        None => Literal {
            value: mantissa,
            integer: radix != 10,
        },
        Some('i') => Literal {
            value: mantissa,
            integer: true,
        },
        Some(prefix) if radix == 10 && prefix != ' ' => {
            let exponent = exponent_of(prefix).ok_or(LiteralError::Character(suffix_at))?;
            Literal {
                value: scale(mantissa, exponent),
                integer: false,
            }
        }
        Some(_) => return Err(LiteralError::Character(suffix_at)),
    };
    if characters.next().is_some() {
        return Err(LiteralError::Character(suffix_at + 1));
    }
    Ok(literal)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_values_decode_and_encode_to_the_same_characters() {
        for (text, number) in [
            ("8030D40 ", 200_000.0),
            ("AFAF080m", 50_000.0),
            ("DF5DFF4u", 99.999_732),
            ("7FD3127 ", -184_025.0),
            ("7F85F3Fu", -0.499_905),
            ("8000000 ", 0.0),
        ] {
            assert_eq!(Value::parse(text), Ok(Value::Number(number)));
            assert_eq!(Value::Number(number).to_string(), text);
        }
    }

    #[test]
    fn an_integer_and_nan_have_their_own_forms() {
        assert_eq!(Value::parse("8000003i"), Ok(Value::Integer(3)));
        assert_eq!(Value::Integer(-1).to_string(), "7FFFFFFi");
        assert_eq!(Value::parse("     nan"), Ok(Value::NotANumber));
        assert_eq!(Value::Number(f64::INFINITY).to_string(), "     nan");
        assert_eq!(Value::of(f64::NAN), Value::NotANumber);
        assert_eq!(Value::of(1e-19).to_string(), "8000000 ");
        assert_eq!(Value::of(-1e-300).to_string(), "8000000 ");
    }

    #[test]
    fn a_trimmed_lower_case_or_signed_value_is_refused() {
        for text in [
            "8030D40", "8030d40 ", "+030D40 ", "8030D40x", "nan", "", "8030D4Ä",
        ] {
            assert!(Value::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_literal_is_the_shortest_exact_one() {
        for (value, text) in [
            (0.01, "10m"),
            (200e3, "200k"),
            (1e6, "1M"),
            (2565.0, "2565"),
            (0.002_565, "2565u"),
            (-3.8, "-3800m"),
            (0.1 + 0.2, "300m"),
            (1e-4, "100u"),
            (0.0, "0"),
            (-0.0, "0"),
            (3.712_345, "3712345u"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(literal(value), text);
        }
    }

    #[test]
    fn literals_of_every_base_are_read() {
        let integer = |value| Ok(Literal { value, integer: true });
        assert_eq!(parse_literal("51i"), integer(51.0));
        assert_eq!(parse_literal("0x1Fi"), integer(31.0));
        assert_eq!(parse_literal("-0b101"), integer(-5.0));
        assert_eq!(
            parse_literal("-500m"),
            Ok(Literal {
                value: -0.5,
                integer: false
            })
        );
        assert_eq!(
            parse_literal("20"),
            Ok(Literal {
                value: 20.0,
                integer: false
            })
        );
    }

    #[test]
    fn a_decimal_point_is_refused_where_it_stands() {
        assert_eq!(parse_literal("2.565k"), Err(LiteralError::Character(1)));
        assert_eq!(parse_literal("-.5"), Err(LiteralError::Character(1)));
        assert_eq!(parse_literal("10mV"), Err(LiteralError::Character(3)));
        assert_eq!(parse_literal("0x"), Err(LiteralError::Malformed));
        assert_eq!(parse_literal(""), Err(LiteralError::Malformed));
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_the_same_and_encodes_to_the_same(
            mantissa in -(1i64 << 27)..(1i64 << 27),
            exponent in -6i32..7,
        ) {
            let text = Value::Number(scale(mantissa as f64, 3 * exponent)).to_string();
            let back = Value::parse(&text).unwrap();
            prop_assert_eq!(back.to_string(), text);
            // Prefixes are a factor of 1000 apart, so a mantissa may have as few as 18 of its 28 bits.
            let number = scale(mantissa as f64, 3 * exponent);
            prop_assert!((back.as_f64() - number).abs() <= 4e-6 * number.abs());
        }

        #[test]
        fn an_integer_of_28_bits_survives(count in -(1i32 << 27)..(1i32 << 27)) {
            prop_assert_eq!(Value::parse(&Value::Integer(count).to_string()), Ok(Value::Integer(count)));
        }

        #[test]
        fn a_literal_reads_back_within_a_millionth_and_without_a_point(
            magnitude in -11.0f64..11.0, negative: bool,
        ) {
            let value = 10f64.powf(magnitude) * if negative { -1.0 } else { 1.0 };
            let text = literal(value);
            prop_assert!(!text.contains('.'));
            let back = parse_literal(&text).unwrap().value;
            prop_assert!((back - value).abs() <= 1e-6 * value.abs(), "{} {}", text, value);
            if value.abs() < 20.0 && value.abs() > 1e-6 {
                prop_assert!((back - value).abs() < 1e-6);
            }
        }

        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,12}") {
            let _ = Value::parse(&text);
            let _ = parse_literal(&text);
        }
    }
}
