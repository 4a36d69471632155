//! Diffusion, with w = 2 pi f: W = A (1-j)/sqrt(w); Wo = R coth(sqrt(jw tau))/sqrt(jw tau) (a reflecting end);
//! Ws = R tanh(sqrt(jw tau))/sqrt(jw tau) (a transmitting end). See J. R. Macdonald and E. Barsoukov, Impedance
//! Spectroscopy (2005), doi:10.1002/0471716243.

use super::super::element::{Columns, ElementKind, Role};
use super::super::grid::Grid;
use super::super::pointwise::{Pointwise, cubic, exp, map, sin_cos};
use super::{TIME, log};

pub(super) static ELEMENTS: &[ElementKind] = &[
    ElementKind {
        symbol: "W",
        letter: Some('W'),
        first_number: 1,
        description: "semi-infinite diffusion A (1-j)/sqrt(w)",
        draws_arc: false,
        parameters: &[log("A", "ohm s^-1/2", 1e-9, 1e15, Role::Impedance)],
        fill: |p, grid, out| map([&grid.inverse_sqrt_omega], out.slices(), &Warburg(p[0])),
        admittance: None,
    },
    ElementKind {
        symbol: "Wo",
        letter: Some('T'),
        first_number: 1,
        description: "diffusion to a reflecting end R coth(s)/s, s = sqrt(jw tau)",
        draws_arc: false,
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Reflecting),
        admittance: None,
    },
    ElementKind {
        symbol: "Ws",
        letter: Some('O'),
        first_number: 1,
        description: "diffusion to a transmitting end R tanh(s)/s, s = sqrt(jw tau)",
        draws_arc: false,
        parameters: &[log("R", "ohm", 1e-9, 1e15, Role::Impedance), TIME],
        fill: |p, grid, out| finite_diffusion(p, grid, out, End::Transmitting),
        admittance: None,
    },
];

/// A (1-j)/sqrt(w)
struct Warburg(f64);

impl Pointwise<1, 4> for Warburg {
    #[inline(always)]
    fn at(&self, [root]: [f64; 1]) -> [f64; 4] {
        let real = root * self.0;
        [real, -real, root, -root]
    }
}

/// What a diffusing species meets at the far end.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Reflecting,
    Transmitting,
}

fn finite_diffusion(p: &[f64], grid: &Grid, out: &mut Columns<'_>, end: End) {
    let diffusion = FiniteDiffusion {
        r: p[0],
        tau: p[1],
        r_over_tau: p[0] / p[1],
        end,
    };
    let mut slices = out.slices();
    let mut rest = &grid.omega[..];
    while let Some(&first) = rest.first() {
        let range = Range::of(first * diffusion.tau);
        let same = |omega: &&f64| Range::of(**omega * diffusion.tau) == range;
        let points = rest.iter().take_while(same).count();
        let (omega, later) = rest.split_at(points);
        let outputs = slices.each_mut().map(|slice| {
            let (now, later) = std::mem::take(slice).split_at_mut(points);
            *slice = later;
            now
        });
        rest = later;
        match range {
            Range::Short => map([omega], outputs, &Short(diffusion)),
            Range::Middle => map([omega], outputs, &Middle(diffusion)),
            Range::Long => map([omega], outputs, &Long(diffusion)),
        }
    }
}

/// How far the diffusion reaches in a period, by x = w tau.
#[derive(Clone, Copy, PartialEq)]
enum Range {
    /// x > 800: the far end is not felt. There tanh s and coth s differ from 1 by less than 1e-17.
    Short,
    Middle,
    /// x < 0.02: the closed form loses digits to cancellation, and a series needs few terms.
    Long,
}

impl Range {
    fn of(x: f64) -> Self {
        if x > 800.0 {
            Self::Short
        } else if x < 0.02 {
            Self::Long
        } else {
            Self::Middle
        }
    }
}

#[derive(Clone, Copy)]
struct FiniteDiffusion {
    r: f64,
    tau: f64,
    r_over_tau: f64,
    end: End,
}

impl FiniteDiffusion {
    /// From tanh(s)/s or coth(s)/s and its derivative by ln tau.
    #[inline(always)]
    fn scaled(&self, [re, im, by_re, by_im]: [f64; 4]) -> [f64; 6] {
        [
            re * self.r,
            im * self.r,
            re,
            im,
            by_re * self.r_over_tau,
            by_im * self.r_over_tau,
        ]
    }
}

struct Short(FiniteDiffusion);

impl Pointwise<1, 6> for Short {
    #[inline(always)]
    fn at(&self, [omega]: [f64; 1]) -> [f64; 6] {
        let f = 1.0 / (2.0 * (omega * self.0.tau)).sqrt();
        self.0.scaled([f, -f, -0.5 * f, 0.5 * f])
    }
}

struct Middle(FiniteDiffusion);

impl Pointwise<1, 6> for Middle {
    #[inline(always)]
    fn at(&self, [omega]: [f64; 1]) -> [f64; 6] {
        self.0.scaled(closed_form(omega * self.0.tau, self.0.end))
    }
}

struct Long(FiniteDiffusion);

impl Pointwise<1, 6> for Long {
    #[inline(always)]
    fn at(&self, [omega]: [f64; 1]) -> [f64; 6] {
        self.0.scaled(series(omega * self.0.tau, self.0.end))
    }
}

/// tanh(s)/s or coth(s)/s with s = sqrt(j x), and its derivative by ln x; real and imaginary parts.
#[inline(always)]
fn closed_form(x: f64, end: End) -> [f64; 4] {
    let y = (2.0 * x).sqrt();
    let decay = exp(-y);
    let (sin, cos) = sin_cos(y);
    let sign = if end == End::Transmitting { 1.0 } else { -1.0 };
    let square = decay * decay;
    let denominator = 1.0 / (1.0 + square + 2.0 * sign * decay * cos);
    // tanh s or coth s, with s = y (1+j)/2
    let t_re = (1.0 - square) * denominator;
    let t_im = 2.0 * sign * decay * sin * denominator;
    let inverse = 1.0 / y;
    let (re, im) = ((t_re + t_im) * inverse, (t_im - t_re) * inverse);
    let (square_re, square_im) = (t_re * t_re - t_im * t_im, 2.0 * t_re * t_im);
    [re, im, 0.5 * (1.0 - square_re - re), -0.5 * (square_im + im)]
}

/// The same by power series in s² = j x. The coefficients are those of even and of odd powers of x,
/// with the signs of j² = -1.
#[inline(always)]
fn series(x: f64, end: End) -> [f64; 4] {
    let square = x * x;
    match end {
        // tanh(s)/s = 1 - s²/3 + 2 s⁴/15 - 17 s⁶/315 + 62 s⁸/2835 - 1382 s¹⁰/155925 + 21844 s¹²/6081075 - ...
        End::Transmitting => {
            const A: [f64; 4] = [1.0, -2.0 / 15.0, 62.0 / 2_835.0, -21_844.0 / 6_081_075.0];
            const B: [f64; 4] = [
                -1.0 / 3.0,
                17.0 / 315.0,
                -1_382.0 / 155_925.0,
                929_569.0 / 638_512_875.0,
            ];
            [
                cubic(square, A),
                x * cubic(square, B),
                square * cubic(square, [2.0 * A[1], 4.0 * A[2], 6.0 * A[3], 0.0]),
                x * cubic(square, [B[0], 3.0 * B[1], 5.0 * B[2], 7.0 * B[3]]),
            ]
        }
        // coth(s)/s = 1/s² + 1/3 - s²/45 + 2 s⁴/945 - s⁶/4725 + 2 s⁸/93555 - 1382 s¹⁰/638512875 + ...
        End::Reflecting => {
            const A: [f64; 4] = [1.0 / 3.0, -2.0 / 945.0, 2.0 / 93_555.0, -4.0 / 18_243_225.0];
            const B: [f64; 4] = [-1.0 / 45.0, 1.0 / 4_725.0, -1_382.0 / 638_512_875.0, 0.0];
            let inverse = 1.0 / x;
            [
                cubic(square, A),
                x * cubic(square, B) - inverse,
                square * cubic(square, [2.0 * A[1], 4.0 * A[2], 6.0 * A[3], 0.0]),
                x * cubic(square, [B[0], 3.0 * B[1], 5.0 * B[2], 0.0]) + inverse,
            ]
        }
    }
}
