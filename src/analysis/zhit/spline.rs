//! Splines of fifth degree on evenly spaced knots, with their derivatives and their integral.

/// Degree: the third derivative is still smooth.
const DEGREE: usize = 5;
/// Coefficients that have a part in one place.
pub(super) const OVERLAP: usize = DEGREE + 1;

/// Evenly spaced knots over the abscissa.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Knots {
    start: f64,
    step: f64,
    cells: usize,
}

/// What is asked of a spline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Slope,
    ThirdDerivative,
    Integral,
}

impl Knots {
    /// Knots from `start` to `end`, about `step` apart.
    pub(super) fn new(start: f64, end: f64, step: f64) -> Self {
        let cells = ((end - start) / step).round().max(1.0);
        Self {
            start,
            step: (end - start) / cells,
            cells: cells as usize,
        }
    }

    pub(super) fn coefficients(&self) -> usize {
        self.cells + DEGREE
    }

    /// The first coefficient that has a part at `x`, and what each of the [`OVERLAP`] from there contributes to the
    /// value.
    pub(super) fn value(&self, x: f64) -> (usize, [f64; OVERLAP]) {
        let (cell, part) = self.place(x);
        let mut weights = [0.0; OVERLAP];
        let bumps = bumps(DEGREE, part);
        for (index, weight) in weights.iter_mut().enumerate() {
            *weight = bumps[DEGREE - index];
        }
        (cell, weights)
    }

    /// What every coefficient contributes at `x`.
    pub(super) fn row(&self, x: f64, of: Of) -> Vec<f64> {
        let (cell, part) = self.place(x);
        let mut row = vec![0.0; self.coefficients()];
        let of_difference = |order: usize, signs: &[f64], place: usize| -> f64 {
            // The derivative of a bump is a difference of bumps of lower degree.
            let lower = bumps(DEGREE - order, part);
            let sum: f64 = signs
                .iter()
                .enumerate()
                .filter(|(shift, _)| *shift <= place && place - shift <= DEGREE - order)
                .map(|(shift, sign)| sign * lower[place - shift])
                .sum();
            sum / self.step.powi(order as i32)
        };
        let higher = bumps(DEGREE + 1, part);
        for (index, value) in row.iter_mut().enumerate() {
            // How many whole steps `x` lies behind the start of this bump.
            let Some(place) = (cell + DEGREE).checked_sub(index) else {
                continue;
            };
            *value = match of {
                Of::Slope if place <= DEGREE => of_difference(1, &[1.0, -1.0], place),
                Of::ThirdDerivative if place <= DEGREE => of_difference(3, &[1.0, -3.0, 3.0, -1.0], place),
                Of::Integral => self.step * higher[..=place.min(DEGREE + 1)].iter().sum::<f64>(),
                _ => 0.0,
            };
        }
        row
    }

    /// The cell of a place and how far into it.
    fn place(&self, x: f64) -> (usize, f64) {
        let steps = (x - self.start) / self.step;
        let cell = (steps.floor().max(0.0) as usize).min(self.cells - 1);
        (cell, (steps - cell as f64).clamp(0.0, 1.0))
    }
}

/// The bump of a degree, which begins at 0 and ends at `degree + 1`, at `part`, `part + 1` and so on: the recursion of
/// C. de Boor 1972, doi:10.1016/0021-9045(72)90080-9.
fn bumps(degree: usize, part: f64) -> [f64; DEGREE + 2] {
    let mut values = [0.0; DEGREE + 2];
    values[0] = 1.0;
    for degree in 1..=degree {
        for index in (0..=degree).rev() {
            let x = part + index as f64;
            let own = if index < degree { values[index] } else { 0.0 };
            let before = if index > 0 { values[index - 1] } else { 0.0 };
            values[index] = (x * own + (degree as f64 + 1.0 - x) * before) / degree as f64;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients of the straight line and of a wavy spline, tried against each other at places of all kinds.
    #[test]
    fn derivatives_and_integral_are_those_of_the_value() {
        let knots = Knots::new(-1.0, 3.0, 0.3);
        let coefficients: Vec<f64> = (0..knots.coefficients())
            .map(|k| (k as f64 * 0.9).sin())
            .collect();
        let at = |x: f64, of: Of| -> f64 {
            knots
                .row(x, of)
                .iter()
                .zip(&coefficients)
                .map(|(row, coefficient)| row * coefficient)
                .sum()
        };
        let value = |x: f64| -> f64 {
            let (first, weights) = knots.value(x);
            coefficients[first..]
                .iter()
                .zip(weights)
                .map(|(c, w)| c * w)
                .sum()
        };
        let h = 1e-4;
        for step in 0..38 {
            let x = -0.9 + 0.1 * f64::from(step);
            let slope = (value(x + h) - value(x - h)) / (2.0 * h);
            assert!((slope - at(x, Of::Slope)).abs() < 1e-6, "{x}");
            let integrated = (at(x + h, Of::Integral) - at(x - h, Of::Integral)) / (2.0 * h);
            assert!((integrated - value(x)).abs() < 1e-7, "{x}");
            let h = 1e-3;
            let curved =
                |x: f64| (at(x + h, Of::Slope) - 2.0 * at(x, Of::Slope) + at(x - h, Of::Slope)) / (h * h);
            assert!((curved(x) - at(x, Of::ThirdDerivative)).abs() < 1e-2, "{x}");
        }
    }

    #[test]
    fn the_parts_of_a_place_add_up_to_one() {
        let knots = Knots::new(0.0, 1.0, 0.09);
        for x in [0.0, 0.05, 0.5, 0.99, 1.0] {
            let (first, weights) = knots.value(x);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(first + OVERLAP <= knots.coefficients());
        }
    }
}
