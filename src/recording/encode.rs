//! An event as rows of values: the one description of what is stored, which is also what is hashed.

use rusqlite::types::ValueRef;

use super::table::{
    ALARM, AMENDMENT, COMMAND, FIT, FIT_PARAMETER, FIT_SUM, IDENTITY, INTERRUPTION, LINK, NOTE, PLAN_STEP,
    POINT, SAMPLE, SESSION, SWEEP, Table, VALIDITY, WIRE,
};
use crate::event::{
    Alarm, Event, EventBody, Fit, Gap, PointMeasured, SampleTaken, SessionStarted, SweepStarted, Validity,
};

/// A number as it is stored: NaN is null, and zero has no sign, because SQLite keeps neither.
fn real(value: f64) -> ValueRef<'static> {
    if value.is_nan() {
        ValueRef::Null
    } else {
        ValueRef::Real(value + 0.0)
    }
}

fn maybe_real(value: Option<f64>) -> ValueRef<'static> {
    value.map_or(ValueRef::Null, real)
}

fn integer(value: impl Into<i64>) -> ValueRef<'static> {
    ValueRef::Integer(value.into())
}

fn maybe_integer(value: Option<u32>) -> ValueRef<'static> {
    value.map_or(ValueRef::Null, integer)
}

fn count(value: usize) -> ValueRef<'static> {
    ValueRef::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn text(value: &str) -> ValueRef<'_> {
    ValueRef::Text(value.as_bytes())
}

fn maybe_text(value: Option<&str>) -> ValueRef<'_> {
    value.map_or(ValueRef::Null, text)
}

/// Where the rows of an event go: the table, and a value for each of its columns.
pub(super) type Sink<'s, E> = &'s mut dyn FnMut(&'static Table, &[ValueRef<'_>]) -> Result<(), E>;

/// The rows of one event, handed to `sink`: first that of the event, then those of its parts.
pub(super) fn encode<E>(event: &Event, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = [
        integer(event.seq.cast_signed()),
        integer(event.stamp.utc_ns),
        integer(event.stamp.elapsed_ns),
    ];
    macro_rules! row {
        ($table:expr, $($value:expr),+ $(,)?) => {
            sink(&$table, &[seq, utc, elapsed, $($value),+])
        };
    }
    const NULL: ValueRef<'static> = ValueRef::Null;
    match &event.body {
        EventBody::Session(body) => encode_session(event, body, sink),
        EventBody::SessionEnded(body) => row!(
            SESSION,
            text("ended"),
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            text(&body.reason),
        ),
        EventBody::Link(body) => row!(
            LINK,
            text(body.state.word()),
            text(&body.port),
            text(&body.reason)
        ),
        EventBody::Identity(body) => row!(
            IDENTITY,
            text(&body.instrument),
            text(&body.firmware),
            text(&body.serial),
        ),
        EventBody::Command(body) => {
            row!(COMMAND, text(&body.command), text(&body.origin), text(&body.text))
        }
        EventBody::PlanStep(body) => row!(
            PLAN_STEP,
            integer(body.step),
            integer(body.of),
            text(&body.name),
            text(&body.text),
            maybe_real(body.until_s),
        ),
        EventBody::Wire(body) => row!(WIRE, text(body.direction.word()), ValueRef::Blob(&body.bytes)),
        EventBody::SweepStarted(body) => encode_sweep_started(event, body, sink),
        EventBody::SweepEnded(body) => row!(
            SWEEP,
            text("ended"),
            integer(body.sweep),
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            integer(body.complete),
            text(&body.reason),
        ),
        EventBody::Point(body) => encode_point(event, body, sink),
        EventBody::Sample(body) => encode_sample(event, body, sink),
        EventBody::Validity(body) => encode_validity(event, body, sink),
        EventBody::Fit(body) => encode_fit(event, body, sink),
        EventBody::Alarm(body) => encode_alarm(event, body, sink),
        EventBody::AlarmAcknowledged(body) => row!(
            ALARM,
            text("acknowledged"),
            text(&body.name),
            NULL,
            NULL,
            NULL,
            NULL,
            NULL,
            text(&body.origin),
        ),
        EventBody::Gap(body) => encode_interruption(event, "gap", body, sink),
        EventBody::ClockJump(body) => encode_interruption(event, "clock_jump", body, sink),
        EventBody::Resumed(body) => encode_interruption(event, "resumed", body, sink),
        EventBody::Amend(body) => row!(
            AMENDMENT,
            text(&body.key),
            maybe_text(body.old.as_deref()),
            text(&body.new),
        ),
        EventBody::Note(body) => row!(NOTE, text(&body.text)),
    }
}

/// The three columns that every event begins with.
fn head(event: &Event) -> [ValueRef<'static>; 3] {
    [
        integer(event.seq.cast_signed()),
        integer(event.stamp.utc_ns),
        integer(event.stamp.elapsed_ns),
    ]
}

fn encode_session<E>(event: &Event, body: &SessionStarted, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    let track = serde_json::Value::from(body.track.clone()).to_string();
    sink(
        &SESSION,
        &[
            seq,
            utc,
            elapsed,
            text("started"),
            text(&body.program),
            text(&body.version),
            text(&body.cell),
            text(&body.chemistry),
            text(&body.plan),
            text(&body.instrument),
            text(&body.instrument_label),
            text(&body.circuit),
            text(&track),
            maybe_integer(body.sweeps_planned),
            real(body.point_overhead_s),
            real(body.point_periods),
            integer(body.simulated),
            real(body.time_scale),
            text(&body.source),
            ValueRef::Null,
        ],
    )
}

fn encode_sweep_started<E>(event: &Event, body: &SweepStarted, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    sink(
        &SWEEP,
        &[
            seq,
            utc,
            elapsed,
            text("started"),
            integer(body.sweep),
            text(body.technique.word()),
            integer(body.n_points),
            real(body.f_max_hz),
            real(body.f_min_hz),
            maybe_real(body.bias_v),
            maybe_real(body.amplitude_vrms),
            maybe_text(body.range.as_deref()),
            ValueRef::Null,
            ValueRef::Null,
        ],
    )
}

fn encode_point<E>(event: &Event, body: &PointMeasured, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    let point = &body.point;
    sink(
        &POINT,
        &[
            seq,
            utc,
            elapsed,
            integer(body.sweep),
            integer(body.index),
            real(point.frequency_hz),
            real(point.z_real_ohm),
            real(point.z_imag_ohm),
            text(point.status.word()),
            maybe_integer(point.status_bits),
            maybe_text(point.range.as_deref()),
            maybe_integer(point.noise),
            maybe_real(point.potential_v),
            maybe_real(point.current_a),
            maybe_real(point.amplitude_vrms),
            maybe_real(point.amplitude_arms),
            maybe_real(point.std_error_ohm),
            maybe_real(point.t_start_s),
        ],
    )
}

fn encode_sample<E>(event: &Event, body: &SampleTaken, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    let sample = &body.sample;
    sink(
        &SAMPLE,
        &[
            seq,
            utc,
            elapsed,
            text(&sample.technique),
            maybe_real(sample.device_t_s),
            maybe_real(sample.potential_v),
            maybe_real(sample.current_a),
            maybe_real(sample.charge_c),
            maybe_real(sample.temperature_k),
            maybe_real(sample.pressure_mpa),
        ],
    )
}

fn encode_validity<E>(event: &Event, body: &Validity, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    let details = body.details.as_ref();
    let json = |value: serde_json::Value| value.to_string();
    let reasons = details.map(|details| json(details.reasons.clone().into()));
    let doubtful = details.map(|details| json(details.doubtful.clone().into()));
    sink(
        &VALIDITY,
        &[
            seq,
            utc,
            elapsed,
            integer(body.sweep),
            text(&body.method),
            text(&body.verdict),
            maybe_real(body.max_residual_percent),
            maybe_real(body.mu),
            maybe_integer(body.m),
            maybe_real(body.noise_percent),
            text(&body.noise_source),
            maybe_integer(details.map(|details| details.is_final.into())),
            maybe_text(reasons.as_deref()),
            maybe_text(details.map(|details| details.form.as_str())),
            maybe_integer(details.map(|details| details.series_capacitance.into())),
            maybe_integer(details.map(|details| details.inductance.into())),
            maybe_integer(details.map(|details| details.n_used)),
            maybe_text(doubtful.as_deref()),
            maybe_real(details.and_then(|details| details.drift_percent)),
            maybe_real(details.and_then(|details| details.drift_std_error_percent)),
        ],
    )
}

fn encode_alarm<E>(event: &Event, body: &Alarm, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    sink(
        &ALARM,
        &[
            seq,
            utc,
            elapsed,
            text("raised"),
            text(&body.name),
            text(body.severity.word()),
            maybe_real(body.value),
            maybe_real(body.limit),
            maybe_integer(body.sweep),
            text(&body.text),
            ValueRef::Null,
        ],
    )
}

fn encode_interruption<E>(event: &Event, what: &str, body: &Gap, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    sink(
        &INTERRUPTION,
        &[
            seq,
            utc,
            elapsed,
            text(what),
            integer(body.from_utc_ns),
            integer(body.to_utc_ns),
            text(&body.reason),
        ],
    )
}

fn encode_fit<E>(event: &Event, body: &Fit, sink: Sink<'_, E>) -> Result<(), E> {
    let [seq, utc, elapsed] = head(event);
    let result = &body.result;
    let (row_lengths, correlation) = encode_matrix(&result.correlation);
    sink(
        &FIT,
        &[
            seq,
            utc,
            elapsed,
            integer(body.sweep),
            integer(body.is_final),
            text(&body.engine),
            text(&result.circuit),
            text(result.weight.word()),
            integer(result.converged),
            count(result.n_points),
            count(result.n_used),
            count(result.left_out),
            real(result.chi_squared),
            maybe_real(result.reduced_chi_squared),
            maybe_real(result.noise_percent),
            maybe_real(result.aicc),
            maybe_real(result.bic),
            maybe_real(result.runs_p),
            count(result.starts),
            count(result.evaluations),
            real(result.elapsed_us),
            real(result.guess_us),
            text(&row_lengths),
            ValueRef::Blob(&correlation),
        ],
    )?;
    for (position, parameter) in result.parameters.iter().enumerate() {
        sink(
            &FIT_PARAMETER,
            &[
                seq,
                count(position),
                text(&parameter.name),
                text(&parameter.unit),
                real(parameter.value),
                maybe_real(parameter.std_error),
                maybe_real(parameter.lower),
                maybe_real(parameter.upper),
                integer(parameter.fixed),
                integer(parameter.at_bound),
                integer(parameter.determined),
                maybe_integer(parameter.arc_id),
            ],
        )?;
    }
    for (position, sum) in result.sums.iter().enumerate() {
        sink(
            &FIT_SUM,
            &[
                seq,
                count(position),
                text(&sum.name),
                real(sum.value),
                maybe_real(sum.std_error),
                integer(sum.determined),
            ],
        )?;
    }
    Ok(())
}

/// A matrix as the lengths of its rows (`3,3,3`) and its values row after row, little-endian.
fn encode_matrix(matrix: &[Vec<f64>]) -> (String, Vec<u8>) {
    let lengths: Vec<String> = matrix.iter().map(|row| row.len().to_string()).collect();
    let values = matrix
        .iter()
        .flatten()
        .flat_map(|&value| canonical_bits(value).to_le_bytes())
        .collect();
    (lengths.join(","), values)
}

/// The bits of a number with one NaN and without the sign of zero.
fn canonical_bits(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits()
    } else {
        (value + 0.0).to_bits()
    }
}
