//! Signs that no passive cell has: the test itself does not see them, because the negative and the conjugate of what it
//! describes can be described as well.

use crate::analysis::noise::Noise;
use crate::spectrum::Point;

/// Part of the points that must have the wrong sign.
const MOST: f64 = 0.5;
/// Part of |Z| from which a sign counts.
const LEAST_PART: f64 = 0.01;
/// Standard deviations of the noise from which it does.
const BEYOND_NOISE: f64 = 3.0;

/// What is wrong with the signs of the points, in words.
pub(super) fn doubts(points: &[&Point], noise: Option<&Noise>) -> Vec<String> {
    let counted = |part: fn(&Point) -> f64| {
        let counts = |point: &&&Point| {
            let modulus = point.impedance().norm();
            let scatter = noise.map_or(0.0, |noise| BEYOND_NOISE * noise.at(modulus));
            part(point) > scatter.max(LEAST_PART * modulus)
        };
        points.iter().filter(counts).count()
    };
    let all = points.len();
    let is_most = |count: &usize| *count as f64 > MOST * all as f64;
    let negative = Some(counted(|point| -point.z_real_ohm)).filter(is_most);
    let inductive = Some(counted(|point| point.z_imag_ohm)).filter(is_most);
    let negative = negative.map(|count| {
        format!(
            "Z' is negative at {count} of {all} points, as of no passive cell: is its sign turned, in the file or by the \
             leads?"
        )
    });
    let inductive = inductive.map(|count| {
        format!(
            "Z'' is positive (inductive) at {count} of {all} points: is it -Z'' that the file calls Z''? Its sign is likely \
             turned"
        )
    });
    negative.into_iter().chain(inductive).collect()
}

#[cfg(test)]
mod tests {
    use num_complex::Complex64;

    use super::*;

    fn told(impedance: impl Fn(usize) -> Complex64) -> Vec<String> {
        let points: Vec<Point> = (0..20)
            .map(|index| {
                let z = impedance(index);
                Point::new(1e3, z.re, z.im)
            })
            .collect();
        doubts(&points.iter().collect::<Vec<_>>(), None)
    }

    #[test]
    fn only_signs_of_most_points_that_are_no_whim_are_told() {
        assert!(told(|_| Complex64::new(10.0, -5.0)).is_empty());
        assert!(told(|_| Complex64::new(10.0, 0.05)).is_empty(), "a resistor");
        // Leads at the upper end.
        assert!(told(|index| Complex64::new(10.0, if index < 8 { 5.0 } else { -5.0 })).is_empty());
        assert!(
            told(|_| Complex64::new(10.0, 5.0))[0].starts_with("Z'' is positive (inductive) at 20 of 20")
        );
        assert!(told(|_| Complex64::new(-10.0, -5.0))[0].starts_with("Z' is negative at 20 of 20"));
        assert_eq!(told(|_| Complex64::new(-10.0, 5.0)).len(), 2);
    }
}
