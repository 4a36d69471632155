//! The figures of the sweep that is looked at, and histories as small multiples.

use num_complex::Complex64;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Line, Scene, title};
use crate::analysis::kramers_kronig::unreliable_points;
use crate::event::Validity;
use crate::figure::{Curve, Figure, Range, Remarks, bode_modulus, bode_phase, history, nyquist, residuals};
use crate::screen::follow::{self, frequency_range, history_of};
use crate::screen::plot::Painter;
use crate::state::SweepRecord;
use crate::units::with_error;

/// The figures of one sweep: its curve and residuals are computed once a frame.
pub struct Plots<'a> {
    scene: Scene<'a>,
    sweep: Option<&'a SweepRecord>,
    unreliable: Vec<usize>,
    curve: Curve,
    residuals: Vec<(f64, Complex64)>,
}

impl<'a> Plots<'a> {
    /// The figures of the sweep that is looked at.
    #[must_use]
    pub fn new(scene: Scene<'a>) -> Self {
        let sweep = scene.view.shown_sweep(scene.state);
        let fit = sweep.and_then(|sweep| scene.view.axes.drawn_fit(scene.state, sweep));
        let foretells = fit.is_some_and(|fit| scene.view.axes.foretells(fit));
        // Once the running sweep is judged, the judgement leaves its end out.
        let judged = sweep.filter(|sweep| {
            let validity = scene.state.validity_of(sweep.started.sweep);
            validity.is_some_and(|validity| !validity.is_final())
        });
        Self {
            scene,
            sweep,
            unreliable: judged
                .map(|sweep| unreliable_points(&sweep.spectrum))
                .unwrap_or_default(),
            curve: sweep
                .map(|sweep| follow::curve(fit, sweep, foretells))
                .unwrap_or_default(),
            residuals: sweep
                .zip(fit)
                .map(|(sweep, fit)| follow::residuals(fit, sweep.points()))
                .unwrap_or_default(),
        }
    }

    /// The same without the foretold part of the curve: where the Nyquist plot beside it has it, it would
    /// only cost bytes with every new fit.
    #[must_use]
    pub fn without_foretold(mut self) -> Self {
        self.curve.foretold.clear();
        self
    }

    /// Paints the Nyquist plot.
    pub fn nyquist(&self, inner: Rect, buffer: &mut Buffer) {
        let axes = &self.scene.view.axes;
        let unknown = Range::new(0.0, 100.0);
        let figure = nyquist(
            self.points(),
            self.remarks(),
            &self.curve,
            axes.real.range_or(unknown),
            axes.imaginary.range_or(unknown),
        );
        paint(
            &self.scene,
            painter(&self.scene),
            ("Nyquist", ""),
            &figure,
            inner,
            buffer,
        );
    }

    /// Paints |Z| over frequency.
    pub fn modulus(&self, inner: Rect, buffer: &mut Buffer) {
        let range = self.scene.view.axes.modulus.range_or(Range::new(1.0, 1000.0));
        let figure = bode_modulus(
            self.points(),
            self.remarks(),
            &self.curve,
            self.frequencies(),
            range,
        );
        self.over_frequency("", &figure, false, inner, buffer);
    }

    /// Paints the phase over frequency.
    pub fn phase(&self, inner: Rect, buffer: &mut Buffer) {
        let range = self.scene.view.axes.phase.range_or(Range::new(0.0, 90.0));
        let figure = bode_phase(
            self.points(),
            self.remarks(),
            &self.curve,
            self.frequencies(),
            range,
        );
        self.over_frequency("", &figure, false, inner, buffer);
    }

    /// Paints the residuals over frequency.
    pub fn residuals(&self, inner: Rect, buffer: &mut Buffer) {
        let range = self.scene.view.axes.residual.range_or(Range::new(-1.0, 1.0));
        let figure = residuals(&self.residuals, self.frequencies(), range);
        let glyphs = self.scene.glyphs;
        let legend = format!("{} real {} imag", glyphs.measured, glyphs.second);
        self.over_frequency(&legend, &figure, true, inner, buffer);
    }

    fn points(&self) -> &'a [crate::spectrum::Point] {
        self.sweep.map_or(&[], |sweep| sweep.points())
    }

    /// What stands out: the newest point while its sweep runs, and those that the judgement doubts or leaves out.
    fn remarks(&self) -> Remarks<'_> {
        let running = self.sweep.filter(|sweep| sweep.ended.is_none());
        let validity = self
            .sweep
            .and_then(|sweep| self.scene.state.validity_of(sweep.started.sweep));
        Remarks {
            newest: running.and_then(|sweep| sweep.points().len().checked_sub(1)),
            doubtful: validity.map_or(&[], Validity::doubtful_points),
            unreliable: &self.unreliable,
        }
    }

    fn frequencies(&self) -> Range {
        self.sweep.map_or(Range::new(0.1, 1e5), frequency_range)
    }

    /// Figures over frequency stand one above the other: only the lowest has its abscissa labelled.
    fn over_frequency(
        &self,
        legend: &str,
        figure: &Figure,
        is_lowest: bool,
        inner: Rect,
        buffer: &mut Buffer,
    ) {
        let painter = Painter {
            label_columns: 4,
            abscissa: is_lowest,
            ..painter(&self.scene)
        };
        paint(&self.scene, painter, ("", legend), figure, inner, buffer);
    }
}

/// A painter for the scene, with the abscissa labelled.
fn painter<'a>(scene: &Scene<'a>) -> Painter<'a> {
    Painter {
        theme: scene.theme,
        glyphs: scene.glyphs,
        cell_aspect: scene.view.cell_aspect,
        label_columns: 3,
        abscissa: true,
    }
}

/// Paints a figure with a name and what its ordinate is in the border, and a legend where it needs one.
fn paint(
    scene: &Scene<'_>,
    painter: Painter<'_>,
    (name, legend): (&str, &str),
    figure: &Figure,
    inner: Rect,
    buffer: &mut Buffer,
) {
    painter.paint(figure, inner, buffer);
    let caption = painter.ordinate_caption(figure, inner);
    let mut heading = Line::new();
    if !name.is_empty() {
        heading.push(format!("{name}  "), scene.theme.strong);
    }
    heading.push(caption, scene.theme.text);
    if !legend.is_empty() {
        heading.push(format!("  {legend}"), scene.theme.quiet);
    }
    title(scene, inner, &heading, buffer);
}

/// Paints the history of one parameter or sum, with its newest value in the title.
fn one_history(scene: &Scene<'_>, name: &str, inner: Rect, buffer: &mut Buffer) {
    let (record, abscissa) = history_of(scene.state, name);
    let axes = &scene.view.axes;
    let x = axes.history_x.range_or(Range::new(0.0, 3600.0));
    let y = axes
        .histories
        .get(name)
        .map(|axis| axis.range_or(Range::new(0.0, 1.0)));
    let figure = history(&record, abscissa, x, y.unwrap_or(Range::new(0.0, 1.0)));
    let painter = painter(scene);
    let mut heading = Line::new().with(name, scene.theme.strong);
    if record.points.is_empty() {
        heading.push("  not yet", scene.theme.word);
    } else {
        painter.paint(&figure, inner, buffer);
    }
    if let Some(last) = record.points.last() {
        let text = match (last.determined, last.std_error) {
            (false, _) => "not determined".to_owned(),
            (true, None) => "at bound".to_owned(),
            (true, Some(error)) => {
                let script = scene.glyphs.script;
                with_error(last.value, error, &record.unit, script).line(script)
            }
        };
        heading.push(
            format!("  {text}"),
            if last.determined {
                scene.theme.text
            } else {
                scene.theme.word
            },
        );
    }
    title(scene, inner, &heading, buffer);
}

/// Paints histories into the insides of panels, from `first` on.
pub fn histories(scene: &Scene<'_>, first: usize, inners: &[Rect], buffer: &mut Buffer) {
    let names = follow::history_names(scene.state);
    let first = first.min(names.len().saturating_sub(inners.len()));
    for (name, inner) in names.iter().skip(first).zip(inners) {
        one_history(scene, name, *inner, buffer);
    }
    if names.is_empty()
        && let Some(inner) = inners.first()
    {
        let line = Line::new().with("not yet: no sweep has been fitted", scene.theme.word);
        scene.write(&line, inner.x + 1, inner.y, inner.width.saturating_sub(2), buffer);
        title(
            scene,
            *inner,
            &Line::new().with("History", scene.theme.strong),
            buffer,
        );
    }
}
