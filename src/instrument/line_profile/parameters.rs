//! Values for the parameters of commands, from what a job asks for.

use crate::profile::CurrentRange;
use crate::profile::line::{Field, LineProfile, Template, Value, Values};

use crate::instrument::SweepJob;

/// How far a value may be from one that the instrument allows, as a share of it.
const NEAR: f64 = 1e-3;

/// The parameters of a sweep.
///
/// # Errors
/// In words, where the instrument does not allow a value.
pub fn of_sweep(profile: &LineProfile, job: &SweepJob, ranges: &[CurrentRange]) -> Result<Values, String> {
    let code = ranges.iter().find(|range| range.limit_a == job.current_range_a);
    let mut base = vec![
        ("f_max_hz", job.f_max_hz),
        ("f_min_hz", job.f_min_hz),
        ("n_points", f64::from(job.n_points)),
        ("amplitude_vrms", job.amplitude_vrms),
        ("bias_v", job.bias_v),
        ("range_a", job.current_range_a),
    ];
    base.extend(code.map(|range| ("range_code", f64::from(range.code))));
    with_derived(profile, &base)
}

/// The parameters with those that are made of them.
///
/// # Errors
/// In words, where the instrument does not allow a value.
pub fn with_derived(profile: &LineProfile, base: &[(&str, f64)]) -> Result<Values, String> {
    let mut values: Values = base
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::Number(*value)))
        .collect();
    for (name, parameter) in &profile.parameters {
        let Some((_, source)) = base.iter().find(|(source, _)| *source == parameter.from) else {
            continue;
        };
        let mut value = source * parameter.factor();
        if let Some(allowed) = &parameter.allowed {
            let near = |allowed: &&f64| (*allowed - value).abs() <= NEAR * value.abs();
            value = *allowed.iter().find(near).ok_or_else(|| {
                let list: Vec<String> = allowed.iter().map(f64::to_string).collect();
                format!(
                    "{} = {source} would be {name} = {value}, and the instrument takes only {}",
                    parameter.from,
                    list.join(", ")
                )
            })?;
        }
        let within = parameter.min.unwrap_or(f64::NEG_INFINITY)..=parameter.max.unwrap_or(f64::INFINITY);
        if !within.contains(&value) {
            return Err(format!(
                "{} = {source} would be {name} = {value}, and the instrument takes {}",
                parameter.from,
                match (parameter.min, parameter.max) {
                    (Some(min), Some(max)) => format!("{min} to {max}"),
                    (Some(min), None) => format!("at least {min}"),
                    _ => format!("at most {}", within.end()),
                }
            ));
        }
        values.insert(name.clone(), Value::Number(value));
    }
    Ok(values)
}

/// The value of a parameter as a template writes it, with the digits that go over the wire; none where
/// the template does not have it.
#[must_use]
pub fn written(profile: &LineProfile, template: &Template, values: &Values, parameter: &str) -> Option<f64> {
    template.fields().find_map(|field| {
        let factor = factor(profile, field, parameter)?;
        let text = values.get(&field.name)?.write(&field.format);
        Some(Value::Text(text).number()? / factor)
    })
}

/// The value of a parameter in what a template has read; none where it is not in it.
#[must_use]
pub fn read(profile: &LineProfile, template: &Template, values: &Values, parameter: &str) -> Option<f64> {
    template.fields().find_map(|field| {
        let factor = factor(profile, field, parameter)?;
        Some(values.get(&field.name)?.number()? / factor)
    })
}

fn factor(profile: &LineProfile, field: &Field, parameter: &str) -> Option<f64> {
    if field.name == parameter {
        return Some(1.0);
    }
    let derived = profile.parameters.get(&field.name)?;
    (derived.from == parameter).then(|| derived.factor())
}
