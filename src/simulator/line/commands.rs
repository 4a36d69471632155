//! The commands of a line profile, as the instrument hears them.

use super::Kind;
use crate::profile::line::{DirectTable, LineProfile, Measuring, Mode, Step, Template, Values};

/// Parameters that commands may set.
pub(super) const PARAMETERS: &[&str] = &[
    "frequency_hz",
    "f_max_hz",
    "f_min_hz",
    "n_points",
    "amplitude_vrms",
    "bias_v",
    "potential_v",
    "duration_s",
    "interval_s",
    "start_v",
    "end_v",
    "vertex1_v",
    "vertex2_v",
    "step_v",
    "rate_v_per_s",
    "scans",
    "amplitude_v",
    "offset_v",
    "period_s",
    "shift",
];

/// What a command means.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// Was the last command taken?
    Taken,
    /// Are there errors?
    NoErrors(Template),
    /// A setting.
    Step(Step),
    /// The end of rows and of their sweep.
    Ends(Step),
    /// The cell is to be off.
    Off(Step),
    /// The end of rows at one frequency.
    Pauses(Step),
    /// The start of rows.
    Starts(Step, Kind),
    /// Measure a point.
    Point(Step),
    /// Read the potential.
    Rest(Step),
    /// A question of another program.
    Canned(Template),
}

/// A command and its meaning.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub template: Template,
    pub meaning: Meaning,
}

/// All commands that a profile knows; those without parameters come first.
#[derive(Clone, Debug)]
pub(super) struct Commands(Vec<Command>);

impl Commands {
    pub fn of(profile: &LineProfile) -> Self {
        let mut commands = Self(Vec::new());
        if let Some(identify) = &profile.identify {
            commands.steps(&[identify.step()], Meaning::Step);
            commands.steps(&identify.more, Meaning::Step);
        }
        if let Some(query) = &profile.error_query {
            commands.add(&query.send, Meaning::NoErrors(query.none.clone()));
        }
        if let Some(poll) = &profile.acknowledge.poll {
            commands.add(poll, Meaning::Taken);
        }
        if let Some(sweep) = &profile.sweep {
            commands.measuring(sweep, Kind::Sweep, Meaning::Point);
        }
        for table in DirectTable::ALL {
            if let Some(direct) = profile.direct(table) {
                commands.measuring(direct, Kind::Direct(table), Meaning::Point);
            }
        }
        if let Some(rest) = &profile.open_circuit {
            commands.measuring(rest, Kind::Sweep, Meaning::Rest);
        }
        commands.steps(&profile.cell.off, Meaning::Off);
        commands.steps(&profile.initialise, Meaning::Step);
        commands.steps(&profile.connect.resynchronise, Meaning::Ends);
        for answer in &profile.simulation.answers {
            commands.add(&answer.line, Meaning::Canned(answer.reply.clone()));
        }
        commands
            .0
            .sort_by_key(|command| command.template.fields().count());
        commands
    }

    /// The command that a line is, with the values in it.
    pub fn find(&self, text: &str) -> Option<(&Command, Values)> {
        self.0
            .iter()
            .find_map(|command| Some((command, command.template.read(text)?)))
    }

    /// All templates that a line fits, with the values in it.
    pub fn readings<'a>(&'a self, text: &str) -> impl Iterator<Item = (&'a Template, Values)> {
        self.0
            .iter()
            .filter_map(move |command| Some((&command.template, command.template.read(text)?)))
    }

    /// Whether a line ends a measurement, and is heard while one runs.
    pub fn interrupts(&self, text: &str) -> bool {
        let found = self.find(text);
        found.is_some_and(|(command, _)| matches!(command.meaning, Meaning::Ends(_) | Meaning::Off(_)))
    }

    fn add(&mut self, template: &Template, meaning: Meaning) {
        // What is said in several places means the same: the first place decides.
        if !self.0.iter().any(|known| known.template == *template) {
            let template = template.clone();
            self.0.push(Command { template, meaning });
        }
    }

    fn steps(&mut self, steps: &[Step], meaning: impl Fn(Step) -> Meaning) {
        for step in steps {
            if let Some(send) = &step.send {
                self.add(send, meaning(step.clone()));
            }
        }
    }

    fn measuring(&mut self, measuring: &Measuring, rows: Kind, question: fn(Step) -> Meaning) {
        self.steps(&measuring.finish, Meaning::Pauses);
        self.steps(&measuring.abort, Meaning::Ends);
        self.steps(&measuring.after, Meaning::Ends);
        if let Some(read) = &measuring.read {
            self.steps(std::slice::from_ref(read), question);
        }
        let starts = measuring.mode == Mode::DeviceSweep;
        let last = measuring.before.iter().rposition(|step| step.send.is_some());
        for (index, step) in measuring.before.iter().enumerate() {
            let is_start = starts && Some(index) == last;
            let meaning = |step| {
                if is_start {
                    Meaning::Starts(step, rows)
                } else {
                    Meaning::Step(step)
                }
            };
            self.steps(std::slice::from_ref(step), meaning);
        }
        self.steps(&measuring.set, Meaning::Step);
    }
}

/// A line of JSON without the blanks between its parts; any other line as it is.
pub(super) fn without_blanks_of_json(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text.trim()) {
        Ok(json) if json.is_object() => json.to_string(),
        _ => text.to_owned(),
    }
}
