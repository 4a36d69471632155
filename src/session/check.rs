//! A look at instrument and cell before a plan is begun: who answers, where the cell rests, and |Z| at two
//! frequencies with a small excitation. Nothing is recorded, and the cell is off afterwards.

use std::path::Path;

use super::conversation::Conversation;
use super::preflight::{self, Refusal};
use super::runtime::RuntimeDirectory;
use super::spec::Profiles;
use super::sweep_parts::{self, Circumstances, Moduli};
use crate::instrument::{
    CellSwitch, Done, InstrumentError, InstrumentIdentity, Job, OpenCircuit, Outcome, PortError, SweepJob,
    SweepPart,
};
use crate::profile::{Bias, DirectTechnique, Step, SweepStep};
use crate::spectrum::Point;

/// How long the open-circuit potential is read in s, and the time between readings.
const OPEN_CIRCUIT_S: (f64, f64) = (5.0, 0.2);

/// The lower of the two frequencies in Hz, where the plan goes lower: a point of it takes no minutes anywhere.
const LOW_HZ: f64 = 10.0;

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The port cannot be opened or was lost.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The instrument does not do what it is asked for.
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    /// Somebody has ended it.
    #[error("interrupted: nothing was found out")]
    Interrupted,
    /// Nobody knows whether the cell is off.
    #[error("{why}; CELL MAY BE ON: {cell}. Look at the instrument and disconnect the cell by hand")]
    CellMayBeOn {
        /// Why it was ended.
        why: String,
        /// Why that is not known.
        cell: String,
    },
    /// The operating system refuses.
    #[error("the port cannot be asked: {0}")]
    System(#[from] std::io::Error),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Who the instrument is.
    pub identity: InstrumentIdentity,
    /// Where the cell rests; none where the instrument cannot read it.
    pub open_circuit: Option<OpenCircuit>,
    /// The points that were measured.
    pub points: Vec<Point>,
    /// What is known of the cell afterwards.
    pub cell: CellSwitch,
    /// What could not be looked at, and what is worth knowing.
    pub remarks: Vec<String>,
    /// Why the plan would not be begun.
    pub refusal: Option<Refusal>,
}

impl Found {
    /// |Z| as it was seen.
    #[must_use]
    pub fn moduli(&self) -> Option<Moduli> {
        Moduli::seen(&self.points)
    }

    /// Potential of the resting cell in V.
    #[must_use]
    pub fn open_circuit_v(&self) -> Option<f64> {
        self.open_circuit.map(|ocp| ocp.potential_v)
    }
}

/// Looks at the instrument on a port and at its cell. Blocks until it is done.
///
/// # Errors
/// Where the instrument cannot be reached, or does not do what it is asked for. That a plan would be refused is no
/// error, but part of what was found.
pub fn look(
    path: &Path,
    profiles: &Profiles,
    time_scale: f64,
    runtime: &RuntimeDirectory,
) -> Result<Found, CheckError> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    executor.block_on(async {
        let channel = profiles.plan.channel;
        let conversation = Conversation::open(path, &profiles.instrument, channel, time_scale, runtime)?;
        let mut looking = Looking {
            conversation,
            profiles,
            cell: CellSwitch::Untouched,
        };
        let found = looking.look().await;
        looking.leave(found).await
    })
}

struct Looking<'a> {
    conversation: Conversation,
    profiles: &'a Profiles,
    cell: CellSwitch,
}

impl Looking<'_> {
    async fn job(&mut self, job: Job) -> Result<Outcome, CheckError> {
        let Done { outcome, cell } = self.conversation.job(job).await;
        if cell != CellSwitch::Untouched {
            self.cell = cell;
        }
        match (self.conversation.lost.take(), outcome) {
            (Some(error), _) => Err(error.into()),
            (None, Outcome::Failed(error)) => Err(error.into()),
            (None, Outcome::Aborted { .. }) => Err(CheckError::Interrupted),
            (None, outcome) => Ok(outcome),
        }
    }

    async fn look(&mut self) -> Result<Found, CheckError> {
        self.job(Job::Connect { take_over: false }).await?;
        let identity = self.conversation.identity.clone().unwrap_or_default();
        let mut found = Found {
            identity,
            open_circuit: None,
            points: Vec::new(),
            cell: CellSwitch::Untouched,
            remarks: Vec::new(),
            refusal: None,
        };
        let techniques = found.identity.techniques.clone();
        let capable = techniques.map_or(Ok(()), |known| {
            preflight::check_capabilities(self.profiles, &known)
        });
        if let Err(refusal) = capable {
            found.refusal = Some(refusal);
            return Ok(found);
        }
        self.look_at_the_rest(&mut found).await?;
        if found.refusal.is_none() {
            self.look_at_the_impedance(&mut found).await?;
            found.refusal = self.refusal_of_a_step(&found).err();
        }
        found.remarks.append(&mut self.conversation.remarks);
        Ok(found)
    }

    async fn look_at_the_rest(&mut self, found: &mut Found) -> Result<(), CheckError> {
        let instrument = &self.profiles.instrument;
        let (duration_s, interval_s) = OPEN_CIRCUIT_S;
        let outcome = if instrument.has("ocp") && instrument.reads_open_circuit() {
            self.job(Job::OpenCircuit {
                duration_s,
                interval_s,
            })
            .await
            .map(Some)
        } else {
            Ok(None)
        };
        match outcome {
            Ok(Some(Outcome::OpenCircuit(ocp))) => found.open_circuit = Some(ocp),
            Ok(_) => {}
            Err(CheckError::Instrument(error)) if preflight::has_no_open_circuit(&error) => {}
            Err(error) => return Err(error),
        }
        match found.open_circuit {
            Some(ocp) => found.refusal = preflight::check_open_circuit(self.profiles, ocp.potential_v).err(),
            None => found.remarks.push(
                "the instrument cannot read the potential of the resting cell: whether the leads are right, and whether \
                 a step polarises the cell, is not seen before the cell is switched on"
                    .to_owned(),
            ),
        }
        Ok(())
    }

    async fn look_at_the_impedance(&mut self, found: &mut Found) -> Result<(), CheckError> {
        let mut steps = self.profiles.plan.steps.iter();
        let Some(step) = steps.find_map(Step::sweep) else {
            found
                .remarks
                .push("|Z| was not measured: the plan measures no impedance".to_owned());
            return Ok(());
        };
        match two_points(self.profiles, step, found.open_circuit_v()) {
            Ok(Ok(job)) => {
                self.job(Job::Sweep(job)).await?;
                found.points = std::mem::take(&mut self.conversation.points);
                self.compare(step, found);
            }
            Ok(Err(why)) => found.remarks.push(format!("|Z| was not measured: {why}")),
            Err(refusal) => found.refusal = Some(refusal),
        }
        Ok(())
    }

    /// Says where |Z| is far from what the cell's profile says.
    fn compare(&self, step: &SweepStep, found: &mut Found) {
        let Ok((circuit, values)) = self.profiles.cell.start_values() else {
            return;
        };
        for point in found.points.iter().filter(|point| point.is_usable()) {
            let (is, said) = (
                point.impedance().norm(),
                circuit.impedance(&values, point.frequency_hz).norm(),
            );
            let ratio = is / said;
            if !(1.0 / 3.0..=3.0).contains(&ratio) {
                found.remarks.push(format!(
                    "|Z| at {:.4} Hz is {is:.4} ohm, and by the profile of the cell it would be {said:.4} ohm: is it \
                     this cell, and is it connected?",
                    point.frequency_hz
                ));
            }
        }
        if found.points.iter().any(|point| !point.is_usable()) {
            let text = format!(
                "a point was not usable; the first sweep finds its range at {} Hz by itself",
                step.f_max_hz
            );
            found.remarks.push(text);
        }
    }

    /// Whether each step could begin, as far as can be known now.
    fn refusal_of_a_step(&self, found: &Found) -> Result<(), Refusal> {
        if let Some(refusal) = &found.refusal {
            return Err(refusal.clone());
        }
        let profiles = self.profiles;
        let ocp_v = found.open_circuit_v();
        let moduli = found.moduli();
        for step in &profiles.plan.steps {
            match step {
                Step::Sweep(step) => {
                    let bias_v = match ocp_v {
                        Some(ocp_v) => preflight::bias_of(&profiles.instrument, &profiles.plan, step, ocp_v)?,
                        None if profiles.instrument.line.is_some() => 0.0,
                        None => return Err(Refusal::NoOpenCircuit),
                    };
                    let guessed = Moduli::guessed(profiles, step);
                    let given = Circumstances {
                        open_circuit_v: ocp_v,
                        bias_v,
                        least_range_a: 0.0,
                        reply_s: 0.0,
                    };
                    let believed = moduli.as_ref().unwrap_or(&guessed);
                    if let Some(ocp_v) = ocp_v {
                        // What was seen ends at a frequency that is often not the lowest.
                        let f_hz = step.f_min_hz;
                        let largest_ohm = guessed.at(f_hz).max(believed.at(f_hz));
                        preflight::check_bias_current(profiles, step, largest_ohm, ocp_v)?;
                    }
                    sweep_parts::sweep_job(profiles, step, believed, given)?;
                }
                Step::Direct(step) => {
                    // Later steps find another potential than now; the first only if it is the first.
                    let technique = preflight::direct_technique(profiles, step, ocp_v)?;
                    if let DirectTechnique::ChronoPotentiometry { current_a, .. } = technique {
                        preflight::check_current(profiles, current_a.abs())?;
                    }
                }
                Step::Rest(_) => {}
            }
        }
        Ok(())
    }

    /// Leaves the cell off, whatever was found.
    async fn leave(&mut self, found: Result<Found, CheckError>) -> Result<Found, CheckError> {
        if matches!(self.cell, CellSwitch::MayBeOn { .. }) {
            // What was interrupted or failed may have left it on; asked once more.
            let _ = self.job(Job::CellOff).await;
        }
        match (found, &self.cell) {
            (Ok(mut found), cell) => {
                found.cell = cell.clone();
                match cell {
                    CellSwitch::MayBeOn { why } => Err(CheckError::CellMayBeOn {
                        why: "the look is over".to_owned(),
                        cell: why.clone(),
                    }),
                    _ => Ok(found),
                }
            }
            (Err(error), CellSwitch::MayBeOn { why }) => Err(CheckError::CellMayBeOn {
                why: error.to_string(),
                cell: why.clone(),
            }),
            (Err(error), _) => Err(error),
        }
    }
}

/// The job of two points of a step at the resting potential, without direct current; in words why not, where the
/// instrument does not let them be chosen.
fn two_points(
    profiles: &Profiles,
    step: &SweepStep,
    open_circuit_v: Option<f64>,
) -> Result<Result<SweepJob, String>, Refusal> {
    let instrument = &profiles.instrument;
    let own = instrument.line.as_ref().and_then(|line| line.sweep.as_ref());
    if own.is_some_and(|sweep| sweep.frequencies.is_some()) {
        return Ok(Err("the instrument chooses its frequencies by itself".to_owned()));
    }
    if instrument.sets_bias() && open_circuit_v.is_none() {
        return Ok(Err("the potential of the resting cell is not known".to_owned()));
    }
    let step = SweepStep {
        bias: Bias::OpenCircuit,
        bias_a: 0.0,
        ..step.clone()
    };
    let given = Circumstances {
        open_circuit_v,
        bias_v: open_circuit_v.unwrap_or(0.0),
        least_range_a: 0.0,
        reply_s: 0.0,
    };
    let whole = sweep_parts::sweep_job(profiles, &step, &Moduli::guessed(profiles, &step), given)?;
    let low_hz = if 2.0 * LOW_HZ < step.f_max_hz {
        step.f_min_hz.max(LOW_HZ)
    } else {
        step.f_min_hz
    };
    let mut job = SweepJob {
        f_min_hz: low_hz,
        n_points: 2,
        parts: Vec::new(),
        stop_at_overload: false,
        ..whole.clone()
    };
    if instrument.line.is_none() {
        let parts = whole.all_parts();
        let at = |frequency_hz: f64| {
            let has = |part: &&SweepPart| part.f_min_hz <= frequency_hz * (1.0 + 1e-6);
            let part = parts.iter().find(has).or(parts.last())?;
            Some(SweepPart {
                f_max_hz: frequency_hz,
                f_min_hz: frequency_hz,
                n_points: 1,
                ..*part
            })
        };
        job.parts = [step.f_max_hz, low_hz].into_iter().filter_map(at).collect();
    }
    Ok(Ok(job))
}
