//! `interphase rank`: circuits compared on the spectra of files.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use clap::Args;
use serde_json::{Map, Value, json};

use super::fit::weights;
use super::selection::{self, SelectionArgs};
use super::{output, parallel, spectra, values};
use crate::analysis::fit::Weight;
use crate::analysis::rank::{self, Candidate, Comparison, RankOptions, Ranked, Ranking, family};
use crate::analysis::selection::Selection;

/// Compare circuits on the spectra of files: a ranking, and what speaks against trusting it.
///
/// All circuits are fitted to the same points with the same weights and ranked by BIC. Circuits that lie inside
/// another's parameter range are compared with it by an F test, those on its edge (a further arc, CPE against C) by
/// a parametric bootstrap.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    interphase rank cell.csv\n  \
    interphase rank cell.csv --circuit R0-p(R1,CPE1) --circuit R0-p(R1,CPE1)-W1 --json\n  \
    interphase rank cell.csv --circuit R0-p(R1,CPE1) --circuit 'R0-p(R1,CPE1); CPE1.n=0.9'\n\n\
    AICc and BIC are N ln(S/N) + ... as `interphase fit --help` says. Of a file that breaks off, the whole spectra before \
    are ranked, and one object more says the error. Exit status: 0 all ranked, 1 a file or spectrum could not be, 2 wrong \
    command line.")]
pub(super) struct RankArgs {
    /// Spectra in any supported format; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A circuit to compare; without any, a family of 14 for solid-state and lithium-ion cells. Conditions may
    /// follow: 'R0-p(R1,CPE1)-p(R2,CPE2); CPE2.n=CPE1.n; R0=5'
    #[arg(long = "circuit", value_name = "CIRCUIT", value_parser = candidate)]
    circuits: Vec<Candidate>,
    /// How residuals count: by 1/|Z|, by each part of Z, or all the same
    #[arg(long, default_value = "modulus", value_parser = weights())]
    weight: Weight,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Spectra drawn for each bootstrap
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(19..=100_000))]
    bootstrap: u32,
    /// No bootstrap: no probability for circuits on the edge of another's range
    #[arg(long, conflicts_with = "bootstrap")]
    no_bootstrap: bool,
    /// Seed of the bootstrap; the same seed gives the same result
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// One JSON object a spectrum
    #[arg(long)]
    json: bool,
}

fn candidate(text: &str) -> Result<Candidate, String> {
    Candidate::parse(text).map_err(|error| error.to_string())
}

/// What came of a file.
struct FileRanking {
    remarks: Vec<String>,
    /// Of each spectrum its name, and why it could not be ranked if it could not.
    rankings: Vec<(Option<String>, Result<Ranking, String>)>,
    unreadable: Option<String>,
}

pub(super) fn run(args: &RankArgs) -> anyhow::Result<ExitCode> {
    spectra::check_paths(&args.files)?;
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let options = RankOptions {
        weight: args.weight,
        resamples: if args.no_bootstrap {
            0
        } else {
            args.bootstrap as usize
        },
        seed: args.seed,
        // Files already keep the cores busy.
        threads: cores.div_ceil(args.files.len()),
    };
    let selection = args.selection.selection()?;
    for candidate in &args.circuits {
        values::tell_reading(&candidate.circuit);
    }
    let mut failed = false;
    parallel::in_order(
        args.files.len(),
        args.files.len(),
        |place, emit| {
            emit(place, rank_file(&args.files[place], args, &selection, &options));
        },
        |place, file: FileRanking| {
            let path = &args.files[place];
            spectra::tell_remarks(path, &file.remarks);
            for (name, ranking) in &file.rankings {
                let ranking = match ranking {
                    Ok(ranking) => ranking,
                    Err(error) => {
                        failed = true;
                        output::message(format!(
                            "interphase: {}: {error}",
                            place_of(path, name.as_deref())
                        ));
                        if args.json {
                            let mut object = head(path, name.as_deref());
                            object.insert("error".to_owned(), error.as_str().into());
                            output::line(Value::Object(object).to_string())?;
                        }
                        continue;
                    }
                };
                if let Some(error) = why_nothing_is_ranked(ranking) {
                    failed = true;
                    output::message(format!(
                        "interphase: {}: no circuit could be ranked: {error}",
                        place_of(path, name.as_deref())
                    ));
                }
                for ranked in &ranking.candidates {
                    if ranked.outcome.as_ref().is_ok_and(|fit| !fit.converged) {
                        output::message(format!(
                            "interphase: warning: {}: the search for {} did not end at a minimum",
                            place_of(path, name.as_deref()),
                            ranked.candidate
                        ));
                    }
                }
                if args.json {
                    output::line(as_json(path, name.as_deref(), ranking).to_string())?;
                } else {
                    for line in as_text(path, name.as_deref(), ranking) {
                        output::line(line)?;
                    }
                }
            }
            if let Some(error) = &file.unreadable {
                failed = true;
                output::message(format!("interphase: {error}"));
                if args.json {
                    output::line(json!({"file": path.display().to_string(), "error": error}).to_string())?;
                }
            }
            Ok(())
        },
    )?;
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn rank_file(path: &Path, args: &RankArgs, selection: &Selection, options: &RankOptions) -> FileRanking {
    let reading = match spectra::read(path) {
        Ok(reading) => reading,
        Err(error) => {
            return FileRanking {
                remarks: Vec::new(),
                rankings: Vec::new(),
                unreadable: Some(format!("{error:#}")),
            };
        }
    };
    let names = spectra::names(&reading.spectra);
    let mut rankings = Vec::new();
    for (spectrum, name) in reading.spectra.into_iter().zip(names) {
        let spectrum = match selection::mark(selection, spectrum.spectrum) {
            Ok((spectrum, _)) => spectrum,
            Err(error) => {
                rankings.push((name, Err(error.to_string())));
                continue;
            }
        };
        let of_the_family;
        let candidates = if args.circuits.is_empty() {
            of_the_family = family::for_spectrum(&spectrum);
            &of_the_family
        } else {
            &args.circuits
        };
        rankings.push((name, Ok(rank::rank(&spectrum, candidates, options))));
    }
    FileRanking {
        remarks: reading.remarks,
        rankings,
        unreadable: reading.broken.map(|error| error.to_string()),
    }
}

/// Why none of the circuits has a place; none where one has.
fn why_nothing_is_ranked(ranking: &Ranking) -> Option<String> {
    let mut errors = ranking
        .candidates
        .iter()
        .map(|ranked| ranked.outcome.as_ref().err());
    let first = errors.next()?;
    let all_failed = first.is_some() && errors.all(|error| error.is_some());
    first.filter(|_| all_failed).map(ToString::to_string)
}

fn place_of(file: &Path, spectrum: Option<&str>) -> String {
    match spectrum {
        Some(name) => format!("{}, {name}", file.display()),
        None => file.display().to_string(),
    }
}

/// What every object begins with.
fn head(file: &Path, spectrum: Option<&str>) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("file".to_owned(), file.display().to_string().into());
    if let Some(name) = spectrum {
        object.insert("spectrum".to_owned(), name.into());
    }
    object
}

fn as_json(file: &Path, spectrum: Option<&str>, ranking: &Ranking) -> Value {
    let mut object = head(file, spectrum);
    let name = |place: usize| ranking.candidates[place].candidate.to_string();
    let comparisons = ranking.comparisons.iter().map(|comparison| {
        let Comparison {
            smaller,
            larger,
            test,
            f,
            p,
        } = comparison;
        json!({
            "smaller": name(*smaller),
            "larger": name(*larger),
            "test": test.map(rank::Test::word),
            "f": f,
            "p": p,
        })
    });
    let rest = [
        ("n_points", ranking.n_points.into()),
        ("n_used", ranking.n_used.into()),
        ("weight", ranking.weight.word().into()),
        (
            "candidates",
            ranking.candidates.iter().map(candidate_json).collect(),
        ),
        ("comparisons", comparisons.collect()),
        ("remarks", ranking.remarks.iter().cloned().collect()),
    ];
    object.extend(rest.map(|(key, value): (&str, Value)| (key.to_owned(), value)));
    Value::Object(object)
}

fn candidate_json(ranked: &Ranked) -> Value {
    let result = ranked.outcome.as_ref().ok();
    json!({
        "circuit": ranked.candidate.to_string(),
        "free": ranked.free,
        "undetermined": result.map(|_| ranked.undetermined().len()),
        "chi_squared": result.map(|result| result.chi_squared),
        "reduced_chi_squared": result.and_then(|result| result.reduced_chi_squared),
        "aicc": result.and_then(|result| result.aicc),
        "bic": result.and_then(|result| result.bic),
        "delta_bic": ranked.delta_bic,
        "runs_p": result.and_then(|result| result.runs_p),
        "at_bound": result.map(|_| ranked.at_bound().len()),
        "converged": result.map(|result| result.converged),
        "undetermined_names": ranked.undetermined(),
        "at_bound_names": ranked.at_bound(),
        "error": ranked.outcome.as_ref().err().map(ToString::to_string),
    })
}

fn as_text(file: &Path, spectrum: Option<&str>, ranking: &Ranking) -> Vec<String> {
    let name = place_of(file, spectrum);
    let mut lines = vec![format!(
        "{name}: {} circuits on {} of {} points, {} weight",
        ranking.candidates.len(),
        ranking.n_used,
        ranking.n_points,
        ranking.weight.word()
    )];
    let heads = [
        "circuit",
        "free",
        "not determined",
        "at bound",
        "chi² reduced",
        "AICc",
        "BIC",
        "ΔBIC",
        "runs p",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(ranking.candidates.iter().map(row));
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    for row in &rows {
        let mut line = format!("  {:width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        lines.push(line);
    }
    for comparison in &ranking.comparisons {
        lines.extend(comparison_line(ranking, comparison));
    }
    lines.extend(ranking.remarks.iter().map(|remark| format!("  {remark}")));
    lines.push(String::new());
    lines
}

fn row(ranked: &Ranked) -> [String; 9] {
    let number = |value: Option<f64>, digits: usize| {
        value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
    };
    let result = ranked.outcome.as_ref().ok();
    let count = |count: usize| match (result, count) {
        (None, _) => "-".to_owned(),
        (_, 0) => String::new(),
        _ => count.to_string(),
    };
    let reduced = result.and_then(|result| result.reduced_chi_squared);
    [
        ranked.candidate.to_string(),
        ranked.free.to_string(),
        count(ranked.undetermined().len()),
        count(ranked.at_bound().len()),
        reduced.map_or_else(|| "-".to_owned(), |value| format!("{value:.2e}")),
        number(result.and_then(|result| result.aicc), 1),
        number(result.and_then(|result| result.bic), 1),
        number(ranked.delta_bic, 1),
        number(result.and_then(|result| result.runs_p), 2),
    ]
}

fn comparison_line(ranking: &Ranking, comparison: &Comparison) -> Option<String> {
    let name = |place: usize| &ranking.candidates[place].candidate;
    let (test, f, p) = (comparison.test?, comparison.f?, comparison.p?);
    let f = match f < 1e6 {
        true => format!("{f:.2}"),
        false => format!("{f:.1e}"),
    };
    let test = match test {
        rank::Test::F => "F test",
        rank::Test::Bootstrap => "bootstrap",
    };
    Some(format!(
        "  {} in {}: F = {f}, p = {p:.3} ({test})",
        name(comparison.smaller),
        name(comparison.larger)
    ))
}
