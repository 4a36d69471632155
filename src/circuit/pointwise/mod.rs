//! Functions applied to all points of a grid, written for one point and compiled for several at a time.
//!
//! What is called from [`Pointwise::at`] must have no branches that differ from point to point (a choice between
//! two values is none) and no calls that are not inlined; the compiler then treats four points at once.

mod exponential;
mod trigonometric;

use super::dispatch::{self, Kernel, Lanes};

pub(crate) use exponential::exp;
pub(crate) use trigonometric::sin_cos;

/// Points in one round. The compiler makes vectors of a loop of fixed length over local arrays, which cannot
/// overlap each other.
const BLOCK: usize = 8;

/// A function of some numbers at each point to some other numbers there.
pub(crate) trait Pointwise<const IN: usize, const OUT: usize> {
    /// One point. Must be `#[inline(always)]`.
    fn at(&self, inputs: [f64; IN]) -> [f64; OUT];
}

/// Applies a function to all points: `outputs[..][i]` from `inputs[..][i]`, as far as the shortest slice goes.
#[inline]
pub(crate) fn map<const IN: usize, const OUT: usize>(
    inputs: [&[f64]; IN],
    outputs: [&mut [f64]; OUT],
    function: &impl Pointwise<IN, OUT>,
) {
    dispatch::run(Map {
        inputs,
        outputs,
        function,
    });
}

struct Map<'a, F, const IN: usize, const OUT: usize> {
    inputs: [&'a [f64]; IN],
    outputs: [&'a mut [f64]; OUT],
    function: &'a F,
}

impl<F: Pointwise<IN, OUT>, const IN: usize, const OUT: usize> Kernel for Map<'_, F, IN, OUT> {
    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let of_inputs = self.inputs.iter().map(|slice| slice.len());
        let of_outputs = self.outputs.iter().map(|slice| slice.len());
        let points = of_inputs.chain(of_outputs).min().unwrap_or(0);
        if points < BLOCK {
            for point in 0..points {
                let results = self.function.at(self.inputs.map(|slice| slice[point]));
                for (slice, result) in self.outputs.iter_mut().zip(results) {
                    slice[point] = result;
                }
            }
            return;
        }
        let mut start = 0;
        loop {
            self.block(start);
            if start + BLOCK == points {
                return;
            }
            // Some of the last block may have been treated before: the same again, and there is no remainder.
            start = (start + BLOCK).min(points - BLOCK);
        }
    }
}

impl<F: Pointwise<IN, OUT>, const IN: usize, const OUT: usize> Map<'_, F, IN, OUT> {
    #[expect(
        clippy::needless_range_loop,
        reason = "loops of fixed length over several arrays are what the compiler unrolls"
    )]
    #[inline(always)]
    fn block(&mut self, start: usize) {
        let mut inputs = [[0.0; BLOCK]; IN];
        for index in 0..IN {
            inputs[index].copy_from_slice(&self.inputs[index][start..start + BLOCK]);
        }
        let mut outputs = [[0.0; BLOCK]; OUT];
        for point in 0..BLOCK {
            let mut here = [0.0; IN];
            for index in 0..IN {
                here[index] = inputs[index][point];
            }
            let results = self.function.at(here);
            for index in 0..OUT {
                outputs[index][point] = results[index];
            }
        }
        for index in 0..OUT {
            self.outputs[index][start..start + BLOCK].copy_from_slice(&outputs[index]);
        }
    }
}

/// A polynomial of degree 3 or less, coefficients from the lowest power up. The sum is taken in pairs (Estrin's
/// scheme), so that no term waits long for another.
#[inline(always)]
pub(crate) fn cubic(x: f64, c: [f64; 4]) -> f64 {
    (c[0] + c[1] * x) + (x * x) * (c[2] + c[3] * x)
}

#[cfg(test)]
mod tests;
