//! `interphase fit`: a circuit's parameters from the spectra of files.

mod curve;
mod joint;
mod json;
mod rows;
mod series;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::output::{self, UsageError};
use super::selection::SelectionArgs;
use super::values::{self, Assignment, Bound};
use super::{parallel, spectra};
use crate::analysis::fit::{FitError, FitOptions, FitResult, Weight};
use crate::circuit::Circuit;
use crate::files::ReadOptions;
use series::{FileFit, Request, Series};

/// Fit a circuit to the spectra of files, without a guess of yours.
///
/// Several spectra in one file are a series: each fit starts from the one before, so that arcs keep their names.
/// Files stand for themselves unless --series chains them.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase fit cell.csv --circuit R0-p(R1,CPE1)-W1\n  \
    interphase fit day*.mpt --circuit 'R(RQ)W' --fix CPE1.n=0.9 --bound R0=1:20 --json\n  \
    interphase fit cell.csv --circuit R0-p(R1,CPE1) --fmax 100k --drop 50Hz --curve fitted.csv\n\n\
    A value may carry an SI prefix: 2.2u, 1.5k. Exponents lie above 0 and at most at 1.\n\n\
    Determined (JSON: determined) is a parameter by its standard error alone: SE(ln p) up to 0.3, for exponents SE up to \
    0.05, for L and R in series SE up to 5 % of |Z|. With fewer than ten numbers more than parameters chance can make \
    errors small; intervals allow for it (Student's t), and the table says so.\n\n\
    AICc and BIC are N ln(S/N) + ... with all weights. With --sigma they trust how the errors of the points compare, not \
    how large they are; who trusts that too compares chi_squared + 2p (AIC) or chi_squared + p ln N (BIC).\n\n\
    Of a file that breaks off, the whole spectra before are fitted and told, one object or row each, and one more says \
    the error. A search that stops before a minimum still gives its numbers: converged is false, and a warning stands \
    on standard error.\n\n\
    Exit status: 0 all fitted (see converged), 1 a file or spectrum could not be, 2 wrong command line.")]
pub(super) struct FitArgs {
    /// Spectra in any supported format; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The circuit: R0-p(R1,CPE1)-W1, or R(RQ)W
    #[arg(long, value_parser = values::circuit)]
    circuit: Circuit,
    /// How residuals count: by 1/|Z|, by each part of Z, or all the same
    #[arg(long, default_value = "modulus", value_parser = weights())]
    weight: Weight,
    /// A start value; those not given are found in the data
    #[arg(long, value_name = "NAME=V", value_parser = values::assignment)]
    start: Vec<Assignment>,
    /// A parameter held at a value
    #[arg(long, value_name = "NAME=V", value_parser = values::assignment)]
    fix: Vec<Assignment>,
    /// The range of a parameter; an end left out is open
    #[arg(long, value_name = "NAME=LO:HI", value_parser = values::bound)]
    bound: Vec<Bound>,
    /// A parameter that has the value of another
    #[arg(long, value_name = "NAME=NAME", value_parser = values::tie)]
    tie: Vec<(String, String)>,
    /// A parameter that has one value in all spectra, which are fitted together
    #[arg(long, value_name = "NAME")]
    share: Vec<String>,
    /// A scale parameter that follows one activation energy through all spectra; needs --temperatures-k
    #[arg(long, value_name = "NAME", requires = "temperatures_k")]
    activated: Vec<String>,
    /// As --activated, for a resistance whose conductivity times T is activated
    #[arg(long, value_name = "NAME", requires = "temperatures_k")]
    activated_sigma_t: Vec<String>,
    /// The temperature of each spectrum in kelvin, in their order
    #[arg(long, value_name = "T1,T2,...", value_delimiter = ',')]
    temperatures_k: Vec<f64>,
    /// Weight each point by its own standard error of one component in ohm, from the column of this name
    #[arg(long, value_name = "COLUMN", conflicts_with = "weight")]
    sigma: Option<String>,
    /// Let points far from the rest count less, or not at all
    #[arg(long)]
    robust: bool,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Fit drift-corrected spectra: each sweep of a file as it would have been when it began, from the times of its
    /// points and the sweeps before and after it
    #[arg(long)]
    instant: bool,
    /// All files are one series, in the order given
    #[arg(long)]
    series: bool,
    /// Write measured and fitted values and residuals of every point to this file
    #[arg(long, value_name = "OUT.csv")]
    curve: Option<PathBuf>,
    /// Replace the file that --curve names
    #[arg(long, requires = "curve")]
    force: bool,
    /// One row of CSV a spectrum
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// One JSON object a spectrum
    #[arg(long)]
    json: bool,
}

/// The weights that need no further column.
pub(super) fn weights() -> impl TypedValueParser<Value = Weight> {
    let words = [Weight::Modulus, Weight::Proportional, Weight::Unit].map(Weight::word);
    PossibleValuesParser::new(words).map(|word| Weight::from_word(&word).unwrap_or_default())
}

pub(super) fn run(args: &FitArgs) -> anyhow::Result<ExitCode> {
    spectra::check_paths(&args.files)?;
    let request = request(args)?;
    values::tell_reading(&request.circuit);
    let mut curve = match &args.curve {
        Some(path) => Some(curve::Curve::create(path, &args.files, args.force)?),
        None => None,
    };
    let mut rows = match args.csv {
        true => Some(rows::Rows::begin(&request)?),
        false => None,
    };
    if !joint::sharing(args).is_empty() {
        return joint::run(args, &request, curve, rows);
    }
    let files = &args.files;
    let jobs = if args.series { 1 } else { files.len() };
    let mut failed = false;
    parallel::in_order(
        jobs,
        files.len(),
        |job, emit| {
            let mut series = Series::new(&request);
            let own = if args.series { 0..files.len() } else { job..job + 1 };
            for place in own {
                if !emit(place, series.fit_file(&files[place])) {
                    return;
                }
            }
        },
        |place, file: FileFit| {
            let path = files[place].display().to_string();
            spectra::tell_remarks(&files[place], &file.remarks);
            failed |= file.has_failed();
            for error in file.errors() {
                output::message(format!("interphase: {error}"));
            }
            for place in file.unconverged() {
                output::message(unconverged(&place));
            }
            if let Some(warning) = file.arcs_out_of_order() {
                output::message(warning);
            }
            if let Some(curve) = &mut curve {
                curve.add(&path, &request, &file);
            }
            if args.json {
                json::write(&path, &request, &file)
            } else if let Some(rows) = &mut rows {
                rows.add(&path, &file)
            } else {
                table::write(&path, &request, &file)
            }
        },
    )?;
    if let Some(curve) = curve {
        curve.finish()?;
    }
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// What is said of a search that stopped before a minimum.
fn unconverged(place: &str) -> String {
    format!(
        "interphase: warning: {place}: the search did not end at a minimum; its numbers are where it stopped"
    )
}

/// What is said of arcs whose names do not follow their time constants.
fn out_of_order(resistances: &[String]) -> String {
    format!(
        "the arcs of {} are not in the order of their time constants, as names otherwise say: what is held, bound, tied \
         or started fits better so, or the arcs have crossed in a series",
        resistances.join(", ")
    )
}

/// The 95 % interval of a parameter; none where the data do not determine it.
fn interval(result: &FitResult, index: usize) -> Option<(f64, f64)> {
    let parameter = &result.parameters[index];
    result
        .interval(&parameter.name, 0.95)
        .filter(|_| parameter.determined && !parameter.fixed)
}

/// What the command line asks for, checked against the circuit.
fn request(args: &FitArgs) -> Result<Request, UsageError> {
    let circuit = &args.circuit;
    for name in args.tie.iter().flat_map(|(name, to)| [name, to]) {
        values::parameter_index(circuit, name)?;
    }
    for (option, names) in [
        ("--start", assigned(&args.start)),
        ("--fix", assigned(&args.fix)),
        (
            "--bound",
            args.bound.iter().map(|bound| bound.name.as_str()).collect(),
        ),
    ] {
        check_names(circuit, option, &names)?;
    }
    let pairs = |assignments: &[Assignment]| {
        assignments
            .iter()
            .map(|assignment| (assignment.name.clone(), assignment.value))
            .collect::<Vec<_>>()
    };
    let shared = joint::sharing(args);
    for (name, _) in &shared {
        values::parameter_index(circuit, name)?;
    }
    if shared.is_empty() && !args.temperatures_k.is_empty() {
        return Err(UsageError::new(
            "--temperatures-k says nothing by itself; name what follows them with --activated or --activated-sigma-t",
        ));
    }
    if !shared.is_empty() && args.robust {
        return Err(UsageError::new(FitError::RobustJointly.to_string()));
    }
    let options = FitOptions {
        weight: if args.sigma.is_some() {
            Weight::Sigma
        } else {
            args.weight
        },
        robust: args.robust,
        named_start: pairs(&args.start),
        fixed: pairs(&args.fix),
        ties: args.tie.clone(),
        bounds: args
            .bound
            .iter()
            .map(|bound| (bound.name.clone(), bound.lower, bound.upper))
            .collect(),
        ..FitOptions::default()
    };
    options
        .check(circuit)
        .map_err(|error| UsageError::new(error.to_string()))?;
    Ok(Request {
        start: full_start(args),
        options,
        circuit: circuit.clone(),
        selection: args.selection.selection()?,
        as_instants: args.instant,
        reading: ReadOptions {
            sigma_column: args.sigma.clone(),
            ..ReadOptions::default()
        },
    })
}

fn assigned(assignments: &[Assignment]) -> Vec<&str> {
    assignments
        .iter()
        .map(|assignment| assignment.name.as_str())
        .collect()
}

/// Each name must be of the circuit, and stand once: of two values one would be forgotten.
fn check_names(circuit: &Circuit, option: &str, names: &[&str]) -> Result<(), UsageError> {
    for (place, name) in names.iter().enumerate() {
        values::parameter_index(circuit, name)?;
        if names[..place].contains(name) {
            return Err(UsageError::new(format!("{option} {name} is given twice")));
        }
    }
    Ok(())
}

/// A whole vector to start from, where the user has given every free parameter.
fn full_start(args: &FitArgs) -> Option<Vec<f64>> {
    let value_of = |name: &str| {
        let given = args.start.iter().chain(&args.fix).rev();
        given
            .filter(|assignment| assignment.name == name)
            .map(|assignment| assignment.value)
            .next()
    };
    let names = args.circuit.parameters().iter();
    names
        .map(|spec| {
            value_of(&spec.name).or_else(|| {
                let tied = args.tie.iter().find(|(name, _)| *name == spec.name);
                tied.and_then(|(_, to)| value_of(to))
            })
        })
        .collect()
}
