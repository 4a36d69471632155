//! What an arc may come from, by its capacitance and the geometry of the cell: candidates, never a name.
//!
//! The ranges are those of J. T. S. Irvine, D. C. Sinclair and A. R. West 1990, doi:10.1002/adma.19900020304, table 1,
//! which hold for a cell of L/A = 1/cm and a permittivity near 10. What fills the cell from electrode to electrode
//! (bulk, second phases, grain boundaries) scales with A/L, so C L/A is compared; what lies at the surface
//! scales with A alone, so C/A is. The ranges overlap, and more so here: the table gives orders of magnitude, so a range
//! is widened by half a decade at both ends, and where it gives a single power of ten this stands for the decade
//! around it first. The same frequency may be another process in another cell, so nothing here looks at it.

/// Permittivity of the vacuum in F/cm.
const VACUUM_F_PER_CM: f64 = 8.854_187_8e-14;
/// Decades by which each range is widened at both ends.
const WIDENED: f64 = 0.5;
/// So many candidates there are at least.
const LEAST_CANDIDATES: usize = 2;
/// Decades that a single power of ten stands for, to either side.
const POWER_OF_TEN: f64 = 0.5;

/// Area and thickness of the electrolyte, as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Geometry {
    /// Electrode area in cm².
    pub area_cm2: Option<f64>,
    /// Distance of the electrodes in µm.
    pub thickness_um: Option<f64>,
}

/// Where an arc may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The grains.
    Bulk,
    /// A minor or second phase.
    SecondPhase,
    /// Grain boundaries.
    GrainBoundary,
    /// The bulk of a ferroelectric near its transition.
    FerroelectricBulk,
    /// A layer on a surface, such as an interphase.
    SurfaceLayer,
    /// The contact of sample and electrode: a double layer.
    Interface,
    /// An electrochemical reaction.
    Reaction,
}

/// What of the capacitance is compared with a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// C L/A in F/cm.
    PerGeometry,
    /// C/A in F/cm².
    PerArea,
    /// C in F, for want of a geometry.
    Plain,
}

impl Origin {
    /// The phrase for people and for JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::SecondPhase => "second phase",
            Self::GrainBoundary => "grain boundary",
            Self::FerroelectricBulk => "ferroelectric bulk",
            Self::SurfaceLayer => "surface layer",
            Self::Interface => "sample-electrode interface",
            Self::Reaction => "electrochemical reaction",
        }
    }
}

/// A row of the table: origin, range in powers of ten, and whether it fills the cell.
const TABLE: [(Origin, [f64; 2], bool); 7] = [
    (Origin::Bulk, [-12.0, -12.0], true),
    (Origin::SecondPhase, [-11.0, -11.0], true),
    (Origin::GrainBoundary, [-11.0, -8.0], true),
    (Origin::FerroelectricBulk, [-10.0, -9.0], true),
    (Origin::SurfaceLayer, [-9.0, -7.0], false),
    (Origin::Interface, [-7.0, -5.0], false),
    (Origin::Reaction, [-4.0, -4.0], false),
];

/// One possible origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Where the arc may come from.
    pub origin: Origin,
    /// What was compared.
    pub compared: Compared,
    /// The published range, in the unit of what was compared.
    pub range: [f64; 2],
    /// Decades between the value and the published range; zero within it.
    pub decades_off: f64,
}

impl Candidate {
    /// Whether the value lies within the published range itself.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.decades_off == 0.0
    }

    /// Whether it is there only because no other but one, or none, has such a capacitance.
    #[must_use]
    pub fn is_far(&self) -> bool {
        self.decades_off > WIDENED + 1e-9
    }
}

/// All that an arc may come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    /// Capacitance of the arc in F.
    pub capacitance_f: f64,
    /// C L/A in F/cm; None without area and thickness.
    pub per_geometry_f_per_cm: Option<f64>,
    /// C/A in F/cm²; None without area.
    pub per_area_f_per_cm2: Option<f64>,
    /// The relative permittivity that the grains would need if this arc were theirs.
    pub permittivity_if_bulk: Option<f64>,
    /// The possible origins in the order of the table: never fewer than two, because a range is no proof. Those that
    /// are there for that alone are far.
    pub candidates: Vec<Candidate>,
    /// What limits the comparison, in words; empty where nothing does.
    pub remark: String,
}

impl Candidates {
    /// The candidates on one line: `bulk or second phase or grain boundary: candidates by capacitance`. What
    /// limits the comparison is not in it.
    #[must_use]
    pub fn line(&self) -> String {
        let (far, near): (Vec<&Candidate>, Vec<&Candidate>) =
            self.candidates.iter().partition(|one| one.is_far());
        let words: Vec<&str> = near.iter().map(|one| one.origin.word()).collect();
        let distances: Vec<String> = far
            .iter()
            .map(|one| format!("{} ({:.1} decades off)", one.origin.word(), one.decades_off))
            .collect();
        match words.as_slice() {
            [] => format!(
                "none of the tabulated origins has such a capacitance; nearest candidates: {}",
                distances.join(", ")
            ),
            [only] => format!("{only}, or {}: candidates by capacitance", distances.join(", ")),
            several => format!("{}: candidates by capacitance", several.join(" or ")),
        }
    }
}

/// What an arc of a capacitance in F may come from. None where the capacitance is no positive number.
#[must_use]
pub fn candidates(capacitance_f: f64, geometry: Geometry) -> Option<Candidates> {
    let is_positive = |value: &f64| value.is_finite() && *value > 0.0;
    if !is_positive(&capacitance_f) {
        return None;
    }
    let area = geometry.area_cm2.filter(is_positive);
    let thickness_cm = geometry.thickness_um.filter(is_positive).map(|um| um * 1e-4);
    let per_area = area.map(|area| capacitance_f / area);
    let per_geometry = per_area
        .zip(thickness_cm)
        .map(|(per_area, length)| per_area * length);
    let mut rows: Vec<Candidate> = TABLE
        .iter()
        .map(|(origin, powers, fills_the_cell)| {
            let scaled = if *fills_the_cell {
                per_geometry.map(|value| (value, Compared::PerGeometry))
            } else {
                per_area.map(|value| (value, Compared::PerArea))
            };
            let (value, compared) = scaled.unwrap_or((capacitance_f, Compared::Plain));
            let around = if powers[0] == powers[1] { POWER_OF_TEN } else { 0.0 };
            let beyond = (powers[0] - around - value.log10()).max(value.log10() - powers[1] - around);
            Candidate {
                origin: *origin,
                compared,
                range: powers.map(|power| 10f64.powf(power)),
                // A hair's breadth, so that a value at the end of a range is within.
                decades_off: if beyond <= 1e-9 { 0.0 } else { beyond },
            }
        })
        .collect();
    let mut distances: Vec<f64> = rows.iter().map(|row| row.decades_off).collect();
    distances.sort_by(f64::total_cmp);
    let reach = distances[LEAST_CANDIDATES - 1].max(WIDENED + 1e-9);
    rows.retain(|row| row.decades_off <= reach);
    let remark = match (area, thickness_cm) {
        (Some(_), Some(_)) => "",
        (Some(_), None) => {
            "the thickness is not known: bulk and grain boundary are compared as if L/A were 1/cm"
        }
        _ => "the geometry is not known: plain farads are compared, as if A were 1 cm² and L 1 cm",
    };
    Some(Candidates {
        capacitance_f,
        per_geometry_f_per_cm: per_geometry,
        per_area_f_per_cm2: per_area,
        permittivity_if_bulk: per_geometry.map(|value| value / VACUUM_F_PER_CM),
        candidates: rows,
        remark: remark.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::Origin::*;
    use super::*;

    fn geometry(area_cm2: f64, thickness_um: f64) -> Geometry {
        Geometry {
            area_cm2: Some(area_cm2),
            thickness_um: Some(thickness_um),
        }
    }

    fn origins(capacitance_f: f64, geometry: Geometry) -> Vec<Origin> {
        let found = candidates(capacitance_f, geometry).unwrap();
        found
            .candidates
            .iter()
            .map(|candidate| candidate.origin)
            .collect()
    }

    /// Capacitance of R beside a CPE (the ZARC's time constant over R).
    fn arc(resistance: f64, q: f64, exponent: f64) -> f64 {
        (resistance * q).powf(1.0 / exponent) / resistance
    }

    #[test]
    fn the_published_arcs_of_a_calcium_aluminate_are_read_as_published() {
        // Ca12Al14O33 at 312 °C: 0.45 Mohm beside 1 pF, 1.15 Mohm beside 4 nF; L/A near 1/cm.
        let cell = geometry(1.0, 1e4);
        assert_eq!(origins(1e-12, cell), [Bulk, SecondPhase]);
        let boundary = origins(4e-9, cell);
        assert!(
            boundary.contains(&GrainBoundary) && !boundary.contains(&Bulk),
            "{boundary:?}"
        );
    }

    #[test]
    fn the_arcs_of_a_garnet_pellet_have_their_true_origin_among_the_candidates() {
        let pellet = geometry(1.0, 1000.0);
        let bulk = arc(250.0, 1.096_621e-10, 0.97);
        assert!((bulk / 64e-12 - 1.0).abs() < 0.05, "{bulk}");
        let found = candidates(bulk, pellet).unwrap();
        assert!(
            (found.permittivity_if_bulk.unwrap() - 72.0).abs() < 3.0,
            "{found:?}"
        );
        assert!(origins(bulk, pellet).contains(&Bulk));
        assert!(!origins(bulk, pellet).contains(&Interface));
        let boundary = arc(60.0, 1.595_564e-7, 0.88);
        assert!((boundary / 33e-9 - 1.0).abs() < 0.05, "{boundary}");
        let found = origins(boundary, pellet);
        assert!(
            found.contains(&GrainBoundary) && !found.contains(&Bulk),
            "{found:?}"
        );
        // A surface layer would have such a capacitance too: the set says so.
        assert!(found.contains(&SurfaceLayer), "{found:?}");
    }

    #[test]
    fn the_interphase_of_an_argyrodite_cell_is_not_read_as_bulk() {
        let cell = geometry(1.33, 600.0);
        let interphase = origins(arc(46.0, 2.48148e-6, 0.85), cell);
        assert!(interphase.contains(&Interface), "{interphase:?}");
        assert!(!interphase.contains(&Bulk), "{interphase:?}");
        let contact = origins(arc(44.0, 4.691_476e-5, 0.8), cell);
        assert!(contact.contains(&Interface), "{contact:?}");
    }

    #[test]
    fn the_double_layer_of_a_thin_film_is_no_grain_boundary_for_being_scaled_by_its_thickness() {
        // 1 µF/cm² on a film of 60 µm: C L/A is 6 nF/cm, which alone looks like a grain boundary.
        let found = candidates(1e-6, geometry(1.0, 60.0)).unwrap();
        let interface = found
            .candidates
            .iter()
            .find(|one| one.origin == Interface)
            .unwrap();
        assert_eq!(interface.compared, Compared::PerArea);
        assert!(interface.is_within());
        assert!(found.candidates.len() > 1, "never one name: {found:?}");
    }

    #[test]
    fn an_unknown_geometry_is_said() {
        let found = candidates(1e-12, Geometry::default()).unwrap();
        assert!(found.remark.contains("geometry is not known"));
        assert!(found.candidates.iter().all(|one| one.compared == Compared::Plain));
        let half = Geometry {
            area_cm2: Some(2.0),
            thickness_um: None,
        };
        let found = candidates(2e-6, half).unwrap();
        assert_eq!(found.per_area_f_per_cm2, Some(1e-6));
        assert_eq!(found.permittivity_if_bulk, None);
        assert!(found.remark.contains("thickness is not known"));
    }

    #[test]
    fn a_line_never_gives_a_name_as_a_fact() {
        for exponent in -140..=-20 {
            let found = candidates(10f64.powf(f64::from(exponent) / 10.0), geometry(1.0, 1e4)).unwrap();
            assert!(found.candidates.len() >= 2, "{found:?}");
            let line = found.line();
            assert!(line.contains("candidates"), "{line}");
            let named = TABLE.iter().filter(|row| line.contains(row.0.word())).count();
            assert!(named >= 2, "{line}");
        }
    }

    #[test]
    fn what_is_no_capacitance_has_no_candidates() {
        for wrong in [0.0, -1e-9, f64::NAN, f64::INFINITY] {
            assert_eq!(candidates(wrong, geometry(1.0, 1e4)), None);
        }
        assert_eq!(
            candidates(1e-9, geometry(-1.0, 0.0)).unwrap().per_area_f_per_cm2,
            None
        );
    }
}
