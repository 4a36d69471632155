//! Ranges and their ticks: steps of 1, 2 and 5, decades, units of time.

use crate::units::{Script, group_of, unit_text};

/// An interval of finite numbers, the low end first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The low end.
    pub low: f64,
    /// The high end.
    pub high: f64,
}

impl Range {
    /// The range between two numbers in either order.
    #[must_use]
    pub fn new(one: f64, other: f64) -> Self {
        Self {
            low: one.min(other),
            high: one.max(other),
        }
    }

    /// The range of all finite values; none where there is none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values
            .into_iter()
            .filter(|value| value.is_finite())
            .fold(None, |range: Option<Self>, value| {
                Some(range.map_or(Self::new(value, value), |range| range.with(value)))
            })
    }

    /// The range widened to hold a value.
    #[must_use]
    pub fn with(self, value: f64) -> Self {
        Self {
            low: self.low.min(value),
            high: self.high.max(value),
        }
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        self.with(other.low).with(other.high)
    }

    /// Whether the other range lies within this one.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Its length.
    #[must_use]
    pub fn span(self) -> f64 {
        self.high - self.low
    }
}

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm.
    Log,
}

impl Scale {
    /// Where a value stands before it is scaled to the axis; not finite where it has no place.
    #[must_use]
    pub fn forward(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log if value > 0.0 => value.log10(),
            Self::Log => f64::NAN,
        }
    }
}

/// What is drawn along one direction, and from where to where.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The quantity (`Z'`).
    pub title: String,
    /// Its unit in plain ASCII (`ohm`), `s` for times, `1` for numbers.
    pub unit: &'static str,
    /// From where to where.
    pub range: Range,
    /// How values are spread.
    pub scale: Scale,
    /// Whether only whole numbers mean anything.
    pub whole: bool,
}

/// One tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its place.
    pub value: f64,
    /// Its label.
    pub label: String,
}

/// The unit in which the labels of an axis count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickUnit {
    /// The axis' unit with the prefix for this power of 1000.
    Group(i32),
    /// A unit of time.
    Time(&'static str),
}

/// The ticks of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticks {
    /// The ticks from low to high.
    pub ticks: Vec<Tick>,
    /// The unit in which their labels count.
    pub unit: TickUnit,
}

impl Axis {
    /// A linear axis.
    #[must_use]
    pub fn linear(title: &str, unit: &'static str, range: Range) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            range,
            scale: Scale::Linear,
            whole: false,
        }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(title: &str, unit: &'static str, range: Range) -> Self {
        Self {
            scale: Scale::Log,
            ..Self::linear(title, unit, range)
        }
    }

    /// At most `most` ticks with their labels, within `range` (which may be wider than the axis' own).
    #[must_use]
    pub fn ticks(&self, range: Range, most: usize) -> Ticks {
        let most = most.max(1);
        match self.scale {
            Scale::Log => log_ticks(range, most),
            Scale::Linear if self.unit == "s" => {
                let (divisor, word) = time_unit(range.span());
                let scaled = Range::new(range.low / divisor, range.high / divisor);
                let mut ticks = linear_ticks(scaled, most, false, 0);
                for tick in &mut ticks {
                    tick.value *= divisor;
                }
                Ticks {
                    ticks,
                    unit: TickUnit::Time(word),
                }
            }
            Scale::Linear => {
                let group = group_of(range.low.abs().max(range.high.abs()), self.unit);
                Ticks {
                    ticks: linear_ticks(range, most, self.whole, group),
                    unit: TickUnit::Group(group),
                }
            }
        }
    }

    /// Title and unit as they stand at the axis (`Z' kΩ`).
    #[must_use]
    pub fn caption(&self, unit: TickUnit, script: Script) -> String {
        let unit = match unit {
            TickUnit::Group(group) => unit_text(self.unit, group, script),
            TickUnit::Time(word) => word.to_owned(),
        };
        format!("{} {unit}", self.title).trim().to_owned()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `wanted`.
#[must_use]
pub fn step_at_least(wanted: f64) -> f64 {
    if !(wanted.is_finite() && wanted > 0.0) {
        return 1.0;
    }
    let decade = wanted.log10().floor() as i32;
    [(1.0, 0), (2.0, 0), (5.0, 0), (1.0, 1), (2.0, 1)]
        .into_iter()
        .map(|(digit, more)| times_power_of_ten(digit, decade + more))
        .find(|step| *step >= wanted * (1.0 - 1e-9))
        .unwrap_or(wanted)
}

/// The largest of 1, 2, 5 times a power of ten that is not above `wanted`.
#[must_use]
pub fn step_at_most(wanted: f64) -> f64 {
    if !(wanted.is_finite() && wanted > 0.0) {
        return 1.0;
    }
    let decade = wanted.log10().floor() as i32;
    [(1.0, 1), (5.0, 0), (2.0, 0), (1.0, 0), (5.0, -1)]
        .into_iter()
        .map(|(digit, more)| times_power_of_ten(digit, decade + more))
        .find(|step| *step <= wanted * (1.0 + 1e-9))
        .unwrap_or(wanted)
}

fn times_power_of_ten(digit: f64, exponent: i32) -> f64 {
    if exponent >= 0 {
        digit * 10f64.powi(exponent)
    } else {
        digit / 10f64.powi(-exponent)
    }
}

fn linear_ticks(range: Range, most: usize, whole: bool, group: i32) -> Vec<Tick> {
    let span = range.span();
    if !(span.is_finite() && span > 0.0) {
        return Vec::new();
    }
    // One more interval than ticks would be too many, but both ends may carry one.
    let mut step = step_at_least(span / most as f64);
    if whole {
        step = step.max(1.0);
    }
    let unit = 1000f64.powi(group);
    let decimals = (-(step / unit * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 12.0) as usize;
    let first = (range.low / step - 1e-9).ceil();
    let last = (range.high / step + 1e-9).floor();
    let mut ticks = Vec::new();
    let mut count = first;
    while count <= last && ticks.len() <= most {
        let value = count * step;
        let label = format!("{:.decimals$}", value / unit + 0.0);
        ticks.push(Tick { value, label });
        count += 1.0;
    }
    ticks
}

/// Decades, or 1-2-5 where the axis is shorter than two of them; labels carry their own prefix.
fn log_ticks(range: Range, most: usize) -> Ticks {
    let mut ticks = Vec::new();
    if range.low > 0.0 && range.high.is_finite() && range.high > range.low {
        let (first, last) = (range.low.log10().floor() as i32, range.high.log10().ceil() as i32);
        let decades = range.high.log10() - range.low.log10();
        let digits: &[f64] = if decades * 3.0 <= most as f64 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let every = ((last - first) as usize).div_ceil(most).max(1) as i32;
        for exponent in first..=last {
            for &digit in digits {
                let value = times_power_of_ten(digit, exponent);
                let within = value >= range.low * (1.0 - 1e-9) && value <= range.high * (1.0 + 1e-9);
                if within && exponent.rem_euclid(every) == 0 {
                    ticks.push(Tick {
                        value,
                        label: power_label(digit, exponent),
                    });
                }
            }
        }
    }
    Ticks {
        ticks,
        unit: TickUnit::Group(0),
    }
}

/// `100m`, `1`, `20`, `1k`: three places at most and a prefix.
fn power_label(digit: f64, exponent: i32) -> String {
    let group = exponent.div_euclid(3).clamp(-5, 4);
    let number = times_power_of_ten(digit, exponent - 3 * group);
    // The micro sign is one character in every script that can show it; `u` serves all.
    format!("{number}{}", unit_text("1", group, Script::Ascii))
}

fn time_unit(span_s: f64) -> (f64, &'static str) {
    match span_s {
        span if span >= 3.0 * 86_400.0 => (86_400.0, "d"),
        span if span >= 2.0 * 3600.0 => (3600.0, "h"),
        span if span >= 180.0 => (60.0, "min"),
        _ => (1.0, "s"),
    }
}
