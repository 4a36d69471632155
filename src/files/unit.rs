//! Units as they stand in the headers of tables.

/// What a unit measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Hertz.
    Frequency,
    /// Ohm.
    Resistance,
    /// Degrees.
    Angle,
    /// Seconds.
    Time,
    /// Volts.
    Potential,
    /// Amperes.
    Current,
    /// Nothing.
    One,
}

/// A unit, or why it is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Unit {
    /// So many of the unit of its kind (Hz, ohm, degree, s, V, A).
    Known(Kind, f64),
    /// Understood, but not usable; the text says why and what to do.
    Refused(Kind, String),
}

/// The unit that a text names. `text` has Ω written as `Ohm` and µ as `u`, see [`super::names`].
pub(super) fn parse(text: &str) -> Option<Unit> {
    let text = text.trim().trim_end_matches('.');
    let lower = text.to_ascii_lowercase();
    if lower.contains("ohm") && lower.contains("cm") {
        return Some(Unit::Refused(
            Kind::Resistance,
            format!("the unit is {text:?}, of an area; divide by the area in cm² and write ohm"),
        ));
    }
    if let Some(prefix) = lower.strip_suffix("hz").or_else(|| lower.strip_suffix("hertz")) {
        return prefixed(Kind::Frequency, &text[..prefix.len()], text, false);
    }
    if let Some(prefix) = lower.strip_suffix("ohms").or_else(|| lower.strip_suffix("ohm")) {
        return prefixed(Kind::Resistance, &text[..prefix.len()], text, true);
    }
    let (kind, factor) = match lower.as_str() {
        "deg" | "degs" | "degree" | "degrees" => (Kind::Angle, 1.0),
        "rad" | "rads" | "radian" | "radians" => (Kind::Angle, 180.0 / std::f64::consts::PI),
        "s" | "sec" | "secs" | "second" | "seconds" => (Kind::Time, 1.0),
        "ms" => (Kind::Time, 1e-3),
        "min" | "minutes" => (Kind::Time, 60.0),
        "h" | "hr" | "hours" => (Kind::Time, 3600.0),
        "v" | "volt" | "volts" => (Kind::Potential, 1.0),
        "mv" => (Kind::Potential, 1e-3),
        "uv" => (Kind::Potential, 1e-6),
        "a" | "amp" | "amps" | "ampere" | "amperes" => (Kind::Current, 1.0),
        "ma" => (Kind::Current, 1e-3),
        "ua" => (Kind::Current, 1e-6),
        "na" => (Kind::Current, 1e-9),
        "1" | "-" | "#" => (Kind::One, 1.0),
        _ => return None,
    };
    Some(Unit::Known(kind, factor))
}

/// A unit with an SI prefix. `m` and `M` are told apart by their case; where the case of the whole text says
/// nothing, a resistance is in milliohm (nobody writes megaohm `mohm`), and a frequency is refused.
fn prefixed(kind: Kind, prefix: &str, text: &str, small_is_milli: bool) -> Option<Unit> {
    let rest_is_lower = text[prefix.len()..].starts_with(|first: char| first.is_ascii_lowercase());
    let rest_is_upper = text[prefix.len()..].bytes().all(|byte| byte.is_ascii_uppercase());
    let factor = match prefix {
        "" => 1.0,
        "k" | "K" => 1e3,
        "G" | "g" => 1e9,
        "u" | "U" => 1e-6,
        "mega" | "Mega" => 1e6,
        "milli" | "Milli" => 1e-3,
        "kilo" | "Kilo" => 1e3,
        "M" if !rest_is_upper => 1e6,
        "m" if !rest_is_lower || small_is_milli => 1e-3,
        "m" | "M" => {
            let (small, large) = match kind {
                Kind::Frequency => ("mHz", "MHz"),
                _ => ("mOhm", "MOhm"),
            };
            let reason = format!("the unit {text:?} may be {small} or {large}; write one of these two");
            return Some(Unit::Refused(kind, reason));
        }
        _ => return None,
    };
    Some(Unit::Known(kind, factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_told_apart_by_case_or_refused() {
        let factor = |text: &str| match parse(text) {
            Some(Unit::Known(_, factor)) => Some(factor),
            _ => None,
        };
        for (text, expected) in [
            ("Hz", 1.0),
            ("hz", 1.0),
            ("kHz", 1e3),
            ("khz", 1e3),
            ("MHz", 1e6),
            ("mHz", 1e-3),
            ("ohm", 1.0),
            ("Ohms", 1.0),
            ("kOhm", 1e3),
            ("kohm", 1e3),
            ("mOhm", 1e-3),
            ("mohm", 1e-3),
            ("MOhm", 1e6),
            ("Mohm", 1e6),
            ("mA", 1e-3),
            ("min", 60.0),
        ] {
            assert_eq!(factor(text), Some(expected), "{text}");
        }
        for text in ["mhz", "MHZ", "MOHM", "Ohm cm2", "ohm*cm^2"] {
            assert!(matches!(parse(text), Some(Unit::Refused(_, _))), "{text}");
        }
        for text in ["", "foo", "ohm-1", "Ohm-1", "xHz", "Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
