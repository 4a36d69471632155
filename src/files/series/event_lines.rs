//! Event lines, as `replay --json` writes them: points and samples are taken, all else is passed over.

use serde_json::Value;

use super::super::error::ReadError;
use super::super::text::Lines;
use super::delimited::status_of;
use super::{Measured, Origin, Series, SeriesRow, too_far, utc_ns};
use crate::spectrum::{Point, Sample};

pub(super) fn recognise(first: &str) -> bool {
    first.trim_start().starts_with('{') && first.contains("\"kind\"")
}

pub(super) fn read(file: &str, text: &str) -> Result<Series, ReadError> {
    let mut rows = Vec::new();
    let mut passed_over = 0_usize;
    for line in Lines::of(text) {
        let wrong = |message: String| ReadError::in_line(file, line.number, message);
        let event: Value = serde_json::from_str(line.text).map_err(|error| {
            wrong(format!(
                "this is no line of JSON ({error}): is the file cut off here?"
            ))
        })?;
        let measured = match event["kind"].as_str() {
            Some("point") => point(&event),
            Some("sample") => sample(&event),
            Some(_) => {
                passed_over += 1;
                continue;
            }
            None => {
                return Err(wrong(
                    "there is no \"kind\": this is no line of an event".to_owned(),
                ));
            }
        };
        let t_s = event["t_s"].as_f64();
        if let Some(reason) = t_s.and_then(too_far) {
            return Err(wrong(format!("\"t_s\" is {}, {reason}", event["t_s"])));
        }
        rows.push(SeriesRow {
            seq: event["seq"].as_u64(),
            t_s,
            utc_ns: event["utc"].as_str().and_then(utc_ns),
            measured: measured.map_err(wrong)?,
        });
    }
    Ok(Series {
        origin: Origin::EventLines,
        rows,
        remarks: vec![format!(
            "{passed_over} events that are neither points nor samples are passed over; fits are made anew"
        )],
    })
}

/// A number of an event, or that it is not known.
fn number(event: &Value, key: &str) -> Result<Option<f64>, String> {
    match &event[key] {
        Value::Null => Ok(None),
        value => value
            .as_f64()
            .map(Some)
            .ok_or_else(|| format!("{key:?} is {value}, not a number")),
    }
}

fn count(event: &Value, key: &str) -> Result<Option<u32>, String> {
    match &event[key] {
        Value::Null => Ok(None),
        value => value
            .as_u64()
            .and_then(|value| u32::try_from(value).ok())
            .map(Some)
            .ok_or_else(|| format!("{key:?} is {value}, not a whole number")),
    }
}

fn point(event: &Value) -> Result<Measured, String> {
    let nan = |key| number(event, key).map(|value| value.unwrap_or(f64::NAN));
    let mut point = Point {
        status_bits: count(event, "status_bits")?,
        range: event["range"].as_str().map(str::to_owned),
        noise: count(event, "noise")?,
        potential_v: number(event, "potential_v")?,
        current_a: number(event, "current_a")?,
        amplitude_vrms: number(event, "amplitude_vrms")?,
        amplitude_arms: number(event, "amplitude_arms")?,
        std_error_ohm: number(event, "std_error_ohm")?,
        t_start_s: number(event, "t_start_s")?,
        ..Point::new(nan("frequency_hz")?, nan("z_real_ohm")?, nan("z_imag_ohm")?)
    };
    point.status = status_of(&point, event["status"].as_str());
    let sweep = count(event, "sweep")?.ok_or("the point has no number of its sweep")?;
    Ok(Measured::Point(sweep, Box::new(point)))
}

fn sample(event: &Value) -> Result<Measured, String> {
    Ok(Measured::Sample(Sample {
        technique: event["technique"].as_str().unwrap_or_default().to_owned(),
        device_t_s: number(event, "device_t_s")?,
        potential_v: number(event, "potential_v")?,
        current_a: number(event, "current_a")?,
        charge_c: number(event, "charge_c")?,
        temperature_k: number(event, "temperature_k")?,
        pressure_mpa: number(event, "pressure_mpa")?,
    }))
}
