//! Rows of values back to events: the inverse of `encode`.

use rusqlite::types::ValueRef;

use super::encode::encode;
use super::fields::{BadValue, Fields};
use super::table::{
    ALARM, AMENDMENT, COMMAND, FIT, FIT_PARAMETER, FIT_SUM, IDENTITY, INTERRUPTION, LINK, NOTE, PLAN_STEP,
    POINT, SAMPLE, SESSION, SWEEP, Table, VALIDITY, WIRE,
};
use crate::analysis::fit::{FitResult, Parameter, Sum, Weight};
use crate::event::{
    Alarm, AlarmAcknowledged, Amend, CommandGiven, Direction, Event, EventBody, Fit, Gap, Identity, Link,
    LinkState, Note, PlanStep, PointMeasured, SampleTaken, SessionEnded, SessionStarted, Severity, Stamp,
    SweepEnded, SweepStarted, Technique, Validity, ValidityDetails, Wire,
};
use crate::spectrum::{Point, PointStatus, Sample};

/// The event of one row. A fit comes without its parameters and sums, which are rows of their own.
pub(super) fn decode(table: &'static Table, values: &[ValueRef<'_>]) -> Result<Event, BadValue> {
    let mut fields = Fields::new(table, values);
    let seq: u64 = fields.in_range()?;
    let stamp = Stamp {
        utc_ns: fields.integer()?,
        elapsed_ns: fields.integer()?,
    };
    let body = decode_body(&mut fields)?;
    Ok(Event { seq, stamp, body })
}

fn decode_body(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    let table = fields.table;
    if std::ptr::eq(table, &WIRE) {
        Ok(EventBody::Wire(Wire {
            direction: fields.word(Direction::from_word)?,
            bytes: fields.blob()?.to_vec(),
        }))
    } else if std::ptr::eq(table, &POINT) {
        decode_point(fields)
    } else if std::ptr::eq(table, &SAMPLE) {
        decode_sample(fields)
    } else if std::ptr::eq(table, &FIT) {
        decode_fit(fields)
    } else if std::ptr::eq(table, &SWEEP) {
        decode_sweep(fields)
    } else if std::ptr::eq(table, &SESSION) {
        decode_session(fields)
    } else if std::ptr::eq(table, &ALARM) {
        decode_alarm(fields)
    } else if std::ptr::eq(table, &VALIDITY) {
        decode_validity(fields)
    } else if std::ptr::eq(table, &INTERRUPTION) {
        decode_interruption(fields)
    } else {
        decode_remark(fields)
    }
}

/// The kinds that are a few words.
fn decode_remark(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    let table = fields.table;
    if std::ptr::eq(table, &LINK) {
        Ok(EventBody::Link(Link {
            state: fields.word(LinkState::from_word)?,
            port: fields.text()?,
            reason: fields.text()?,
        }))
    } else if std::ptr::eq(table, &IDENTITY) {
        Ok(EventBody::Identity(Identity {
            instrument: fields.text()?,
            firmware: fields.text()?,
            serial: fields.text()?,
        }))
    } else if std::ptr::eq(table, &COMMAND) {
        Ok(EventBody::Command(CommandGiven {
            command: fields.text()?,
            origin: fields.text()?,
            text: fields.text()?,
        }))
    } else if std::ptr::eq(table, &PLAN_STEP) {
        Ok(EventBody::PlanStep(PlanStep {
            step: fields.in_range()?,
            of: fields.in_range()?,
            name: fields.text()?,
            text: fields.text()?,
            until_s: fields.maybe_real()?,
        }))
    } else if std::ptr::eq(table, &AMENDMENT) {
        Ok(EventBody::Amend(Amend {
            key: fields.text()?,
            old: fields.maybe_text()?,
            new: fields.text()?,
        }))
    } else if std::ptr::eq(table, &NOTE) {
        Ok(EventBody::Note(Note { text: fields.text()? }))
    } else {
        Err(fields.bad(format!("a row of table {}, which holds no events", table.name)))
    }
}

fn decode_session(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    match fields.str()? {
        "started" => Ok(EventBody::Session(SessionStarted {
            program: fields.text()?,
            version: fields.text()?,
            cell: fields.text()?,
            chemistry: fields.text()?,
            plan: fields.text()?,
            instrument: fields.text()?,
            instrument_label: fields.text()?,
            circuit: fields.text()?,
            track: {
                let list = fields.str()?;
                serde_json::from_str(list).map_err(|_| fields.bad("no list of texts"))?
            },
            sweeps_planned: fields.maybe_u32()?,
            point_overhead_s: fields.real()?,
            point_periods: fields.real()?,
            simulated: fields.flag()?,
            time_scale: fields.real()?,
            source: fields.text()?,
        })),
        "ended" => {
            fields.skip(15);
            Ok(EventBody::SessionEnded(SessionEnded {
                reason: fields.text()?,
            }))
        }
        other => Err(fields.bad(format!("the unknown word `{other}`"))),
    }
}

fn decode_sweep(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    match fields.str()? {
        "started" => Ok(EventBody::SweepStarted(SweepStarted {
            sweep: fields.in_range()?,
            technique: fields.word(Technique::from_word)?,
            n_points: fields.in_range()?,
            f_max_hz: fields.real()?,
            f_min_hz: fields.real()?,
            bias_v: fields.maybe_real()?,
            amplitude_vrms: fields.maybe_real()?,
            range: fields.maybe_text()?,
        })),
        "ended" => {
            let sweep = fields.in_range()?;
            fields.skip(7);
            Ok(EventBody::SweepEnded(SweepEnded {
                sweep,
                complete: fields.flag()?,
                reason: fields.text()?,
            }))
        }
        other => Err(fields.bad(format!("the unknown word `{other}`"))),
    }
}

fn decode_point(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    Ok(EventBody::Point(PointMeasured {
        sweep: fields.in_range()?,
        index: fields.in_range()?,
        point: Point {
            frequency_hz: fields.real()?,
            z_real_ohm: fields.real()?,
            z_imag_ohm: fields.real()?,
            status: fields.word(PointStatus::from_word)?,
            status_bits: fields.maybe_u32()?,
            range: fields.maybe_text()?,
            noise: fields.maybe_u32()?,
            potential_v: fields.maybe_real()?,
            current_a: fields.maybe_real()?,
            amplitude_vrms: fields.maybe_real()?,
            amplitude_arms: fields.maybe_real()?,
            std_error_ohm: fields.maybe_real()?,
            t_start_s: fields.maybe_real()?,
        },
    }))
}

fn decode_sample(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    Ok(EventBody::Sample(SampleTaken {
        sample: Sample {
            technique: fields.text()?,
            device_t_s: fields.maybe_real()?,
            potential_v: fields.maybe_real()?,
            current_a: fields.maybe_real()?,
            charge_c: fields.maybe_real()?,
            temperature_k: fields.maybe_real()?,
            pressure_mpa: fields.maybe_real()?,
        },
    }))
}

fn decode_validity(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    Ok(EventBody::Validity(Validity {
        sweep: fields.in_range()?,
        method: fields.text()?,
        verdict: fields.text()?,
        max_residual_percent: fields.maybe_real()?,
        mu: fields.maybe_real()?,
        m: fields.maybe_u32()?,
        noise_percent: fields.maybe_real()?,
        noise_source: fields.text()?,
        details: decode_details(fields)?,
    }))
}

/// The columns that format 2 added; nothing where they hold nothing.
fn decode_details(fields: &mut Fields<'_>) -> Result<Option<ValidityDetails>, BadValue> {
    let Some(is_final) = fields.maybe_flag()? else {
        return Ok(None);
    };
    Ok(Some(ValidityDetails {
        is_final,
        reasons: {
            let list = fields.str()?;
            serde_json::from_str(list).map_err(|_| fields.bad("no list of texts"))?
        },
        form: fields.text()?,
        series_capacitance: fields.flag()?,
        inductance: fields.flag()?,
        n_used: fields.in_range()?,
        doubtful: {
            let list = fields.str()?;
            serde_json::from_str(list).map_err(|_| fields.bad("no list of whole numbers"))?
        },
        drift_percent: fields.maybe_real()?,
        drift_std_error_percent: fields.maybe_real()?,
    }))
}

fn decode_alarm(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    match fields.str()? {
        "raised" => Ok(EventBody::Alarm(Alarm {
            name: fields.text()?,
            severity: fields.word(Severity::from_word)?,
            value: fields.maybe_real()?,
            limit: fields.maybe_real()?,
            sweep: fields.maybe_u32()?,
            text: fields.text()?,
        })),
        "acknowledged" => {
            let name = fields.text()?;
            fields.skip(5);
            Ok(EventBody::AlarmAcknowledged(AlarmAcknowledged {
                name,
                origin: fields.text()?,
            }))
        }
        other => Err(fields.bad(format!("the unknown word `{other}`"))),
    }
}

fn decode_interruption(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    let kind = match fields.str()? {
        "gap" => EventBody::Gap,
        "clock_jump" => EventBody::ClockJump,
        "resumed" => EventBody::Resumed,
        other => return Err(fields.bad(format!("the unknown word `{other}`"))),
    };
    Ok(kind(Gap {
        from_utc_ns: fields.integer()?,
        to_utc_ns: fields.integer()?,
        reason: fields.text()?,
    }))
}

fn decode_fit(fields: &mut Fields<'_>) -> Result<EventBody, BadValue> {
    Ok(EventBody::Fit(Fit {
        sweep: fields.in_range()?,
        is_final: fields.flag()?,
        engine: fields.text()?,
        result: FitResult {
            circuit: fields.text()?,
            weight: fields.word(Weight::from_word)?,
            converged: fields.flag()?,
            n_points: fields.in_range()?,
            n_used: fields.in_range()?,
            left_out: fields.in_range()?,
            chi_squared: fields.real()?,
            reduced_chi_squared: fields.maybe_real()?,
            noise_percent: fields.maybe_real()?,
            aicc: fields.maybe_real()?,
            bic: fields.maybe_real()?,
            runs_p: fields.maybe_real()?,
            starts: fields.in_range()?,
            evaluations: fields.in_range()?,
            elapsed_us: fields.real()?,
            guess_us: fields.real()?,
            parameters: Vec::new(),
            correlation: {
                let row_lengths = fields.str()?;
                let values = fields.blob()?;
                decode_matrix(row_lengths, values).ok_or_else(|| fields.bad("no matrix of that shape"))?
            },
            sums: Vec::new(),
            robust: None,
        },
    }))
}

/// The matrix from the lengths of its rows and its values; none where the two do not fit together.
fn decode_matrix(row_lengths: &str, bytes: &[u8]) -> Option<Vec<Vec<f64>>> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut values = words.iter().copied().map(f64::from_le_bytes);
    let mut left = words.len();
    let mut matrix = Vec::new();
    for length in row_lengths.split(',').filter(|length| !length.is_empty()) {
        let length: usize = length.parse().ok()?;
        left = left.checked_sub(length)?;
        matrix.push(values.by_ref().take(length).collect());
    }
    (left == 0 && rest.is_empty()).then_some(matrix)
}

/// A part of a fit: a parameter or a sum.
pub(super) enum Part {
    Parameter(Parameter),
    Sum(Sum),
}

/// The part of one row, with the seq of the fit that it belongs to.
pub(super) fn decode_part(table: &'static Table, values: &[ValueRef<'_>]) -> Result<(u64, Part), BadValue> {
    let mut fields = Fields::new(table, values);
    let fit_seq = fields.in_range()?;
    let _position = fields.integer()?;
    let part = if std::ptr::eq(table, &FIT_PARAMETER) {
        Part::Parameter(Parameter {
            name: fields.text()?,
            unit: fields.text()?,
            value: fields.real()?,
            std_error: fields.maybe_real()?,
            lower: fields.maybe_real()?,
            upper: fields.maybe_real()?,
            fixed: fields.flag()?,
            at_bound: fields.flag()?,
            determined: fields.flag()?,
            arc_id: fields.maybe_u32()?,
        })
    } else if std::ptr::eq(table, &FIT_SUM) {
        Part::Sum(Sum {
            name: fields.text()?,
            value: fields.real()?,
            std_error: fields.maybe_real()?,
            determined: fields.flag()?,
        })
    } else {
        return Err(fields.bad(format!("a row of table {}, which holds no parts", table.name)));
    };
    Ok((fit_seq, part))
}

/// Puts a part into the fit that it belongs to; false where that event is no fit.
pub(super) fn attach(event: &mut Event, part: Part) -> bool {
    let EventBody::Fit(fit) = &mut event.body else {
        return false;
    };
    match part {
        Part::Parameter(parameter) => fit.result.parameters.push(parameter),
        Part::Sum(sum) => fit.result.sums.push(sum),
    }
    true
}

/// The event as it will be read back: NaN is one NaN, an optional NaN is none, and zero has no sign. What is
/// folded while recording is then what is folded at replay.
///
/// # Errors
/// A value that could not be read back, such as a count over the range of SQLite's integers.
pub(super) fn canonical(event: &Event) -> Result<Event, BadValue> {
    let mut stored: Option<Event> = None;
    encode(event, &mut |table, values| {
        match &mut stored {
            None => stored = Some(decode(table, values)?),
            Some(event) => {
                let (_, part) = decode_part(table, values)?;
                attach(event, part);
            }
        }
        Ok(())
    })?;
    stored.ok_or(BadValue {
        column: "seq",
        found: "nothing".into(),
    })
}
