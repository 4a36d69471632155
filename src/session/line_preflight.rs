//! What an instrument of a line profile can do of a plan: looked at before anything is sent.

use super::preflight::Refusal;
use crate::instrument::line_profile::{parameters, pieces};
use crate::instrument::{DirectJob, Ranging, SweepJob};
use crate::profile::line::{CellSwitching, DirectTable, LineProfile, OwnFrequencies};
use crate::profile::{
    Bias, Bound, DirectStep, DirectTechnique, Instrument, Plan, Quantity, Side, Step, SweepStep,
};
use crate::spectrum::Technique;
use crate::units;

/// How far a plan's frequencies may be from those of an instrument that chooses its own, as a share.
const NEAR: f64 = 0.01;

/// Whether the instrument can do each step of the plan; always so where it has no line profile.
///
/// # Errors
/// Where it cannot, with the reason.
pub(super) fn check_plan(instrument: &Instrument, plan: &Plan) -> Result<(), Refusal> {
    let Some(line) = &instrument.line else {
        return Ok(());
    };
    for (index, step) in plan.steps.iter().enumerate() {
        let checked = match step {
            Step::Sweep(sweep) if sweep.technique == Technique::Peis => {
                check_step(instrument, line, plan, sweep)
            }
            Step::Rest(_) if line.open_circuit.is_some() => Ok(()),
            Step::Rest(_) => Err((
                "a rest".to_owned(),
                "it cannot read the potential of the cell".to_owned(),
            )),
            Step::Sweep(_) => {
                let limit = "with a line profile it measures potentiostatic sweeps alone";
                Err(("this technique".to_owned(), limit.to_owned()))
            }
            Step::Direct(direct) => check_direct(instrument, line, plan, direct),
        };
        checked.map_err(|(what, limit)| Refusal::BeyondInstrument {
            plan: plan.name.clone(),
            step: index + 1,
            what,
            instrument: instrument.label.clone(),
            limit,
        })?;
    }
    Ok(())
}

/// What cannot be done, and what can.
fn check_step(
    instrument: &Instrument,
    line: &LineProfile,
    plan: &Plan,
    step: &SweepStep,
) -> Result<(), (String, String)> {
    let refuse = |what: &str, limit: &str| Err((what.to_owned(), limit.to_owned()));
    let Some(sweep) = &line.sweep else {
        return refuse("impedance", "its profile has no [line.sweep]: it measures none");
    };
    if let Bias::Potential(bias_v) = step.bias
        && !line.sets_bias()
    {
        let limit = "it applies no bias; use bias = \"ocp\", the cell is measured where it rests";
        return refuse(&format!("bias = {bias_v}"), limit);
    }
    let limits = &plan.limits;
    if (limits.potential_min_v.is_some() || limits.potential_max_v.is_some()) && line.open_circuit.is_none() {
        let limit = "it cannot read the potential of the cell, so it cannot keep to limits of it";
        return refuse("a limit of the potential", limit);
    }
    if limits
        .current_max_a
        .is_some_and(|most_a| !line.sets_amplitude() && most_a < instrument.limits.current_max_a)
    {
        let limit = format!(
            "it chooses its excitation by itself, up to {} A",
            instrument.limits.current_max_a
        );
        return refuse("limits.current_max_a", &limit);
    }
    if let Some(own) = &sweep.frequencies {
        return check_frequencies(own, step);
    }
    let job = SweepJob {
        f_max_hz: step.f_max_hz,
        f_min_hz: step.f_min_hz,
        n_points: step.n_points(),
        amplitude_vrms: step.amplitude_vrms,
        bias_v: 0.0,
        current_range_a: f64::INFINITY,
        pgstat_mode: 0,
        max_bandwidth_hz: 0.0,
        ..SweepJob::default()
    };
    parameters::of_sweep(line, &job, &instrument.current_ranges)
        .map(|_| ())
        .map_err(|why| ("a value".to_owned(), why))
}

/// What of a step of direct current cannot be done, and why. What the instrument cannot watch by itself the session
/// does; what it does where nobody is there any more must stand in its profile.
fn check_direct(
    instrument: &Instrument,
    line: &LineProfile,
    plan: &Plan,
    step: &DirectStep,
) -> Result<(), (String, String)> {
    let what = step.technique.word().to_owned();
    let refuse = |limit: &str| Err((what.clone(), limit.to_owned()));
    if matches!(step.technique, DirectTechnique::ChronoPotentiometry { .. }) {
        return refuse("with a line profile it sets potentials, no constant current");
    }
    if step.vs_open_circuit && line.open_circuit.is_none() {
        return refuse("vs_ocp = true, and it cannot read the potential of the resting cell");
    }
    let tables: Vec<DirectTable> = DirectTable::ALL
        .into_iter()
        .filter(|table| line.direct(*table).is_some())
        .collect();
    if tables.is_empty() {
        return refuse(
            "its profile has no table of direct current: [line.hold], [line.linear_sweep], [line.cyclic_sweep]",
        );
    }
    if line.cell.switch != CellSwitching::Command {
        return refuse(
            "its profile knows no switch of the cell, so nothing could confirm that the cell is off again",
        );
    }
    if !line.cell.opens_by_itself {
        return refuse(
            "its profile does not say that it opens the cell by itself at the end ([line.cell] opens_by_itself = true), \
             so that a computer that dies would leave the cell connected",
        );
    }
    let mut from_s = 0.0;
    let job = job_of(instrument, plan, step);
    // The first piece of each table that is needed says whether its values can be set.
    let mut seen: Vec<DirectTable> = Vec::new();
    while let Some(piece) = pieces::piece_from(line, &job, instrument.ranges_of_direct_current(), from_s)
        .map_err(|why| (what.clone(), why))?
    {
        if !seen.contains(&piece.table) {
            seen.push(piece.table);
            may_be_left_alone(line, piece.table).map_err(|why| (what.clone(), why))?;
            crate::instrument::line_profile::may_be_watched(&job, piece.range_a)
                .map_err(|why| (what.clone(), why))?;
        }
        if seen.len() == tables.len() || piece.table == DirectTable::Hold {
            break;
        }
        from_s += piece.duration_s;
    }
    Ok(())
}

fn may_be_left_alone(line: &LineProfile, table: DirectTable) -> Result<(), String> {
    let Some(spec) = line.direct(table) else {
        return Ok(());
    };
    let key = table.key();
    if table == DirectTable::Hold && !line.sets(spec, "duration_s") {
        return Err(format!(
            "no command of [{key}] sets {{duration_s}}: it would hold the potential for ever if this program died"
        ));
    }
    if spec.abort.is_empty() {
        return Err(format!(
            "[{key}] has no `abort`, so nothing could end it when a limit is passed"
        ));
    }
    Ok(())
}

/// The job of a step as far as it is known before the cell is looked at.
fn job_of(instrument: &Instrument, plan: &Plan, step: &DirectStep) -> DirectJob {
    let bounds = plan.limits.current_max_a.into_iter().map(|most_a| Bound {
        quantity: Quantity::CurrentModulus,
        side: Side::Above,
        value: most_a,
        safety: true,
    });
    DirectJob {
        technique: step.technique,
        interval_s: step.interval_s,
        piece_s: step.piece_s,
        bounds: bounds.collect(),
        ranging: match step.current_range_a {
            Some(range_a) => Ranging::Pinned(range_a),
            None => Ranging::Auto {
                low_a: 0.0,
                high_a: plan.limits.current_max_a.unwrap_or(f64::INFINITY),
            },
        },
        pgstat_mode: instrument.direct_pgstat_mode,
        max_bandwidth_hz: instrument.max_bandwidth_hz,
        channel: plan.channel,
        open_circuit_v: None,
        check_sign: false,
        before_s: 0.0,
        before_c: 0.0,
    }
}

/// What somebody must know before a step of direct current is left to an instrument of a line profile; nothing for
/// other instruments and steps.
pub(super) fn remark(instrument: &Instrument, plan: &Plan, step: &Step) -> Option<String> {
    let (Some(line), Step::Direct(direct)) = (&instrument.line, step) else {
        return None;
    };
    let job = job_of(instrument, plan, direct);
    let ranges = instrument.ranges_of_direct_current();
    let first = pieces::piece_from(line, &job, ranges, 0.0).ok()??;
    let longest_s = first.duration_s;
    let is_whole = longest_s >= direct.technique.duration_s() - 1e-6;
    Some(if is_whole {
        format!(
            "limits are watched from here, sample by sample; without this program it ends by itself within {}",
            units::duration(longest_s)
        )
    } else {
        format!(
            "in pieces of at most {}, between which the cell is open for a moment; limits are watched from here, sample \
             by sample; without this program it ends by itself with the running piece",
            units::duration(direct.piece_s)
        )
    })
}

fn check_frequencies(own: &OwnFrequencies, step: &SweepStep) -> Result<(), (String, String)> {
    let (high, low) = (own.first_hz.max(own.last_hz), own.first_hz.min(own.last_hz));
    let near = |is: f64, wanted: f64| (is / wanted - 1.0).abs() <= NEAR;
    if near(step.f_max_hz, high) && near(step.f_min_hz, low) && step.n_points() == own.count {
        return Ok(());
    }
    let what = format!(
        "{} points from {} to {} Hz",
        step.n_points(),
        step.f_max_hz,
        step.f_min_hz
    );
    let limit = format!(
        "it chooses its frequencies by itself, {} points between {high} and {low} Hz: write the plan so, and \
         [line.sweep.frequencies] of the profile as the instrument is set",
        own.count
    );
    Err((what, limit))
}

#[cfg(test)]
mod tests {
    use super::super::preflight::check_plan;
    use super::*;
    use crate::profile::{Kind, shipped_text};

    fn instrument(name: &str) -> Instrument {
        Instrument::parse(name, shipped_text(Kind::Instrument, name).unwrap()).unwrap()
    }

    fn plan(f_max_hz: f64, f_min_hz: f64, points_per_decade: u32, more: &str) -> Plan {
        let text = format!(
            "name = \"p\"\n{more}\n[[step]]\ntechnique = \"peis\"\nf_max_hz = {f_max_hz:?}\nf_min_hz = {f_min_hz:?}\n\
             points_per_decade = {points_per_decade}\namplitude_vrms = 0.01\n"
        );
        Plan::parse("p", &text).unwrap()
    }

    fn sweep_of(plan: &mut Plan) -> &mut SweepStep {
        match &mut plan.steps[0] {
            Step::Sweep(sweep) => sweep,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(name: &str, plan: &Plan) -> String {
        check_plan(&instrument(name), plan).unwrap_err().to_string()
    }

    #[test]
    fn a_plan_that_the_instrument_can_do_is_taken() {
        assert_eq!(
            check_plan(&instrument("bt4560"), &plan(1000.0, 0.1, 5, "")),
            Ok(())
        );
        assert_eq!(
            check_plan(&instrument("ad5940_battery"), &plan(1000.0, 1.0, 10, "")),
            Ok(())
        );
    }

    #[test]
    fn what_the_instrument_cannot_do_is_refused_with_the_reason() {
        assert!(refusal("bt4560", &plan(1e4, 0.1, 5, "")).contains("at most 1000 Hz"));
        let mut biased = plan(1000.0, 0.1, 5, "");
        sweep_of(&mut biased).bias = Bias::Potential(3.7);
        assert!(refusal("bt4560", &biased).contains("applies no bias"));
        assert!(
            refusal("ad5940_battery", &plan(1000.0, 1.0, 5, "")).contains("31 points between 1000 and 1 Hz")
        );
        assert!(refusal("rodeostat", &plan(1000.0, 1.0, 5, "")).contains("measures none"));
        let limited = plan(1000.0, 1.0, 10, "[limits]\npotential_max_v = 4.2");
        assert!(refusal("ad5940_battery", &limited).contains("cannot read the potential"));
        let limited = plan(1000.0, 1.0, 10, "[limits]\ncurrent_max_a = 0.1");
        assert!(refusal("bt4560", &limited).contains("up to 1.5 A"));
    }

    #[test]
    fn an_amplitude_that_is_not_among_those_allowed_is_refused() {
        let mut instrument = instrument("im3590");
        let line = instrument.line.as_mut().unwrap();
        let text = "from = \"amplitude_vrms\"\nconvert = \"peak\"\nscale = 1000\nallowed = [14.142, 70.71]";
        line.parameters
            .insert("level_mv".to_owned(), toml::from_str(text).unwrap());
        assert_eq!(check_plan(&instrument, &plan(1000.0, 1.0, 5, "")), Ok(()));
        let mut other = plan(1000.0, 1.0, 5, "");
        sweep_of(&mut other).amplitude_vrms = 0.02;
        let refused = check_plan(&instrument, &other).unwrap_err().to_string();
        assert!(refused.contains("14.142, 70.71"), "{refused}");
    }
}
