//! Rows: when they are due, what stands in them, and when they end.

use num_complex::Complex64;

use super::{Kind, LineDevice, Running};
use crate::instrument::line_profile::row;
use crate::profile::line::{DirectTable, Field, LineProfile, Measuring, Quantity, Value, Values};
use crate::spectrum::PointStatus;

/// What is measured for a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    pub frequency_hz: f64,
    pub impedance: Complex64,
    pub potential_v: f64,
    pub current_a: f64,
    pub time_s: f64,
}

/// Whether a frequency belongs to the same sweep as the one before it.
pub(super) fn follows(profile: &LineProfile, last_hz: f64, frequency_hz: f64) -> bool {
    let own = profile.sweep.as_ref().and_then(|sweep| sweep.frequencies);
    match own {
        Some(own) if own.last_hz > own.first_hz => frequency_hz >= last_hz,
        _ => frequency_hz <= last_hz,
    }
}

impl LineDevice {
    pub(super) fn begin_rows(&mut self, kind: Kind) {
        let now_s = self.now_s;
        let mut running = Running {
            kind,
            index: 0,
            began_s: now_s,
            due_s: now_s,
        };
        if kind == Kind::Free {
            self.begin_free();
        }
        self.switch(true);
        running.due_s = now_s + self.row_takes_s(&running);
        self.running = Some(running);
    }

    fn begin_free(&mut self) {
        let profile = std::sync::Arc::clone(&self.line);
        for line in &profile.simulation.before {
            self.send(line);
        }
        if let Some(begin) = profile.sweep.as_ref().and_then(|sweep| sweep.begin.as_ref()) {
            self.send_template(begin, &Values::new());
        }
    }

    fn value(&self, parameter: &str, otherwise: f64) -> f64 {
        self.set.get(parameter).copied().unwrap_or(otherwise)
    }

    /// The frequency of a row in Hz.
    fn row_hz(&self, running: &Running) -> f64 {
        if matches!(running.kind, Kind::Point { .. }) {
            return self.value("frequency_hz", 1000.0);
        }
        if let Some(own) = self.line.sweep.as_ref().and_then(|sweep| sweep.frequencies) {
            return own.frequency_hz(running.index);
        }
        let (high, low) = (self.value("f_max_hz", 1e3), self.value("f_min_hz", 1.0));
        let last = (self.value("n_points", 10.0) - 1.0).max(1.0);
        high * (low / high).powf(f64::from(running.index) / last)
    }

    fn row_takes_s(&self, running: &Running) -> f64 {
        let timing = self.timing;
        match running.kind {
            Kind::Point { .. } | Kind::Sweep | Kind::Free => {
                timing.point_overhead_s + timing.point_periods / self.row_hz(running)
            }
            Kind::Rest { .. } => timing.point_overhead_s,
            Kind::Direct(_) if running.index == 0 => 0.0,
            Kind::Direct(_) => self.interval_s(),
        }
    }

    fn rows_count(&self, kind: Kind) -> u32 {
        let own = self.line.sweep.as_ref().and_then(|sweep| sweep.frequencies);
        match kind {
            Kind::Point { .. } if self.line.simulation.streams => u32::MAX,
            Kind::Point { .. } | Kind::Rest { .. } => 1,
            Kind::Sweep | Kind::Free => match own {
                Some(own) => own.count,
                None => self.value("n_points", 10.0) as u32,
            },
            Kind::Direct(table) => {
                let intervals = self.direct_duration_s(table) / self.interval_s();
                (intervals.round() as u32).saturating_add(1)
            }
        }
    }

    /// The row that is due now is sent, and the next one planned.
    pub(super) fn row_due(&mut self) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        let profile = std::sync::Arc::clone(&self.line);
        let frequency_hz = self.row_hz(&running);
        let (spec, measured) = match running.kind {
            Kind::Rest { .. } => (profile.open_circuit.as_ref(), self.resting()),
            Kind::Direct(table) => (profile.direct(table), self.driven(table, &running)),
            _ => (
                profile.sweep.as_ref(),
                self.measured(frequency_hz, running.began_s),
            ),
        };
        let Some(spec) = spec else {
            return;
        };
        let text = row::write(&spec.row, &values(&profile, spec, &measured, running.index));
        self.send(&text);
        running.index += 1;
        if running.index < self.rows_count(running.kind) {
            running.began_s = self.now_s;
            running.due_s = self.now_s + self.row_takes_s(&running);
            self.running = Some(running);
        } else {
            self.rows_end(spec, running);
        }
    }

    fn rows_end(&mut self, spec: &Measuring, running: Running) {
        match running.kind {
            Kind::Point { confirm_after } | Kind::Rest { confirm_after } => {
                if confirm_after {
                    self.confirm();
                }
                if self.line.cell.opens_by_itself {
                    self.switch(false);
                }
                return;
            }
            Kind::Sweep | Kind::Free => self.end_sweep(),
            Kind::Direct(_) => {}
        }
        if self.line.cell.opens_by_itself {
            self.switch(false);
        }
        self.send_end(spec);
        if running.kind == Kind::Free {
            let profile = std::sync::Arc::clone(&self.line);
            for line in &profile.simulation.after {
                self.send(line);
            }
            let pause_s = profile.simulation.pause_s;
            self.begin_rows(Kind::Free);
            if let Some(running) = &mut self.running {
                running.began_s += pause_s;
                running.due_s += pause_s;
            }
        }
    }

    fn resting(&mut self) -> Measured {
        Measured {
            frequency_hz: 0.0,
            impedance: Complex64::ZERO,
            potential_v: self.cell.read_potential(self.now_s),
            current_a: 0.0,
            time_s: 0.0,
        }
    }

    fn driven(&mut self, table: DirectTable, running: &Running) -> Measured {
        let time_s = f64::from(running.index) * self.interval_s();
        let potential_v = self.direct_potential_v(table, time_s);
        let current_a = self.cell.direct_current(self.now_s, potential_v, time_s);
        self.cell.settle(self.now_s, current_a);
        Measured {
            frequency_hz: 0.0,
            impedance: Complex64::ZERO,
            potential_v,
            current_a,
            time_s,
        }
    }

    /// Time between rows of direct current in s: as set, or as step and rate make it.
    fn interval_s(&self) -> f64 {
        let of_step = self.value("step_v", 0.1) / self.value("rate_v_per_s", 1.0);
        self.value("interval_s", of_step).max(1e-4)
    }

    /// Whether the commands of a table set a parameter; what other tables have set does not count.
    fn sets(&self, table: DirectTable, parameter: &str) -> bool {
        let spec = self.line.direct(table);
        spec.is_some_and(|spec| self.line.sets(spec, parameter))
    }

    fn direct_duration_s(&self, table: DirectTable) -> f64 {
        let rate = self.value("rate_v_per_s", 1.0);
        match table {
            DirectTable::CyclicSweep => self.value("scans", 1.0) * self.period_s(),
            DirectTable::LinearSweep if !self.sets(table, "duration_s") => {
                (self.value("end_v", 0.0) - self.value("start_v", 0.0)).abs() / rate
            }
            DirectTable::Hold | DirectTable::LinearSweep => self.value("duration_s", 1.0),
        }
    }

    fn period_s(&self) -> f64 {
        let way_v = 2.0 * (self.value("vertex1_v", 0.0) - self.value("vertex2_v", 0.0)).abs();
        if self.sets(DirectTable::CyclicSweep, "period_s") {
            self.value("period_s", 1.0)
        } else {
            way_v / self.value("rate_v_per_s", 1.0)
        }
    }

    fn direct_potential_v(&self, table: DirectTable, time_s: f64) -> f64 {
        match table {
            DirectTable::Hold => self.value("potential_v", 0.0),
            DirectTable::LinearSweep => {
                let (start_v, end_v) = (self.value("start_v", 0.0), self.value("end_v", 0.0));
                start_v + (end_v - start_v) * (time_s / self.direct_duration_s(table)).clamp(0.0, 1.0)
            }
            DirectTable::CyclicSweep => {
                let (v1, v2) = (self.value("vertex1_v", 1.0), self.value("vertex2_v", -1.0));
                let is_wave = self.sets(table, "amplitude_v");
                let low_v = match is_wave {
                    true => self.value("offset_v", 0.0) - self.value("amplitude_v", 1.0),
                    false => v1.min(v2),
                };
                let height_v = if is_wave {
                    2.0 * self.value("amplitude_v", 1.0)
                } else {
                    (v1 - v2).abs()
                };
                let risen = (self.value("start_v", low_v) - low_v) / height_v / 2.0;
                let shift = match (is_wave, v1 > v2) {
                    (true, _) => self.value("shift", 0.0),
                    (false, true) => risen,
                    (false, false) => 1.0 - risen,
                };
                let phase = (time_s / self.period_s() + shift).rem_euclid(1.0);
                low_v + height_v * 2.0 * phase.min(1.0 - phase)
            }
        }
    }
}

/// The values of a row as the instrument sends them.
pub(super) fn values(profile: &LineProfile, spec: &Measuring, measured: &Measured, index: u32) -> Values {
    let z = measured.impedance;
    let named = spec.row.fields().filter(|field| field.name != Field::ANYTHING);
    named
        .filter_map(|field| {
            let column = profile.columns.get(&field.name)?;
            let value = match column.is {
                Quantity::Frequency => measured.frequency_hz,
                Quantity::ZReal => z.re,
                Quantity::ZImag => z.im,
                Quantity::ZModulus => z.norm(),
                Quantity::ZPhase => z.arg(),
                Quantity::Potential => measured.potential_v,
                Quantity::Current => measured.current_a,
                Quantity::Time => measured.time_s,
                Quantity::Temperature => 298.15,
                Quantity::Status => return Some((field.name.clone(), good_code(profile, &field.name))),
                Quantity::Other => f64::from(index),
            };
            Some((field.name.clone(), Value::Number(column.from_si(value))))
        })
        .collect()
}

/// The code that says that nothing is wrong.
fn good_code(profile: &LineProfile, column: &str) -> Value {
    let good = profile
        .verdicts
        .iter()
        .find(|verdict| verdict.column == column && verdict.status == PointStatus::Ok)
        .and_then(|verdict| verdict.equals.clone());
    match good {
        Some(text) => Value::Text(text)
            .number()
            .map_or_else(|| Value::Text(String::new()), Value::Number),
        None => Value::Number(0.0),
    }
}
