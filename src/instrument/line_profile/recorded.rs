//! Points read out of recorded bytes, both ways of the line, without driving anything.

use super::lines::{Line, Splitter};
use super::reading::Reading;
use super::{parameters, row};
use crate::profile::line::{ErrorSeverity, Framing, LineEnd, LineProfile};
use crate::spectrum::{Point, PointStatus};

/// Rows of impedance among the lines of an instrument.
///
/// Which of them a driver kept is not known here: it throws away rows of an earlier sweep and those that the profile
/// says are to be skipped.
#[derive(Clone, Debug)]
pub struct RecordedRows {
    profile: LineProfile,
    sent: Splitter,
    received: Splitter,
    /// Frequency in Hz that was set last.
    set_hz: Option<f64>,
    /// Frequencies in Hz of the sweep's points, for rows that say none and where none was set.
    asked_hz: Vec<f64>,
    rows: usize,
    /// What an error said about the next row.
    next_status: PointStatus,
}

impl RecordedRows {
    /// For the instrument of a profile.
    #[must_use]
    pub fn new(profile: &LineProfile) -> Self {
        let framing = &profile.framing;
        let of_commands = Framing {
            receive_end: match framing.send_end {
                LineEnd::Any => LineEnd::Lf,
                end => end,
            },
            max_line_bytes: usize::MAX,
            ..framing.clone()
        };
        Self {
            sent: Splitter::new(of_commands),
            received: Splitter::new(framing.clone()),
            profile: profile.clone(),
            set_hz: None,
            asked_hz: Vec::new(),
            rows: 0,
            next_status: PointStatus::Ok,
        }
    }

    /// A sweep begins whose points were asked for at these frequencies in Hz.
    pub fn sweep_began(&mut self, asked_hz: Vec<f64>) {
        let own = self.profile.sweep.as_ref().and_then(|sweep| sweep.frequencies);
        self.asked_hz = match own {
            Some(own) => (0..own.count).map(|index| own.frequency_hz(index)).collect(),
            None => asked_hz,
        };
        self.rows = 0;
        self.set_hz = None;
        self.next_status = PointStatus::Ok;
    }

    /// Bytes that were sent to the instrument.
    pub fn sent(&mut self, bytes: &[u8]) {
        let Some(sweep) = &self.profile.sweep else { return };
        for line in self.sent.feed(bytes) {
            let Line::Text(text) = line else { continue };
            // A blank may have been put before it.
            let text = text.trim_start();
            let commands = sweep.set.iter().chain(&sweep.read);
            let set_hz = commands
                .filter_map(|step| step.send.as_ref())
                .find_map(|template| {
                    let values = template.read(text)?;
                    parameters::read(&self.profile, template, &values, "frequency_hz")
                });
            self.set_hz = set_hz.or(self.set_hz);
        }
    }

    /// Bytes of the instrument; gives back the points of the rows that they complete.
    pub fn received(&mut self, bytes: &[u8]) -> Vec<Point> {
        let lines = self.received.feed(bytes);
        lines
            .into_iter()
            .filter_map(|line| match line {
                Line::Text(text) => self.row(&text),
                Line::TooLong(_) => None,
            })
            .collect()
    }

    fn row(&mut self, text: &str) -> Option<Point> {
        let sweep = self.profile.sweep.as_ref()?;
        let error = self
            .profile
            .errors
            .iter()
            .find(|error| error.line.read(text).is_some());
        if let Some(error) = error {
            if error.severity == ErrorSeverity::Point {
                self.next_status = self.next_status.max(error.status.unwrap_or(PointStatus::Ok));
            }
            return None;
        }
        let values = row::read(&sweep.row, text)?;
        let asked_hz = self.asked_hz.get(self.rows).copied().unwrap_or(f64::NAN);
        self.rows += 1;
        let reading = Reading::of(&self.profile, &values);
        let mut point = reading.point(self.set_hz.unwrap_or(asked_hz));
        point.status = point
            .status
            .max(std::mem::replace(&mut self.next_status, PointStatus::Ok));
        if reading.stop.is_some() {
            point.status = PointStatus::Invalid;
        }
        Some(point)
    }

    /// Forgets incomplete lines.
    pub fn reset(&mut self) {
        self.sent.reset();
        self.received.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Instrument;

    fn rows_of(name: &str) -> RecordedRows {
        let path = format!("{}/profiles/instruments/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let instrument = Instrument::parse(name, &text).unwrap();
        RecordedRows::new(instrument.line.as_ref().unwrap())
    }

    #[test]
    fn a_row_has_the_frequency_that_was_sent_before_it_in_whatever_pieces() {
        let mut rows = rows_of("bt4560");
        rows.sent(b"FREQ 1.5\r");
        rows.sent(b"\n*TRG;*WAI;FETCH?\r\n");
        assert_eq!(rows.received(b"+1.25E-03,-4."), Vec::new());
        let [point] = rows.received(b"0E-04,+3.7\r\n").try_into().unwrap();
        assert_eq!(
            (
                point.frequency_hz,
                point.z_real_ohm,
                point.z_imag_ohm,
                point.potential_v
            ),
            (1.5, 1.25e-3, -4e-4, Some(3.7))
        );
        assert_eq!(point.status, PointStatus::Ok);
    }

    #[test]
    fn a_row_that_says_its_frequency_is_believed_and_other_lines_are_no_rows() {
        let mut rows = rows_of("ad5940_battery");
        let text = "hello\nFreq: 10.00 (real, image) = ,12.5 , -3.25 ,mOhm \n";
        let [point] = rows.received(text.as_bytes()).try_into().unwrap();
        assert_eq!(
            (point.frequency_hz, point.z_real_ohm, point.z_imag_ohm),
            (10.0, 0.0125, -0.00325)
        );
    }
}
