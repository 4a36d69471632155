//! `interphase plot`: a figure for a report, as SVG.

mod sheets;
mod subject;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::out_file::OutFile;
use super::output;
use crate::analysis::fit::Weight;
use crate::circuit::Circuit;
use crate::figure::svg::Sheet;
use crate::state::State;
use subject::{Chosen, Subject};

/// Most spectra in one figure: one for each shape of mark.
const MOST_TOGETHER: usize = 12;
/// Width and height that a sheet may have, in pixels.
const SIZES: std::ops::RangeInclusive<i64> = 200..=10_000;

/// What can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlotKind {
    /// -Z'' over Z', one ohm equally long on both axes
    Nyquist,
    /// |Z| and phase over frequency
    Bode,
    /// Measured minus fitted over frequency, in per cent of |Z|; without a fit, of the Kramers-Kronig test
    Residuals,
    /// The distribution of relaxation times, at three weights of smoothness
    Drt,
    /// The recorded fits' parameters over the sweeps, with error bars
    History,
}

/// Draw spectra, fits and histories as SVG, for reports and print.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  interphase plot cell.mpt --out cell.svg
  interphase plot cell.csv --kind residuals --circuit 'R0-p(R1,CPE1)' --out residuals.svg
  interphase plot cell.csv --kind residuals --out kramers_kronig.svg
  interphase plot cell.csv --kind drt --out drt.svg
  interphase plot recordings/battery_130.interphase --kind history --out history.svg
  interphase plot recordings/battery_130.interphase --sweep 1,65,130 --out ageing.svg")]
pub(super) struct PlotArgs {
    /// A spectrum file of any supported format, or a recording; `-` is standard input
    file: PathBuf,
    /// The file to write; `-` is standard output
    #[arg(long, value_name = "X.svg")]
    out: PathBuf,
    /// What to draw
    #[arg(long, value_enum, default_value = "nyquist")]
    kind: PlotKind,
    /// Which sweeps of the recording, or spectra of the file from 1 on; without it the last sweep, or all
    /// spectra (12 of them where there are more; for residuals and drt the last)
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    sweep: Vec<u32>,
    /// Fit this circuit and draw its curve, instead of a recorded fit
    #[arg(long, value_name = "CIRCUIT", value_parser = parse_circuit)]
    circuit: Option<Circuit>,
    /// How the fit weights residuals
    #[arg(long, requires = "circuit", value_parser = weight_parser())]
    weight: Option<Weight>,
    /// What stands above the figure; without it the file's name and what is drawn
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Width in pixels
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(SIZES))]
    width: Option<u32>,
    /// Height in pixels; without it what suits the figure
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(SIZES))]
    height: Option<u32>,
    /// Draw a faint grid
    #[arg(long)]
    grid: bool,
    /// Replace the file that --out names
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &PlotArgs) -> anyhow::Result<ExitCode> {
    let out = OutFile::new(&args.out, args.force)?;
    check_name(&out, args)?;
    let (subject, is_whole) = Subject::read(&args.file)?;
    let mut sheet = match args.kind {
        PlotKind::History => history(args, &subject)?,
        kind => spectra(args, kind, &subject)?,
    };
    if let Some(width) = args.width {
        sheet.width_px = f64::from(width);
    }
    sheet.height_px = args.height.map(f64::from);
    sheet.grid = args.grid;
    let drawing = sheet.draw();
    if drawing.beyond > 0 {
        output::message(format!(
            "{} points that are not to be trusted lie far beyond the others and are not drawn",
            drawing.beyond
        ));
    }
    if let Some(height) = args.height
        && drawing.height_px > f64::from(height)
    {
        output::message(format!(
            "--height {height} leaves no room for the panels; the figure is {:.0} px high",
            drawing.height_px
        ));
    }
    out.write(drawing.svg.as_bytes())?;
    Ok(match is_whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The name of a file, and the figure in it.
type DrawnFile = (&'static str, String);

/// The figures of a recording that is exported, each with the name of its file: -Z'' over Z' of its sweeps, |Z| and phase
/// of the last one, and the history of what is followed. Gives back also what is not drawn, in words.
pub(super) fn figures(path: &Path, state: State) -> anyhow::Result<(Vec<DrawnFile>, Vec<String>)> {
    let subject = Subject::Recording(Box::new(state));
    let all = subject.numbers();
    let chosen = spread(&all, MOST_TOGETHER)
        .into_iter()
        .map(|number| subject.choose(number))
        .collect::<anyhow::Result<Vec<Chosen>>>()?;
    let mut remarks = Vec::new();
    if chosen.len() < all.len() {
        let words: Vec<&str> = chosen.iter().map(|one| one.name.as_str()).collect();
        remarks.push(format!(
            "nyquist.svg shows {} of {} sweeps: {}; `interphase plot` draws others",
            chosen.len(),
            all.len(),
            words.join(", ")
        ));
    }
    let title = |what: &str| format!("{}, {what}", file_name(path));
    let mut sheets = Vec::new();
    if let Some(last) = chosen.last() {
        sheets.push(("nyquist.svg", sheets::nyquist_sheet(title("sweeps"), &chosen)));
        sheets.push((
            "bode.svg",
            sheets::bode_sheet(title(&last.name), std::slice::from_ref(last)),
        ));
    }
    if let Subject::Recording(state) = &subject {
        sheets.push(("history.svg", sheets::history_sheet(title("history"), state)));
    }
    let mut figures = Vec::new();
    for (name, sheet) in sheets {
        match sheet {
            Ok(sheet) => figures.push((name, sheet.draw().svg)),
            Err(error) => remarks.push(format!("{name}: {error:#}; it is not written")),
        }
    }
    Ok((figures, remarks))
}

fn parse_circuit(text: &str) -> Result<Circuit, String> {
    Circuit::parse(text).map_err(|error| error.to_string())
}

fn weight_parser() -> impl TypedValueParser<Value = Weight> {
    PossibleValuesParser::new([Weight::Modulus, Weight::Proportional, Weight::Unit].map(Weight::word))
        .map(|word| Weight::from_word(&word).unwrap_or_default())
}

/// An SVG under another name, or in the place of the data, helps nobody.
fn check_name(out: &OutFile, args: &PlotArgs) -> anyhow::Result<()> {
    if out.is(&args.file) {
        bail!(
            "--out {}: is the file that is read; choose another",
            args.out.display()
        );
    }
    let is_svg = args
        .out
        .extension()
        .is_none_or(|extension| extension.eq_ignore_ascii_case("svg"));
    if !is_svg && !out.is_standard_output() {
        bail!(
            "--out {}: figures are written as SVG; give a name that ends in .svg, and convert it afterwards",
            args.out.display()
        );
    }
    Ok(())
}

/// The name of the file, as it stands in titles.
fn file_name(path: &Path) -> String {
    match path.file_name() {
        Some(name) if path.as_os_str() != "-" => name.to_string_lossy().into_owned(),
        _ => String::new(),
    }
}

/// The title that was asked for, or the file's name and what is drawn.
fn title(args: &PlotArgs, what: &str) -> String {
    args.title.clone().unwrap_or_else(|| {
        let name = file_name(&args.file);
        let parts = [name.as_str(), what].into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    })
}

fn history(args: &PlotArgs, subject: &Subject) -> anyhow::Result<Sheet> {
    let Subject::Recording(state) = subject else {
        bail!(
            "{}: a history needs a recording; `interphase import` makes one of spectra, with a fit of each",
            args.file.display()
        );
    };
    if args.circuit.is_some() || !args.sweep.is_empty() {
        bail!("--kind history draws the recorded fits of all sweeps; leave out --circuit and --sweep");
    }
    let fitted = state.sweeps().iter().filter(|sweep| sweep.fit.is_some()).count();
    let sheet = sheets::history_sheet(title(args, ""), state)?;
    output::message(format!("{fitted} of {} sweeps have a fit", state.sweeps().len()));
    Ok(sheet)
}

fn spectra(args: &PlotArgs, kind: PlotKind, subject: &Subject) -> anyhow::Result<Sheet> {
    if kind == PlotKind::Drt && args.circuit.is_some() {
        bail!("--kind drt needs no circuit; leave out --circuit");
    }
    let numbers = chosen_numbers(args, kind, subject)?;
    let mut chosen = numbers
        .iter()
        .map(|number| subject.choose(*number))
        .collect::<anyhow::Result<Vec<Chosen>>>()?;
    for one in &mut chosen {
        one.confess();
        if let Some(circuit) = &args.circuit {
            one.fit(circuit, args.weight.unwrap_or_default())?;
        }
    }
    let what = match chosen.as_slice() {
        // The only spectrum of a file needs no number.
        [only] if subject.numbers().len() > 1 || matches!(subject, Subject::Recording(_)) => {
            only.name.as_str()
        }
        _ => "",
    };
    let title = title(args, what);
    match kind {
        PlotKind::Bode => sheets::bode_sheet(title, &chosen),
        PlotKind::Residuals => match chosen.as_slice() {
            [only] => sheets::residuals_sheet(title, only),
            _ => bail!(
                "residuals are drawn of one {}; give --sweep one number",
                subject.noun()
            ),
        },
        PlotKind::Drt => match chosen.as_slice() {
            [only] => sheets::drt_sheet(title, only),
            _ => bail!(
                "a distribution is drawn of one {}; give --sweep one number",
                subject.noun()
            ),
        },
        PlotKind::Nyquist | PlotKind::History => sheets::nyquist_sheet(title, &chosen),
    }
}

/// Which spectra are drawn, and a word about those that are not.
fn chosen_numbers(args: &PlotArgs, kind: PlotKind, subject: &Subject) -> anyhow::Result<Vec<u32>> {
    let all = subject.numbers();
    let noun = subject.noun();
    if args.sweep.len() > MOST_TOGETHER {
        bail!("--sweep: at most {MOST_TOGETHER} fit into one figure");
    }
    let Some(&last) = all.last() else {
        bail!("{}: there is no {noun} with a point yet", args.file.display());
    };
    let chosen = if !args.sweep.is_empty() {
        args.sweep.clone()
    } else if matches!(kind, PlotKind::Residuals | PlotKind::Drt) || matches!(subject, Subject::Recording(_))
    {
        vec![last]
    } else {
        spread(&all, MOST_TOGETHER)
    };
    if all.len() > 1 {
        let words: Vec<String> = chosen.iter().map(u32::to_string).collect();
        let hint = if args.sweep.is_empty() && chosen.len() < all.len() {
            "; --sweep N,... chooses others"
        } else {
            ""
        };
        output::message(format!(
            "{}: {} of {} {} drawn: {}{hint}",
            args.file.display(),
            chosen.len(),
            all.len(),
            if noun == "sweep" { "sweeps" } else { "spectra" },
            words.join(", "),
        ));
    }
    Ok(chosen)
}

/// At most so many of them, evenly spread, the first and the last included.
fn spread(all: &[u32], most: usize) -> Vec<u32> {
    if all.len() <= most {
        return all.to_vec();
    }
    (0..most)
        .filter_map(|index| all.get((index * (all.len() - 1) + (most - 1) / 2) / (most - 1)))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_spectra_the_first_and_the_last_are_drawn_and_no_two_the_same() {
        for count in [1, 2, 11, 12, 13, 14, 25, 130, 1000] {
            let all: Vec<u32> = (1..=count).collect();
            let some = spread(&all, 12);
            assert_eq!(some.len(), all.len().min(12), "{count}");
            assert_eq!((some.first(), some.last()), (all.first(), all.last()));
            assert!(some.windows(2).all(|pair| pair[0] < pair[1]), "{some:?}");
        }
    }
}
