//! Small linear least-squares problems on a Gram matrix, with sizes that must not be negative.

/// Most unknowns of one solution; a circuit has at most 64 elements.
const MOST: usize = 64;

/// Scalar product in eight running sums, which the compiler keeps in vector registers.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (left_blocks, right_blocks) = (left.chunks_exact(8), right.chunks_exact(8));
    let rest: f64 = left_blocks
        .remainder()
        .iter()
        .zip(right_blocks.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in left_blocks.zip(right_blocks) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Scalar products of normalised columns with each other and with the data.
#[derive(Debug)]
pub(super) struct Gram {
    count: usize,
    matrix: Vec<f64>,
    pub projections: Vec<f64>,
    /// What turns a solution into a size; zero for a column that is no number.
    scales: Vec<f64>,
    pub data: f64,
}

impl Gram {
    /// Columns that do not `meet` in any solution need no product.
    pub fn new(columns: &[Vec<f64>], data: &[f64], meet: impl Fn(usize, usize) -> bool) -> Self {
        let count = columns.len();
        let scales: Vec<f64> = columns
            .iter()
            .map(|column| {
                let scale = dot(column, column).sqrt().recip();
                if scale.is_finite() { scale } else { 0.0 }
            })
            .collect();
        let mut matrix = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..i {
                let product = if scales[i] == 0.0 || scales[j] == 0.0 || !meet(i, j) {
                    0.0
                } else {
                    dot(&columns[i], &columns[j]) * (scales[i] * scales[j])
                };
                matrix[i * count + j] = product;
                matrix[j * count + i] = product;
            }
            matrix[i * count + i] = 1.0;
        }
        let projections = columns
            .iter()
            .zip(&scales)
            .map(|(column, &scale)| {
                if scale == 0.0 {
                    0.0
                } else {
                    dot(column, data) * scale
                }
            })
            .collect();
        Self {
            count,
            matrix,
            projections,
            scales,
            data: dot(data, data),
        }
    }

    pub fn product(&self, i: usize, j: usize) -> f64 {
        self.matrix[i * self.count + j]
    }

    /// The size of a column whose normalised coefficient this is.
    pub fn size(&self, column: usize, coefficient: f64) -> f64 {
        coefficient * self.scales[column]
    }

    /// The normalised coefficient of a size that is negligible beside the data, but not zero.
    pub fn least(&self) -> f64 {
        1e-4 * self.data.sqrt()
    }

    /// Chi-squared and normalised coefficients of the chosen columns. Where `held` gives a size it stands; the
    /// others are never negative: those that would be are dropped, the worst first.
    pub fn solve(&self, chosen: &[usize], held: &[Option<f64>], work: &mut Work) -> f64 {
        let count = chosen.len().min(MOST);
        let mut active = [0; MOST];
        let mut active_count = 0;
        work.coefficients.clear();
        work.coefficients.resize(chosen.len(), 0.0);
        let mut any_held = false;
        for (place, &column) in chosen.iter().enumerate().take(count) {
            match held.get(place).copied().flatten() {
                Some(size) if self.scales[column] > 0.0 => {
                    work.coefficients[place] = size / self.scales[column];
                    any_held = true;
                }
                Some(_) => {}
                None => {
                    active[active_count] = place;
                    active_count += 1;
                }
            }
        }
        let mut right = [0.0; MOST];
        for &place in &active[..active_count] {
            right[place] = self.projections[chosen[place]];
            if any_held {
                for (other, &column) in chosen.iter().enumerate().take(count) {
                    right[place] -= work.coefficients[other] * self.product(chosen[place], column);
                }
            }
        }
        while active_count > 0 {
            let places = &active[..active_count];
            let order = active_count;
            work.factor.resize(order * order, 0.0);
            work.solution.resize(order, 0.0);
            for (row, &place) in places.iter().enumerate() {
                for (column, &other) in places[..=row].iter().enumerate() {
                    work.factor[row * order + column] = self.product(chosen[place], chosen[other]);
                }
                work.factor[row * order + row] += 1e-10;
                work.solution[row] = right[place];
            }
            if !cholesky_solve(&mut work.factor, &mut work.solution, order) {
                break;
            }
            let worst = (0..order).min_by(|&a, &b| work.solution[a].total_cmp(&work.solution[b]));
            match worst {
                Some(worst) if work.solution[worst] < 0.0 => {
                    active.copy_within(worst + 1..active_count, worst);
                    active_count -= 1;
                }
                _ => {
                    for (row, &place) in active[..active_count].iter().enumerate() {
                        work.coefficients[place] = work.solution[row];
                    }
                    break;
                }
            }
        }
        let explained: f64 = active[..active_count]
            .iter()
            .map(|&place| work.coefficients[place] * right[place])
            .sum();
        let by_held = if any_held {
            self.held_part(chosen, held, work)
        } else {
            0.0
        };
        self.data - explained + by_held
    }

    /// c'Gc - 2 c'b of the held coefficients alone.
    fn held_part(&self, chosen: &[usize], held: &[Option<f64>], work: &Work) -> f64 {
        let places: Vec<usize> = (0..chosen.len().min(held.len()))
            .filter(|&p| held[p].is_some())
            .collect();
        let mut part = 0.0;
        for &p in &places {
            part -= 2.0 * work.coefficients[p] * self.projections[chosen[p]];
            for &q in &places {
                part += work.coefficients[p] * work.coefficients[q] * self.product(chosen[p], chosen[q]);
            }
        }
        part
    }
}

/// Memory of [`Gram::solve`].
#[derive(Debug, Default)]
pub(super) struct Work {
    pub coefficients: Vec<f64>,
    factor: Vec<f64>,
    solution: Vec<f64>,
}

/// Solves with the lower triangle of a positive definite matrix, which becomes its factor; false where it is not.
pub(super) fn cholesky_solve(matrix: &mut [f64], right: &mut [f64], order: usize) -> bool {
    for j in 0..order {
        for i in j..order {
            let (head, tail) = matrix.split_at_mut(i * order);
            let row_j = if i == j {
                None
            } else {
                Some(&head[j * order..j * order + j])
            };
            let row_i = &mut tail[..=j];
            let sum: f64 = match row_j {
                Some(row_j) => row_j.iter().zip(row_i.iter()).map(|(a, b)| a * b).sum(),
                None => row_i[..j].iter().map(|a| a * a).sum(),
            };
            let value = row_i[j] - sum;
            if i == j {
                if !(value > 0.0 && value.is_finite()) {
                    return false;
                }
                row_i[j] = value.sqrt();
            } else {
                row_i[j] = value / head[j * order + j];
            }
        }
    }
    for i in 0..order {
        let row = &matrix[i * order..i * order + i];
        let sum: f64 = row.iter().zip(right.iter()).map(|(a, b)| a * b).sum();
        right[i] = (right[i] - sum) / matrix[i * order + i];
    }
    for i in (0..order).rev() {
        let sum: f64 = (i + 1..order).map(|k| matrix[k * order + i] * right[k]).sum();
        right[i] = (right[i] - sum) / matrix[i * order + i];
    }
    right.iter().all(|value| value.is_finite())
}

/// Non-negative least squares on a Gram matrix, after R. Bro and S. de Jong (1997),
/// doi:10.1002/(SICI)1099-128X(199709/10)11:5<393::AID-CEM483>3.0.CO;2-L. Returns the coefficients.
pub(super) fn non_negative(gram: &Gram, ridge: &[f64]) -> Vec<f64> {
    let count = gram.count;
    let mut x = vec![0.0; count];
    let mut passive: Vec<usize> = Vec::new();
    let mut gradient = gram.projections.clone();
    let largest = gram
        .projections
        .iter()
        .fold(0.0_f64, |most, value| most.max(value.abs()));
    let tolerance = 1e-9 * largest;
    let (mut factor, mut solution) = (Vec::new(), Vec::new());
    for _ in 0..3 * count {
        let entering = (0..count)
            .filter(|index| !passive.contains(index) && gradient[*index] > tolerance)
            .max_by(|&a, &b| gradient[a].total_cmp(&gradient[b]));
        let Some(entering) = entering else { break };
        passive.push(entering);
        loop {
            let order = passive.len();
            factor.resize(order * order, 0.0);
            solution.resize(order, 0.0);
            for (row, &i) in passive.iter().enumerate() {
                for (column, &j) in passive[..=row].iter().enumerate() {
                    factor[row * order + column] = gram.product(i, j);
                }
                factor[row * order + row] += ridge[i];
                solution[row] = gram.projections[i];
            }
            if !cholesky_solve(&mut factor[..order * order], &mut solution[..order], order) {
                passive.pop();
                return x;
            }
            if solution[..order].iter().all(|&value| value > 0.0) {
                for (&i, &value) in passive.iter().zip(&solution) {
                    x[i] = value;
                }
                break;
            }
            let step = passive
                .iter()
                .zip(&solution)
                .filter(|(_, value)| **value <= 0.0)
                .map(|(&i, &value)| x[i] / (x[i] - value))
                .fold(1.0, f64::min);
            for (&i, &value) in passive.iter().zip(&solution) {
                x[i] += step * (value - x[i]);
            }
            let before = passive.len();
            passive.retain(|&i| {
                let stays = x[i] > 1e-14 * largest;
                if !stays {
                    x[i] = 0.0;
                }
                stays
            });
            if passive.len() == before || passive.is_empty() {
                break;
            }
        }
        for (i, gradient) in gradient.iter_mut().enumerate() {
            let explained: f64 = passive.iter().map(|&j| gram.product(i, j) * x[j]).sum();
            *gradient = gram.projections[i] - explained - ridge[i] * x[i];
        }
    }
    x
}
