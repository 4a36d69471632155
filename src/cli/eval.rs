//! `interphase eval`: the impedance of a circuit.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use num_complex::Complex64;

use super::output::UsageError;
use super::values::{self, Assignment};
use crate::circuit::{Circuit, Scale};
use crate::units;

/// More points than anybody can want.
const MOST_POINTS: f64 = 1e7;

/// Evaluate a circuit: its impedance at given frequencies, as CSV.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase eval 'R0-p(R1,CPE1)' R0=10 R1=50 CPE1.Q=1e-6 CPE1.n=0.9 --f 1e6:0.1:10\n  \
    interphase eval 'R(RC)' R0=100 R1=1k C1=1u --f 1000")]
pub(super) struct EvalArgs {
    /// The circuit: R0-p(R1,CPE1)-W1, or R(RQ)W
    #[arg(value_parser = values::circuit)]
    circuit: Circuit,
    /// Every parameter of the circuit with its value in SI units
    #[arg(value_name = "NAME=V", value_parser = values::assignment)]
    values: Vec<Assignment>,
    /// From and to in Hz and points a decade, both ends included (1e6:0.1:10); or one frequency
    #[arg(long = "f", visible_alias = "frequencies", value_name = "FROM:TO:N", required = true, value_parser = frequencies)]
    frequencies: Frequencies,
}

/// Frequencies in Hz.
#[derive(Clone, Debug, PartialEq)]
struct Frequencies(Vec<f64>);

pub(super) fn run(args: &EvalArgs) -> anyhow::Result<ExitCode> {
    let circuit = &args.circuit;
    values::tell_reading(circuit);
    let parameters = parameters(circuit, &args.values)?;
    // All or nothing: half a table looks like a whole one.
    let mut impedances = Vec::with_capacity(args.frequencies.0.len());
    for &frequency in &args.frequencies.0 {
        let z = circuit.impedance(&parameters, frequency);
        if !z.is_finite() {
            bail!("{circuit} has no finite impedance at {frequency} Hz with these values");
        }
        impedances.push((frequency, z));
    }
    let mut stdout = BufWriter::new(std::io::stdout().lock());
    write(&mut stdout, &impedances).context("standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn write(out: &mut impl Write, impedances: &[(f64, Complex64)]) -> std::io::Result<()> {
    writeln!(out, "frequency_hz,z_real_ohm,z_imag_ohm")?;
    for (frequency, z) in impedances {
        writeln!(out, "{frequency:.16e},{:.16e},{:.16e}", z.re, z.im)?;
    }
    out.flush()
}

/// All parameters in the order of the circuit.
fn parameters(circuit: &Circuit, given: &[Assignment]) -> Result<Vec<f64>, UsageError> {
    let mut values = vec![None; circuit.parameters().len()];
    for Assignment { name, value } in given {
        let index = values::parameter_index(circuit, name)?;
        let spec = &circuit.parameters()[index];
        if values[index].is_some() {
            return Err(UsageError::new(format!("{name} is given twice")));
        }
        // A search wants a scale above zero; an impedance can be told without one.
        let is_possible =
            spec.allows(*value) || spec.allows_held(*value) || (*value == 0.0 && spec.scale == Scale::Log);
        if !is_possible {
            let range = match spec.scale {
                Scale::Linear => spec.allowed(),
                Scale::Log => "finite and not negative".to_owned(),
            };
            return Err(UsageError::new(format!(
                "{name} = {} is impossible: it must be {range}",
                units::typed(*value)
            )));
        }
        values[index] = Some(*value);
    }
    let missing: Vec<String> = circuit
        .parameters()
        .iter()
        .zip(&values)
        .filter(|(_, value)| value.is_none())
        .map(|(spec, _)| match spec.unit {
            "1" => spec.name.clone(),
            unit => format!("{} (in {unit})", spec.name),
        })
        .collect();
    if missing.is_empty() {
        return Ok(values.into_iter().flatten().collect());
    }
    Err(UsageError::new(format!(
        "{circuit} needs a value for {}; write NAME=VALUE for each",
        missing.join(", ")
    )))
}

/// Reads `1e6:0.1:10` or `1000`. Both ends are included to the last digit.
fn frequencies(text: &str) -> Result<Frequencies, String> {
    let positive = |text: &str| {
        let text = text.trim();
        values::number(text.strip_suffix("Hz").unwrap_or(text)).and_then(|value| {
            match value.is_finite() && value > 0.0 {
                true => Ok(value),
                false => Err("a frequency is a finite number above zero".to_owned()),
            }
        })
    };
    let fields: Vec<&str> = text.split(':').collect();
    let [from, to, density] = match fields[..] {
        [single] => return Ok(Frequencies(vec![positive(single)?])),
        [from, to, density] => [positive(from)?, positive(to)?, positive(density)?],
        _ => return Err("expected FROM:TO:POINTS_A_DECADE, such as 1e6:0.1:10, or one frequency".to_owned()),
    };
    let steps = (density * (from / to).log10().abs()).round().max(1.0);
    if from == to {
        return Ok(Frequencies(vec![from]));
    }
    if steps > MOST_POINTS {
        return Err(format!("these are {steps} points; {MOST_POINTS} are the most"));
    }
    let count = steps as usize;
    let list = (0..=count).map(|index| {
        if index == 0 {
            from
        } else if index == count {
            to
        } else {
            round_trip(from * (to / from).powf(index as f64 / steps))
        }
    });
    Ok(Frequencies(list.collect()))
}

/// Without the dust of the last digits: 1000 rather than 1000.0000000000002.
fn round_trip(value: f64) -> f64 {
    format!("{value:.13e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frequency_list_ends_exactly_at_f_min() {
        let Frequencies(list) = frequencies("1e6:0.1:10").unwrap();
        assert_eq!(list.len(), 71);
        assert_eq!((list[0], list[10], list[70]), (1e6, 1e5, 0.1));
        let Frequencies(list) = frequencies("7e6:0.05:10").unwrap();
        assert_eq!((list[0], *list.last().unwrap()), (7e6, 0.05));
        assert!(list.windows(2).all(|pair| pair[0] > pair[1]));
        let Frequencies(upwards) = frequencies("1:1k:5").unwrap();
        assert_eq!((upwards.len(), upwards[0], upwards[15]), (16, 1.0, 1000.0));
        assert_eq!(frequencies("1000"), Ok(Frequencies(vec![1000.0])));
    }

    #[test]
    fn what_is_no_list_of_frequencies_is_refused() {
        for text in [
            "",
            "1:2",
            "1:2:3:4",
            "0:1:10",
            "1e6:-1:10",
            "1e6:1:0",
            "inf",
            "1e300:1e-300:1e9",
        ] {
            assert!(frequencies(text).is_err(), "{text}");
        }
    }
}
