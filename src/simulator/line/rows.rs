//! Rows: when they are due, what stands in them, and when they end.

use num_complex::Complex64;

use super::{Kind, LineDevice, Running};
use crate::instrument::line_profile::row;
use crate::profile::line::{Field, LineProfile, Measuring, Quantity, Value, Values};
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
            Kind::Hold if running.index == 0 => 0.0,
            Kind::Hold => self.value("interval_s", 0.1),
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
            Kind::Hold => {
                let intervals = self.value("duration_s", 1.0) / self.value("interval_s", 0.1);
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
            Kind::Hold => (profile.hold.as_ref(), self.holding(&running)),
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
                return;
            }
            Kind::Sweep | Kind::Free => self.end_sweep(),
            Kind::Hold => {}
        }
        if spec.end.empty_object {
            self.send("{}");
        }
        if let Some(marker) = &spec.end.marker {
            self.send_template(marker, &Values::new());
        }
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

    fn holding(&mut self, running: &Running) -> Measured {
        let time_s = f64::from(running.index) * self.value("interval_s", 0.1);
        let potential_v = self.value("potential_v", 0.0);
        Measured {
            frequency_hz: 0.0,
            impedance: Complex64::ZERO,
            potential_v,
            current_a: self.cell.direct_current(self.now_s, potential_v, time_s),
            time_s,
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
