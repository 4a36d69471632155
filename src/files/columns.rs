//! Which column of a table holds what.

use super::names::{self, Meaning, Quantity};

/// A column of numbers: its index, and what to multiply with to have the quantity in its unit and sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Column {
    /// Counted from 0.
    pub index: usize,
    /// Scale and sign.
    pub factor: f64,
}

/// The columns that hold Z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Impedance {
    /// Z' and Z''.
    Cartesian {
        /// Z' in ohm.
        real: Column,
        /// Z'' in ohm, true sign.
        imaginary: Column,
    },
    /// Modulus and phase.
    Polar {
        /// |Z| in ohm.
        modulus: Column,
        /// Phase in degrees, true sign.
        phase: Column,
    },
}

/// Where in a row everything stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    /// The names of all columns, for messages.
    pub names: Vec<String>,
    /// Frequency in Hz.
    pub frequency: Column,
    /// Z.
    pub impedance: Impedance,
    /// Time in s.
    pub time: Option<Column>,
    /// Mean potential in V.
    pub potential: Option<Column>,
    /// Mean current in A.
    pub current: Option<Column>,
    /// Excitation in V rms.
    pub amplitude_vrms: Option<Column>,
    /// Excitation in A rms.
    pub amplitude_arms: Option<Column>,
    /// Standard error of one component of Z in ohm.
    pub std_error: Option<Column>,
    /// Which spectrum a row belongs to.
    pub spectrum: Option<usize>,
    /// The status in words of ours.
    pub status: Option<usize>,
}

impl Columns {
    /// Frequency, Z' and Z'' (true sign) in the first three of `count` columns without names; they are called by
    /// their numbers, from 1.
    pub fn unnamed(count: usize) -> Self {
        let plain = |index| Column { index, factor: 1.0 };
        Self {
            names: (1..=count).map(|number| number.to_string()).collect(),
            frequency: plain(0),
            impedance: Impedance::Cartesian {
                real: plain(1),
                imaginary: plain(2),
            },
            time: None,
            potential: None,
            current: None,
            amplitude_vrms: None,
            amplitude_arms: None,
            std_error: None,
            spectrum: None,
            status: None,
        }
    }

    /// The columns of a header.
    ///
    /// # Errors
    /// With words, where frequency or impedance is missing or stands in a unit that cannot be taken.
    pub fn of_header<'n>(header: impl IntoIterator<Item = &'n str>) -> Result<Self, String> {
        let mut names: Vec<String> = header
            .into_iter()
            .map(|name| name.trim().trim_matches('"').trim().to_owned())
            .collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let found = Found {
            meanings: names.iter().map(|name| names::meaning(name)).collect(),
            names: &names,
        };
        let frequency = found.required(Quantity::Frequency, "the frequency")?;
        let impedance = found.impedance()?;
        let position = |quantity| found.first(quantity).map(|(index, _)| index);
        Ok(Self {
            frequency,
            impedance,
            time: found.time(),
            potential: found.optional(Quantity::Potential),
            current: found.optional(Quantity::Current),
            amplitude_vrms: found.optional(Quantity::AmplitudeVrms),
            amplitude_arms: found.optional(Quantity::AmplitudeArms),
            std_error: found.optional(Quantity::StdError),
            spectrum: position(Quantity::Spectrum),
            status: position(Quantity::Status),
            names,
        })
    }

    /// The columns of each spectrum, where the header names those of an impedance several times for spectra side by
    /// side (`f, Z', Z'', Z', Z''` or `f, Z', Z'', f, Z', Z''`). Only where the names are the same each time, as often
    /// for both components; otherwise it is one spectrum, and [`Columns::remarks`] tells what is left out.
    pub fn side_by_side(self) -> Vec<Self> {
        let first = self;
        let Some([firsts, seconds]) = first.repeated_components() else {
            return vec![first];
        };
        let count = firsts.len();
        // A column that stands there once belongs to all, and one for each spectrum to its own.
        let own = |column: Column, set: usize| {
            let same = first.columns_named_as(column);
            Column {
                index: if same.len() == count {
                    same[set]
                } else {
                    column.index
                },
                ..column
            }
        };
        let owned = |column: Option<Column>, set| column.map(|column| own(column, set));
        let beside = |column: Column, index| Column { index, ..column };
        let sets = firsts.iter().zip(&seconds).enumerate();
        sets.map(|(set, (&one, &other))| Self {
            frequency: own(first.frequency, set),
            impedance: match first.impedance {
                Impedance::Cartesian { real, imaginary } => Impedance::Cartesian {
                    real: beside(real, one),
                    imaginary: beside(imaginary, other),
                },
                Impedance::Polar { modulus, phase } => Impedance::Polar {
                    modulus: beside(modulus, one),
                    phase: beside(phase, other),
                },
            },
            time: owned(first.time, set),
            potential: owned(first.potential, set),
            current: owned(first.current, set),
            amplitude_vrms: owned(first.amplitude_vrms, set),
            amplitude_arms: owned(first.amplitude_arms, set),
            std_error: owned(first.std_error, set),
            ..first.clone()
        })
        .collect()
    }

    /// The indices of both components where both are named the same number of times.
    fn repeated_components(&self) -> Option<[Vec<usize>; 2]> {
        let (one, other) = self.components();
        let (firsts, seconds) = (self.columns_named_as(one), self.columns_named_as(other));
        let all_of = |column: Column| self.columns_meaning(column).len();
        let is_clear = firsts.len() > 1
            && firsts.len() == seconds.len()
            && all_of(one) == firsts.len()
            && all_of(other) == seconds.len();
        is_clear.then_some([firsts, seconds])
    }

    /// Z' and Z'', or modulus and phase.
    pub fn components(&self) -> (Column, Column) {
        match self.impedance {
            Impedance::Cartesian { real, imaginary } => (real, imaginary),
            Impedance::Polar { modulus, phase } => (modulus, phase),
        }
    }

    /// All columns of the same name as one of them.
    fn columns_named_as(&self, column: Column) -> Vec<usize> {
        let wanted = self.names[column.index].to_lowercase();
        let same = |index: &usize| self.names[*index].to_lowercase() == wanted;
        (0..self.names.len()).filter(same).collect()
    }

    /// All columns that could serve as well as one of them.
    fn columns_meaning(&self, column: Column) -> Vec<usize> {
        let usable =
            |index: usize| names::meaning(&self.names[index]).filter(|meaning| meaning.factor.is_ok());
        let Some(wanted) = usable(column.index) else {
            return Vec::new();
        };
        let same = |index: &usize| usable(*index).is_some_and(|meaning| meaning.quantity == wanted.quantity);
        (0..self.names.len()).filter(same).collect()
    }

    /// Takes the standard error of Z from the column of this name; of several spectra side by side each has its own
    /// where there is one for each.
    ///
    /// # Errors
    /// With the columns there are, where there is none of this name.
    pub fn take_std_error(&mut self, wanted: &str) -> Result<(), String> {
        let exact = self.names.iter().position(|name| name == wanted.trim());
        let index = exact
            .or_else(|| {
                let same = |name: &String| name.to_lowercase() == wanted.trim().to_lowercase();
                self.names.iter().position(same)
            })
            .ok_or_else(|| {
                format!(
                    "there is no column {wanted:?} for the standard error; the columns are {}",
                    listed(&self.names)
                )
            })?;
        let first = Column { index, factor: 1.0 };
        let index = match self.repeated_components() {
            Some([firsts, _]) => {
                let own = self.columns_named_as(first);
                let set = firsts.iter().position(|at| *at == self.components().0.index);
                match set {
                    Some(set) if own.len() == firsts.len() => own[set],
                    _ => index,
                }
            }
            None => index,
        };
        self.std_error = Some(Column {
            index,
            factor: names::resistance_factor(&self.names[index]),
        });
        Ok(())
    }

    /// Takes the standard error of Z from a column that is called as such are, where there is none yet; gives back its
    /// name.
    pub fn take_likely_std_error(&mut self) -> Option<String> {
        if self.std_error.is_some() {
            return None;
        }
        let name = self
            .names
            .iter()
            .find(|name| names::may_be_std_error(name))?
            .clone();
        self.take_std_error(&name).ok()?;
        Some(name)
    }

    /// The last column that every row must have.
    pub fn last_required(&self) -> usize {
        let (one, other) = self.components();
        self.frequency.index.max(one.index).max(other.index)
    }

    /// What was decided, in words: the sign of Z'', scales, an assumed unit of the phase.
    pub fn remarks(&self) -> Vec<String> {
        let name = |column: Column| format!("{:?}", self.names[column.index]);
        let mut remarks = Vec::new();
        let components = match self.impedance {
            Impedance::Cartesian { real, imaginary } => {
                // Of the name that this program itself writes there is nothing to decide.
                if imaginary.factor < 0.0 {
                    remarks.push(format!("Z'' is {} with its sign turned", name(imaginary)));
                } else if self.names[imaginary.index] != "z_imag_ohm" {
                    remarks.push(format!("Z'' is {} with the sign it has there", name(imaginary)));
                }
                [real, imaginary]
            }
            Impedance::Polar { modulus, phase } => {
                let said = names::meaning(&self.names[phase.index]).is_some_and(|meaning| meaning.unit_said);
                remarks.push(format!(
                    "Z is calculated from the modulus {} and the phase {}{}{}",
                    name(modulus),
                    name(phase),
                    if phase.factor < 0.0 {
                        " with its sign turned"
                    } else {
                        " with the sign it has there"
                    },
                    if said { "" } else { ", taken for degrees" },
                ));
                [modulus, modulus]
            }
        };
        let mut scaled = vec![(self.frequency, "Hz"), (components[0], "ohm")];
        if components[1] != components[0] {
            scaled.push((components[1], "ohm"));
        }
        let (one, other) = self.components();
        if self.repeated_components().is_none() {
            for column in [one, other] {
                let others = self.columns_meaning(column);
                if others.len() > 1 {
                    let left_out: Vec<String> = others
                        .iter()
                        .filter(|index| **index != column.index)
                        .map(|index| format!("{:?} (column {})", self.names[*index], index + 1))
                        .collect();
                    remarks.push(format!(
                        "{} could stand for the same as {} (column {}), which is taken; if they are spectra side by side, \
                         give them the same names",
                        left_out.join(", "),
                        name(column),
                        column.index + 1
                    ));
                }
            }
        }
        for (column, unit) in scaled {
            let scale = column.factor.abs();
            if (scale - 1.0).abs() > f64::EPSILON {
                remarks.push(format!("{} is multiplied by {scale:e} to {unit}", name(column)));
            }
        }
        remarks
    }
}

/// Names in quotes, for a message.
fn listed(names: &[String]) -> String {
    const MOST: usize = 40;
    let quoted: Vec<String> = names.iter().take(MOST).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > MOST { ", ..." } else { "" };
    format!("{}{more}", quoted.join(", "))
}

/// The names of a header with what they mean.
struct Found<'n> {
    names: &'n [String],
    meanings: Vec<Option<Meaning>>,
}

impl Found<'_> {
    fn first(&self, quantity: Quantity) -> Option<(usize, &Meaning)> {
        let of_quantity = || {
            self.meanings
                .iter()
                .enumerate()
                .filter_map(|(index, meaning)| Some((index, meaning.as_ref()?)))
                .filter(move |(_, meaning)| meaning.quantity == quantity)
        };
        of_quantity()
            .find(|(_, meaning)| meaning.factor.is_ok())
            .or_else(|| of_quantity().next())
    }

    fn optional(&self, quantity: Quantity) -> Option<Column> {
        let (index, meaning) = self.first(quantity)?;
        let factor = *meaning.factor.as_ref().ok()?;
        Some(Column {
            index,
            factor: if meaning.negated { -factor } else { factor },
        })
    }

    /// In a table of this program `t_s` is when a point was recorded, and `t_start_s` when it began.
    fn time(&self) -> Option<Column> {
        match self.names.iter().position(|name| name == "t_start_s") {
            Some(index) => Some(Column { index, factor: 1.0 }),
            None => self.optional(Quantity::Time),
        }
    }

    fn required(&self, quantity: Quantity, what: &str) -> Result<Column, String> {
        if let Some((index, meaning)) = self.first(quantity)
            && let Err(reason) = &meaning.factor
        {
            return Err(format!("column {:?}: {reason}", self.names[index]));
        }
        self.optional(quantity).ok_or_else(|| {
            format!(
                "the header has no column for {what}; the columns are {}",
                listed(self.names)
            )
        })
    }

    fn impedance(&self) -> Result<Impedance, String> {
        let has = |quantity| self.first(quantity).is_some();
        let cartesian = has(Quantity::Real) && has(Quantity::Imaginary);
        if !cartesian && has(Quantity::Modulus) && has(Quantity::Phase) {
            return Ok(Impedance::Polar {
                modulus: self.required(Quantity::Modulus, "|Z|")?,
                phase: self.required(Quantity::Phase, "the phase")?,
            });
        }
        Ok(Impedance::Cartesian {
            real: self.required(Quantity::Real, "Z'")?,
            imaginary: self.required(Quantity::Imaginary, "Z''")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modulus_and_phase_serve_where_the_components_are_missing() {
        let columns = Columns::of_header(["freq/Hz", "Re(Z)/Ohm", "|Z|/Ohm", "Phase(Z)/deg"]).unwrap();
        assert!(matches!(columns.impedance, Impedance::Polar { modulus, .. } if modulus.index == 2));
        let columns = Columns::of_header(["|Z|", "Phase", "-Z''", "Z'", "f"]).unwrap();
        let Impedance::Cartesian { real, imaginary } = columns.impedance else {
            panic!("components are there");
        };
        assert_eq!((real.index, imaginary.index, imaginary.factor), (3, 2, -1.0));
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let message = Columns::of_header(["f", "Z'", "foo"]).unwrap_err();
        assert_eq!(
            message,
            "the header has no column for Z''; the columns are \"f\", \"Z'\", \"foo\""
        );
        let message = Columns::of_header(["f_mhz", "Z'", "Z''"]).unwrap_err();
        assert!(message.contains("mHz or MHz"), "{message}");
    }

    #[test]
    fn a_usable_column_is_preferred_to_a_refused_one() {
        let columns = Columns::of_header(["f", "Z'/Ohm cm2", "Z''/Ohm cm2", "Z'/Ohm", "Z''/Ohm"]).unwrap();
        assert_eq!(columns.last_required(), 4);
    }

    #[test]
    fn the_column_of_the_standard_error_is_found_by_name_and_in_its_unit() {
        let mut columns = Columns::of_header(["f", "Z'", "Z''", "Noise [mOhm]"]).unwrap();
        columns.take_std_error("noise [mohm]").unwrap();
        assert_eq!(
            columns.std_error,
            Some(Column {
                index: 3,
                factor: 1e-3
            })
        );
        let message = columns.take_std_error("sigma").unwrap_err();
        assert!(message.contains("\"Noise [mOhm]\""), "{message}");
    }

    #[test]
    fn names_that_come_again_are_spectra_side_by_side() {
        let places = |header: &[&str]| -> Vec<(usize, usize, usize)> {
            let all = Columns::of_header(header.iter().copied()).unwrap().side_by_side();
            all.iter()
                .map(|columns| {
                    let (one, other) = columns.components();
                    (columns.frequency.index, one.index, other.index)
                })
                .collect()
        };
        assert_eq!(places(&["f", "Zre", "Zim", "Zre", "Zim"]), [(0, 1, 2), (0, 3, 4)]);
        assert_eq!(
            places(&["f", "Z'", "-Z''", "", "F", "Z'", "-Z''"]),
            [(0, 1, 2), (4, 5, 6)]
        );
        assert_eq!(
            places(&["f", "|Z|", "|Z|", "phase", "phase"]),
            [(0, 1, 3), (0, 2, 4)]
        );
        assert_eq!(
            places(&["f", "Zre", "Zim", "Re(Z)", "Im(Z)"]),
            [(0, 1, 2)],
            "other names"
        );
        assert_eq!(places(&["f", "Zre", "Zim", "Zim"]), [(0, 1, 2)], "one Z' only");
        assert_eq!(places(&["f", "Zre", "Zim", "-Zim"]), [(0, 1, 2)], "both signs");
    }

    #[test]
    fn what_is_left_out_for_its_name_is_told() {
        let columns = Columns::of_header(["f", "Zre", "Zim", "Re(Z)", "Im(Z)"]).unwrap();
        let remarks = columns.remarks().join("; ");
        assert!(
            remarks.contains("\"Re(Z)\" (column 4)")
                && remarks.contains("\"Zim\" (column 3), which is taken"),
            "{remarks}"
        );
    }

    #[test]
    fn each_of_several_spectra_has_its_own_standard_error_where_there_is_one() {
        let header = ["f", "Zre", "Zim", "s", "Zre", "Zim", "s", "noise"];
        let mut all = Columns::of_header(header).unwrap().side_by_side();
        let mut taken = |wanted: &str| -> Vec<usize> {
            all.iter_mut()
                .map(|columns| {
                    columns.take_std_error(wanted).unwrap();
                    columns.std_error.unwrap().index
                })
                .collect()
        };
        assert_eq!(taken("S"), [3, 6]);
        assert_eq!(taken("noise"), [7, 7]);
    }

    #[test]
    fn decisions_are_told() {
        let remarks = Columns::of_header(["f/kHz", "Z'/Ohm", "-Z''/Ohm"])
            .unwrap()
            .remarks();
        assert_eq!(
            remarks,
            [
                "Z'' is \"-Z''/Ohm\" with its sign turned",
                "\"f/kHz\" is multiplied by 1e3 to Hz"
            ]
        );
        let remarks = Columns::of_header(["f", "|Z|", "phase"]).unwrap().remarks();
        assert!(remarks[0].ends_with("taken for degrees"), "{remarks:?}");
    }
}
