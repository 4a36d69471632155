//! What every stage of the driver has in hand: settings, the way out for bytes, and what to report.

use std::collections::VecDeque;

use super::outbox::Outbox;
use super::script::Script;
use super::settings::DriverSettings;
use crate::instrument::Output;

/// How long a device may take to answer a command, in s; never less than the shortest time-out.
const REPLY_S: f64 = 2.0;

/// What a stage did with a line or a tick.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step<T> {
    /// It goes on.
    Stay,
    /// It has ended.
    End(T),
}

/// The way out of the driver.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub settings: DriverSettings,
    outbox: Outbox,
    outputs: VecDeque<Output>,
}

impl Channel {
    pub fn new(settings: DriverSettings) -> Self {
        Self {
            settings,
            outbox: Outbox::default(),
            outputs: VecDeque::new(),
        }
    }

    /// Sends a command; returns when its answer counts as missing.
    pub fn send(&mut self, command: &str, now_s: f64) -> f64 {
        self.outbox.push(command.as_bytes());
        self.reply_deadline_s(now_s)
    }

    /// Sends a script line by line; returns when its answer counts as missing.
    pub fn send_script(&mut self, script: &Script, now_s: f64) -> f64 {
        let pause_s = self.settings.line_pause_s();
        self.outbox.push_lines(script.wire_lines(), pause_s);
        self.reply_deadline_s(now_s)
    }

    /// After an error the device does not listen for a while.
    pub fn pause_after_error(&mut self, now_s: f64) {
        self.outbox.hold_until(now_s + self.settings.error_pause_s());
    }

    /// How long an answer may take in s.
    pub fn reply_timeout_s(&self) -> f64 {
        self.settings.timeout_s(REPLY_S)
    }

    /// Reports something.
    pub fn report(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    /// Reports something worth a line in the log.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.report(Output::Remark(text.into()));
    }

    /// Hands over what is due, and returns the next output.
    pub fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Moves what is due to the outputs.
    pub fn pump(&mut self, now_s: f64) {
        while let Some(bytes) = self.outbox.take_due(now_s) {
            self.outputs.push_back(Output::Send(bytes));
        }
    }

    /// Forgets what was not sent.
    pub fn discard_unsent(&mut self) {
        self.outbox.clear();
    }

    /// When something is due to be sent.
    pub fn deadline_s(&self) -> Option<f64> {
        self.outbox.deadline_s()
    }

    fn reply_deadline_s(&self, now_s: f64) -> f64 {
        self.outbox.empty_at_s(now_s) + self.reply_timeout_s()
    }
}
