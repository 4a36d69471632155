//! The driver while it measures: one point after the other, or rows that come by themselves.

use super::action::{self, Action};
use super::direct::Taken;
use super::driver::{LineDriver, Phase};
use super::measure::{Measure, Stage, What};
use super::parameters;
use super::reading::Reading;
use super::row;
use crate::instrument::{InstrumentError, Outcome, Output};
use crate::profile::line::{Measuring, Mode, Quantity, Value};
use crate::spectrum::PointStatus;

/// A frequency this much beyond the one before, against the order of the sweep, is a new beginning.
const JUMP: f64 = 1.01;
/// How near in ratio to the first frequency a row begins a sweep.
const NEAR_FIRST: f64 = 1.02;

/// What becomes of a measurement after a row.
enum Next {
    /// Nothing yet: it goes on as planned.
    Stay,
    /// The rows are all there.
    End,
    /// The instrument says why it cannot go on.
    Stop(String),
    /// A bound was passed: it is ended from here.
    Bound,
    /// It must not go on.
    Fail(InstrumentError),
}

impl LineDriver {
    /// What was planned of the measurement has been done.
    pub(super) fn measure_on(&mut self, now_s: f64) {
        let profile = self.profile();
        let Phase::Measure(measure) = &mut self.phase else {
            return;
        };
        let Some(spec) = measure.spec(&profile) else {
            return;
        };
        match (measure.stage, spec.mode) {
            (Stage::Before, mode) => {
                measure.began_s = now_s;
                let is_sweep = matches!(measure.what, What::Sweep(_));
                measure.skip = spec.skip_rows;
                let waits = spec.begin.is_some() || spec.end.wraps;
                measure.stage = match mode {
                    Mode::Listen if waits => Stage::Foreign,
                    Mode::Listen | Mode::DeviceSweep => Stage::Rows,
                    Mode::PerPoint | Mode::Poll => Stage::Pause,
                };
                let rows = matches!(mode, Mode::Listen | Mode::DeviceSweep);
                if is_sweep && measure.stage != Stage::Foreign {
                    self.report(Output::SweepBegan);
                }
                if rows {
                    self.wait(Action::Row, now_s);
                }
            }
            (Stage::Point, _) => self.point_done(now_s),
            (Stage::Pause, _) => self.begin_point(now_s),
            (Stage::Rows | Stage::Foreign, _) => self.wait(Action::Row, now_s),
        }
    }

    fn begin_point(&mut self, now_s: f64) {
        let profile = self.profile();
        let Phase::Measure(measure) = &mut self.phase else {
            return;
        };
        let (Some(spec), index) = (measure.spec(&profile), measure.arrived) else {
            return;
        };
        measure.stage = Stage::Point;
        measure.began_s = now_s;
        measure.skip = spec.skip_rows;
        if let Some(frequency_hz) = measure.asked_hz(&profile, index) {
            let base = match &measure.what {
                What::Sweep(job) => vec![
                    ("frequency_hz", frequency_hz),
                    ("index", f64::from(index)),
                    ("amplitude_vrms", job.amplitude_vrms),
                ],
                What::Rest { .. } | What::Direct(_) => Vec::new(),
            };
            measure.frequency_hz = frequency_hz;
            if let Ok(values) = parameters::with_derived(&profile, &base) {
                measure.values.extend(values);
            }
            let commands = spec.set.iter().chain(&spec.read);
            for template in commands.filter_map(|step| step.send.as_ref()) {
                // What was measured is what went over the wire, to the digit.
                let written = parameters::written(&profile, template, &measure.values, "frequency_hz");
                measure.frequency_hz = written.unwrap_or(measure.frequency_hz);
            }
        }
        let values = measure.values.clone();
        let mut actions = action::actions(&profile, &spec.set, &values);
        if let Some(read) = &spec.read {
            actions.extend(action::question(&profile, read, &values));
        }
        actions.extend(action::actions(&profile, &spec.finish, &values));
        self.script.extend(actions);
    }

    fn point_done(&mut self, now_s: f64) {
        let profile = self.profile();
        let Phase::Measure(measure) = &mut self.phase else {
            return;
        };
        let Some(spec) = measure.spec(&profile) else {
            return;
        };
        if measure.arrived >= measure.expected() {
            let outcome = measure.outcome();
            return self.close(outcome, now_s);
        }
        if measure.end_after_point {
            let points = measure.arrived;
            return self.close(Outcome::Aborted { points }, now_s);
        }
        measure.stage = Stage::Pause;
        let pause_s = match measure.what {
            What::Rest { interval_s, .. } => interval_s.max(spec.interval_s),
            What::Sweep(_) | What::Direct(_) => spec.interval_s,
        };
        if pause_s > 0.0 {
            self.script.push_back(Action::Delay(pause_s));
        }
    }

    /// A line while a row is waited for.
    pub(super) fn row_line(&mut self, text: &str, now_s: f64) {
        let profile = self.profile();
        let Phase::Measure(measure) = &mut self.phase else {
            return;
        };
        let Some(spec) = measure.spec(&profile) else {
            return;
        };
        let begins = spec
            .begin
            .as_ref()
            .is_some_and(|begin| begin.read(text).is_some());
        if begins && measure.arrived == 0 {
            return self.rows_begin(now_s);
        }
        let is_marker = spec
            .end
            .marker
            .as_ref()
            .is_some_and(|marker| marker.read(text).is_some())
            || spec.end.empty_object && row::is_empty_object(text);
        if is_marker && measure.stage != Stage::Foreign || begins {
            return self.rows_end(now_s);
        }
        let Some(values) = row::read(&spec.row, text) else {
            let polls = spec.mode == Mode::Poll;
            if !self.is_ignored(text) {
                self.unexpected(text, "the question for a row", now_s);
            } else if polls {
                // Not ready: it is asked again.
                self.script.clear();
                self.script.push_front(Action::Delay(spec.interval_s));
                if let Phase::Measure(measure) = &mut self.phase {
                    measure.stage = Stage::Pause;
                }
                self.satisfied(now_s);
            }
            return;
        };
        if spec.begin.is_some() && measure.stage == Stage::Foreign {
            return;
        }
        if measure.skip > 0 {
            measure.skip -= 1;
            return;
        }
        let reading = Reading::of(&profile, &values);
        if self.passes_by(spec, &reading, now_s) {
            return;
        }
        match self.take_row(&reading, now_s) {
            Next::Stay => self.row_taken(now_s),
            Next::End => self.rows_end(now_s),
            Next::Bound => {
                if let Phase::Measure(measure) = &self.phase {
                    let outcome = measure.outcome();
                    self.waiting = None;
                    self.close(outcome, now_s);
                }
            }
            Next::Fail(error) => self.fail(error, now_s),
            Next::Stop(reason) => {
                let place = format!("it answered: {text}");
                self.fail(InstrumentError::ScriptFailed { reason, place }, now_s);
            }
        }
    }

    /// Whether the row belongs to an earlier sweep, by its frequency; or ends this one.
    fn passes_by(&mut self, spec: &Measuring, reading: &Reading, now_s: f64) -> bool {
        let (Some(f), true, Some(own)) = (reading.get(Quantity::Frequency), spec.end.wraps, spec.frequencies)
        else {
            return false;
        };
        let Phase::Measure(measure) = &mut self.phase else {
            return true;
        };
        if measure.stage == Stage::Foreign {
            let ratio = (f / own.first_hz).max(own.first_hz / f);
            if ratio > NEAR_FIRST {
                return true;
            }
            self.rows_begin(now_s);
            return false;
        }
        let back = |last: f64| {
            if own.first_hz > own.last_hz {
                f > last * JUMP
            } else {
                f * JUMP < last
            }
        };
        if measure.last_hz.is_some_and(back) {
            self.rows_end(now_s);
            return true;
        }
        false
    }

    fn rows_begin(&mut self, now_s: f64) {
        let is_foreign = matches!(&self.phase, Phase::Measure(m) if m.stage == Stage::Foreign);
        if let Phase::Measure(measure) = &mut self.phase {
            measure.stage = Stage::Rows;
            measure.began_s = now_s;
        }
        if is_foreign {
            self.report(Output::SweepBegan);
        }
        self.wait(Action::Row, now_s);
    }

    fn rows_end(&mut self, now_s: f64) {
        let profile = self.profile();
        if let Phase::Measure(measure) = &mut self.phase
            && let What::Direct(direct) = &mut measure.what
        {
            match direct.piece_ended(&profile) {
                Ok(true) if measure.end_after_point => {
                    let points = measure.arrived;
                    self.waiting = None;
                    return self.close(Outcome::Aborted { points }, now_s);
                }
                Ok(true) => {
                    measure.values.clone_from(&direct.piece.values);
                    measure.stage = Stage::Before;
                    let values = measure.values.clone();
                    let before = measure.spec(&profile).map(|spec| spec.before.clone());
                    self.add(&before.unwrap_or_default(), &values);
                    return self.satisfied(now_s);
                }
                Ok(false) => {}
                Err(error) => return self.fail(error, now_s),
            }
        }
        if let Phase::Measure(measure) = &self.phase {
            let outcome = measure.outcome();
            self.waiting = None;
            self.close(outcome, now_s);
        }
    }

    /// Makes a point or a reading of a row.
    fn take_row(&mut self, reading: &Reading, now_s: f64) -> Next {
        let next_status = self.next_status.take().unwrap_or(PointStatus::Ok);
        let profile = self.profile();
        for text in &reading.remarks {
            self.remark(format!("the row says: {text}"));
        }
        let sets_amplitude = profile.sets_amplitude();
        let Phase::Measure(measure) = &mut self.phase else {
            return Next::Stay;
        };
        let is_last = |measure: &Measure| measure.arrived >= measure.expected();
        let (index, began_s) = (measure.arrived, measure.began_s);
        measure.arrived += 1;
        measure.tries = 0;
        match &measure.what {
            What::Sweep(job) => {
                let asked_hz = measure.asked_hz(&profile, index).unwrap_or(f64::NAN);
                let set_hz = if measure.frequency_hz.is_nan() {
                    asked_hz
                } else {
                    measure.frequency_hz
                };
                let mut point = reading.point(set_hz);
                point.status = point.status.max(next_status);
                point.amplitude_vrms = sets_amplitude.then_some(job.amplitude_vrms);
                point.t_start_s = Some(began_s);
                measure.last_hz = Some(point.frequency_hz);
                measure.began_s = now_s;
                self.time.observe(point.frequency_hz, now_s - began_s);
                if reading.stop.is_some() {
                    point.status = PointStatus::Invalid;
                }
                self.report(Output::Point(point));
            }
            What::Rest { .. } => {
                let sample = reading.sample("ocp");
                if let Some(potential_v) = sample.potential_v {
                    measure.readings.push((now_s - measure.all_began_s, potential_v));
                }
                self.report(Output::Sample(sample));
            }
            What::Direct(_) => return self.take_direct(reading, now_s),
        }
        let Phase::Measure(measure) = &self.phase else {
            return Next::Stay;
        };
        let ends = measure.spec(&profile).is_some_and(|spec| spec.end.count);
        match &reading.stop {
            Some(reason) => Next::Stop(reason.clone()),
            None if measure.stage == Stage::Rows && ends && is_last(measure) => Next::End,
            None => Next::Stay,
        }
    }

    /// Makes a sample of a row of direct current, and looks at its bounds.
    fn take_direct(&mut self, reading: &Reading, now_s: f64) -> Next {
        let profile = self.profile();
        let Phase::Measure(measure) = &mut self.phase else {
            return Next::Stay;
        };
        let since_s = now_s - measure.began_s;
        let What::Direct(direct) = &mut measure.what else {
            return Next::Stay;
        };
        let (sample, taken) = direct.take(reading, since_s);
        let is_clipped = matches!(taken, Ok(Taken::Clipped));
        let told = is_clipped && !std::mem::replace(&mut measure.told_of_clipping, true);
        let counts = measure.spec(&profile).is_some_and(|spec| spec.end.count);
        let is_last = measure.arrived >= measure.expected();
        self.report(Output::Sample(sample));
        if told {
            self.remark(
                "the current is beyond its range and clipped, and the charge with it: give the step a larger \
                 current_range_a",
            );
        }
        match (taken, &reading.stop) {
            (Err(error), _) => Next::Fail(error),
            (Ok(Taken::Bound), _) => Next::Bound,
            (Ok(_), Some(reason)) => Next::Stop(reason.clone()),
            (Ok(_), None) if counts && is_last => Next::End,
            (Ok(_), None) => Next::Stay,
        }
    }

    fn row_taken(&mut self, now_s: f64) {
        let Phase::Measure(measure) = &self.phase else {
            return;
        };
        if measure.stage != Stage::Rows {
            return self.satisfied(now_s);
        }
        if measure.end_after_point {
            let points = measure.arrived;
            self.waiting = None;
            return self.close(Outcome::Aborted { points }, now_s);
        }
        self.wait(Action::Row, now_s);
    }

    /// A row did not come in time.
    pub(super) fn row_missing(&mut self, waited_s: f64, now_s: f64) {
        let ends = self.silence_s().is_some();
        let retries = self.settings.line.time.retries;
        let has_identity = self.settings.line.identify.is_some();
        let Phase::Measure(measure) = &mut self.phase else {
            return;
        };
        if ends && measure.arrived > 0 && measure.stage == Stage::Rows {
            return self.rows_end(now_s);
        }
        if measure.stage == Stage::Point && measure.tries < retries {
            measure.tries += 1;
            measure.stage = Stage::Pause;
            let frequency_hz = measure.frequency_hz;
            self.script.clear();
            self.script.push_back(Action::Drain(0.5));
            self.remark(format!(
                "no row came for the point at {} Hz within {waited_s:.1} s; it is tried again",
                Value::Number(frequency_hz).text()
            ));
            return self.go_on(now_s);
        }
        let error = if has_identity {
            InstrumentError::Stalled { waited_s }
        } else {
            InstrumentError::NoAnswer {
                asked: "with a row of numbers, which is all it ever says,".to_owned(),
                waited_s,
            }
        };
        self.fail(error, now_s);
    }
}
