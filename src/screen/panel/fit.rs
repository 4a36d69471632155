//! The fit: every number with its error, words where the data do not tell a number, what changed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text::wrapped;
use super::{Line, Scene};
use crate::analysis::fit::Sum;
use crate::event::{Fit, Validity};
use crate::screen::follow::{ELAPSED, NOISE};
use crate::state::SweepRecord;
use crate::units::{change_percent_within, engineering, with_error};

/// Columns from which on the change since the previous sweep has room beside that since the first.
const WIDE: u16 = 46;

/// Least errors in per cent with which a change is tried to be shown until there is room for it.
const FEWER_DIGITS: [f64; 3] = [0.0, 0.1, 1.0];

/// Most pairs of degenerate parameters that are named.
const DEGENERATE_SHOWN: usize = 3;

/// Most reasons of a verdict that are shown, and rows of each.
const REASONS_SHOWN: usize = 3;
const REASON_ROWS: usize = 3;

/// What the data say about one quantity.
enum Told {
    /// A value with its error.
    Number(f64, f64),
    /// A value given by the user.
    Fixed(f64),
    /// A word.
    Word(&'static str),
}

impl Told {
    /// What a fit says about a parameter or sum; of a live fit the numbers that the view has let stand,
    /// which do not change with every point.
    fn of(scene: &Scene<'_>, fit: &Fit, name: &str) -> Self {
        let result = &fit.result;
        if let Some(parameter) = result.parameter(name).filter(|parameter| parameter.fixed) {
            return Self::Fixed(parameter.value);
        }
        if fit.is_final {
            return Self::finally(fit, name);
        }
        match scene.view.axes.shown_number(name) {
            Some((value, error)) => Self::Number(value, error),
            None => Self::Word("not yet"),
        }
    }

    /// What a final fit says.
    fn finally(fit: &Fit, name: &str) -> Self {
        let parameter = fit.result.parameter(name);
        if parameter.is_some_and(|parameter| parameter.at_bound) {
            return Self::Word("at bound");
        }
        let parameter = parameter.map(|found| (found.value, found.std_error, found.determined));
        let sum = fit
            .result
            .sum(name)
            .map(|found| (found.value, found.std_error, found.determined));
        match parameter.or(sum) {
            Some((value, Some(error), true)) if value.is_finite() && error.is_finite() => {
                Self::Number(value, error)
            }
            _ => Self::Word("not determined"),
        }
    }
}

/// Value and error that an earlier fit gave for a parameter or sum, where it could.
fn earlier(fit: &Fit, name: &str) -> Option<(f64, f64)> {
    match Told::finally(fit, name) {
        Told::Number(value, error) => Some((value, error)),
        _ => None,
    }
}

/// The fits of the first sweep that has one and of the last before the one shown.
struct References<'a> {
    first: Option<(u32, &'a Fit)>,
    previous: Option<(u32, &'a Fit)>,
}

impl<'a> References<'a> {
    fn of(scene: &Scene<'a>, shown: u32) -> Self {
        let fitted = |sweep: &'a SweepRecord| Some((sweep.started.sweep, &sweep.fit.as_ref()?.1));
        let before = scene
            .state
            .sweeps()
            .iter()
            .filter(|sweep| sweep.started.sweep < shown);
        Self {
            first: before.clone().find_map(fitted),
            previous: before.rev().find_map(fitted),
        }
    }
}

/// Title of the panel.
pub fn fit_title(scene: &Scene<'_>) -> Line {
    let line = Line::new().with("Fit", scene.theme.strong);
    let sweep = scene.view.shown_sweep(scene.state);
    match sweep.map(|sweep| (sweep, scene.state.fit_of(sweep.started.sweep))) {
        Some((_, Some(fit))) if !fit.is_final => line.with(", points so far", scene.theme.text),
        Some((sweep, Some(_))) => line.with(format!(" of sweep {}", sweep.started.sweep), scene.theme.text),
        _ => line,
    }
}

/// Paints the fit.
pub fn fit(scene: &Scene<'_>, inner: Rect, buffer: &mut Buffer) {
    let sweep = scene.view.shown_sweep(scene.state);
    let fit = sweep.and_then(|sweep| scene.state.fit_of(sweep.started.sweep));
    let (width, rows) = (inner.width.saturating_sub(2), usize::from(inner.height));
    let lines = match (sweep, fit) {
        (Some(sweep), Some(fit)) => lines(scene, sweep, fit, width, rows),
        _ => waiting(scene, sweep, width),
    };
    for (line, row) in lines.iter().zip(inner.y..inner.bottom()) {
        scene.write(line, inner.x + 1, row, width, buffer);
    }
}

/// Before the first fit of a sweep: the same rows, with words in the place of numbers.
fn waiting(scene: &Scene<'_>, sweep: Option<&SweepRecord>, width: u16) -> Vec<Line> {
    let theme = scene.theme;
    let Some((_, session)) = &scene.state.head().session else {
        return Vec::new();
    };
    let mut lines = vec![Line::new().with(session.circuit.clone(), theme.quiet)];
    let known = scene
        .state
        .sweeps()
        .iter()
        .rev()
        .find_map(|sweep| sweep.fit.as_ref());
    let names: Vec<String> = match known {
        Some((_, fit)) => fit
            .result
            .parameters
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect(),
        None => crate::circuit::Circuit::parse(&session.circuit)
            .map(|circuit| {
                circuit
                    .parameters()
                    .iter()
                    .map(|parameter| parameter.name.clone())
                    .collect()
            })
            .unwrap_or_default(),
    };
    let finished = sweep.is_some_and(|sweep| sweep.ended.is_some());
    let word = if finished { "no fit" } else { "not yet" };
    let columns = Columns::for_names(names.iter().chain(&session.track), scene, width);
    for name in names.iter().chain(&session.track) {
        lines.push(columns.word(name, word, scene));
    }
    lines
}

fn lines(scene: &Scene<'_>, sweep: &SweepRecord, fit: &Fit, width: u16, rows: usize) -> Vec<Line> {
    let theme = scene.theme;
    let references = References::of(scene, sweep.started.sweep);
    let result = &fit.result;
    let sums = shown_sums(scene, fit, width);
    let names = result.parameters.iter().map(|parameter| &parameter.name);
    let mut columns = Columns::for_names(names.chain(sums.iter().map(|sum| &sum.name)), scene, width);
    // While the sweep runs, one change is enough to follow.
    columns.wide &= fit.is_final;
    let mut heading = Line::new().with(result.circuit.clone(), theme.quiet);
    let captions = columns.captions(&references, scene);
    heading.pad_to(usize::from(width).saturating_sub(captions.width()));
    if heading.width() + captions.width() <= usize::from(width) {
        heading.extend(&captions);
    }
    let mut lines = vec![heading];
    for parameter in &result.parameters {
        let told = Told::of(scene, fit, &parameter.name);
        lines.push(columns.row(&parameter.name, &parameter.unit, &told, &references, scene));
    }
    for sum in &sums {
        let told = Told::of(scene, fit, &sum.name);
        lines.push(columns.row(&sum.name, "ohm", &told, &references, scene));
    }
    let quality = quality(scene, sweep, fit, width);
    let validity = scene.state.validity_of(sweep.started.sweep);
    let reasons = validity.map_or_else(Vec::new, |validity| reasons(scene, validity, width));
    // What speaks against the data stands before all that is said of the fit.
    let more = match (fit.is_final, validity.is_some_and(Validity::is_doubtful)) {
        (true, true) => reasons.into_iter().chain(details(scene, fit)).collect(),
        (true, false) => details(scene, fit).into_iter().chain(reasons).collect(),
        (false, true) => reasons,
        (false, false) => Vec::new(),
    };
    // What does not fit is cut above the line that says how good the fit is.
    if lines.len() + 2 < rows {
        lines.push(Line::new());
        lines.push(quality);
        lines.extend(more);
        lines.truncate(rows);
    } else {
        lines.truncate(rows.saturating_sub(1));
        lines.push(quality);
    }
    lines
}

/// The sums that are followed, and on a wide panel all others after them.
fn shown_sums<'a>(scene: &Scene<'_>, fit: &'a Fit, width: u16) -> Vec<&'a Sum> {
    let track = scene
        .state
        .head()
        .session
        .as_ref()
        .map(|(_, session)| &session.track);
    let is_followed = |sum: &&Sum| track.is_some_and(|track| track.contains(&sum.name));
    let (mut sums, others): (Vec<_>, Vec<_>) = fit.result.sums.iter().partition(is_followed);
    if width >= WIDE || sums.is_empty() {
        sums.extend(others);
    }
    sums
}

/// Noise, Kramers-Kronig verdict, and whether the residuals look like noise.
fn quality(scene: &Scene<'_>, sweep: &SweepRecord, fit: &Fit, width: u16) -> Line {
    let theme = scene.theme;
    let mut line = Line::new();
    let held = |name: &str| {
        scene
            .view
            .axes
            .shown_number(name)
            .filter(|_| !fit.is_final)
            .map(|(value, _)| value)
    };
    let noise = held(NOISE).or(fit.result.noise_percent);
    if let Some(noise) = noise.filter(|noise| noise.is_finite()) {
        line.push("noise ", theme.quiet);
        line.push(format!("{noise:.2} %"), theme.text);
    }
    // Of a fit that the next point replaces, only numbers are worth a look.
    if fit.result.errors_are_lower_limits() && fit.is_final {
        line.push("  ", Style::new());
        line.push("misfit, errors >=", theme.warning);
    }
    if let Some(validity) = scene.state.validity_of(sweep.started.sweep) {
        line.push("  KK ", theme.quiet);
        line.push(validity.verdict.clone(), verdict_style(scene, validity));
        if let Some(largest) = validity.max_residual_percent {
            line.push(format!(" {largest:.1} %"), theme.text);
        }
    }
    if !fit.result.converged && fit.is_final {
        line.push("  not converged", theme.warning);
    }
    let elapsed = format!("  {:>4.0} us", held(ELAPSED).unwrap_or(fit.result.elapsed_us));
    // How long it took is the first thing to do without.
    if line.width() + elapsed.len() <= usize::from(width) {
        line.push(elapsed.replace('u', micro(scene)), theme.quiet);
    }
    line
}

/// The style of a verdict.
pub fn verdict_style(scene: &Scene<'_>, validity: &Validity) -> Style {
    match validity.verdict.as_str() {
        "pass" => scene.theme.text,
        "fail" => scene.theme.alarm,
        _ => scene.theme.warning,
    }
}

/// Why the verdict is what it is, and how much the cell changed.
fn reasons(scene: &Scene<'_>, validity: &Validity, width: u16) -> Vec<Line> {
    let theme = scene.theme;
    let style = if validity.is_doubtful() {
        verdict_style(scene, validity)
    } else {
        theme.quiet
    };
    let width = usize::from(width);
    let details = validity.details.as_ref();
    let drift = details.and_then(|details| Some((details.drift_percent?, details.drift_std_error_percent?)));
    let drift = drift.map(|(drift, error)| {
        let script = scene.glyphs.script;
        let drift = with_error(drift, error, "%", script).line(script);
        Line::new().with(format!("low end drifts {drift} a sweep"), theme.quiet)
    });
    let reasons = validity.reasons().iter().take(REASONS_SHOWN).enumerate();
    let reasons = reasons.flat_map(|(index, reason)| {
        let reason = if index == 0 {
            format!("KK: {reason}")
        } else {
            reason.clone()
        };
        wrapped(&reason, [width, width], REASON_ROWS)
    });
    let reasons = reasons.map(|row| Line::new().with(row, style));
    // Where all is well the drift says more than the reasons.
    if validity.is_doubtful() {
        reasons.chain(drift).collect()
    } else {
        drift.into_iter().chain(reasons).collect()
    }
}

fn micro(scene: &Scene<'_>) -> &'static str {
    match scene.glyphs.script {
        crate::units::Script::Unicode => "µ",
        crate::units::Script::Ascii => "u",
    }
}

/// What there is room for only on a large screen.
fn details(scene: &Scene<'_>, fit: &Fit) -> Vec<Line> {
    let theme = scene.theme;
    let result = &fit.result;
    let mut points = format!("{} of {} points", result.n_used, result.n_points);
    if result.left_out > 0 {
        points.push_str(&format!(", {} left out", result.left_out));
    }
    let weight = format!("{points}, {} weight", result.weight.word());
    let mut lines = Vec::new();
    if result.errors_are_lower_limits() {
        // Two lines, so that both stand whole in a narrow panel.
        lines.push(Line::new().with("errors are lower limits:", theme.warning));
        lines.push(Line::new().with("circuit does not explain the data", theme.warning));
    }
    for pair in result.degenerate_pairs().iter().take(DEGENERATE_SHOWN) {
        let text = format!(
            "{}, {} not told apart ({:.3})",
            pair.name, pair.with, pair.correlation
        );
        lines.push(Line::new().with(text, theme.warning));
    }
    let runs = result
        .runs_p
        .filter(|_| !result.errors_are_lower_limits())
        .map(|p| format!("residuals look like noise, runs p {p:.1}"));
    let quiet = [Some(weight), runs, Some(fit.engine.clone())];
    lines.extend(
        quiet
            .into_iter()
            .flatten()
            .map(|text| Line::new().with(text, theme.quiet)),
    );
    lines
}

/// Places of the columns, the same for all rows.
struct Columns {
    name: usize,
    unit: usize,
    width: usize,
    wide: bool,
}

const VALUE: usize = 6;
const ERROR: usize = 5;

impl Columns {
    fn for_names<'n>(names: impl Iterator<Item = &'n String>, scene: &Scene<'_>, width: u16) -> Self {
        let longest = names.map(|name| name.chars().count()).max().unwrap_or(0);
        Self {
            name: longest.clamp(2, 10),
            unit: if scene.glyphs.script == crate::units::Script::Ascii {
                6
            } else {
                5
            },
            width: usize::from(width),
            wide: width >= WIDE,
        }
    }

    /// Columns of one entry of change, and how many there are.
    fn change(&self) -> usize {
        11
    }

    fn captions(&self, references: &References<'_>, scene: &Scene<'_>) -> Line {
        let quiet = scene.theme.quiet;
        let delta = scene.glyphs.delta;
        let caption = |reference: Option<(u32, &Fit)>| match reference {
            Some((sweep, _)) => format!("{delta}% vs {sweep}"),
            None => String::new(),
        };
        let (first, previous) = (caption(references.first), caption(references.previous));
        let wide = self.wide && first != previous;
        let width = self.change();
        if wide {
            Line::new().with(format!("{previous:>width$}{first:>width$}"), quiet)
        } else {
            Line::new().with(format!(" {first}"), quiet)
        }
    }

    fn word(&self, name: &str, word: &str, scene: &Scene<'_>) -> Line {
        let mut line = Line::new().with(name, scene.theme.text);
        line.pad_to(self.name + 2);
        line.with(word, scene.theme.word)
    }

    fn row(
        &self,
        name: &str,
        unit: &str,
        told: &Told,
        references: &References<'_>,
        scene: &Scene<'_>,
    ) -> Line {
        let (theme, script) = (scene.theme, scene.glyphs.script);
        let (value, error) = match told {
            Told::Word(word) => return self.word(name, word, scene),
            Told::Fixed(value) => {
                return self.word(
                    name,
                    &format!("{} fixed", engineering(*value, unit, script)),
                    scene,
                );
            }
            Told::Number(value, error) => (*value, *error),
        };
        let quantity = with_error(value, error, unit, script);
        let mut line = Line::new().with(name, theme.text);
        line.pad_to(self.name);
        line.push(format!(" {:>VALUE$}", quantity.value), theme.text);
        line.push(
            format!(" {} {:<ERROR$} ", script.plus_minus(), quantity.error),
            theme.text,
        );
        line.push(format!("{:<1$}", quantity.unit, self.unit), theme.quiet);
        let change = |reference: Option<(u32, &Fit)>, least_error_percent: f64| {
            let (_, fit) = reference?;
            let before = earlier(fit, name)?;
            let change = change_percent_within((value, error), before, least_error_percent, script);
            Some(format!("{}{}{}", change.value, script.plus_minus(), change.error))
        };
        let same = references.first.map(|(sweep, _)| sweep) == references.previous.map(|(sweep, _)| sweep);
        let width = self.change();
        let changes_with = |least_error_percent: f64| {
            let mut changes = String::new();
            let shown = [
                (self.wide && !same).then_some(references.previous),
                Some(references.first),
            ];
            for reference in shown.into_iter().flatten() {
                let change = change(reference, least_error_percent).unwrap_or_default();
                changes.push_str(&format!("{change:>width$}"));
            }
            changes
        };
        let room = self.width.saturating_sub(line.width());
        let fits = |changes: &String| changes.chars().count() <= room;
        // Where there is no room for all digits, fewer of them with the error that belongs to fewer.
        let changes = FEWER_DIGITS
            .iter()
            .map(|least| changes_with(*least))
            .map(|changes| match fits(&changes) {
                true => changes,
                false => changes.trim_start().to_owned(),
            })
            .find(fits);
        if let Some(changes) = changes {
            line.pad_to(self.width - changes.chars().count());
            line.push(changes, theme.text);
        }
        line
    }
}
