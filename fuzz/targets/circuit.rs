//! Any text is a circuit or an error with a place in it; what is printed of a circuit is the same circuit.

#![no_main]

use interphase::circuit::Circuit;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let first = match Circuit::parse(text) {
        Ok(circuit) => circuit,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let printed = first.to_string();
    let second = Circuit::parse(&printed).expect("what is printed can be read");
    assert_eq!(second.to_string(), printed, "printing again gives the same text");
    let names = |circuit: &Circuit| -> Vec<String> {
        circuit
            .parameters()
            .iter()
            .map(|parameter| parameter.name.clone())
            .collect()
    };
    assert_eq!(
        names(&first),
        names(&second),
        "the parameters are the same, in the same order"
    );
    let values: Vec<f64> = (0..first.parameters().len())
        .map(|index| 0.3 + 0.01 * index as f64)
        .collect();
    for frequency_hz in [1e-3, 1.0, 1e6] {
        let (one, other) = (
            first.impedance(&values, frequency_hz),
            second.impedance(&values, frequency_hz),
        );
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(
            same(one.re, other.re) && same(one.im, other.im),
            "{printed}: {one} and {other}"
        );
    }
});
