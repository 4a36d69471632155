//! What goes wrong between an instrument and a computer, to order: on the line, with the plug, in the
//! instrument itself.
//!
//! A fault is written `KIND[=RATE][@WHEN][+DURATION]`, or as a `[[fault]]` of a TOML file.

mod line;
mod script;

use std::fmt;
use std::str::FromStr;

pub use self::line::{Action, FaultyLine};
pub use self::script::{FaultScriptError, read_faults};

/// How long a fault lasts that has a beginning and no end, in s of the device's time.
const DEFAULT_DURATION_S: f64 = 10.0;

/// The rate of faults that may happen anywhere, where none is given.
const DEFAULT_RATE: f64 = 1e-3;

/// A line rate in baud that hardly any instrument has by default.
const OTHER_BAUD: f64 = 9600.0;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// Bytes that nobody asked for when a port is opened: XON, an answer to a modem manager, noise.
    StrayBytes,
    /// Bytes are lost on the way to the computer.
    Drop,
    /// Bytes come twice.
    Double,
    /// Bytes are changed.
    Change,
    /// Lines come in pieces, every 16 ms of real time, as behind a USB converter.
    Pieces,
    /// The instrument's line has another rate than the profile says.
    Baud,
    /// Nothing passes in either direction.
    Silence,
    /// The plug is pulled, and put back under another device number.
    Unplug,
    /// The script ends with a run-time error and leaves the cell on.
    Error,
    /// A point is overloaded.
    Overload,
    /// A point is underloaded.
    Underload,
    /// A point is not a number.
    NotANumber,
    /// The instrument restarts by itself: its script is gone and its cell off.
    Reset,
}

impl FaultKind {
    /// All kinds.
    pub const ALL: [Self; 13] = [
        Self::StrayBytes,
        Self::Drop,
        Self::Double,
        Self::Change,
        Self::Pieces,
        Self::Baud,
        Self::Silence,
        Self::Unplug,
        Self::Error,
        Self::Overload,
        Self::Underload,
        Self::NotANumber,
        Self::Reset,
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::StrayBytes => "stray",
            Self::Drop => "drop",
            Self::Double => "double",
            Self::Change => "change",
            Self::Pieces => "pieces",
            Self::Baud => "baud",
            Self::Silence => "silence",
            Self::Unplug => "unplug",
            Self::Error => "error",
            Self::Overload => "overload",
            Self::Underload => "underload",
            Self::NotANumber => "nan",
            Self::Reset => "reset",
        }
    }

    /// What it does, in a sentence.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::StrayBytes => "bytes that nobody asked for, when the port appears or @WHEN",
            Self::Drop => "bytes to the computer are lost; RATE is the share of them",
            Self::Double => "bytes to the computer come twice; RATE is the share of them",
            Self::Change => "bytes to the computer are changed; RATE is the share of them",
            Self::Pieces => "lines come in pieces, every 16 ms, as behind a USB converter",
            Self::Baud => "the instrument's line runs at RATE baud: garbage for whoever uses another",
            Self::Silence => "nothing passes in either direction",
            Self::Unplug => {
                "the plug is pulled, and put back under another device number behind the same --link"
            }
            Self::Error => "the running script ends with an error and leaves the cell on",
            Self::Overload => "a point is overloaded; RATE is the share of them",
            Self::Underload => "a point is underloaded; RATE is the share of them",
            Self::NotANumber => "a point is not a number; RATE is the share of them",
            Self::Reset => "the instrument restarts by itself: script gone, cell off",
        }
    }

    /// Whether it needs a moment.
    fn is_an_event(self) -> bool {
        matches!(self, Self::Silence | Self::Unplug | Self::Error | Self::Reset)
    }

    /// Whether it belongs to single points.
    fn is_of_points(self) -> bool {
        matches!(self, Self::Overload | Self::Underload | Self::NotANumber)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

/// When a fault happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// From the beginning to the end.
    Always,
    /// So many seconds of the device's time after its start.
    Time(f64),
    /// At a point of an impedance loop; both count from 1.
    Point {
        /// Which loop.
        sweep: u32,
        /// Which point of it.
        point: u32,
    },
}

/// A fault: what, when, how often and how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// When it begins.
    pub when: When,
    /// How often, between 0 and 1, for faults of bytes and points; baud for the line rate.
    pub rate: f64,
    /// How long it lasts in s of the device's time, where it has a beginning.
    pub duration_s: f64,
}

/// Why a fault is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fault `{fault}`: {message}")]
pub struct FaultError {
    fault: String,
    message: String,
}

/// The known words, for messages.
fn words() -> String {
    FaultKind::ALL.map(FaultKind::word).join(", ")
}

impl Fault {
    /// A fault from its parts, as the command line and the TOML file give them.
    ///
    /// # Errors
    /// Where the parts do not fit together.
    fn of_parts(kind: &str, when: When, rate: Option<f64>, duration_s: Option<f64>) -> Result<Self, String> {
        let kind = FaultKind::ALL
            .into_iter()
            .find(|known| known.word() == kind)
            .ok_or_else(|| format!("there is no fault of this kind; there are {}", words()))?;
        if kind.is_an_event() && when == When::Always {
            return Err(format!(
                "`{kind}` needs a moment: {kind}@30s, or {kind}@2.5 for point 5 of sweep 2"
            ));
        }
        let rate = match kind {
            FaultKind::Baud => rate.unwrap_or(OTHER_BAUD),
            // At its moment a fault of a point happens to that point.
            _ if kind.is_of_points() && when != When::Always => rate.unwrap_or(1.0),
            _ => rate.unwrap_or(DEFAULT_RATE),
        };
        let (low, high) = if kind == FaultKind::Baud {
            (50.0, 12e6)
        } else {
            (0.0, 1.0)
        };
        if !(low..=high).contains(&rate) {
            return Err(format!("the rate {rate} must be between {low} and {high}"));
        }
        let duration_s = duration_s.unwrap_or(DEFAULT_DURATION_S);
        if !(0.0..=1e7).contains(&duration_s) {
            return Err(format!("a duration of {duration_s} s must be between 0 and 1e7"));
        }
        match when {
            When::Time(at_s) if !(0.0..=1e9).contains(&at_s) => {
                return Err(format!("the moment {at_s} s must be between 0 and 1e9"));
            }
            When::Point { sweep: 0, .. } | When::Point { point: 0, .. } => {
                return Err("sweeps and points count from 1".to_owned());
            }
            _ => {}
        }
        Ok(Self {
            kind,
            when,
            rate,
            duration_s,
        })
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let refuse = |message: String| FaultError {
            fault: text.to_owned(),
            message,
        };
        let seconds = |text: &str| {
            let number = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
            number.map_err(|_| refuse(format!("`{text}` is no number of seconds, such as 30s")))
        };
        // A sign after `e` belongs to a number.
        let plus = text
            .match_indices('+')
            .map(|(at, _)| at)
            .find(|&at| !text[..at].ends_with(['e', 'E']) || !text[..at].contains(['@', '=']));
        let (rest, duration) = match plus {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (rest, when) = match rest.split_once('@') {
            Some((rest, when)) => (rest, Some(when)),
            None => (rest, None),
        };
        let (kind, rate) = match rest.split_once('=') {
            Some((kind, rate)) => (kind, Some(rate)),
            None => (rest, None),
        };
        let rate = rate
            .map(|rate| {
                rate.parse()
                    .map_err(|_| refuse(format!("the rate `{rate}` is no number")))
            })
            .transpose()?;
        let when = match when {
            None => When::Always,
            Some(when) if when.ends_with('s') => When::Time(seconds(when)?),
            Some(when) => {
                let (sweep, point) = when.split_once('.').unwrap_or((when, "1"));
                match (sweep.parse(), point.parse()) {
                    (Ok(sweep), Ok(point)) => When::Point { sweep, point },
                    _ => {
                        return Err(refuse(format!(
                            "`@{when}` is no moment: write @30s, or @2.5 for point 5 of sweep 2"
                        )));
                    }
                }
            }
        };
        let duration_s = duration.map(seconds).transpose()?;
        Self::of_parts(kind, when, rate, duration_s).map_err(refuse)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={}", self.kind, self.rate)?;
        match self.when {
            When::Always => return Ok(()),
            When::Time(at_s) => write!(formatter, "@{at_s}s")?,
            When::Point { sweep, point } => write!(formatter, "@{sweep}.{point}")?,
        }
        write!(formatter, "+{}s", self.duration_s)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_is_read_from_its_kind_rate_moment_and_duration() {
        let read = |text: &str| text.parse::<Fault>().unwrap();
        let unplug = read("unplug@2.5+8s");
        assert_eq!(unplug.kind, FaultKind::Unplug);
        assert_eq!(unplug.when, When::Point { sweep: 2, point: 5 });
        assert_eq!(unplug.duration_s, 8.0);
        assert_eq!(read("silence@30s").when, When::Time(30.0));
        assert_eq!(read("silence@30s").duration_s, DEFAULT_DURATION_S);
        assert_eq!(
            (read("drop=1e-2").rate, read("drop=1e-2").when),
            (0.01, When::Always)
        );
        assert_eq!(read("drop=1e+0@1e+2s+3s").when, When::Time(100.0));
        assert_eq!(read("overload@3.1").rate, 1.0, "at its moment it happens");
        assert_eq!(read("baud=19200").rate, 19200.0);
    }

    #[test]
    fn what_is_no_fault_is_refused_with_what_would_be_one() {
        for (text, says) in [
            ("unplugg@1.1", "there are stray, drop"),
            ("unplug", "needs a moment: unplug@30s"),
            ("drop=2", "between 0 and 1"),
            ("drop=x", "is no number"),
            ("error@x", "@2.5 for point 5 of sweep 2"),
            ("error@0.1", "count from 1"),
            ("silence@3s+x", "no number of seconds"),
            ("silence@-3s", "between 0 and"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Fault>();
        }

        #[test]
        fn a_fault_reads_back_as_it_is_written(
            kind in 0..FaultKind::ALL.len(), sweep in 1_u32..99, point in 1_u32..99, rate in 0.0..1.0_f64,
            duration_s in 0.0..1e4_f64, at_s in proptest::option::of(0.0..1e6_f64),
        ) {
            let kind = FaultKind::ALL[kind];
            let when = at_s.map_or(When::Point { sweep, point }, When::Time);
            let rate = if kind == FaultKind::Baud { 9600.0 } else { rate };
            let fault = Fault { kind, when, rate, duration_s };
            prop_assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
    }
}
