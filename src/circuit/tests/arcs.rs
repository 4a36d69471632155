use super::*;

fn name(circuit: &Circuit, index: usize) -> &str {
    &circuit.parameters()[index].name
}

fn members(circuit: &Circuit) -> Vec<(Vec<&str>, bool)> {
    circuit
        .arcs()
        .iter()
        .map(|arc| {
            (
                arc.indices().map(|index| name(circuit, index)).collect(),
                arc.simple,
            )
        })
        .collect()
}

#[test]
fn arcs_are_found_with_their_parameters() {
    let circuit = circuit("R0-p(CPE1,R1)-p(R2,C2)-p(CPE3,R3-W1)-p(R4,L4)-p(R5,R6)");
    assert_eq!(
        members(&circuit),
        [
            (vec!["R1", "CPE1.Q", "CPE1.n"], true),
            (vec!["R2", "C2"], true),
            (vec!["R3", "CPE3.Q", "CPE3.n"], false),
        ]
    );
    let arcs = circuit.arcs();
    assert!(!arcs[0].is_exchangeable_with(&arcs[1]) && arcs[0].is_exchangeable_with(&arcs[0]));
}

#[test]
fn an_element_can_be_an_arc_by_itself() {
    let circuit = circuit("R0-Zarc1-K1-HN1-Art1-Zarc2-G1-Gs1-TLM1-La1-p(R1,Zarc3)");
    assert_eq!(
        members(&circuit),
        [
            (vec!["Zarc1.R", "Zarc1.tau", "Zarc1.n"], true),
            (vec!["K1.R", "K1.tau"], true),
            (vec!["HN1.R", "HN1.tau", "HN1.a", "HN1.b"], true),
            (vec!["Art1.R", "Art1.C", "Art1.n"], true),
            (vec!["Zarc2.R", "Zarc2.tau", "Zarc2.n"], true),
            (vec!["Zarc3.R", "Zarc3.tau", "Zarc3.n"], false),
        ]
    );
    let arcs = circuit.arcs();
    let exchangeable: Vec<(usize, usize)> = (0..arcs.len())
        .flat_map(|a| (0..a).map(move |b| (b, a)))
        .filter(|&(a, b)| arcs[a].is_exchangeable_with(&arcs[b]))
        .collect();
    assert_eq!(
        exchangeable,
        [(0, 4)],
        "only arcs of one kind, and only in the outermost series"
    );
}

#[test]
fn arcs_of_a_ladder_keep_their_places() {
    let circuit = circuit("R0-p(C1,R1-p(C2,R2-p(C3,R3)))");
    assert_eq!(
        members(&circuit),
        [
            (vec!["R1", "C1"], false),
            (vec!["R2", "C2"], false),
            (vec!["R3", "C3"], false),
        ]
    );
    let arcs = circuit.arcs();
    assert!(
        arcs.iter()
            .all(|a| arcs.iter().all(|b| !a.is_exchangeable_with(b)))
    );
}

#[test]
fn the_time_constant_is_where_an_arc_has_its_apex_in_whichever_form() {
    for text in ["p(R1,CPE1)", "p(R1,C1)", "Zarc1", "K1", "HN1", "Art1"] {
        let circuit = circuit(text);
        let arc = &circuit.arcs()[0];
        let mut parameters = vec![f64::NAN; circuit.parameters().len()];
        arc.place(&mut parameters, 100.0, 1e-3, 0.8);
        assert!((arc.tau_s(&parameters) / 1e-3 - 1.0).abs() < 1e-12, "{text}");
        let reactance = |omega: f64| circuit.impedance(&parameters, omega / std::f64::consts::TAU).im;
        assert!(
            reactance(1e3) < reactance(0.999e3) && reactance(1e3) < reactance(1.001e3),
            "{text}"
        );
        assert!(
            (circuit.impedance(&parameters, 1e3 / std::f64::consts::TAU).re - 50.0).abs() < 1e-9,
            "{text}"
        );
    }
}
