//! `NAME=VALUE` and its relatives on the command line.

use super::output::{self, UsageError};
use crate::circuit::{Circuit, Notation};

/// Reads a circuit in either notation.
pub(super) fn circuit(text: &str) -> Result<Circuit, String> {
    Circuit::parse(text).map_err(|error| error.to_string())
}

/// Tells how a circuit in Boukamp's notation was read: its parameters are named by the other one.
pub(super) fn tell_reading(circuit: &Circuit) {
    if circuit.notation() == Notation::Boukamp {
        output::message(format!("circuit read as {circuit}"));
        for line in circuit.echo() {
            output::message(line);
        }
    }
}

/// A parameter and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assignment {
    pub name: String,
    pub value: f64,
}

/// Reads `R1=50`, `CPE1.Q=2.2u`.
pub(super) fn assignment(text: &str) -> Result<Assignment, String> {
    let (name, value) = split(text, "NAME=VALUE, such as R1=50")?;
    Ok(Assignment {
        name: name.to_owned(),
        value: number(value)?,
    })
}

/// A parameter and the range it may take.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bound {
    pub name: String,
    pub lower: f64,
    pub upper: f64,
}

/// Reads `R1=10:1000`; an end that is left out is open.
pub(super) fn bound(text: &str) -> Result<Bound, String> {
    let wanted = "NAME=LOW:HIGH, such as R1=10:1000 or R1=10:";
    let (name, range) = split(text, wanted)?;
    let (lower, upper) = range
        .split_once(':')
        .ok_or_else(|| format!("expected {wanted}"))?;
    let end = |text: &str, open: f64| match text.trim() {
        "" => Ok(open),
        text => number(text),
    };
    let (lower, upper) = (end(lower, 0.0)?, end(upper, f64::INFINITY)?);
    if lower < 0.0 || upper <= 0.0 || lower > upper {
        return Err("bounds must not be negative, and the lower one must be the smaller".to_owned());
    }
    Ok(Bound {
        name: name.to_owned(),
        lower,
        upper,
    })
}

/// Reads `CPE2.n=CPE1.n`.
pub(super) fn tie(text: &str) -> Result<(String, String), String> {
    let (name, to) = split(text, "NAME=NAME, such as CPE2.n=CPE1.n")?;
    Ok((name.to_owned(), to.to_owned()))
}

fn split<'a>(text: &'a str, wanted: &str) -> Result<(&'a str, &'a str), String> {
    match text
        .split_once('=')
        .map(|(name, value)| (name.trim(), value.trim()))
    {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name, value)),
        _ => Err(format!("expected {wanted}")),
    }
}

/// Reads a number, plain (`2.2e-6`) or with one SI prefix behind it (`2.2u`, `1.5k`).
pub(super) fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let wrong = || format!("`{text}` is no number; write 0.0000022, 2.2e-6 or 2.2u");
    let prefixes = [
        ('p', 1e-12),
        ('n', 1e-9),
        ('u', 1e-6),
        ('µ', 1e-6),
        ('μ', 1e-6),
        ('m', 1e-3),
        ('k', 1e3),
        ('M', 1e6),
        ('G', 1e9),
    ];
    let value = match prefixes.iter().find(|(prefix, _)| text.ends_with(*prefix)) {
        Some((prefix, factor)) => {
            let digits = text.strip_suffix(*prefix).unwrap_or_default();
            // `1e3k` would be a riddle, and a division keeps 2.2u the number nearest to 2.2e-6.
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let value: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
            if *factor < 1.0 {
                value / (1.0_f64 / factor).round()
            } else {
                value * factor
            }
        }
        None => text.parse().map_err(|_| wrong())?,
    };
    if value.is_nan() { Err(wrong()) } else { Ok(value) }
}

/// Where the parameter of that name stands; an error that names its nearest relative where there is none.
pub(super) fn parameter_index(circuit: &Circuit, name: &str) -> Result<usize, UsageError> {
    circuit.parameter_index(name).ok_or_else(|| {
        let names = || circuit.parameters().iter().map(|spec| spec.name.as_str());
        let nearest = names()
            .map(|known| {
                let distance = strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
                (distance, known)
            })
            .min_by_key(|(distance, _)| *distance)
            .filter(|(distance, known)| *distance <= known.len().max(name.len()) / 2)
            .map_or_else(
                || ".".to_owned(),
                |(_, known)| format!("; did you mean `{known}`?"),
            );
        let known = names().collect::<Vec<_>>().join(", ");
        UsageError::new(format!(
            "{circuit} has no parameter `{name}`{nearest} It has {known}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_plain_and_with_one_prefix() {
        for (text, value) in [
            ("50", 50.0),
            ("2.2e-6", 2.2e-6),
            ("2.2u", 2.2e-6),
            ("2.2µ", 2.2e-6),
            ("1.5k", 1500.0),
            ("3M", 3e6),
            ("3m", 3e-3),
            ("100n", 1e-7),
            ("7p", 7e-12),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in ["", "k", "1e3k", "1kk", "ten", "NaN", "1,5", "-5k", "1 k"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_open_end_of_a_bound_is_open() {
        let read = |text| bound(text).map(|bound| (bound.lower, bound.upper));
        assert_eq!(read("R1=10:1k"), Ok((10.0, 1000.0)));
        assert_eq!(read("R1=:1k"), Ok((0.0, 1000.0)));
        assert_eq!(read("R1=10:"), Ok((10.0, f64::INFINITY)));
        for text in ["R1=5", "R1=9:3", "R1=-1:3", "=1:2", "R1"] {
            assert!(bound(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_one() {
        let circuit = Circuit::parse("R0-p(R1,CPE1)").unwrap();
        let message = parameter_index(&circuit, "CPE1.q").unwrap_err().to_string();
        assert!(message.contains("did you mean `CPE1.Q`?"), "{message}");
        assert_eq!(parameter_index(&circuit, "R1"), Ok(1));
    }
}
