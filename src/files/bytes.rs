//! Little-endian numbers at a place in a slice; `None` where the slice ends before the number does.

/// `N` bytes from `at`.
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn f32_at(bytes: &[u8], at: usize) -> Option<f64> {
    array_at(bytes, at).map(|bytes| f64::from(f32::from_le_bytes(bytes)))
}

pub(super) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    array_at(bytes, at).map(f64::from_le_bytes)
}

/// Whether `bytes` hold `needle`.
pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_little_endian_and_none_past_the_end() {
        let bytes = [0x01, 0x02, 0x03, 0x04];
        assert_eq!(u8_at(&bytes, 3), Some(4));
        assert_eq!(u8_at(&bytes, 4), None);
        assert_eq!(u16_at(&bytes, 1), Some(0x0302));
        assert_eq!(u16_at(&bytes, 3), None);
        assert_eq!(u32_at(&bytes, 0), Some(0x0403_0201));
        assert_eq!(u32_at(&bytes, usize::MAX), None);
        assert_eq!(f32_at(&1.5_f32.to_le_bytes(), 0), Some(1.5));
        assert_eq!(f64_at(&(-2.25_f64).to_le_bytes(), 0), Some(-2.25));
        assert!(contains(b"abcd", b"bc") && !contains(b"abcd", b"cb"));
    }
}
