//! An event as one line of JSON, as scripts and other programs read it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::kinds::{Event, EventBody, Fit, Gap, PointMeasured, SampleTaken};
use super::wire_text::escape;

/// UTC with microseconds, always the same width, so that lines sort as text.
#[must_use]
pub fn utc_text(utc_ns: i64) -> String {
    let stamp = Timestamp::from_nanosecond(i128::from(utc_ns)).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{stamp:.6}")
}

/// The fields of a plain structure in the order of its declaration.
fn fields_of(body: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(body) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn point_fields(body: &PointMeasured) -> Map<String, Value> {
    let point = &body.point;
    object(json!({
        "sweep": body.sweep,
        "index": body.index,
        "frequency_hz": point.frequency_hz,
        "z_real_ohm": point.z_real_ohm,
        "z_imag_ohm": point.z_imag_ohm,
        "status": point.status.word(),
        "status_bits": point.status_bits,
        "range": point.range,
        "noise": point.noise,
        "potential_v": point.potential_v,
        "current_a": point.current_a,
        "amplitude_vrms": point.amplitude_vrms,
        "amplitude_arms": point.amplitude_arms,
        "std_error_ohm": point.std_error_ohm,
        "t_start_s": point.t_start_s,
    }))
}

fn sample_fields(body: &SampleTaken) -> Map<String, Value> {
    let sample = &body.sample;
    object(json!({
        "technique": sample.technique,
        "device_t_s": sample.device_t_s,
        "potential_v": sample.potential_v,
        "current_a": sample.current_a,
        "charge_c": sample.charge_c,
        "temperature_k": sample.temperature_k,
        "pressure_mpa": sample.pressure_mpa,
    }))
}

fn fit_fields(body: &Fit) -> Map<String, Value> {
    let mut fields = object(json!({
        "sweep": body.sweep,
        "final": body.is_final,
        "engine": body.engine,
    }));
    fields.append(&mut fields_of(&body.result));
    fields
}

fn gap_fields(body: &Gap) -> Map<String, Value> {
    object(json!({
        "from": utc_text(body.from_utc_ns),
        "to": utc_text(body.to_utc_ns),
        "reason": body.reason,
    }))
}

impl Event {
    /// The event as one line of JSON without the line end. Numbers are finite; what is not known is null.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.to_fields()).to_string()
    }

    /// The fields of the event's JSON line in their order: seq, utc, `t_s`, kind, then those of the kind.
    #[must_use]
    pub fn to_fields(&self) -> Map<String, Value> {
        let mut fields = object(json!({
            "seq": self.seq,
            "utc": utc_text(self.stamp.utc_ns),
            "t_s": self.stamp.elapsed_s(),
            "kind": self.body.kind(),
        }));
        let mut of_kind = match &self.body {
            EventBody::Session(body) => fields_of(body),
            EventBody::Link(body) => fields_of(body),
            EventBody::Identity(body) => fields_of(body),
            EventBody::Command(body) => fields_of(body),
            EventBody::PlanStep(body) => fields_of(body),
            EventBody::Wire(body) => object(json!({
                "direction": body.direction.word(),
                "bytes": escape(&body.bytes),
            })),
            EventBody::SweepStarted(body) => fields_of(body),
            EventBody::SweepEnded(body) => fields_of(body),
            EventBody::Point(body) => point_fields(body),
            EventBody::Sample(body) => sample_fields(body),
            EventBody::Validity(body) => fields_of(body),
            EventBody::Fit(body) => fit_fields(body),
            EventBody::Alarm(body) => fields_of(body),
            EventBody::AlarmAcknowledged(body) => fields_of(body),
            EventBody::Gap(body) | EventBody::ClockJump(body) | EventBody::Resumed(body) => gap_fields(body),
            EventBody::Amend(body) => fields_of(body),
            EventBody::Note(body) => fields_of(body),
            EventBody::SessionEnded(body) => fields_of(body),
        };
        fields.append(&mut of_kind);
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Direction, Note, Stamp, Wire};
    use crate::spectrum::Point;

    fn event(body: EventBody) -> Event {
        let stamp = Stamp {
            utc_ns: 1_795_420_800_000_001_000,
            elapsed_ns: 1_500_000_000,
        };
        Event { seq: 7, stamp, body }
    }

    #[test]
    fn an_event_line_begins_with_seq_utc_elapsed_time_and_kind() {
        let line = event(EventBody::Note(Note {
            text: "a \"note\"".into(),
        }))
        .to_json();
        assert_eq!(
            line,
            r#"{"seq":7,"utc":"2026-11-23T08:00:00.000001Z","t_s":1.5,"kind":"note","text":"a \"note\""}"#
        );
    }

    #[test]
    fn a_point_without_a_value_is_null_in_json() {
        let point = Point::new(100.0, f64::NAN, f64::INFINITY);
        let line = event(EventBody::Point(PointMeasured {
            sweep: 1,
            index: 0,
            point,
        }))
        .to_json();
        let value: Value = serde_json::from_str(&line).unwrap();
        assert!(value["z_real_ohm"].is_null() && value["z_imag_ohm"].is_null());
        assert_eq!(value["frequency_hz"], 100.0);
    }

    #[test]
    fn bytes_on_the_line_are_readable_text() {
        let wire = Wire {
            direction: Direction::Rx,
            bytes: b"M000D\n".to_vec(),
        };
        let line = event(EventBody::Wire(wire)).to_json();
        assert!(
            line.contains(r#""direction":"rx","bytes":"M000D\\x0A""#),
            "{line}"
        );
    }
}
