//! Random circuits for the property tests.

use proptest::prelude::*;

use crate::circuit::elements::all;

/// A circuit in the written-out notation of the elements of these symbols, numbered in the order of writing.
pub(super) fn circuits(symbols: Vec<&'static str>) -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(symbols).prop_map(|symbol| format!("{symbol}#"));
    let tree = leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("p({})", parts.join(","))),
            prop::collection::vec(inner, 2..4).prop_map(|parts| parts.join("-")),
        ]
    });
    tree.prop_map(|tree| {
        let mut parts = tree.split('#');
        let first = parts.next().unwrap_or_default().to_owned();
        parts
            .enumerate()
            .fold(first, |text, (number, part)| format!("{text}{number}{part}"))
    })
}

pub(super) fn all_symbols() -> Vec<&'static str> {
    all().map(|kind| kind.symbol).collect()
}

pub(super) fn symbols_with_letters() -> Vec<&'static str> {
    all()
        .filter(|kind| kind.letter.is_some())
        .map(|kind| kind.symbol)
        .collect()
}
