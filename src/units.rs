//! Quantities as people read them: SI prefixes in engineering steps, values whose digits stop where
//! their error begins, durations.

/// Which characters may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Script {
    /// `Ω`, `µ`, `±`, `sⁿ`.
    #[default]
    Unicode,
    /// Seven-bit characters only: `ohm`, `u`, `+-`, `s^n`.
    Ascii,
}

impl Script {
    /// The sign between a value and its error.
    #[must_use]
    pub fn plus_minus(self) -> &'static str {
        match self {
            Self::Unicode => "±",
            Self::Ascii => "+-",
        }
    }
}

/// What stands for a number that is none.
const NOTHING: &str = "-";

/// Smallest and largest power of 1000 that has a prefix.
const SMALLEST: i32 = -5;
const LARGEST: i32 = 4;
/// Most digits before or behind the point of a value with its error.
const MOST_DIGITS: usize = 9;

/// A number with its unit, split into the parts that a table aligns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The number (`48.9`).
    pub value: String,
    /// One standard error in the same unit (`0.6`); empty where there is none.
    pub error: String,
    /// Prefix and unit (`µS·sⁿ`); empty for a plain number.
    pub unit: String,
}

impl Quantity {
    /// All of it on one line (`48.9 ± 0.6 Ω`).
    #[must_use]
    pub fn line(&self, script: Script) -> String {
        let mut text = self.value.clone();
        if !self.error.is_empty() {
            text.push_str(&format!(" {} {}", script.plus_minus(), self.error));
        }
        if !self.unit.is_empty() {
            text.push(' ');
            text.push_str(&self.unit);
        }
        text
    }
}

/// A value with three significant digits in engineering form (`48.9 Ω`, `2.48 µS·sⁿ`).
///
/// `unit` is plain ASCII as fits give it: `ohm`, `F`, `S s^n`, `deg`, `1`.
#[must_use]
pub fn engineering(value: f64, unit: &str, script: Script) -> String {
    significant(value, 3, unit).spelled(unit, script).line(script)
}

/// A value rounded to where its error begins, with one prefix for both (`48.9 ± 0.6 Ω`).
///
/// An error that is zero or not finite counts as unknown, and the value keeps three significant digits.
#[must_use]
pub fn with_error(value: f64, std_error: f64, unit: &str, script: Script) -> Quantity {
    if !(std_error.is_finite() && std_error > 0.0 && value.is_finite()) {
        return significant(value, 3, unit).spelled(unit, script);
    }
    // At most seven digits of the value: more is nobody's measurement.
    let error = std_error.max(value.abs() * 1e-7);
    let digit = one_digit(error);
    let rounded = round_to(value, digit);
    let group = group_of(rounded.abs().max(power_of_ten(digit)), unit);
    let scale = 1000f64.powi(group);
    let decimals = usize::try_from(3 * group - digit).unwrap_or(0);
    // Beyond the last prefix powers of ten take over, without a prefix.
    let magnitude = rounded.abs().max(power_of_ten(digit)) / scale;
    let is_beyond = matches!(group, SMALLEST | LARGEST) && !(1e-3..1e5).contains(&magnitude);
    if is_beyond || decimals > MOST_DIGITS || magnitude >= power_of_ten(MOST_DIGITS as i32) {
        let digits = match rounded == 0.0 {
            true => 0,
            false => usize::try_from(exponent_of(rounded) - digit).unwrap_or(0),
        };
        return Scaled {
            value: format!("{rounded:.digits$e}"),
            error: format!("{:.0e}", round_to(error, digit)),
            group: 0,
        }
        .spelled(unit, script);
    }
    Scaled {
        value: fixed(rounded / scale, decimals),
        error: fixed(round_to(error, digit) / scale, decimals),
        group,
    }
    .spelled(unit, script)
}

/// A number as somebody may have typed it, without hundreds of digits (`-1`, `0.25`, `1e300`).
#[must_use]
pub fn typed(value: f64) -> String {
    match value == 0.0 || !value.is_finite() || (1e-5..1e15).contains(&value.abs()) {
        true => format!("{value}"),
        false => format!("{value:e}"),
    }
}

/// A ratio as a percentage change with its error (`+6 ± 1 %`), split for alignment.
#[must_use]
pub fn change_percent(value: (f64, f64), reference: (f64, f64), script: Script) -> Quantity {
    change_percent_within(value, reference, 0.0, script)
}

/// As [`change_percent`], with an error of at least so many per cent: fewer digits, where there is no room for all.
#[must_use]
pub fn change_percent_within(
    value: (f64, f64),
    reference: (f64, f64),
    least_error_percent: f64,
    script: Script,
) -> Quantity {
    let ratio = value.0 / reference.0;
    let relative = (value.1 / value.0).hypot(reference.1 / reference.0);
    let error_percent = 100.0 * (ratio * relative).abs();
    let mut quantity = with_error(
        100.0 * (ratio - 1.0),
        error_percent.max(least_error_percent),
        "%",
        script,
    );
    if ratio > 1.0 && quantity.value.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        quantity.value.insert(0, '+');
    }
    quantity
}

/// A unit in the given script, with the prefix for a power of 1000.
#[must_use]
pub fn unit_text(unit: &str, group: i32, script: Script) -> String {
    let prefix = match (group, script) {
        (-5, _) => "f",
        (-4, _) => "p",
        (-3, _) => "n",
        (-2, Script::Unicode) => "µ",
        (-2, Script::Ascii) => "u",
        (-1, _) => "m",
        (1, _) => "k",
        (2, _) => "M",
        (3, _) => "G",
        (4, _) => "T",
        _ => "",
    };
    let name = match (unit, script) {
        ("1", _) => "",
        (unit, Script::Ascii) => return format!("{prefix}{unit}"),
        ("ohm", _) => "Ω",
        ("S s^n", _) => "S·sⁿ",
        ("ohm s^-1/2", _) => "Ω/√s",
        ("deg", _) => "°",
        (unit, _) => return format!("{prefix}{}", unit.replace("ohm", "Ω").replace(' ', "·")),
    };
    format!("{prefix}{name}")
}

/// A length of time in a few characters (`12s`, `1m12s`, `4h07`, `3d 2h`).
#[must_use]
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() {
        return NOTHING.to_owned();
    }
    if seconds <= -0.5 {
        return format!("-{}", duration(-seconds));
    }
    let total = seconds.round() as u64;
    let (days, hours, minutes) = (total / 86_400, total / 3600 % 24, total / 60 % 60);
    if days > 0 {
        format!("{days}d {hours}h")
    } else if total >= 3600 {
        format!("{hours}h{minutes:02}")
    } else if total >= 60 {
        format!("{minutes}m{:02}s", total % 60)
    } else {
        format!("{total}s")
    }
}

/// A length of time in seconds, as people write it: `90`, `45m`, `1h30m`, `3d 2h`.
///
/// # Errors
/// In words, where it is none.
pub fn parse_duration(text: &str) -> Result<f64, String> {
    let wrong = || format!("`{text}` is no length of time; write 90, 45m, 1h30m or 3d 2h");
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return if seconds.is_finite() && seconds >= 0.0 {
            Ok(seconds)
        } else {
            Err(wrong())
        };
    }
    let mut seconds = 0.0;
    let mut number = String::new();
    for character in text.chars() {
        let factor = match character {
            '0'..='9' | '.' => {
                number.push(character);
                continue;
            }
            ' ' if number.is_empty() => continue,
            'd' => 86_400.0,
            'h' => 3600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => return Err(wrong()),
        };
        seconds += factor * number.parse::<f64>().map_err(|_| wrong())?;
        number.clear();
    }
    // `1h30` is an hour and thirty minutes to everybody, but to guess is not this program's way.
    if number.is_empty() && !text.is_empty() {
        Ok(seconds)
    } else {
        Err(wrong())
    }
}

/// Power of 1000 whose prefix suits a value of that unit.
#[must_use]
pub fn group_of(magnitude: f64, unit: &str) -> i32 {
    if matches!(unit, "1" | "" | "deg" | "%" | "rad") || !magnitude.is_finite() || magnitude == 0.0 {
        return 0;
    }
    // A relative hair's breadth, so that 999.9999999999999 from a division counts as 1000.
    let exponent = (magnitude.abs() * (1.0 + 1e-12)).log10().floor() as i32;
    exponent.div_euclid(3).clamp(SMALLEST, LARGEST)
}

struct Scaled {
    value: String,
    error: String,
    group: i32,
}

impl Scaled {
    fn spelled(self, unit: &str, script: Script) -> Quantity {
        Quantity {
            value: self.value,
            error: self.error,
            unit: unit_text(unit, self.group, script),
        }
    }
}

fn significant(value: f64, digits: i32, unit: &str) -> Scaled {
    if !value.is_finite() {
        return Scaled {
            value: NOTHING.to_owned(),
            error: String::new(),
            group: 0,
        };
    }
    let digit = if value == 0.0 {
        0
    } else {
        exponent_of(value) - (digits - 1)
    };
    let rounded = round_to(value, digit);
    // Rounding may have carried into a new digit: 9.996 is 10.0, not 10.00.
    let digit = if rounded == 0.0 {
        0
    } else {
        exponent_of(rounded) - (digits - 1)
    };
    let group = group_of(rounded, unit);
    let decimals = usize::try_from(3 * group - digit).unwrap_or(0);
    let scaled = rounded / 1000f64.powi(group);
    // Beyond the last prefix powers of ten take over, without a prefix.
    let (value, group) = match rounded != 0.0 && !(1e-3..1e5).contains(&scaled.abs()) {
        true => (format!("{rounded:.2e}"), 0),
        false => (fixed(scaled, decimals), if rounded == 0.0 { 0 } else { group }),
    };
    Scaled {
        value,
        error: String::new(),
        group,
    }
}

/// Power of ten of the first digit of an error that is kept to one digit.
fn one_digit(error: f64) -> i32 {
    let digit = exponent_of(error);
    let rounded = round_to(error, digit);
    exponent_of(rounded)
}

fn exponent_of(value: f64) -> i32 {
    (value.abs() * (1.0 + 1e-12)).log10().floor() as i32
}

fn round_to(value: f64, digit: i32) -> f64 {
    // Multiplying or dividing by a whole power of ten keeps decimal halves where they are.
    if digit >= 0 {
        let unit = 10f64.powi(digit);
        (value / unit).round() * unit
    } else {
        let unit = 10f64.powi(-digit);
        let rounded = (value * unit).round() / unit;
        if rounded.is_finite() { rounded } else { value }
    }
}

fn power_of_ten(digit: i32) -> f64 {
    10f64.powi(digit)
}

/// Fixed decimals, without a negative zero.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if !rest.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') => rest.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64, unit: &str) -> String {
        engineering(value, unit, Script::Unicode)
    }

    fn pair(value: f64, error: f64, unit: &str) -> String {
        with_error(value, error, unit, Script::Unicode).line(Script::Unicode)
    }

    #[test]
    fn three_significant_digits_with_a_prefix() {
        assert_eq!(text(48.93, "ohm"), "48.9 Ω");
        assert_eq!(text(2.48148e-6, "S s^n"), "2.48 µS·sⁿ");
        assert_eq!(text(3e-7, "H"), "300 nH");
        assert_eq!(text(199_526.23, "Hz"), "200 kHz");
        assert_eq!(text(0.8512, "1"), "0.851");
        assert_eq!(text(-1234.0, "ohm"), "-1.23 kΩ");
        assert_eq!(text(-31.26, "deg"), "-31.3 °");
    }

    #[test]
    fn rounding_carries_into_the_next_digit_and_the_next_prefix() {
        assert_eq!(text(9.996, "ohm"), "10.0 Ω");
        assert_eq!(text(99.96, "ohm"), "100 Ω");
        assert_eq!(text(999.6, "ohm"), "1.00 kΩ");
        assert_eq!(pair(999.6, 1.0, "ohm"), "1.000 ± 0.001 kΩ");
        assert_eq!(pair(9.96, 0.096, "ohm"), "10.0 ± 0.1 Ω");
    }

    #[test]
    fn ascii_has_words_for_what_ascii_lacks() {
        assert_eq!(engineering(2.48e-6, "S s^n", Script::Ascii), "2.48 uS s^n");
        assert_eq!(engineering(1e4, "ohm", Script::Ascii), "10.0 kohm");
        assert_eq!(engineering(45.0, "deg", Script::Ascii), "45.0 deg");
        assert_eq!(
            with_error(48.93, 0.62, "ohm", Script::Ascii).line(Script::Ascii),
            "48.9 +- 0.6 ohm"
        );
    }

    #[test]
    fn digits_stop_where_the_error_begins() {
        assert_eq!(pair(48.93, 0.62, "ohm"), "48.9 ± 0.6 Ω");
        assert_eq!(pair(2.4815e-6, 3.1e-8, "S s^n"), "2.48 ± 0.03 µS·sⁿ");
        assert_eq!(pair(0.85123, 0.0031, "1"), "0.851 ± 0.003");
        assert_eq!(pair(20.028, 0.021, "ohm"), "20.03 ± 0.02 Ω");
        assert_eq!(pair(150.0, 33.0, "ohm"), "150 ± 30 Ω");
        assert_eq!(pair(3.0, 20.0, "ohm"), "0 ± 20 Ω");
        assert_eq!(pair(-0.04, 0.3, "%"), "0.0 ± 0.3 %");
    }

    #[test]
    fn what_is_no_number_is_a_dash_and_an_unknown_error_is_left_out() {
        assert_eq!(text(f64::NAN, "ohm"), "- Ω");
        assert_eq!(pair(f64::INFINITY, 1.0, "ohm"), "- Ω");
        assert_eq!(pair(20.0, f64::NAN, "ohm"), "20.0 Ω");
        assert_eq!(pair(20.0, 0.0, "ohm"), "20.0 Ω");
        assert_eq!(text(0.0, "ohm"), "0 Ω");
        assert_eq!(text(-0.0, "ohm"), "0 Ω");
    }

    #[test]
    fn beyond_the_last_prefix_powers_of_ten_take_over() {
        assert_eq!(text(1e300, "ohm"), "1.00e300 Ω");
        assert_eq!(text(2.5e-20, "F"), "2.50e-20 F");
        assert_eq!(text(3.2e15, "ohm"), "3200 TΩ");
        assert_eq!(pair(1.234e300, 2e298, "ohm"), "1.23e300 ± 2e298 Ω");
        assert_eq!(pair(1e300, 1.0, "ohm"), "1.0000000e300 ± 1e293 Ω");
        assert_eq!(pair(4.56e-40, 2e-42, "F"), "4.56e-40 ± 2e-42 F");
        assert_eq!(pair(3.0, 2e40, "ohm"), "0e0 ± 2e40 Ω");
        assert_eq!(pair(9.99e20, 1e18, "ohm"), "9.99e20 ± 1e18 Ω");
        assert_eq!(pair(0.000_012_3, 1e-7, "1"), "0.0000123 ± 0.0000001");
    }

    #[test]
    fn what_was_typed_is_told_back_in_few_characters() {
        let texts = [-1.0, 0.25, 0.0, 1e300, -2.5e-12, f64::INFINITY].map(typed);
        assert_eq!(texts, ["-1", "0.25", "0", "1e300", "-2.5e-12", "inf"]);
    }

    #[test]
    fn a_change_carries_its_sign_and_the_error_of_both() {
        let change = change_percent((106.0, 0.8), (100.0, 0.7), Script::Unicode);
        assert_eq!(change.line(Script::Unicode), "+6 ± 1 %");
        let change = change_percent((98.0, 0.1), (100.0, 0.1), Script::Unicode);
        assert_eq!(change.line(Script::Unicode), "-2.0 ± 0.1 %");
    }

    #[test]
    fn durations_are_short() {
        let texts: Vec<String> = [0.2, 12.0, 59.6, 72.0, 3599.7, 14_820.0, 266_400.0, -5.0, f64::NAN]
            .into_iter()
            .map(duration)
            .collect();
        assert_eq!(
            texts,
            ["0s", "12s", "1m00s", "1m12s", "1h00", "4h07", "3d 2h", "-5s", "-"]
        );
    }

    #[test]
    fn a_length_of_time_is_read_as_people_write_it() {
        for (text, seconds) in [
            ("90", 90.0),
            ("1.5", 1.5),
            ("45m", 2700.0),
            ("1h30m", 5400.0),
            ("3d 2h", 266_400.0),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "-3", "1h30", "h", "5 apples", "nan"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_number_is_read_back_within_its_last_digit(exponent in -14i32..12, mantissa in 1.0f64..9.999) {
            let value = mantissa * 10f64.powi(exponent);
            let shown = significant(value, 3, "ohm");
            let read: f64 = shown.value.parse::<f64>().unwrap() * 1000f64.powi(shown.group);
            prop_assert!((read - value).abs() <= value * 0.0051, "{value} {}", shown.value);
        }

        #[test]
        fn nothing_panics_and_ascii_stays_ascii(value in any::<f64>(), error in any::<f64>()) {
            for unit in ["ohm", "S s^n", "1", "%", "deg", "ohm s^-1/2"] {
                prop_assert!(engineering(value, unit, Script::Ascii).is_ascii());
                let line = with_error(value, error, unit, Script::Ascii).line(Script::Ascii);
                prop_assert!(line.is_ascii() && line.len() < 50, "{line}");
            }
            let _ = duration(value);
        }
    }
}
