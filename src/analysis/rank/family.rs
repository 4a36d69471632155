//! The circuits that are compared where the user names none: what solid-state and lithium-ion cells are commonly
//! fitted with (S. D. Vadhva et al. (2021), doi:10.1002/celc.202100108).

use super::Candidate;
use crate::circuit::Circuit;
use crate::spectrum::Spectrum;

/// From a blocking contact to three arcs, with the ends that cells have: none, diffusion, a blocking electrode.
const CIRCUITS: [&str; 14] = [
    "R0-CPE1",
    "R0-p(R1,C1)",
    "R0-p(R1,CPE1)",
    "R0-p(R1,CPE1)-CPE2",
    "R0-p(R1,CPE1)-W1",
    "R0-p(R1-W1,CPE1)",
    "R0-p(R1,CPE1)-Wo1",
    "R0-p(R1,C1)-p(R2,C2)",
    "R0-p(R1,CPE1)-p(R2,CPE2)",
    "R0-p(R1,CPE1)-p(R2,CPE2)-W1",
    "R0-p(R1,CPE1)-p(R2,CPE2)-CPE3",
    "R0-p(R1,CPE1)-p(R2,CPE2)-Wo1",
    "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)",
    "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)-W1",
];
/// So many of the fastest points must be inductive before an inductance is taken into account.
const INDUCTIVE_POINTS: usize = 3;
/// Z'' over |Z| that one of them must reach.
const INDUCTIVE_SHARE: f64 = 0.01;

/// The family for a spectrum: with an inductance in series where the data are inductive.
#[must_use]
pub fn for_spectrum(spectrum: &Spectrum) -> Vec<Candidate> {
    let inductance = if is_inductive(spectrum) { "L0-" } else { "" };
    CIRCUITS
        .iter()
        .filter_map(|text| Circuit::parse(&format!("{inductance}{text}")).ok())
        .map(Candidate::new)
        .collect()
}

fn is_inductive(spectrum: &Spectrum) -> bool {
    let mut points: Vec<_> = spectrum.points.iter().filter(|point| point.is_usable()).collect();
    points.sort_by(|a, b| b.frequency_hz.total_cmp(&a.frequency_hz));
    let fastest = points.get(..INDUCTIVE_POINTS).unwrap_or_default();
    fastest.iter().all(|point| point.z_imag_ohm > 0.0)
        && fastest
            .iter()
            .any(|point| point.z_imag_ohm > INDUCTIVE_SHARE * point.impedance().norm())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spectrum(text: &str, values: &[f64]) -> Spectrum {
        let circuit = Circuit::parse(text).unwrap();
        let frequencies: Vec<f64> = (0..40).map(|i| 10f64.powf(6.0 - 0.15 * f64::from(i))).collect();
        let impedance: Vec<_> = frequencies
            .iter()
            .map(|&f| circuit.impedance(values, f))
            .collect();
        Spectrum::from_impedance(&frequencies, &impedance)
    }

    #[test]
    fn every_circuit_of_the_family_is_one() {
        let family = for_spectrum(&spectrum("R0-p(R1,C1)", &[10.0, 50.0, 1e-6]));
        assert_eq!(family.len(), CIRCUITS.len());
        assert!(
            family
                .iter()
                .zip(CIRCUITS)
                .all(|(candidate, text)| candidate.to_string() == text)
        );
    }

    #[test]
    fn an_inductance_belongs_to_it_where_the_data_are_inductive() {
        let family = for_spectrum(&spectrum("L0-R0-p(R1,C1)", &[1e-6, 10.0, 50.0, 1e-6]));
        assert!(
            family
                .iter()
                .all(|candidate| candidate.to_string().starts_with("L0-"))
        );
        assert_eq!(family.len(), CIRCUITS.len());
    }
}
