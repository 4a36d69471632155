//! The widest instructions of the machine, chosen while the program runs.
//!
//! A [`Kernel`] is compiled twice from the same source: for the processor that the program was built for, and for
//! x86-64 with AVX2. Both do the same IEEE operations in the same order (nothing is contracted to fused
//! multiply-adds), so that a result is the same to the bit on every machine.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256d, _mm256_add_pd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_setzero_pd, _mm256_storeu_pd,
};
use std::cell::Cell;

/// A loop that is worth wide instructions. Its `run`, and what it calls, must be `#[inline(always)]`: only code
/// that is inlined gets them.
pub(crate) trait Kernel {
    /// Does the work. Most loops the compiler turns into vectors by itself; others name them, as `L`.
    fn run<L: Lanes>(self);
}

/// Numbers that are treated at once.
pub(crate) const LANES: usize = 4;

/// Some numbers at once, in a vector register where the machine has one that is wide enough.
pub(crate) trait Lanes: Copy {
    /// Zeros.
    fn zero() -> Self;
    /// These numbers.
    fn load(numbers: &[f64; LANES]) -> Self;
    /// The sum with the products of two others, each rounded.
    fn add_product(self, a: Self, b: Self) -> Self;
    /// The numbers.
    fn store(self) -> [f64; LANES];
}

thread_local! {
    static FALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Runs a kernel with the widest instructions of this machine.
#[inline]
pub(crate) fn run(kernel: impl Kernel) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && !FALLBACK.get() {
        // SAFETY: the processor has just been seen to have AVX2, which is all that `with_avx2` asks for.
        unsafe { with_avx2(kernel) };
        return;
    }
    kernel.run::<[f64; LANES]>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2(kernel: impl Kernel) {
    kernel.run::<Avx2>();
}

impl Lanes for [f64; LANES] {
    #[inline(always)]
    fn zero() -> Self {
        [0.0; LANES]
    }

    #[inline(always)]
    fn load(numbers: &[f64; LANES]) -> Self {
        *numbers
    }

    #[inline(always)]
    fn add_product(mut self, a: Self, b: Self) -> Self {
        for lane in 0..LANES {
            self[lane] += a[lane] * b[lane];
        }
        self
    }

    #[inline(always)]
    fn store(self) -> [f64; LANES] {
        self
    }
}

/// A register of AVX. Nobody else can name it, so that it exists only in what [`with_avx2`] runs.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(__m256d);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: the processor has AVX, see [`Avx2`].
        Self(unsafe { _mm256_setzero_pd() })
    }

    #[inline(always)]
    fn load(numbers: &[f64; LANES]) -> Self {
        // SAFETY: as above, and the array is as long as the register.
        Self(unsafe { _mm256_loadu_pd(numbers.as_ptr()) })
    }

    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        // SAFETY: as above.
        Self(unsafe { _mm256_add_pd(self.0, _mm256_mul_pd(a.0, b.0)) })
    }

    #[inline(always)]
    fn store(self) -> [f64; LANES] {
        let mut numbers = [0.0; LANES];
        // SAFETY: as above, and the array is as long as the register.
        unsafe { _mm256_storeu_pd(numbers.as_mut_ptr(), self.0) };
        numbers
    }
}

/// Runs `work` on this thread without the wide instructions: what a machine without them computes.
pub fn with_fallback<T>(work: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            FALLBACK.set(self.0);
        }
    }
    let _restore = Restore(FALLBACK.replace(true));
    work()
}
