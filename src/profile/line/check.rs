//! Whether a line profile can be used: everything that is named is known, and every mode has what it needs.

use super::{
    Acknowledge, AcknowledgePolicy, CellSwitching, DirectTable, Field, LineProfile, Measuring, Mode,
    OwnFrequencies, Quantity, Step, Template,
};
use crate::profile::document::{Document, nearest};
use crate::profile::error::ProfileError;

/// What commands of a sweep may name.
const SWEEP_PARAMETERS: &[&str] = &[
    "frequency_hz",
    "f_max_hz",
    "f_min_hz",
    "n_points",
    "amplitude_vrms",
    "bias_v",
    "range_a",
    "range_code",
    "index",
];
/// What commands that hold a potential may name.
const HOLD_PARAMETERS: &[&str] = &[
    "potential_v",
    "duration_s",
    "interval_s",
    "n_points",
    "range_a",
    "range_code",
    "range_label",
];
/// What commands of a potential that moves once may name.
const LINEAR_PARAMETERS: &[&str] = &[
    "start_v",
    "end_v",
    "step_v",
    "rate_v_per_s",
    "duration_s",
    "interval_s",
    "n_points",
    "range_a",
    "range_code",
    "range_label",
];
/// What commands of a potential that moves to and fro may name: by its vertices, or as a triangle wave.
const CYCLIC_PARAMETERS: &[&str] = &[
    "start_v",
    "vertex1_v",
    "vertex2_v",
    "step_v",
    "rate_v_per_s",
    "scans",
    "amplitude_v",
    "offset_v",
    "period_s",
    "shift",
    "duration_s",
    "interval_s",
    "n_points",
    "range_a",
    "range_code",
    "range_label",
];
/// What commands that read the potential of the resting cell may name.
const REST_PARAMETERS: &[&str] = &["duration_s", "interval_s"];

/// Longest time that a profile may ask for in s: a day.
const LONGEST_S: f64 = 86_400.0;

type Checked = Result<(), ProfileError>;

impl LineProfile {
    pub(in crate::profile) fn check(&self, document: &Document<'_>) -> Checked {
        let check = Check {
            profile: self,
            document,
        };
        check.framing()?;
        check.columns()?;
        check.parameters()?;
        check.steps("line.connect.resynchronise", &self.connect.resynchronise, &[])?;
        check.steps("line.initialise", &self.initialise, &[])?;
        if let Some(identify) = &self.identify {
            check.step("line.identify", &identify.step(), &[])?;
            check.steps("line.identify.more", &identify.more, &[])?;
        }
        if let Some(query) = &self.error_query {
            check.commands("line.error_query.send", &query.send, &[])?;
        }
        check.acknowledge()?;
        check.cell()?;
        check.messages()?;
        check.times()?;
        if self.sweep.is_none() && DirectTable::ALL.iter().all(|table| self.direct(*table).is_none()) {
            return Err(document.refuse(
                "line",
                "nothing says how this instrument measures: add [line.sweep] for impedance, or [line.hold], \
                 [line.linear_sweep] or [line.cyclic_sweep] for direct current",
            ));
        }
        if let Some(sweep) = &self.sweep {
            check.measuring("line.sweep", sweep, SWEEP_PARAMETERS)?;
            check.sweep(sweep)?;
        }
        for table in DirectTable::ALL {
            if let Some(direct) = self.direct(table) {
                check.direct(table, direct)?;
            }
        }
        if let Some(rest) = &self.open_circuit {
            check.measuring("line.open_circuit", rest, REST_PARAMETERS)?;
            check.needs("line.open_circuit", rest, Quantity::Potential)?;
        }
        Ok(())
    }
}

struct Check<'a> {
    profile: &'a LineProfile,
    document: &'a Document<'a>,
}

impl Check<'_> {
    fn refuse(&self, path: &str, message: impl Into<String>) -> ProfileError {
        self.document.refuse(path, message)
    }

    fn framing(&self) -> Checked {
        let framing = &self.profile.framing;
        let longest = framing.max_line_bytes;
        if !(8..=65_536).contains(&longest) {
            return Err(self.refuse(
                "line.framing.max_line_bytes",
                format!("{longest} is not within 8 to 65536"),
            ));
        }
        if framing.blank_before_multiples_of.is_some_and(|of| of < 2) {
            let field = "line.framing.blank_before_multiples_of";
            return Err(self.refuse(field, "must be at least 2"));
        }
        Ok(())
    }

    fn columns(&self) -> Checked {
        for (name, column) in &self.profile.columns {
            let path = format!("line.columns.{name}");
            if !(column.scale.is_finite() && column.scale != 0.0) {
                return Err(self.refuse(&format!("{path}.scale"), "must be a number other than 0"));
            }
            if let Some(unit) = column.unit
                && unit.meaning().0 != column.is.dimension()
            {
                let message = "this unit does not belong to what the column is";
                return Err(self.refuse(&format!("{path}.unit"), message));
            }
        }
        Ok(())
    }

    fn parameters(&self) -> Checked {
        let known: Vec<&str> = [
            SWEEP_PARAMETERS,
            HOLD_PARAMETERS,
            LINEAR_PARAMETERS,
            CYCLIC_PARAMETERS,
        ]
        .concat();
        for (name, parameter) in &self.profile.parameters {
            let path = format!("line.parameters.{name}");
            if known.contains(&name.as_str()) {
                return Err(self.refuse(&path, "this name is taken by a parameter that every profile has"));
            }
            self.known(&format!("{path}.from"), &parameter.from, &known)?;
            if !(parameter.scale.is_finite() && parameter.scale != 0.0) {
                return Err(self.refuse(&format!("{path}.scale"), "must be a number other than 0"));
            }
            let allowed = parameter.allowed.iter().flatten();
            if parameter.allowed.as_ref().is_some_and(Vec::is_empty)
                || allowed.clone().any(|v| !v.is_finite())
            {
                return Err(self.refuse(&format!("{path}.allowed"), "must be numbers, at least one"));
            }
            let (min, max) = (
                parameter.min.unwrap_or(f64::NEG_INFINITY),
                parameter.max.unwrap_or(f64::INFINITY),
            );
            if min.is_nan() || max.is_nan() || min > max {
                return Err(self.refuse(&format!("{path}.min"), "must be a number not above max"));
            }
        }
        Ok(())
    }

    fn known(&self, path: &str, name: &str, known: &[&str]) -> Checked {
        if known.contains(&name) {
            return Ok(());
        }
        let hint = match nearest(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.is_empty() => "no parameters can stand here".to_owned(),
            None => format!("known here: {}", known.join(", ")),
        };
        Err(self.refuse(path, format!("unknown name `{name}`; {hint}")))
    }

    fn commands(&self, path: &str, template: &Template, parameters: &[&str]) -> Checked {
        let derived = self.profile.parameters.iter();
        let derived = derived.filter(|(_, parameter)| parameters.contains(&parameter.from.as_str()));
        let known: Vec<&str> = parameters
            .iter()
            .copied()
            .chain(derived.map(|(name, _)| name.as_str()))
            .collect();
        for field in template.fields() {
            self.known(path, &field.name, &known)?;
        }
        Ok(())
    }

    fn steps(&self, path: &str, steps: &[Step], parameters: &[&str]) -> Checked {
        for (index, step) in steps.iter().enumerate() {
            self.step(&format!("{path}[{index}]"), step, parameters)?;
        }
        Ok(())
    }

    fn step(&self, path: &str, step: &Step, parameters: &[&str]) -> Checked {
        if let Some(send) = &step.send {
            self.commands(path, send, parameters)?;
        }
        if step.send.is_none() && step.expect.is_none() && step.delay_s == 0.0 && step.drain_s == 0.0 {
            return Err(self.refuse(
                path,
                "this step does nothing: give it `send`, `expect`, `delay_s` or `drain_s`",
            ));
        }
        for (key, value) in [
            ("delay_s", Some(step.delay_s)),
            ("drain_s", Some(step.drain_s)),
            ("timeout_s", step.timeout_s),
        ] {
            if let Some(value) = value {
                self.document
                    .within(&format!("{path}.{key}"), value, 0.0, LONGEST_S)?;
            }
        }
        let policy = step.acknowledge.unwrap_or_default();
        self.policy(&format!("{path}.acknowledge"), policy)
    }

    fn acknowledge(&self) -> Checked {
        self.policy("line.acknowledge", self.profile.acknowledge.policy)
    }

    fn policy(&self, path: &str, policy: AcknowledgePolicy) -> Checked {
        let Acknowledge {
            good, poll, bad_bits, ..
        } = &self.profile.acknowledge;
        let missing = match policy {
            AcknowledgePolicy::None => None,
            AcknowledgePolicy::Before | AcknowledgePolicy::After => good.is_none().then_some("good"),
            AcknowledgePolicy::Poll if poll.is_none() => Some("poll"),
            AcknowledgePolicy::Poll => (good.is_none() && bad_bits.is_none()).then_some("good or bad_bits"),
        };
        match missing {
            Some(missing) => Err(self.refuse(path, format!("needs line.acknowledge.{missing}"))),
            None => Ok(()),
        }
    }

    fn cell(&self) -> Checked {
        let cell = &self.profile.cell;
        self.steps("line.cell.off", &cell.off, &[])?;
        let default = self.profile.acknowledge.policy;
        let confirmed = cell.off.iter().any(|step| {
            let policy = step.acknowledge.unwrap_or(default);
            step.send.is_some() && (step.expect.is_some() || policy != AcknowledgePolicy::None)
        });
        match cell.switch {
            CellSwitching::Command if !confirmed => Err(self.refuse(
                "line.cell.off",
                "no step confirms that the cell is off: give one an `expect`, or say switch = \"none\"",
            )),
            CellSwitching::None if cell.opens_by_itself => Err(self.refuse(
                "line.cell.opens_by_itself",
                "an instrument without a switch opens nothing: say switch = \"command\", or leave this out",
            )),
            CellSwitching::None if !cell.off.is_empty() => Err(self.refuse(
                "line.cell.off",
                "nothing is sent to an instrument without a switch: say switch = \"command\", or leave this out",
            )),
            _ => Ok(()),
        }
    }

    fn messages(&self) -> Checked {
        for (index, verdict) in self.profile.verdicts.iter().enumerate() {
            let path = format!("line.verdict[{index}]");
            let columns: Vec<&str> = self.profile.columns.keys().map(String::as_str).collect();
            self.known(&format!("{path}.column"), &verdict.column, &columns)?;
            let conditions = [
                verdict.equals.is_some(),
                verdict.above.is_some(),
                verdict.below.is_some(),
                verdict.magnitude_above.is_some(),
                verdict.otherwise,
            ];
            if !conditions.contains(&true) {
                let message = "needs equals, above, below, magnitude_above or otherwise";
                return Err(self.refuse(&path, message));
            }
        }
        for (index, error) in self.profile.errors.iter().enumerate() {
            let path = format!("line.error[{index}]");
            let fields: Vec<&str> = error.line.fields().map(|field| field.name.as_str()).collect();
            for field in error.says.iter().flat_map(Template::fields) {
                self.known(&format!("{path}.says"), &field.name, &fields)?;
            }
        }
        Ok(())
    }

    fn times(&self) -> Checked {
        let (time, connect) = (&self.profile.time, &self.profile.connect);
        for (path, value, low) in [
            ("line.time.reply_s", time.reply_s, 1e-3),
            ("line.time.first_row_s", time.first_row_s, 0.0),
            ("line.time.row_base_s", time.row_base_s, 1e-3),
            ("line.time.row_periods", time.row_periods, 0.0),
            ("line.time.sweep_s", time.sweep_s.unwrap_or(1.0), 1e-3),
            ("line.connect.settle_s", connect.settle_s, 0.0),
            ("line.connect.drain_s", connect.drain_s, 0.0),
            ("line.simulation.pause_s", self.profile.simulation.pause_s, 0.0),
        ] {
            self.document.within(path, value, low, 100.0 * LONGEST_S)?;
        }
        self.document
            .within("line.time.retries", f64::from(time.retries), 0.0, 10.0)
    }

    fn measuring(&self, path: &str, measuring: &Measuring, parameters: &[&str]) -> Checked {
        self.row(path, measuring)?;
        let at = |key: &str| format!("{path}.{key}");
        for (key, steps) in [
            ("before", &measuring.before),
            ("set", &measuring.set),
            ("finish", &measuring.finish),
        ] {
            self.steps(&at(key), steps, parameters)?;
        }
        self.steps(&at("after"), &measuring.after, &[])?;
        self.steps(&at("abort"), &measuring.abort, &[])?;
        if let Some(read) = &measuring.read {
            self.step(&at("read"), read, parameters)?;
        }
        self.document
            .within(&at("interval_s"), measuring.interval_s, 0.0, LONGEST_S)?;
        if let Some(silence_s) = measuring.end.silence_s {
            self.document
                .within(&at("end.silence_s"), silence_s, 1e-3, LONGEST_S)?;
        }
        let reads = measuring.read.as_ref().is_some_and(|read| read.send.is_some());
        let sends = reads || !measuring.before.is_empty() || !measuring.set.is_empty();
        let message = match measuring.mode {
            Mode::PerPoint | Mode::Poll if !reads => {
                Some(("read", "this mode needs a command that is answered by a row"))
            }
            Mode::DeviceSweep if measuring.before.is_empty() => {
                Some(("before", "this mode needs a command that starts the rows"))
            }
            Mode::Listen if sends || !measuring.after.is_empty() => Some((
                "mode",
                "nothing can be sent to an instrument that is only listened to",
            )),
            Mode::Poll | Mode::DeviceSweep | Mode::Listen if !measuring.set.is_empty() => {
                Some(("set", "belongs to the mode `per_point`"))
            }
            Mode::DeviceSweep | Mode::Listen if measuring.read.is_some() => {
                Some(("read", "belongs to the modes `per_point` and `poll`"))
            }
            _ => None,
        };
        let end = &measuring.end;
        let ends =
            end.count || end.marker.is_some() || end.empty_object || end.silence_s.is_some() || end.wraps;
        match message {
            Some((key, message)) => Err(self.refuse(&at(key), message)),
            None if !ends => Err(self.refuse(&at("end"), "nothing ends the rows")),
            None => Ok(()),
        }
    }

    fn row(&self, path: &str, measuring: &Measuring) -> Checked {
        let row = &measuring.row;
        let path = format!("{path}.row");
        let kinds = [row.template.is_some(), row.columns.is_some(), row.json.is_some()];
        if kinds.iter().filter(|kind| **kind).count() != 1 {
            return Err(self.refuse(&path, "must have exactly one of template, columns and json"));
        }
        let known: Vec<&str> = self.profile.columns.keys().map(String::as_str).collect();
        let mut seen = Vec::new();
        for field in row.fields() {
            if field.name == Field::ANYTHING {
                continue;
            }
            self.known(&path, &field.name, &known)?;
            if seen.contains(&&field.name) {
                return Err(self.refuse(&path, format!("`{}` stands in it twice", field.name)));
            }
            seen.push(&field.name);
        }
        if seen.is_empty() {
            return Err(self.refuse(&path, "has no column"));
        }
        if row.separator.is_empty() || row.separator.contains(['\r', '\n']) {
            return Err(self.refuse(
                &format!("{path}.separator"),
                "must be some characters within a line",
            ));
        }
        let named = row.columns.as_ref().map_or(0, Vec::len);
        if row.at_least.is_some_and(|least| least == 0 || least > named) {
            return Err(self.refuse(&format!("{path}.at_least"), format!("{named} columns are named")));
        }
        Ok(())
    }

    fn has(&self, measuring: &Measuring, quantity: Quantity) -> bool {
        let mut fields = measuring.row.fields();
        fields.any(|field| {
            let column = self.profile.columns.get(&field.name);
            column.is_some_and(|column| column.is == quantity)
        })
    }

    fn needs(&self, path: &str, measuring: &Measuring, quantity: Quantity) -> Checked {
        if self.has(measuring, quantity) {
            return Ok(());
        }
        let message = format!("its rows need a column that is {quantity:?}").to_lowercase();
        Err(self.refuse(&format!("{path}.row"), message))
    }

    fn sweep(&self, sweep: &Measuring) -> Checked {
        use Quantity::{Frequency, ZImag, ZModulus, ZPhase, ZReal};
        let has = |quantity| self.has(sweep, quantity);
        if !(has(ZReal) && has(ZImag) || has(ZModulus) && has(ZPhase)) {
            let message = "its rows need columns z_real and z_imag, or z_modulus and z_phase";
            return Err(self.refuse("line.sweep.row", message));
        }
        if sweep.end.wraps && !has(Frequency) {
            let message = "a wrap is seen by a column that is the frequency";
            return Err(self.refuse("line.sweep.end.wraps", message));
        }
        let sets = |parameter| self.profile.sets(sweep, parameter);
        let chosen = match sweep.mode {
            Mode::PerPoint if !sets("frequency_hz") => {
                return Err(self.refuse("line.sweep.set", "no command sets {frequency_hz}"));
            }
            Mode::PerPoint => true,
            Mode::DeviceSweep | Mode::Poll => sets("f_max_hz") && sets("f_min_hz") && sets("n_points"),
            Mode::Listen => false,
        };
        match (&sweep.frequencies, chosen) {
            (None, true) => Ok(()),
            (None, false) => Err(self.refuse(
                "line.sweep",
                "no command sets f_max_hz, f_min_hz and n_points: [line.sweep.frequencies] must say which \
                 frequencies the instrument chooses",
            )),
            (Some(_), true) => Err(self.refuse(
                "line.sweep.frequencies",
                "the frequencies are those of the plan, which commands set; leave this out",
            )),
            (Some(own), false) => self.own_frequencies(own),
        }
    }

    fn direct(&self, table: DirectTable, direct: &Measuring) -> Checked {
        let path = table.key();
        let (parameters, needed): (_, &[&[&str]]) = match table {
            DirectTable::Hold => (HOLD_PARAMETERS, &[&["potential_v"]]),
            DirectTable::LinearSweep => (
                LINEAR_PARAMETERS,
                &[&["start_v"], &["end_v"], &["duration_s", "rate_v_per_s"]],
            ),
            DirectTable::CyclicSweep => (
                CYCLIC_PARAMETERS,
                &[
                    &["vertex1_v", "amplitude_v"],
                    &["vertex2_v", "offset_v"],
                    &["start_v", "shift"],
                    &["rate_v_per_s", "period_s"],
                    &["scans"],
                ],
            ),
        };
        self.measuring(path, direct, parameters)?;
        self.needs(path, direct, Quantity::Current)?;
        if direct.mode != Mode::DeviceSweep {
            let message = "rows of direct current come by themselves: only `device_sweep` can stand here";
            return Err(self.refuse(&format!("{path}.mode"), message));
        }
        for one_of in needed {
            if !one_of.iter().any(|name| self.profile.sets(direct, name)) {
                let message = format!("no command sets {{{}}}", one_of.join("} or {"));
                return Err(self.refuse(&format!("{path}.before"), message));
            }
        }
        Ok(())
    }

    fn own_frequencies(&self, own: &OwnFrequencies) -> Checked {
        let path = "line.sweep.frequencies";
        self.document
            .within(&format!("{path}.first_hz"), own.first_hz, 1e-7, 1e9)?;
        self.document
            .within(&format!("{path}.last_hz"), own.last_hz, 1e-7, 1e9)?;
        self.document
            .within(&format!("{path}.count"), f64::from(own.count), 2.0, 1e5)?;
        if own.first_hz == own.last_hz {
            return Err(self.refuse(path, "first_hz and last_hz are the same"));
        }
        Ok(())
    }
}
