//! What the name of a column means: quantity, sign and unit.

use super::unit::{self, Kind, Unit};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// Frequency in Hz.
    Frequency,
    /// Z' in ohm.
    Real,
    /// Z'' in ohm.
    Imaginary,
    /// |Z| in ohm.
    Modulus,
    /// Phase of Z in degrees.
    Phase,
    /// Time in s.
    Time,
    /// Mean potential in V.
    Potential,
    /// Mean current in A.
    Current,
    /// Which spectrum a row belongs to.
    Spectrum,
    /// Standard error of one component of Z in ohm.
    StdError,
    /// What the instrument says about the point, in words of ours.
    Status,
    /// Excitation in V rms.
    AmplitudeVrms,
    /// Excitation in A rms.
    AmplitudeArms,
}

impl Quantity {
    fn kind(self) -> Kind {
        match self {
            Self::Frequency => Kind::Frequency,
            Self::Real | Self::Imaginary | Self::Modulus | Self::StdError => Kind::Resistance,
            Self::Phase => Kind::Angle,
            Self::Time => Kind::Time,
            Self::Potential | Self::AmplitudeVrms => Kind::Potential,
            Self::Current | Self::AmplitudeArms => Kind::Current,
            Self::Spectrum | Self::Status => Kind::One,
        }
    }
}

/// What a name says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meaning {
    /// The quantity.
    pub quantity: Quantity,
    /// Whether the column holds its negative.
    pub negated: bool,
    /// The column times this is in the unit of the quantity; or why its unit cannot be taken.
    pub factor: Result<f64, String>,
    /// Whether the name says the unit.
    pub unit_said: bool,
}

/// What a column of this name holds; `None` where nobody could know.
pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let name = plain(name);
    let (core, unit) = split_unit(&name);
    let (core, negated) = split_sign(core);
    let quantity = quantity(&simple(core))?;
    let factor = match &unit {
        None => Ok(1.0),
        Some(Unit::Known(kind, factor)) if *kind == quantity.kind() => Ok(*factor),
        Some(Unit::Refused(kind, reason)) if *kind == quantity.kind() => Err(reason.clone()),
        Some(_) => return None,
    };
    Some(Meaning {
        quantity,
        negated,
        factor,
        unit_said: unit.is_some(),
    })
}

/// How many ohm the unit in the name of a column stands for; 1 where it says none.
pub(super) fn resistance_factor(name: &str) -> f64 {
    match split_unit(&plain(name)).1 {
        Some(Unit::Known(Kind::Resistance, factor)) => factor,
        _ => 1.0,
    }
}

/// Whether a column of this name may hold standard errors of Z: called as such are, with the unit of a resistance or
/// none.
pub(super) fn may_be_std_error(name: &str) -> bool {
    let name = plain(name);
    let (core, unit) = split_unit(&name);
    let is_resistance = matches!(unit, None | Some(Unit::Known(Kind::Resistance, _)));
    let words = [
        "sigma",
        "sd",
        "std",
        "stddev",
        "stderr",
        "se",
        "standarderror",
        "standarddeviation",
        "uncertainty",
    ];
    is_resistance && words.contains(&simple(core).as_str())
}

/// Whether a text is nothing but a unit, as in the second line of some headers; empty fields and `#` count.
pub(super) fn is_unit(text: &str) -> bool {
    let text = plain(text);
    let inner = text.trim_matches(|c: char| matches!(c, '(' | ')' | '[' | ']'));
    inner.is_empty() || inner.bytes().all(|byte| byte == b'#') || unit::parse(inner).is_some()
}

/// One way of writing each sign.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for character in name.trim().trim_matches('"').trim().chars() {
        match character {
            '′' | '’' | '´' | '`' => plain.push('\''),
            '″' | '”' | '"' => plain.push_str("''"),
            '−' | '–' => plain.push('-'),
            'Ω' | '\u{2126}' | 'ω' => plain.push_str("Ohm"),
            'µ' | 'μ' => plain.push('u'),
            '²' => plain.push('2'),
            '°' => plain.push_str("deg"),
            other => plain.push(other),
        }
    }
    plain
}

/// Takes the unit from the end of a name: `(unit)`, `[unit]`, `/unit`, `_unit` or ` unit`.
fn split_unit(name: &str) -> (&str, Option<Unit>) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        if let Some((core, inside)) = name.strip_suffix(close).and_then(|rest| rest.rsplit_once(open)) {
            // Z'(a) and Z''(b) of ZPlot: the two components of Z = a + jb.
            if matches!(inside, "a" | "b") && core.contains('\'') {
                return (core.trim_end(), None);
            }
            if let Some(unit) = unit::parse(inside) {
                return (core.trim_end_matches([' ', '_', '/']), Some(unit));
            }
        }
    }
    for separators in [&['/'][..], &['_', ' ']] {
        if let Some((core, last)) = name.rsplit_once(separators)
            && let Some(unit) = unit::parse(last)
        {
            return (core.trim_end(), Some(unit));
        }
    }
    // ohm cm² in any spelling: the unit itself has blanks, strokes or stars in it.
    let lower = name.to_ascii_lowercase();
    if let Some(at) = lower.find("ohm").filter(|at| lower[*at..].contains("cm"))
        && let Some(unit) = unit::parse(&name[at..])
    {
        return (name[..at].trim_end_matches([' ', '_', '/', '(', '[']), Some(unit));
    }
    (name, None)
}

/// Takes the minus from the beginning of a name.
fn split_sign(core: &str) -> (&str, bool) {
    let core = core.trim();
    if let Some(rest) = core.strip_prefix('-') {
        return (rest, true);
    }
    let lower = core.to_ascii_lowercase();
    for word in ["minus", "negative", "neg"] {
        if let Some(rest) = lower.strip_prefix(word)
            && rest.starts_with([' ', '_', '.', '(', '-'])
        {
            return (&core[word.len()..], true);
        }
    }
    (core, false)
}

/// A name without case, blanks, strokes and words that say nothing.
fn simple(core: &str) -> String {
    let mut simple = core.to_ascii_lowercase();
    simple.retain(|character| !matches!(character, ' ' | '_' | '.' | ':' | '-' | '\t'));
    if simple == "impedance" {
        return "z".to_owned();
    }
    for word in ["impedance", "component", "part", "measured", "of"] {
        simple = simple.replace(word, "");
    }
    simple
}

fn quantity(simple: &str) -> Option<Quantity> {
    Some(match simple {
        "f" | "freq" | "freqs" | "frequency" | "frequencies" => Quantity::Frequency,
        "z'" | "zreal" | "zre" | "realz" | "rez" | "re(z)" | "real(z)" | "real" | "re" | "zreexp"
        | "zprime" => Quantity::Real,
        "z''" | "zimag" | "zim" | "zimg" | "imagz" | "imz" | "im(z)" | "imag(z)" | "imag" | "im"
        | "zimexp" | "imaginary" | "zimaginary" | "imaginaryz" | "zdoubleprime" => Quantity::Imaginary,
        "|z|" | "zmod" | "modz" | "mod(z)" | "mod" | "zmodulus" | "modulus" | "z" | "magnitude" | "mag"
        | "zmag" | "magz" | "zmagnitude" | "abs(z)" | "absz" | "zabs" => Quantity::Modulus,
        "phase" | "phase(z)" | "phasez" | "zphase" | "zphz" | "phz" | "phi" | "theta" | "arg(z)" | "argz"
        | "zphi" | "ztheta" | "phaseangle" | "phaseshift" => Quantity::Phase,
        "t" | "time" | "elapsedtime" | "testtime" | "tstart" => Quantity::Time,
        "<ewe>" | "ewe" | "<ecell>" | "ecell" | "vdc" | "edc" | "e" | "potential" | "voltage"
        | "dcpotential" => Quantity::Potential,
        "<i>" | "i" | "idc" | "current" | "dccurrent" => Quantity::Current,
        "spectrum" | "sweep" | "cycle" | "cyclenumber" | "cycleindex" | "sweepnumber" | "sweepindex"
        | "spectrumnumber" | "spectrumindex" => Quantity::Spectrum,
        "stderror" | "sigmaz" => Quantity::StdError,
        "status" => Quantity::Status,
        "amplitudevrms" => Quantity::AmplitudeVrms,
        "amplitudearms" => Quantity::AmplitudeArms,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_many_programs_are_understood() {
        use Quantity::{Current, Frequency, Imaginary, Modulus, Phase, Potential, Real, Spectrum, Time};
        for (name, quantity, negated, factor) in [
            ("freq/Hz", Frequency, false, 1.0),
            ("  Freq(Hz)", Frequency, false, 1.0),
            ("\"Frequency (Hz)\"", Frequency, false, 1.0),
            ("f_hz", Frequency, false, 1.0),
            ("FREQUENCY / kHz", Frequency, false, 1e3),
            ("Freq. [MHz]", Frequency, false, 1e6),
            ("Re(Z)/Ohm", Real, false, 1.0),
            ("Z' (Ω)", Real, false, 1.0),
            ("Z'(a)", Real, false, 1.0),
            ("Zre (ohms)", Real, false, 1.0),
            ("z_re_ohm", Real, false, 1.0),
            ("Z Real", Real, false, 1.0),
            ("Real part of impedance [mOhm]", Real, false, 1e-3),
            ("Zre_exp_Ohm", Real, false, 1.0),
            ("Z″/Ω", Imaginary, false, 1.0),
            ("Z\"/ohm", Imaginary, false, 1.0),
            ("-Im(Z)/Ohm", Imaginary, true, 1.0),
            ("−Z'' (kΩ)", Imaginary, true, 1e3),
            ("-Zim", Imaginary, true, 1.0),
            ("minus_z_imag_ohm", Imaginary, true, 1.0),
            ("Zimg", Imaginary, false, 1.0),
            ("|Z|/Ohm", Modulus, false, 1.0),
            ("Impedance (ohm)", Modulus, false, 1.0),
            ("Phase(Z)/deg", Phase, false, 1.0),
            ("-Phase (°)", Phase, true, 1.0),
            ("Phase (degrees)", Phase, false, 1.0),
            ("Elapsed Time(s)", Time, false, 1.0),
            ("t_s", Time, false, 1.0),
            ("<Ewe>/V", Potential, false, 1.0),
            ("<I>/mA", Current, false, 1e-3),
            ("cycle number", Spectrum, false, 1.0),
        ] {
            let found = meaning(name).unwrap_or_else(|| panic!("{name} is not understood"));
            assert_eq!((found.quantity, found.negated), (quantity, negated), "{name}");
            assert_eq!(found.factor, Ok(factor), "{name}");
        }
    }

    #[test]
    fn neighbours_of_the_impedance_are_not_taken_for_it() {
        for name in [
            "Re(Y)/Ohm-1",
            "Im(Y)/Ohm-1",
            "|Y|/Ohm-1",
            "Phase(Y)/deg",
            "E Real",
            "I Imag",
            "Z2 Real",
            "ZrealDrCor",
            "-Im(Zce)/Ohm",
            "Re(Zwe-ce)/Ohm",
            "|Ewe|/V",
            "|I|/A",
            "Z' (V)",
            "f (ohm)",
            "Cs/µF",
            "I Range",
            "",
            "part",
        ] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }

    #[test]
    fn a_unit_that_cannot_be_taken_is_refused_with_words() {
        for (name, word) in [
            ("f_mhz", "MHz"),
            ("Z' (Ohm cm²)", "area"),
            ("-Z'' / Ω·cm²", "area"),
        ] {
            let refusal = meaning(name).unwrap().factor.unwrap_err();
            assert!(refusal.contains(word), "{name}: {refusal}");
        }
    }
}
