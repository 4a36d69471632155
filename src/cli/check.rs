//! `interphase check`: instrument, cell and plan looked at together before weeks of measuring.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use serde_json::{Value, json};

use super::start::{self, Forecast, Known};
use super::{output, run as measuring};
use crate::instrument::CellSwitch;
use crate::profile::{DirectTechnique, Step};
use crate::session::check::{Found, look};
use crate::session::preflight;
use crate::session::runtime::RuntimeDirectory;
use crate::session::spec::Profiles;
use crate::spectrum::Point;
use crate::units::{self, Script};

/// Look at instrument, cell and plan before weeks of measuring: who answers, where the cell rests, |Z| at two
/// frequencies around it, currents and ranges to expect, limits, and how long it takes. The cell is off afterwards and
/// nothing is recorded.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  interphase check --instrument es4_hr --port /dev/ttyACM0 --cell li_lpscl_li --plan eis_repeat"
)]
pub(super) struct CheckArgs {
    /// Instrument profile: a name or a path
    #[arg(long, value_name = "PROFILE")]
    instrument: String,
    /// Serial port of the instrument
    #[arg(long, value_name = "PATH")]
    port: PathBuf,
    /// Cell profile: a name or a path
    #[arg(long, value_name = "PROFILE")]
    cell: String,
    /// Plan profile: a name or a path
    #[arg(long, value_name = "PROFILE")]
    plan: String,
    /// One JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// A drift of the resting potential that a look of some seconds can tell from noise, in V/s.
const SEEN_V_PER_S: f64 = 1e-4;

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    match checked(args) {
        Ok((profiles, found, simulated)) => {
            if args.json {
                output::line(object(&profiles, &found, args, simulated).to_string())?;
            } else {
                for line in text(&profiles, &found, args)? {
                    output::line(line)?;
                }
            }
            match found.refusal {
                None => Ok(ExitCode::SUCCESS),
                Some(refusal) => bail!("the plan would be refused: {refusal}"),
            }
        }
        Err(error) => {
            if args.json {
                output::line(json!({"ok": false, "reason": format!("{error:#}")}).to_string())?;
            }
            Err(error)
        }
    }
}

fn checked(args: &CheckArgs) -> anyhow::Result<(Profiles, Found, bool)> {
    let runtime = RuntimeDirectory::open()?;
    let chosen = start::choose(&args.instrument, &args.cell, &args.plan)?;
    let (simulated, time_scale) = measuring::time_scale_of(&args.port, None, &runtime)?;
    let found = look(&args.port, &chosen.profiles, time_scale, &runtime)?;
    Ok((chosen.profiles, found, simulated))
}

fn text(profiles: &Profiles, found: &Found, args: &CheckArgs) -> anyhow::Result<Vec<String>> {
    let identity = &found.identity;
    let said = |what: &str, text: &str| {
        if text.is_empty() {
            String::new()
        } else {
            format!(", {what} {text}")
        }
    };
    let mut lines = vec![
        format!(
            "instrument  {} on {}: {}{}{}",
            profiles.instrument.label,
            args.port.display(),
            identity.device,
            said("firmware", &identity.firmware),
            said("serial", &identity.serial),
        ),
        format!("cell        {} ({})", profiles.cell.name, profiles.cell.chemistry),
    ];
    if let Some(ocp) = found.open_circuit {
        // Less than that is noise of so short a look.
        let is_seen = |drift: &f64| drift.abs() > SEEN_V_PER_S;
        let drift = ocp
            .drift_v_per_s
            .filter(is_seen)
            .map_or_else(String::new, |drift| {
                format!(
                    ", drifting {} an hour",
                    units::engineering(3600.0 * drift, "V", Script::Unicode)
                )
            });
        lines.push(format!("            rests at {:.4} V{drift}", ocp.potential_v));
    }
    if !found.points.is_empty() {
        let points: Vec<String> = found.points.iter().map(point_in_words).collect();
        lines.push(format!("            |Z| {}", points.join(", ")));
    }
    lines.push(format!("            {}", cell_in_words(&found.cell)));
    if found.refusal.is_none() {
        let moduli = found.moduli();
        let known = Known {
            moduli: moduli.as_ref(),
            open_circuit_v: found.open_circuit_v(),
        };
        lines.extend(start::plan_lines(profiles, known)?);
    }
    lines.push(format!("limits      {}", limits_in_words(profiles)));
    lines.extend(found.remarks.iter().map(|remark| format!("note        {remark}")));
    if found.refusal.is_none() {
        lines.push("nothing stands against it".to_owned());
    }
    Ok(lines)
}

fn point_in_words(point: &Point) -> String {
    let frequency = units::engineering(point.frequency_hz, "Hz", Script::Unicode);
    if point.is_usable() {
        let modulus = units::engineering(point.impedance().norm(), "ohm", Script::Unicode);
        format!("{modulus} at {frequency}")
    } else {
        format!("not usable at {frequency} ({})", point.status.word())
    }
}

fn cell_in_words(cell: &CellSwitch) -> String {
    match cell {
        CellSwitch::Off => "the cell is off, the instrument has confirmed it".to_owned(),
        CellSwitch::Untouched => "the cell was not switched on".to_owned(),
        CellSwitch::NoSwitch => {
            "the instrument has no switch for the cell: its leads stay connected".to_owned()
        }
        CellSwitch::MayBeOn { why } => format!("CELL MAY BE ON: {why}"),
    }
}

fn limits_in_words(profiles: &Profiles) -> String {
    let limits = &profiles.plan.limits;
    let mut words = Vec::new();
    match (limits.potential_min_v, limits.potential_max_v) {
        (None, None) => {}
        (low, high) => {
            let text = |value: Option<f64>| value.map_or_else(|| "any".to_owned(), |value| value.to_string());
            words.push(format!("{} to {} V", text(low), text(high)));
        }
    }
    let engineering = |value: f64, unit| units::engineering(value, unit, Script::Unicode);
    words.extend(
        limits
            .current_max_a
            .map(|most_a| format!("at most {}", engineering(most_a, "A"))),
    );
    words.extend(
        limits
            .charge_max_c
            .map(|most_c| format!("at most {} a step", engineering(most_c, "C"))),
    );
    let instrument = &profiles.instrument.limits;
    let reach = format!(
        "the instrument's own, {} to {} V and {}",
        instrument.potential_min_v,
        instrument.potential_max_v,
        engineering(instrument.current_max_a, "A")
    );
    if words.is_empty() {
        format!("none in the plan; {reach}")
    } else {
        format!("{}; {reach}", words.join(", "))
    }
}

fn object(profiles: &Profiles, found: &Found, args: &CheckArgs, simulated: bool) -> Value {
    let Profiles {
        instrument,
        cell,
        plan,
    } = profiles;
    let moduli = found.moduli();
    let known = Known {
        moduli: moduli.as_ref(),
        open_circuit_v: found.open_circuit_v(),
    };
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let points: Vec<Value> = found
        .points
        .iter()
        .map(|point| {
            json!({
                "frequency_hz": point.frequency_hz,
                "z_real_ohm": finite(point.z_real_ohm),
                "z_imag_ohm": finite(point.z_imag_ohm),
                "modulus_ohm": finite(point.impedance().norm()),
                "status": point.status.word(),
            })
        })
        .collect();
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| step_object(profiles, step, known))
        .collect();
    let limits = &plan.limits;
    json!({
        "ok": found.refusal.is_none(),
        "reason": found.refusal.as_ref().map(ToString::to_string),
        "instrument": {
            "profile": instrument.name,
            "label": instrument.label,
            "device": found.identity.device,
            "firmware": found.identity.firmware,
            "serial": found.identity.serial,
        },
        "port": args.port,
        "simulated": simulated,
        "cell": cell.name,
        "plan": plan.name,
        "open_circuit_v": found.open_circuit_v(),
        "open_circuit_drift_v_per_s": found.open_circuit.and_then(|ocp| ocp.drift_v_per_s),
        "impedance": points,
        "cell_off": match found.cell {
            CellSwitch::Off | CellSwitch::Untouched => Some(true),
            CellSwitch::NoSwitch => None,
            CellSwitch::MayBeOn { .. } => Some(false),
        },
        "steps": steps,
        "steps_planned": plan.all_steps(),
        "duration_s": preflight::plan_duration_s(instrument, plan),
        "limits": {
            "potential_min_v": limits.potential_min_v,
            "potential_max_v": limits.potential_max_v,
            "current_max_a": limits.current_max_a,
            "charge_max_c": limits.charge_max_c,
        },
        "remarks": found.remarks,
    })
}

fn step_object(profiles: &Profiles, step: &Step, known: Known<'_>) -> Value {
    let duration_s = preflight::step_duration_s(&profiles.instrument, step);
    match step {
        Step::Sweep(sweep) => {
            let forecast = Forecast::of(profiles, sweep, known).ok();
            let forecast = forecast.as_ref();
            json!({
                "technique": sweep.technique.word(),
                "duration_s": duration_s,
                "n_points": forecast.map(|forecast| forecast.points),
                "peak_current_a": forecast.and_then(|forecast| forecast.peak_a),
                "range": forecast.map(|forecast| &forecast.range),
            })
        }
        Step::Direct(direct) => json!({
            "technique": direct.technique.word(),
            "duration_s": duration_s,
            // What flows at a potential that is set is not known before.
            "peak_current_a": match direct.technique {
                DirectTechnique::ChronoPotentiometry { current_a, .. } => Some(current_a.abs()),
                _ => None,
            },
            "text": start::direct_words(&direct.technique),
            "remark": preflight::remark(profiles, step),
        }),
        Step::Rest(_) => json!({"technique": "ocp", "duration_s": duration_s}),
    }
}
