//! The driver when a line has come: whether it is the answer that is waited for, an error, or neither.

use super::action::Action;
use super::driver::{LineDriver, Phase};
use super::lines::Line;
use crate::instrument::InstrumentError;
use crate::profile::line::{ErrorSeverity, Value, Values};

impl LineDriver {
    pub(super) fn take_line(&mut self, line: Line, now_s: f64) {
        let text = match line {
            Line::Text(text) => text,
            Line::TooLong(start) => {
                return self.remark(format!("a line that was too long was dropped: {start}..."));
            }
        };
        let action = match &self.waiting {
            Some(waiting) => waiting.action.clone(),
            None => return,
        };
        if matches!(action, Action::Drain(_)) {
            return;
        }
        if self.take_error(&text, now_s) {
            return;
        }
        match action {
            Action::Expect { template, asked, .. } => match template.read(&text) {
                Some(values) => self.answered(values, now_s),
                None => self.unexpected(&text, &asked, now_s),
            },
            Action::Confirm { asked, .. } => self.confirm(&text, &asked, now_s),
            Action::ConfirmPoll { asked, .. } => self.confirm_poll(&text, &asked, now_s),
            Action::Errors { .. } => self.errors_answered(&text, now_s),
            Action::Row => self.row_line(&text, now_s),
            Action::StrayRow => {
                let profile = self.profile();
                let mut specs = profile.sweep.iter().chain(&profile.open_circuit);
                if specs.any(|spec| super::row::read(&spec.row, &text).is_some()) {
                    self.satisfied(now_s);
                }
            }
            Action::Delay(_) | Action::Drain(_) | Action::Send(_) | Action::CellOff => {}
        }
    }

    /// What was waited for is there.
    pub(super) fn satisfied(&mut self, now_s: f64) {
        self.waiting = None;
        self.go_on(now_s);
    }

    pub(super) fn answered(&mut self, values: Values, now_s: f64) {
        match &mut self.phase {
            Phase::Connect(connecting) => {
                connecting.fields.extend(values);
                let found = connecting.fields.get("device").map(Value::text);
                if let Some(found) = found
                    && found.trim() != self.settings.device
                {
                    let expected = self.settings.device.clone();
                    return self.fail(InstrumentError::WrongDevice { expected, found }, now_s);
                }
            }
            Phase::Close(closing) => closing.probing = false,
            Phase::Idle | Phase::Measure(_) => {}
        }
        self.satisfied(now_s);
    }

    /// A line that is not the answer; it may belong to something that was asked before.
    pub(super) fn unexpected(&mut self, text: &str, asked: &str, now_s: f64) {
        let profile = self.profile();
        let Some(bad) = profile
            .acknowledge
            .bad
            .as_ref()
            .filter(|bad| bad.read(text).is_some())
        else {
            if let Phase::Connect(connecting) = &mut self.phase {
                connecting.other = Some(text.to_owned());
            }
            if !self.is_ignored(text) {
                self.remark(format!("not the answer to {asked}: {text}"));
            }
            return;
        };
        let reason = bad
            .read(text)
            .and_then(|values| values.get("reason").map(Value::text))
            .unwrap_or_else(|| text.to_owned());
        self.fail(
            InstrumentError::ScriptRefused {
                reason,
                place: asked.to_owned(),
            },
            now_s,
        );
    }

    pub(super) fn is_ignored(&self, text: &str) -> bool {
        let profile = &self.settings.line;
        let is_confirmation = profile
            .acknowledge
            .good
            .as_ref()
            .is_some_and(|good| good.read(text).is_some());
        // The end of rows that were counted or ended from here may come after they are over.
        let is_an_end = profile.measurings().any(|spec| {
            let marker = spec.end.marker.as_ref();
            marker.is_some_and(|marker| marker.read(text).is_some())
                || spec.end.empty_object && super::row::is_empty_object(text)
        });
        is_confirmation || is_an_end || profile.ignore.iter().any(|ignored| ignored.read(text).is_some())
    }

    pub(super) fn confirm(&mut self, text: &str, asked: &str, now_s: f64) {
        let good = self.settings.line.acknowledge.good.as_ref();
        if good.is_some_and(|good| good.read(text).is_some()) {
            return self.satisfied(now_s);
        }
        // Rows of a stream that is being ended come before the confirmation of its end.
        let profile = self.profile();
        let mut specs = profile.measurings();
        if !specs.any(|spec| super::row::read(&spec.row, text).is_some()) {
            self.unexpected(text, asked, now_s);
        }
    }

    pub(super) fn confirm_poll(&mut self, text: &str, asked: &str, now_s: f64) {
        let acknowledge = &self.settings.line.acknowledge;
        let bits = text.trim().parse::<u32>().ok();
        if let (Some(bad_bits), Some(bits)) = (acknowledge.bad_bits, bits)
            && bits & bad_bits != 0
        {
            let reason = format!("the status {bits} has the bits {} of an error", bits & bad_bits);
            let place = asked.to_owned();
            return self.fail(InstrumentError::ScriptRefused { reason, place }, now_s);
        }
        let good = match &acknowledge.good {
            Some(good) => good.read(text).is_some(),
            None => bits.is_some(),
        };
        if good {
            self.satisfied(now_s);
        } else {
            self.unexpected(text, asked, now_s);
        }
    }

    pub(super) fn errors_answered(&mut self, text: &str, now_s: f64) {
        let profile = self.profile();
        let none = profile.error_query.as_ref().map(|query| &query.none);
        if none.is_some_and(|none| none.read(text).is_some()) {
            return self.satisfied(now_s);
        }
        if self.is_ignored(text) {
            return;
        }
        if matches!(self.phase, Phase::Connect(_)) {
            let (reason, place) = (text.to_owned(), "the initialisation".to_owned());
            return self.fail(InstrumentError::ScriptRefused { reason, place }, now_s);
        }
        self.remark(format!("the instrument reports an error: {text}"));
        self.satisfied(now_s);
    }

    /// Whether the line reports an error; its consequences are then drawn.
    pub(super) fn take_error(&mut self, text: &str, now_s: f64) -> bool {
        let profile = self.profile();
        let found = profile
            .errors
            .iter()
            .find_map(|error| Some((error, error.line.read(text)?)));
        let Some((error, values)) = found else {
            return false;
        };
        let reason = error
            .says
            .as_ref()
            .map_or_else(|| text.to_owned(), |says| says.write(&values));
        if let (Some(status), ErrorSeverity::Point) = (error.status, error.severity) {
            self.next_status = Some(self.next_status.map_or(status, |worse| worse.max(status)));
        }
        let is_over = matches!(self.phase, Phase::Close(_) | Phase::Idle);
        if error.severity == ErrorSeverity::Stop && !is_over {
            let place = format!("it said: {text}");
            self.fail(InstrumentError::ScriptFailed { reason, place }, now_s);
        } else {
            self.remark(format!("the instrument says: {reason}"));
        }
        true
    }
}
