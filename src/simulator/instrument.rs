//! What the server of a port needs of whatever it serves.

use super::device::Device;
use super::truth::{CellSwitched, SweepTruth};

/// A simulated instrument with its cell. It does no I/O and reads no clock: device times in s, which never
/// run backwards, are given to it.
pub trait SimulatedInstrument: Send {
    /// Takes bytes from the line, in any pieces.
    fn receive(&mut self, bytes: &[u8], now_s: f64);

    /// Runs up to a device time and gives back what is sent until then.
    fn advance(&mut self, now_s: f64) -> Vec<u8>;

    /// When it will do something without being asked; none while it waits for commands.
    fn deadline_s(&self) -> Option<f64>;

    /// The truth about sweeps that have ended since the last call.
    fn take_truths(&mut self) -> Vec<SweepTruth>;

    /// When its cell was switched since the last call; nothing where it has no switch.
    fn take_switched(&mut self) -> Vec<CellSwitched> {
        Vec::new()
    }

    /// Whether the cell is connected; none where the instrument has no switch that could be known.
    fn cell_is_on(&self) -> Option<bool> {
        None
    }

    /// For how long in s its line hangs up, where it just does so by itself.
    fn take_hang_up(&mut self) -> Option<f64> {
        None
    }

    /// Whether it begins to send without being asked, and only when somebody has opened its port.
    fn waits_for_client(&self) -> bool {
        false
    }

    /// Ends what runs with an error, the cell left as it is. Nothing where the instrument runs no scripts.
    fn fail(&mut self, _now_s: f64) {}

    /// Restarts by itself. Nothing where the instrument keeps nothing that a restart would lose.
    fn restart(&mut self, _now_s: f64) {}
}

impl SimulatedInstrument for Device {
    fn receive(&mut self, bytes: &[u8], now_s: f64) {
        Self::receive(self, bytes, now_s);
    }

    fn advance(&mut self, now_s: f64) -> Vec<u8> {
        Self::advance(self, now_s)
    }

    fn deadline_s(&self) -> Option<f64> {
        Self::deadline_s(self)
    }

    fn take_truths(&mut self) -> Vec<SweepTruth> {
        Self::take_truths(self)
    }

    fn take_switched(&mut self) -> Vec<CellSwitched> {
        Self::take_switched(self)
    }

    fn cell_is_on(&self) -> Option<bool> {
        Some(Self::cell_is_on(self))
    }

    fn fail(&mut self, now_s: f64) {
        Self::fail(self, now_s);
    }

    fn restart(&mut self, now_s: f64) {
        Self::restart(self, now_s);
    }
}
