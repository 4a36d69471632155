//! One byte sequence for each value, so that hashes of events and of states can be compared between
//! programs and years: little-endian numbers, `x + 0.0` so that there is one zero, one NaN, and lengths
//! before everything of variable length.

use super::kinds::{Event, EventBody, Fit, Gap, Stamp, ValidityDetails};
use crate::analysis::fit::{FitResult, Parameter, Sum};
use crate::spectrum::{Point, Sample};

/// Bytes that are handed to BLAKE3 at once: it takes many in less time than few.
const AT_ONCE: usize = 1 << 16;

/// A BLAKE3 hash over canonical values.
#[derive(Clone, Debug, Default)]
pub struct CanonicalHasher {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl CanonicalHasher {
    /// An empty hash.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The hash of everything added so far.
    #[must_use]
    pub fn finish(&self) -> blake3::Hash {
        self.hasher.clone().update(&self.buffer).finalize()
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.buffer.len() >= AT_ONCE {
            self.hasher.update(&self.buffer);
            self.buffer.clear();
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Adds bytes as they are, after their length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.u64(bytes.len() as u64);
        self.push(bytes);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a whole number.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.push(&value.to_le_bytes());
        self
    }

    /// Adds a signed whole number.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.push(&value.to_le_bytes());
        self
    }

    /// Adds a truth value.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.push(&[u8::from(value)]);
        self
    }

    /// Adds a number; both zeros are one, and all NaN are one.
    pub fn f64(&mut self, value: f64) -> &mut Self {
        let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
        self.push(&value.to_bits().to_le_bytes());
        self
    }

    /// Adds a value that may be missing.
    pub fn option<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) -> &mut Self {
        self.bool(value.is_some());
        if let Some(value) = value {
            add(self, value);
        }
        self
    }

    /// Adds a number that may be missing.
    pub fn option_f64(&mut self, value: Option<f64>) -> &mut Self {
        self.option(value, |hasher, value| {
            hasher.f64(value);
        })
    }

    /// Adds a whole number that may be missing.
    pub fn option_u64(&mut self, value: Option<impl Into<u64>>) -> &mut Self {
        self.option(value, |hasher, value| {
            hasher.u64(value.into());
        })
    }

    /// Adds a sequence after its length.
    pub fn sequence<'a, T: 'a>(
        &mut self,
        items: impl ExactSizeIterator<Item = &'a T>,
        add: impl Fn(&mut Self, &'a T),
    ) -> &mut Self {
        self.u64(items.len() as u64);
        for item in items {
            add(self, item);
        }
        self
    }

    /// Adds a time stamp.
    pub fn stamp(&mut self, stamp: Stamp) -> &mut Self {
        self.i64(stamp.utc_ns).i64(stamp.elapsed_ns)
    }

    /// Adds a whole event.
    pub fn event(&mut self, event: &Event) -> &mut Self {
        self.u64(event.seq).stamp(event.stamp).body(&event.body)
    }

    /// Adds what an event says, after the word for its kind.
    pub fn body(&mut self, body: &EventBody) -> &mut Self {
        self.text(body.kind());
        match body {
            EventBody::Session(body) => {
                self.text(&body.program)
                    .text(&body.version)
                    .text(&body.cell)
                    .text(&body.chemistry)
                    .text(&body.plan)
                    .text(&body.instrument)
                    .text(&body.instrument_label)
                    .text(&body.circuit)
                    .sequence(body.track.iter(), |hasher, name| {
                        hasher.text(name);
                    })
                    .option_u64(body.sweeps_planned)
                    .f64(body.point_overhead_s)
                    .f64(body.point_periods)
                    .bool(body.simulated)
                    .f64(body.time_scale)
                    .text(&body.source);
            }
            EventBody::Link(body) => {
                self.text(body.state.word()).text(&body.port).text(&body.reason);
            }
            EventBody::Identity(body) => {
                self.text(&body.instrument)
                    .text(&body.firmware)
                    .text(&body.serial);
            }
            EventBody::Command(body) => {
                self.text(&body.command).text(&body.origin).text(&body.text);
            }
            EventBody::PlanStep(body) => {
                self.u64(body.step.into())
                    .u64(body.of.into())
                    .text(&body.name)
                    .text(&body.text)
                    .option_f64(body.until_s);
            }
            EventBody::Wire(body) => {
                self.text(body.direction.word()).bytes(&body.bytes);
            }
            EventBody::SweepStarted(body) => {
                self.u64(body.sweep.into())
                    .text(body.technique.word())
                    .u64(body.n_points.into())
                    .f64(body.f_max_hz)
                    .f64(body.f_min_hz)
                    .option_f64(body.bias_v)
                    .option_f64(body.amplitude_vrms)
                    .option(body.range.as_deref(), |hasher, range| {
                        hasher.text(range);
                    });
            }
            EventBody::SweepEnded(body) => {
                self.u64(body.sweep.into()).bool(body.complete).text(&body.reason);
            }
            EventBody::Point(body) => {
                self.u64(body.sweep.into())
                    .u64(body.index.into())
                    .point(&body.point);
            }
            EventBody::Sample(body) => {
                self.sample(&body.sample);
            }
            EventBody::Validity(body) => {
                self.u64(body.sweep.into())
                    .text(&body.method)
                    .text(&body.verdict)
                    .option_f64(body.max_residual_percent)
                    .option_f64(body.mu)
                    .option_u64(body.m)
                    .option_f64(body.noise_percent)
                    .text(&body.noise_source);
                // Nothing where there are none, so that digests of earlier versions keep.
                if let Some(details) = &body.details {
                    self.details(details);
                }
            }
            EventBody::Fit(body) => {
                self.fit(body);
            }
            EventBody::Alarm(body) => {
                self.text(&body.name)
                    .text(body.severity.word())
                    .option_f64(body.value)
                    .option_f64(body.limit)
                    .option_u64(body.sweep)
                    .text(&body.text);
            }
            EventBody::AlarmAcknowledged(body) => {
                self.text(&body.name).text(&body.origin);
            }
            EventBody::Gap(body) | EventBody::ClockJump(body) | EventBody::Resumed(body) => self.gap(body),
            EventBody::Amend(body) => {
                self.text(&body.key)
                    .option(body.old.as_deref(), |hasher, old| {
                        hasher.text(old);
                    })
                    .text(&body.new);
            }
            EventBody::Note(body) => {
                self.text(&body.text);
            }
            EventBody::SessionEnded(body) => {
                self.text(&body.reason);
            }
        }
        self
    }

    fn details(&mut self, details: &ValidityDetails) {
        self.text("details")
            .bool(details.is_final)
            .sequence(details.reasons.iter(), |hasher, reason| {
                hasher.text(reason);
            })
            .text(&details.form)
            .bool(details.series_capacitance)
            .bool(details.inductance)
            .u64(details.n_used.into())
            .sequence(details.doubtful.iter(), |hasher, index| {
                hasher.u64((*index).into());
            })
            .option_f64(details.drift_percent)
            .option_f64(details.drift_std_error_percent);
    }

    fn gap(&mut self, gap: &Gap) {
        self.i64(gap.from_utc_ns).i64(gap.to_utc_ns).text(&gap.reason);
    }

    /// Adds a point.
    pub fn point(&mut self, point: &Point) -> &mut Self {
        self.f64(point.frequency_hz)
            .f64(point.z_real_ohm)
            .f64(point.z_imag_ohm)
            .text(point.status.word())
            .option_u64(point.status_bits)
            .option(point.range.as_deref(), |hasher, range| {
                hasher.text(range);
            })
            .option_u64(point.noise)
            .option_f64(point.potential_v)
            .option_f64(point.current_a)
            .option_f64(point.amplitude_vrms)
            .option_f64(point.amplitude_arms)
            .option_f64(point.std_error_ohm)
            .option_f64(point.t_start_s)
    }

    fn sample(&mut self, sample: &Sample) {
        self.text(&sample.technique)
            .option_f64(sample.device_t_s)
            .option_f64(sample.potential_v)
            .option_f64(sample.current_a)
            .option_f64(sample.charge_c)
            .option_f64(sample.temperature_k)
            .option_f64(sample.pressure_mpa);
    }

    fn fit(&mut self, fit: &Fit) {
        self.u64(fit.sweep.into()).bool(fit.is_final).text(&fit.engine);
        self.fit_result(&fit.result);
    }

    fn fit_result(&mut self, result: &FitResult) {
        self.text(&result.circuit)
            .text(result.weight.word())
            .bool(result.converged)
            .u64(result.n_points as u64)
            .u64(result.n_used as u64)
            .u64(result.left_out as u64)
            .f64(result.chi_squared)
            .option_f64(result.reduced_chi_squared)
            .option_f64(result.noise_percent)
            .option_f64(result.aicc)
            .option_f64(result.bic)
            .option_f64(result.runs_p)
            .u64(result.starts as u64)
            .u64(result.evaluations as u64)
            .f64(result.elapsed_us)
            .f64(result.guess_us)
            .sequence(result.parameters.iter(), Self::parameter)
            .sequence(result.correlation.iter(), |hasher, row| {
                hasher.sequence(row.iter(), |hasher, value| {
                    hasher.f64(*value);
                });
            })
            .sequence(result.sums.iter(), Self::sum);
    }

    fn parameter(&mut self, parameter: &Parameter) {
        self.text(&parameter.name)
            .text(&parameter.unit)
            .f64(parameter.value)
            .option_f64(parameter.std_error)
            .option_f64(parameter.lower)
            .option_f64(parameter.upper)
            .bool(parameter.fixed)
            .bool(parameter.at_bound)
            .bool(parameter.determined)
            .option_u64(parameter.arc_id);
    }

    fn sum(&mut self, sum: &Sum) {
        self.text(&sum.name)
            .f64(sum.value)
            .option_f64(sum.std_error)
            .bool(sum.determined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(add: impl FnOnce(&mut CanonicalHasher)) -> blake3::Hash {
        let mut hasher = CanonicalHasher::new();
        add(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn both_zeros_and_all_nan_are_one() {
        let of = |value: f64| {
            hash(|hasher| {
                hasher.f64(value);
            })
        };
        assert_eq!(of(0.0), of(-0.0));
        assert_eq!(of(f64::NAN), of(-f64::NAN));
        assert_ne!(of(0.0), of(f64::NAN));
    }

    #[test]
    fn lengths_keep_neighbouring_texts_apart() {
        let of = |a: &str, b: &str| {
            hash(|hasher| {
                hasher.text(a).text(b);
            })
        };
        assert_ne!(of("ab", "c"), of("a", "bc"));
    }

    #[test]
    fn a_missing_number_is_not_zero() {
        let of = |value: Option<f64>| {
            hash(|hasher| {
                hasher.option_f64(value);
            })
        };
        assert_ne!(of(None), of(Some(0.0)));
    }
}
