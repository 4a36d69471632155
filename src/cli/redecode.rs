//! The recorded bytes decoded once more, against the points that were recorded from them.

use std::collections::{BTreeSet, VecDeque};

use crate::event::{Direction, Event, EventBody, LinkState, SweepStarted};
use crate::instrument::line_profile::RecordedRows;
use crate::instrument::method_script::{Decoder, DriverSettings, Line, point_of_package};
use crate::instrument::{Ranging, SweepPart};
use crate::profile::{Instrument, PointTiming};
use crate::recording::Reader;
use crate::spectrum::Point;

/// The name under which a session attaches the profile of its instrument.
const INSTRUMENT_PROFILE: &str = "instrument.toml";

/// What reads the bytes, by the protocol of the instrument.
enum Codec {
    MethodScript(Box<(Decoder, DriverSettings)>),
    Lines(Box<RecordedRows>),
}

/// Runs the codec over the bytes of a recording while its events pass by.
pub(super) struct Redecode {
    codec: Codec,
    /// Whether the profile is there, which names the current ranges.
    knows_ranges: bool,
    /// Points in the bytes that no recorded point has answered yet.
    waiting: VecDeque<Point>,
    /// Whether any bytes were recorded; imported spectra have none.
    has_bytes: bool,
    /// Points that were compared with the bytes they came from.
    pub compared: u64,
    /// Points for which the bytes are not there.
    pub without_bytes: u64,
    /// Points in the bytes that were not recorded, such as one under way when a session was cut off.
    pub not_recorded: u64,
    /// What differs, in words.
    pub differences: Vec<String>,
    /// Sweeps in which something differs.
    pub differing_sweeps: BTreeSet<u32>,
}

impl Redecode {
    /// For one recording.
    pub(super) fn of(reader: &mut Reader) -> anyhow::Result<Self> {
        let profile = reader
            .attachments()?
            .into_iter()
            .find(|attachment| attachment.name == INSTRUMENT_PROFILE)
            .and_then(|attachment| String::from_utf8(attachment.bytes).ok())
            .and_then(|text| Instrument::parse(INSTRUMENT_PROFILE, &text).ok());
        let settings = match &profile {
            Some(profile) => DriverSettings::new(profile, 1.0),
            None => DriverSettings {
                device: String::new(),
                timing: PointTiming {
                    point_overhead_s: 0.0,
                    point_periods: 0.0,
                },
                current_ranges: Vec::new(),
                pgstat_mode: 0,
                max_bandwidth_hz: 0.0,
                channel: 0,
                line_delay_s: 0.0,
                time_scale: 1.0,
            },
        };
        let lines = profile.as_ref().and_then(|profile| profile.line.as_ref());
        Ok(Self {
            codec: match lines {
                Some(lines) => Codec::Lines(Box::new(RecordedRows::new(lines))),
                None => Codec::MethodScript(Box::new((Decoder::new(), settings))),
            },
            knows_ranges: profile.is_some() && lines.is_none(),
            waiting: VecDeque::new(),
            has_bytes: false,
            compared: 0,
            without_bytes: 0,
            not_recorded: 0,
            differences: Vec::new(),
            differing_sweeps: BTreeSet::new(),
        })
    }

    /// Whether there was anything to decode.
    pub(super) fn has_bytes(&self) -> bool {
        self.has_bytes
    }

    /// Takes the next event. Gives back a point as the bytes have it now.
    pub(super) fn take(&mut self, event: &Event) -> Option<Event> {
        match &event.body {
            EventBody::Wire(wire) => {
                self.has_bytes = true;
                match (&mut self.codec, wire.direction) {
                    (Codec::MethodScript(codec), Direction::Rx) => {
                        let lines = codec.0.feed(&wire.bytes);
                        self.waiting.extend(lines.iter().filter_map(|line| match line {
                            Line::Package(package) => point_of_package(package, &codec.1),
                            _ => None,
                        }));
                    }
                    (Codec::MethodScript(_), Direction::Tx) => {}
                    (Codec::Lines(rows), Direction::Rx) => self.waiting.extend(rows.received(&wire.bytes)),
                    (Codec::Lines(rows), Direction::Tx) => rows.sent(&wire.bytes),
                }
                None
            }
            EventBody::Point(_) => self.compare(event),
            EventBody::SweepStarted(started) => {
                self.forget_waiting();
                if let Codec::Lines(rows) = &mut self.codec {
                    rows.sweep_began(frequencies_of(started));
                }
                None
            }
            EventBody::Resumed(_) => {
                self.forget_waiting();
                None
            }
            // Bytes may be missing as well.
            EventBody::Gap(_) => {
                self.forget_waiting();
                self.reset();
                None
            }
            EventBody::Link(link) if link.state != LinkState::Connected => {
                self.reset();
                None
            }
            _ => None,
        }
    }

    /// Forgets a line that has not come to its end.
    fn reset(&mut self) {
        match &mut self.codec {
            Codec::MethodScript(codec) => codec.0.reset(),
            Codec::Lines(rows) => rows.reset(),
        }
    }

    fn forget_waiting(&mut self) {
        self.skip(self.waiting.len());
    }

    /// The next points in the bytes are not recorded.
    fn skip(&mut self, count: usize) {
        self.waiting.drain(..count);
        // A driver throws away rows of an earlier sweep and those that its profile says are to be skipped.
        if matches!(self.codec, Codec::MethodScript(_)) {
            self.not_recorded += count as u64;
        }
    }

    /// What is still to be counted when all events have passed.
    pub(super) fn finish(&mut self) {
        self.forget_waiting();
    }

    fn compare(&mut self, event: &Event) -> Option<Event> {
        let EventBody::Point(recorded) = &event.body else {
            return None;
        };
        // A point may be missing between those that are there.
        let is_it = |decoded: &Point| self.differing(&recorded.point, decoded).is_empty();
        let skipped = self.waiting.iter().position(is_it).unwrap_or(0);
        self.skip(skipped);
        let Some(decoded) = self.waiting.pop_front() else {
            self.without_bytes += u64::from(self.has_bytes);
            return None;
        };
        self.compared += 1;
        let differing = self.differing(&recorded.point, &decoded);
        if !differing.is_empty() {
            self.differing_sweeps.insert(recorded.sweep);
            self.differences.push(format!(
                "sweep {} point {} (event {}): {}",
                recorded.sweep,
                recorded.index,
                event.seq,
                differing.join(", ")
            ));
        }
        let mut again = event.clone();
        if let EventBody::Point(body) = &mut again.body {
            body.point.frequency_hz = decoded.frequency_hz;
            body.point.z_real_ohm = decoded.z_real_ohm;
            body.point.z_imag_ohm = decoded.z_imag_ohm;
            body.point.status = decoded.status;
            body.point.status_bits = decoded.status_bits;
            body.point.noise = decoded.noise;
            if self.knows_ranges {
                body.point.range = decoded.range;
            }
        }
        Some(again)
    }

    fn differing(&self, recorded: &Point, decoded: &Point) -> Vec<String> {
        let numbers = [
            ("frequency_hz", recorded.frequency_hz, decoded.frequency_hz),
            ("z_real_ohm", recorded.z_real_ohm, decoded.z_real_ohm),
            ("z_imag_ohm", recorded.z_imag_ohm, decoded.z_imag_ohm),
        ];
        let mut differing: Vec<String> = numbers
            .into_iter()
            // A recording knows no sign of zero and one NaN.
            .filter(|(_, old, new)| !(old == new || (old.is_nan() && new.is_nan())))
            .map(|(name, old, new)| format!("{name} is {old}, the bytes say {new}"))
            .collect();
        let mut tell = |name: &str, old: String, new: String| {
            if old != new {
                differing.push(format!("{name} is {old}, the bytes say {new}"));
            }
        };
        let number = |value: Option<u32>| value.map_or("unknown".to_owned(), |value| value.to_string());
        tell(
            "status",
            recorded.status.word().into(),
            decoded.status.word().into(),
        );
        tell(
            "status_bits",
            number(recorded.status_bits),
            number(decoded.status_bits),
        );
        tell("noise", number(recorded.noise), number(decoded.noise));
        if self.knows_ranges {
            let label = |range: &Option<String>| range.clone().unwrap_or_else(|| "unknown".into());
            tell("range", label(&recorded.range), label(&decoded.range));
        }
        differing
    }
}

/// The frequencies in Hz of the points that a sweep asks for, evenly spaced in their logarithm.
fn frequencies_of(started: &SweepStarted) -> Vec<f64> {
    let whole = SweepPart {
        f_max_hz: started.f_max_hz,
        f_min_hz: started.f_min_hz,
        n_points: started.n_points,
        amplitude: f64::NAN,
        ranging: Ranging::Pinned(f64::NAN),
    };
    (0..started.n_points)
        .map(|index| whole.frequency_hz(index))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sample() -> Reader {
        let name = "recordings/li_lpscl_li_fresh.interphase";
        Reader::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
    }

    fn redecoded(mut change: impl FnMut(&mut Event)) -> Redecode {
        let mut reader = sample();
        let mut redecode = Redecode::of(&mut reader).unwrap();
        for event in reader.events(0) {
            let mut event = event.unwrap();
            change(&mut event);
            redecode.take(&event);
        }
        redecode.finish();
        redecode
    }

    #[test]
    fn every_point_of_the_sample_is_what_its_bytes_say() {
        let redecode = redecoded(|_| {});
        assert_eq!(
            (redecode.compared, redecode.without_bytes, redecode.not_recorded),
            (512, 0, 0)
        );
        assert_eq!(redecode.differences, Vec::<String>::new());
    }

    #[test]
    fn a_point_that_is_not_what_its_bytes_say_is_named_with_both_values() {
        let redecode = redecoded(|event| {
            if let EventBody::Point(body) = &mut event.body
                && (body.sweep, body.index) == (2, 5)
            {
                body.point.z_real_ohm = 1.5;
            }
        });
        let [difference] = redecode.differences.as_slice() else {
            panic!("{:?}", redecode.differences)
        };
        assert!(difference.starts_with("sweep 2 point 5"), "{difference}");
        assert!(
            difference.contains("z_real_ohm is 1.5, the bytes say "),
            "{difference}"
        );
    }
}
