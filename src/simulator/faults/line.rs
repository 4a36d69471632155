//! The line with its faults, without I/O: what the device sends goes in, what arrives comes out.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Fault, FaultKind, When};
use crate::instrument::method_script::{Package, Value, VariableType, status};

/// What a port that has just appeared may say before anybody asked: flow control, the answer to a modem
/// manager's `AT`, half a line of something that was under way.
const STRAY: &[u8] = b"\x11A!0003\nd8030D40 ;cc\xFF\x00";

/// What a restarting device sends.
const BOOT: &[u8] = b"\x00\xFE\xFF\n";

/// The first characters of lines that begin a loop of impedance.
const IMPEDANCE_LOOPS: [&[u8]; 2] = [b"M000D", b"M000E"];

/// Something that the server must do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Pull the plug for so many seconds of the device's time.
    Unplug {
        /// How long.
        for_s: f64,
    },
    /// End the script with an error, cell on.
    Fail,
    /// Restart the device.
    Restart,
}

/// A line that the device sent, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentLine {
    /// The line with its end, as the device sent it.
    pub text: Vec<u8>,
    /// Whether it went out as it was.
    pub is_intact: bool,
}

/// What came through.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Passed {
    /// What arrives.
    pub bytes: Vec<u8>,
    /// The points among it.
    pub points: Vec<SentLine>,
    /// What happens then; the rest of what the device sent is lost.
    pub action: Option<Action>,
}

/// A fault and whether it has happened.
#[derive(Clone, Copy, Debug)]
struct Armed {
    fault: Fault,
    began_s: Option<f64>,
    /// Whether what happens at its moment has been done.
    is_done: bool,
}

impl Armed {
    fn is_active(&self, now_s: f64) -> bool {
        match (self.fault.when, self.began_s) {
            (When::Always, _) => true,
            (_, Some(began_s)) => now_s < began_s + self.fault.duration_s,
            (_, None) => false,
        }
    }
}

/// The line between a device and a computer.
#[derive(Clone, Debug)]
pub struct FaultyLine {
    faults: Vec<Armed>,
    random: ChaCha8Rng,
    sweep: u32,
    point: u32,
    in_loop: bool,
    /// A line that the device has not ended.
    partial: Vec<u8>,
}

impl FaultyLine {
    /// A line with these faults; those that happen by chance are the same for the same seed.
    #[must_use]
    pub fn new(faults: &[Fault], seed: u64) -> Self {
        let armed = |&fault: &Fault| Armed {
            fault,
            began_s: None,
            is_done: false,
        };
        Self {
            faults: faults.iter().map(armed).collect(),
            random: ChaCha8Rng::seed_from_u64(seed ^ 0xFA17),
            sweep: 0,
            point: 0,
            in_loop: false,
            partial: Vec::new(),
        }
    }

    /// Whether nothing can go wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// When a fault begins by itself.
    #[must_use]
    pub fn deadline_s(&self) -> Option<f64> {
        let pending = self.faults.iter().filter(|armed| armed.began_s.is_none());
        pending
            .filter_map(|armed| match armed.fault.when {
                When::Time(at_s) => Some(at_s),
                _ => None,
            })
            .min_by(f64::total_cmp)
    }

    /// What stands in the line when the port appears.
    #[must_use]
    pub fn greeting(&self) -> &'static [u8] {
        let strays =
            |armed: &&Armed| armed.fault.kind == FaultKind::StrayBytes && armed.fault.when == When::Always;
        if self.faults.iter().any(|armed| strays(&armed)) {
            STRAY
        } else {
            b""
        }
    }

    /// The line rate in baud that the device has instead of the right one.
    #[must_use]
    pub fn baud_rate(&self, now_s: f64) -> Option<f64> {
        self.active(FaultKind::Baud, now_s)
    }

    /// Whether lines come in pieces.
    #[must_use]
    pub fn in_pieces(&self, now_s: f64) -> bool {
        self.active(FaultKind::Pieces, now_s).is_some()
    }

    /// How many of so many bytes that wait arrive together.
    pub fn piece(&mut self, waiting: usize) -> usize {
        self.random.random_range(1..=waiting.max(1))
    }

    /// What reaches the device of what the computer sent; `garbled` where their line rates differ.
    pub fn to_device(&mut self, bytes: &[u8], now_s: f64, garbled: bool) -> Vec<u8> {
        if self.active(FaultKind::Silence, now_s).is_some() {
            return Vec::new();
        }
        if garbled {
            return self.garbage(bytes.len());
        }
        bytes.to_vec()
    }

    /// Takes what the device sends at a moment of its time, whole lines or not.
    pub fn from_device(&mut self, bytes: &[u8], now_s: f64, garbled: bool) -> Passed {
        let mut passed = Passed::default();
        passed.action = self.begin_by_time(now_s, &mut passed.bytes);
        if passed.action.is_some() {
            self.partial.clear();
            return passed;
        }
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            passed.action = self.line(line, now_s, garbled, &mut passed);
            if passed.action.is_some() {
                self.partial.clear();
                return passed;
            }
        }
        passed
    }

    /// One line; what happens at its point happens after it has gone out.
    fn line(&mut self, line: Vec<u8>, now_s: f64, garbled: bool, passed: &mut Passed) -> Option<Action> {
        if IMPEDANCE_LOOPS.iter().any(|start| line.starts_with(start)) {
            self.sweep += 1;
            self.point = 0;
            self.in_loop = true;
        } else if line == b"*\n" {
            self.in_loop = false;
        }
        let is_point = self.in_loop && line.starts_with(b"P");
        let mut begun = None;
        let mut line = line;
        if is_point {
            self.point += 1;
            begun = self.begin_by_point(now_s, &mut passed.bytes);
            line = self.point_faults(line, now_s);
        }
        let arrived = self.mangle(&line, now_s, garbled);
        if is_point {
            passed.points.push(SentLine {
                is_intact: arrived == line,
                text: line,
            });
        }
        passed.bytes.extend_from_slice(&arrived);
        begun
    }

    fn begin_by_time(&mut self, now_s: f64, out: &mut Vec<u8>) -> Option<Action> {
        self.begin(
            now_s,
            out,
            |when| matches!(when, When::Time(at_s) if at_s <= now_s),
        )
    }

    fn begin_by_point(&mut self, now_s: f64, out: &mut Vec<u8>) -> Option<Action> {
        let at = When::Point {
            sweep: self.sweep,
            point: self.point,
        };
        self.begin(now_s, out, |when| when == at)
    }

    fn begin(&mut self, now_s: f64, out: &mut Vec<u8>, is_due: impl Fn(When) -> bool) -> Option<Action> {
        let mut action = None;
        for armed in &mut self.faults {
            if armed.began_s.is_some() || !is_due(armed.fault.when) {
                continue;
            }
            // One thing at a time: a second one at the same moment comes with the next occasion.
            let happens = match armed.fault.kind {
                FaultKind::Unplug => Some(Action::Unplug {
                    for_s: armed.fault.duration_s,
                }),
                FaultKind::Error => Some(Action::Fail),
                FaultKind::Reset => Some(Action::Restart),
                _ => None,
            };
            if happens.is_some() && action.is_some() {
                continue;
            }
            armed.began_s = Some(now_s);
            if armed.fault.kind == FaultKind::StrayBytes {
                out.extend_from_slice(STRAY);
            }
            if armed.fault.kind == FaultKind::Reset {
                out.extend_from_slice(BOOT);
            }
            action = action.or(happens);
        }
        action
    }

    /// Overload, underload or no number at all, in the point itself.
    fn point_faults(&mut self, line: Vec<u8>, now_s: f64) -> Vec<u8> {
        let mut line = line;
        for index in 0..self.faults.len() {
            let armed = self.faults[index];
            if !armed.fault.kind.is_of_points() || !armed.is_active(now_s) || armed.is_done {
                continue;
            }
            if self.random.random_bool(armed.fault.rate) {
                line = with_point_fault(&line, armed.fault.kind).unwrap_or(line);
                self.faults[index].is_done = armed.fault.when != When::Always;
            }
        }
        line
    }

    fn mangle(&mut self, line: &[u8], now_s: f64, garbled: bool) -> Vec<u8> {
        if self.active(FaultKind::Silence, now_s).is_some() {
            return Vec::new();
        }
        if garbled {
            return self.garbage(line.len());
        }
        let rate = |kind| self.active(kind, now_s).unwrap_or(0.0);
        let (drop, double, change) = (
            rate(FaultKind::Drop),
            rate(FaultKind::Double),
            rate(FaultKind::Change),
        );
        if drop + double + change == 0.0 {
            return line.to_vec();
        }
        let mut out = Vec::with_capacity(line.len());
        for &byte in line {
            if self.random.random_bool(drop) {
                continue;
            }
            let byte = if self.random.random_bool(change) {
                byte ^ (1 << self.random.random_range(0..8))
            } else {
                byte
            };
            out.push(byte);
            if self.random.random_bool(double) {
                out.push(byte);
            }
        }
        out
    }

    /// What a wrong line rate makes of so many bytes.
    fn garbage(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(2)).map(|_| self.random.random()).collect()
    }

    /// The rate of a kind of fault, where it is going on.
    fn active(&self, kind: FaultKind, now_s: f64) -> Option<f64> {
        let mut of_kind = self.faults.iter().filter(|armed| armed.fault.kind == kind);
        of_kind
            .find(|armed| armed.is_active(now_s))
            .map(|armed| armed.fault.rate)
    }
}

/// A data package with another status or no number; none where the line is no package of impedance.
fn with_point_fault(line: &[u8], kind: FaultKind) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut package = Package::parse(text).ok()?;
    package.get(VariableType::Z_REAL)?;
    for variable in &mut package.variables {
        if ![VariableType::Z_REAL, VariableType::Z_IMAG].contains(&variable.kind) {
            continue;
        }
        match kind {
            FaultKind::Overload => variable.status = Some(status::OVERLOAD),
            FaultKind::Underload => variable.status = Some(status::UNDERLOAD),
            _ => variable.value = Value::NotANumber,
        }
    }
    Some(format!("{package}\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWEEP: &str = "e\nM000D\nPdc8030D40 ;ccAAE483Fm,14,288;cd7FD3127 ,14,288\n\
        PdcAFAF080m;ccAAE483Fm,14,288;cd7FD3127 ,14,288\n*\n\n";

    fn line(faults: &[&str]) -> FaultyLine {
        let faults: Vec<Fault> = faults.iter().map(|fault| fault.parse().unwrap()).collect();
        FaultyLine::new(&faults, 1)
    }

    fn through(faults: &[&str]) -> Passed {
        line(faults).from_device(SWEEP.as_bytes(), 1.0, false)
    }

    #[test]
    fn without_faults_everything_passes_and_points_are_intact() {
        let passed = through(&[]);
        assert_eq!(passed.bytes, SWEEP.as_bytes());
        assert_eq!(passed.points.len(), 2);
        assert!(passed.points.iter().all(|point| point.is_intact));
    }

    #[test]
    fn an_event_happens_after_its_point_has_gone_out_and_takes_the_rest_with_it() {
        for (fault, action) in [
            ("unplug@1.1+3s", Action::Unplug { for_s: 3.0 }),
            ("error@1.1", Action::Fail),
        ] {
            let passed = through(&[fault]);
            assert_eq!(passed.action, Some(action));
            assert_eq!(passed.points.len(), 1);
            assert!(passed.bytes.ends_with(b",14,288\n"));
        }
        assert_eq!(through(&["unplug@2.1"]).action, None);
        assert_eq!(through(&["reset@0.5s"]).action, Some(Action::Restart));
        assert_eq!(line(&["reset@7s"]).deadline_s(), Some(7.0));
    }

    #[test]
    fn two_events_at_one_moment_come_one_after_the_other() {
        let mut line = line(&["error@1s", "reset@1s"]);
        assert_eq!(line.from_device(b"", 1.0, false).action, Some(Action::Fail));
        assert_eq!(line.from_device(b"", 1.0, false).action, Some(Action::Restart));
        assert_eq!(line.from_device(b"", 1.0, false).action, None);
    }

    #[test]
    fn a_point_fault_stands_in_the_package_and_the_line_stays_readable() {
        let passed = through(&["overload@1.1", "nan@1.2"]);
        let text = String::from_utf8(passed.bytes).unwrap();
        let mut packages = text.lines().filter_map(|line| Package::parse(line).ok());
        let first = packages.next().unwrap();
        assert_eq!(
            first.get(VariableType::Z_REAL).unwrap().status,
            Some(status::OVERLOAD)
        );
        let second = packages.next().unwrap();
        assert_eq!(second.get(VariableType::Z_IMAG).unwrap().value, Value::NotANumber);
        assert!(
            passed.points.iter().all(|point| point.is_intact),
            "as the device sent them"
        );
    }

    #[test]
    fn lost_bytes_and_silence_make_points_that_are_not_intact() {
        let dropped = through(&["drop=1"]);
        assert!(dropped.bytes.is_empty() && dropped.points.iter().all(|point| !point.is_intact));
        let doubled = through(&["double=1"]);
        assert_eq!(doubled.bytes.len(), 2 * SWEEP.len());
        let silent = through(&["silence@0.5s+10s"]);
        assert!(silent.bytes.is_empty());
        assert!(line(&["silence@0.5s+0.1s"]).to_device(b"t\n", 1.0, false) == b"t\n");
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed_and_another_for_another() {
        let run = |seed| {
            let fault = "change=0.1".parse().unwrap();
            FaultyLine::new(&[fault], seed)
                .from_device(SWEEP.as_bytes(), 0.0, false)
                .bytes
        };
        assert_eq!(run(3), run(3));
        assert_ne!(run(3), run(4));
    }

    #[test]
    fn another_line_rate_makes_garbage_of_everything() {
        let mut line = line(&["baud=9600"]);
        assert_eq!(line.baud_rate(0.0), Some(9600.0));
        assert!(
            !line
                .from_device(SWEEP.as_bytes(), 0.0, true)
                .points
                .iter()
                .any(|point| point.is_intact)
        );
        assert_ne!(line.to_device(b"t\n", 0.0, true), b"t\n");
    }
}
