//! Small dense symmetric matrices, and what is solved with them.

/// Numbers added side by side, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// The scalar product.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = whole_a
        .remainder()
        .iter()
        .zip(whole_b.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in whole_a.zip(whole_b) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// A square matrix, row after row.
#[derive(Clone, Debug, Default)]
pub(super) struct Square {
    pub size: usize,
    pub values: Vec<f64>,
}

impl Square {
    pub(super) fn zeros(size: usize) -> Self {
        Self {
            size,
            values: vec![0.0; size * size],
        }
    }

    pub(super) fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.size..(row + 1) * self.size]
    }

    pub(super) fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.size + column]
    }

    pub(super) fn set_both(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.size + column] = value;
        self.values[column * self.size + row] = value;
    }

    /// The upper triangular factor U with U'U the matrix of some rows and the same columns; None where that is not
    /// positive definite.
    pub(super) fn cholesky_of(&self, chosen: Vec<usize>) -> Option<Factor> {
        let size = chosen.len();
        let mut upper = vec![0.0; size * size];
        for (row, &from) in chosen.iter().enumerate() {
            let source = self.row(from);
            let target = &mut upper[row * size + row..(row + 1) * size];
            for (value, &column) in target.iter_mut().zip(&chosen[row..]) {
                *value = source[column];
            }
        }
        for row in 0..size {
            let (done, rest) = upper.split_at_mut((row + 1) * size);
            let own = &mut done[row * size + row..];
            let diagonal = self.at(chosen[row], chosen[row]);
            // What rounding alone could leave counts as nothing.
            if own[0].is_nan() || own[0] <= 1e-15 * diagonal {
                return None;
            }
            let scale = own[0].sqrt().recip();
            own.iter_mut().for_each(|value| *value *= scale);
            for (below, other) in rest.chunks_exact_mut(size).zip(row + 1..) {
                let factor = own[other - row];
                subtract(&mut below[other..], factor, &own[other - row..]);
            }
        }
        Some(Factor { chosen, upper })
    }
}

/// Subtracts a multiple of a row from another.
fn subtract(target: &mut [f64], factor: f64, row: &[f64]) {
    for (value, own) in target.iter_mut().zip(row) {
        *value -= factor * own;
    }
}

/// The Cholesky factor of a part of a matrix.
#[derive(Clone, Debug, Default)]
pub(super) struct Factor {
    /// Which rows and columns of the matrix.
    pub chosen: Vec<usize>,
    upper: Vec<f64>,
}

impl Factor {
    pub(super) fn size(&self) -> usize {
        self.chosen.len()
    }

    /// A row from its diagonal on.
    fn row(&self, row: usize) -> &[f64] {
        &self.upper[row * self.size() + row..(row + 1) * self.size()]
    }

    /// Solves U'x = b in place, where all of b before some place is zero.
    fn forward(&self, vector: &mut [f64], from: usize) {
        for row in from..self.size() {
            let own = self.row(row);
            let value = vector[row] / own[0];
            vector[row] = value;
            subtract(&mut vector[row + 1..], value, &own[1..]);
        }
    }

    /// Solves in place for a vector over the chosen rows.
    pub(super) fn solve(&self, vector: &mut [f64]) {
        self.forward(vector, 0);
        for row in (0..self.size()).rev() {
            let own = self.row(row);
            vector[row] = (vector[row] - dot(&own[1..], &vector[row + 1..])) / own[0];
        }
    }

    /// The columns of the inverse of U'; column i is zero before place i.
    pub(super) fn inverse_columns(&self) -> Vec<Vec<f64>> {
        (0..self.size())
            .map(|column| {
                let mut inverse = vec![0.0; self.size()];
                inverse[column] = 1.0;
                self.forward(&mut inverse, column);
                inverse
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix() -> Square {
        let mut matrix = Square::zeros(5);
        for i in 0..5 {
            for j in 0..=i {
                let value = 1.0 / (1.0 + (i as f64 - j as f64).abs()) + if i == j { 0.5 } else { 0.0 };
                matrix.set_both(i, j, value);
            }
        }
        matrix
    }

    #[test]
    fn solving_undoes_multiplying_also_for_a_part() {
        let matrix = matrix();
        for chosen in [vec![0, 1, 2, 3, 4], vec![4, 1, 2]] {
            let wanted: Vec<f64> = (0..chosen.len()).map(|i| 1.0 - 0.7 * i as f64).collect();
            let mut vector: Vec<f64> = chosen
                .iter()
                .map(|&i| {
                    chosen
                        .iter()
                        .zip(&wanted)
                        .map(|(&j, x)| matrix.at(i, j) * x)
                        .sum()
                })
                .collect();
            let factor = matrix.cholesky_of(chosen).unwrap();
            factor.solve(&mut vector);
            for (x, y) in vector.iter().zip(&wanted) {
                assert!((x - y).abs() < 1e-13, "{vector:?}");
            }
        }
    }

    #[test]
    fn the_inverse_of_the_factor_gives_the_inverse() {
        let factor = matrix().cholesky_of((0..5).collect()).unwrap();
        let columns = factor.inverse_columns();
        let mut unit = vec![0.0, 0.0, 1.0, 0.0, 0.0];
        factor.solve(&mut unit);
        for row in 0..5 {
            assert!((dot(&columns[row], &columns[2]) - unit[row]).abs() < 1e-13);
        }
    }

    #[test]
    fn a_singular_matrix_has_no_factor() {
        let mut matrix = Square::zeros(2);
        matrix.values = vec![1.0, 1.0, 1.0, 1.0];
        assert!(matrix.cholesky_of(vec![0, 1]).is_none());
        matrix.values = vec![f64::NAN; 4];
        assert!(matrix.cholesky_of(vec![0, 1]).is_none());
    }

    #[test]
    fn the_lanes_lose_nothing() {
        let a: Vec<f64> = (0..19).map(f64::from).collect();
        assert_eq!(dot(&a, &a), (0..19).map(|i| f64::from(i * i)).sum::<f64>());
    }
}
