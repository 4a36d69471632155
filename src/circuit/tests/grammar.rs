use proptest::prelude::*;

use super::trees::{all_symbols, circuits, symbols_with_letters};
use super::*;

fn names(circuit: &Circuit) -> Vec<&str> {
    circuit
        .parameters()
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect()
}

fn shown(text: &str) -> String {
    Circuit::parse(text).unwrap_err().to_string()
}

#[test]
fn both_notations_read_as_the_same_circuit() {
    for (boukamp, written) in [
        ("R(RQ)W", "R0-p(R1,CPE1)-W1"),
        ("LR(RQ)(RQ)", "L0-R0-p(R1,CPE1)-p(R2,CPE2)"),
        ("R(Q[RW])", "R0-p(CPE1,R1-W1)"),
        ("R(Q(RW))", "R0-p(CPE1,R1-W1)"),
        ("R(C(R(RQ)))T", "R0-p(C1,R1-p(R2,CPE1))-Wo1"),
        ("RO", "R0-Ws1"),
        ("RG", "R0-G1"),
        ("[R[RC]]", "R0-R1-C1"),
        ("R1(R2Q7)", "R1-p(R2,CPE7)"),
        (" R ( R Q ) ", "R-p(R,CPE)"),
        ("(R[(RC)])", "p(R0,p(R1,C1))"),
    ] {
        assert_eq!(circuit(boukamp), circuit(written), "{boukamp}");
    }
    assert_eq!(circuit("R(RQ)W").to_string(), "R0-p(R1,CPE1)-W1");
    assert_eq!(circuit("p(R3)").to_string(), "R3");
}

#[test]
fn a_circuit_is_printed_in_boukamps_notation_with_numbers_only_where_they_are_needed() {
    for (written, boukamp) in [
        ("R0-p(R1,CPE1)-W1", "R(RQ)W"),
        ("L0-R0-p(R1,CPE1)-p(R2,CPE2)", "LR(RQ)(RQ)"),
        ("R0-p(CPE1,R1-W1)", "R(Q[RW])"),
        ("R0-p(C1,R1-p(R2,CPE1))-Wo1", "R(C[R(RQ)])T"),
        ("p(R0,p(R1,C1))", "(R[(RC)])"),
        ("R0-Ws1-G1", "ROG"),
        ("R1-p(R2,CPE7)", "R1(R2Q7)"),
        ("R0-p(R2,CPE1)", "R0(R2Q1)"),
        ("CPE1", "Q"),
        ("CPE2", "Q2"),
        ("R00", "R00"),
    ] {
        let read = circuit(written);
        assert_eq!(read.to_boukamp().as_deref(), Ok(boukamp));
        assert_eq!(circuit(boukamp), read, "{boukamp}");
    }
    let error = circuit("R0-Zarc1-K1").to_boukamp().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Zarc1 has no letter in the notation R(RQ); the circuit can only be written as R0-Zarc1-K1"
    );
}

#[test]
fn the_echo_says_how_letters_were_read() {
    let echo = circuit("R(RQ)(RQ)O").echo();
    assert_eq!(echo.len(), 2, "{echo:?}");
    assert!(
        echo[0].starts_with("Q read as CPE: constant phase element"),
        "{echo:?}"
    );
    assert!(
        echo[1].starts_with("O read as Ws: diffusion to a transmitting end R tanh"),
        "{echo:?}"
    );
    assert!(circuit("RT").echo()[0].starts_with("T read as Wo: diffusion to a reflecting end R coth"));
    assert!(circuit("R0-Ws1").echo().is_empty());
    assert!(circuit("R(RC)W").echo().is_empty());
    assert_eq!(circuit("R(RC)").notation(), Notation::Boukamp);
    assert_eq!(circuit("R0-p(R1,C1)").notation(), Notation::WrittenOut);
}

#[test]
fn a_single_element_is_read_by_its_symbol() {
    for symbol in all_symbols() {
        assert_eq!(circuit(&format!("{symbol}3")).to_string(), format!("{symbol}3"));
        let counted = circuit(symbol);
        assert_eq!(counted.elements().len(), 1, "{symbol}");
        assert_eq!(counted.elements()[0].kind.symbol, symbol);
    }
}

#[test]
fn parameters_are_named_by_element_and_symbol_only_where_there_are_several() {
    let circuit = circuit("L0-R0-p(R1,CPE1)-p(R2,C2)-W1-Wo1-Zarc1-La1-G1-Gs1-K1-HN1-TLM1-Art1");
    let expected = [
        "L0",
        "R0",
        "R1",
        "CPE1.Q",
        "CPE1.n",
        "R2",
        "C2",
        "W1",
        "Wo1.R",
        "Wo1.tau",
        "Zarc1.R",
        "Zarc1.tau",
        "Zarc1.n",
        "La1.L",
        "La1.n",
        "G1.R",
        "G1.tau",
        "Gs1.R",
        "Gs1.tau",
        "Gs1.phi",
        "K1.R",
        "K1.tau",
        "HN1.R",
        "HN1.tau",
        "HN1.a",
        "HN1.b",
        "TLM1.R_ion",
        "TLM1.R_e",
        "TLM1.R_ct",
        "TLM1.Q",
        "TLM1.n",
        "Art1.R",
        "Art1.C",
        "Art1.n",
    ];
    assert_eq!(names(&circuit), expected);
    assert_eq!(circuit.parameter_index("CPE1.n"), Some(4));
    assert_eq!(circuit.parameter_index("CPE1"), None);
}

#[test]
fn an_error_points_at_the_offending_character() {
    assert_eq!(
        shown("R0-p(R1,X1)"),
        "no element is called 'X'; known are R, C, L, La, CPE, W, Wo, Ws, Zarc, K, HN, Art, G, Gs, TLM\n  \
         R0-p(R1,X1)\n          ^"
    );
    for (text, position) in [
        ("", 0),
        ("   ", 0),
        ("R0-", 3),
        ("R0-p(R1,CPE1", 12),
        ("R0-p(R1,CPE1))", 13),
        ("R0-p(R1,CPE1]", 12),
        ("R0-p R1", 5),
        ("R0--R1", 3),
        ("R0-R1-R0", 6),
        ("R0-p(R1,CPE)", 8),
        ("R(RX)", 3),
        ("R(RQ", 4),
        ("R(RQ]", 4),
        ("R)", 1),
        ("R()", 2),
        ("R1R1", 2),
        ("R1234567", 1),
    ] {
        let error = Circuit::parse(text).unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
    }
    assert_eq!(Circuit::parse("").unwrap_err().kind, CircuitErrorKind::Empty);
    assert_eq!(
        Circuit::parse("R0-R1-R0").unwrap_err().kind,
        CircuitErrorKind::Duplicate {
            name: "R0".to_owned()
        }
    );
}

#[test]
fn the_caret_counts_characters_and_not_bytes() {
    for (text, caret) in [
        ("R0-é", "     ^"),
        ("R0-Ωé-R1", "     ^"),
        ("R0-p(R1,µ1)", "          ^"),
        ("R(RΩ)", "     ^"),
        ("Rü(RC)", "   ^"),
    ] {
        let shown = shown(text);
        let mut lines = shown.lines().skip(1);
        assert_eq!(lines.next().map(str::trim_start), Some(text));
        assert_eq!(lines.next(), Some(caret), "{shown}");
    }
}

#[test]
fn an_unknown_element_is_answered_with_the_nearest_name() {
    for (text, nearest) in [
        ("R0-p(R1,Q1)", Some("CPE")),
        ("R0-T1", Some("Wo")),
        ("R0-zarc1", Some("Zarc")),
        ("R0-Zrac1", Some("Zarc")),
        ("r0-p(r1,c1)", Some("R")),
        ("R0-cpe1", Some("CPE")),
        ("R0-CPP1", Some("CPE")),
        ("R0-tlm1", Some("TLM")),
        ("R0-Wx1", Some("Wo")),
        ("R0-Xylophone1", None),
        ("R0-X1", None),
    ] {
        let error = Circuit::parse(text).unwrap_err();
        let CircuitErrorKind::UnknownElement { nearest: found, .. } = &error.kind else {
            panic!("{text}: {error}");
        };
        assert_eq!(*found, nearest, "{text}");
        assert_eq!(error.to_string().contains("perhaps"), nearest.is_some());
    }
    assert!(
        shown("R0-zarc1").starts_with("no element is called 'zarc'; perhaps Zarc is meant; known are R, ")
    );
    assert_eq!(
        shown("R(RK)"),
        "K has no letter in the notation R(RQ); write the circuit as R0-p(R1,K1)\n  R(RK)\n     ^"
    );
    assert!(shown("R(RX)").contains("known are R (R), C (C), L (L), Q (CPE), W (W), T (Wo), O (Ws), G (G)"));
}

#[test]
fn endless_nesting_and_endless_circuits_are_refused() {
    for open in ["(", "p(", "[", "(["] {
        let error = Circuit::parse(&open.repeat(100_000)).unwrap_err();
        assert!(
            matches!(error.kind, CircuitErrorKind::TooDeep { .. }),
            "{:?}",
            error.kind
        );
    }
    let error = Circuit::parse(&"R".repeat(100_000)).unwrap_err();
    assert!(matches!(error.kind, CircuitErrorKind::TooLong { .. }));
}

#[test]
fn the_deepest_circuit_of_one_notation_can_be_written_in_the_other() {
    for (open, rest) in [("p(C#,R#-", "R#"), ("p(C#,", "R#")] {
        let mut number = 0;
        let deepest = format!("{}{rest}{}", open.repeat(16), ")".repeat(16));
        let written: String = deepest
            .split_inclusive('#')
            .map(|part| {
                number += 1;
                part.replace('#', &number.to_string())
            })
            .collect();
        let read = circuit(&written);
        assert_eq!(circuit(&read.to_boukamp().unwrap()), read);
        assert!(Circuit::parse(&format!("p(R99,{written})")).is_err());
    }
    let brackets = format!("{}RC{}", "([".repeat(16), "])".repeat(16));
    assert_eq!(circuit(&circuit(&brackets).to_string()), circuit(&brackets));
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_as_the_same(text in circuits(all_symbols())) {
        let first = circuit(&text);
        prop_assert_eq!(first.to_string(), text);
        prop_assert_eq!(&circuit(&first.to_string()), &first);
        let without = first.elements().iter().find(|element| element.kind.letter.is_none());
        match (first.to_boukamp(), without) {
            (Ok(boukamp), None) => prop_assert_eq!(circuit(&boukamp), first),
            (Err(error), Some(element)) => prop_assert_eq!(&error.element, &element.name),
            (printed, _) => prop_assert!(false, "{:?}", printed),
        }
    }

    #[test]
    fn what_has_letters_reads_back_from_boukamps_notation(text in circuits(symbols_with_letters())) {
        let first = circuit(&text);
        let boukamp = first.to_boukamp().unwrap();
        prop_assert_eq!(&circuit(&boukamp), &first, "{}", boukamp);
        // Without numbers too, when they are those that are counted.
        let bare: String = boukamp.chars().filter(|c| !c.is_ascii_digit()).collect();
        let counted = circuit(&bare);
        prop_assert_eq!(counted.to_boukamp(), Ok(bare));
        prop_assert_eq!(circuit(&counted.to_string()), counted);
    }

    #[test]
    fn garbage_gives_an_error_and_never_a_panic(text in "\\PC{0,40}") {
        if let Err(error) = Circuit::parse(&text) {
            prop_assert!(error.position <= text.chars().count());
            prop_assert!(error.to_string().ends_with('^'));
        }
    }

    #[test]
    fn near_misses_give_an_error_and_never_a_panic(text in "[RCLQWOTGKZasHNTMp(),\\[\\] 0-9-]{0,60}") {
        if let Ok(circuit) = Circuit::parse(&text) {
            let printed = circuit.to_string();
            prop_assert_eq!(Circuit::parse(&printed).map(|c| c.to_string()), Ok(printed));
            if let Ok(boukamp) = circuit.to_boukamp() {
                prop_assert_eq!(Circuit::parse(&boukamp), Ok(circuit));
            }
        }
    }
}
