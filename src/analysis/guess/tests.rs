use super::*;

const CELL: &str = "L0-R0-p(R1,CPE1)-p(R2,CPE2)";
const CELL_TRUTH: [f64; 8] = [3e-7, 20.0, 46.0, 2.48e-6, 0.85, 44.0, 4.69e-5, 0.80];

fn data(circuit: &Circuit, parameters: &[f64]) -> Data {
    let frequencies = (0..60).map(|i| 10f64.powf(5.0 - 0.1 * f64::from(i)));
    let grid = Grid::new(frequencies.clone());
    Data {
        grid,
        impedance: frequencies.map(|f| circuit.impedance(parameters, f)).collect(),
    }
}

fn free(circuit: &Circuit) -> Vec<ParameterLimit> {
    circuit
        .parameters()
        .iter()
        .map(|spec| ParameterLimit {
            lower: spec.lower,
            upper: spec.upper,
            start: None,
        })
        .collect()
}

fn all_starts(guess: &Guess<'_>) -> Vec<Vec<f64>> {
    let mut starts = guess.gram_grid();
    starts.extend(guess.relaxation_times());
    starts.extend(guess.geometry());
    starts.extend(guess.random(7, 0));
    let first = starts[0].clone();
    starts.extend(guess.relocations(&first));
    starts
}

#[test]
fn the_first_start_lies_near_the_truth() {
    let circuit = Circuit::parse(CELL).unwrap();
    let data = data(&circuit, &CELL_TRUTH);
    let guess = Guess::new(&circuit, &data, &free(&circuit));
    assert_eq!(guess.shapes(), 2);
    // The inductance is too small to show before the arcs are right.
    for (scheme, start) in [
        ("grid", guess.gram_grid().remove(0)),
        ("relaxation times", guess.relaxation_times().unwrap()),
    ] {
        for index in [1, 2, 5] {
            let ratio = start[index] / CELL_TRUTH[index];
            assert!(
                (0.5..2.0).contains(&ratio),
                "{scheme}: {}: {ratio}",
                circuit.parameters()[index].name
            );
        }
    }
}

#[test]
fn variable_projection_ends_at_the_truth_of_data_without_noise() {
    for (text, truth) in [
        (CELL, CELL_TRUTH.to_vec()),
        ("R0-p(R1,C1)-Wo1", vec![10.0, 50.0, 1e-6, 80.0, 4.0]),
        (
            "R0-Zarc1-HN1-CPE1",
            vec![10.0, 50.0, 2e-5, 0.9, 70.0, 3e-3, 0.9, 0.7, 0.05, 0.9],
        ),
    ] {
        let circuit = Circuit::parse(text).unwrap();
        let data = data(&circuit, &truth);
        let guess = Guess::new(&circuit, &data, &free(&circuit));
        let mut refiner = guess.refiner().unwrap();
        let best = guess
            .gram_grid()
            .iter()
            .map(|start| refiner.refine(start, 200))
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .unwrap();
        assert!(best.0 < 1e-8, "{text}: chi-squared {}", best.0);
        // The sizes of a start do not matter to it.
        let mut other = best.1.clone();
        other[circuit.parameter_index("R0").unwrap()] *= 50.0;
        assert!((refiner.refine(&other, 200).0 - best.0).abs() <= 1e-8, "{text}");
    }
}

#[test]
fn a_misplaced_arc_is_put_where_it_belongs() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-p(R2,CPE2)").unwrap();
    let truth = [10.0, 50.0, 1e-6, 0.9, 60.0, 1e-3, 0.9];
    let data = data(&circuit, &truth);
    let guess = Guess::new(&circuit, &data, &free(&circuit));
    // Both arcs share the place of the first.
    let misplaced = [10.0, 25.0, 2e-6, 0.9, 25.0, 2e-6, 0.8];
    let mut refiner = guess.refiner().unwrap();
    let best = guess
        .relocations(&misplaced)
        .iter()
        .map(|start| refiner.refine(start, 200).0)
        .fold(f64::INFINITY, f64::min);
    assert!(best < 1e-8, "{best}");
}

#[test]
fn every_start_is_finite_and_positive_and_repeats() {
    for text in [
        CELL,
        "R0-p(R1-W1,CPE1)",
        "R0-p(CPE1,R1-Wo1)-Ws1",
        "R0-p(C1,R1-p(CPE2,R2))-K1",
        "TLM1",
        "La1-R0-G1-Gs1",
        "R0-p(R1,C1)-p(R2,C2)-p(R3,CPE3)-p(R4,CPE4)-p(R5,CPE5)-p(R6,CPE6)-p(R7,CPE7)-p(R8,CPE8)",
    ] {
        let circuit = Circuit::parse(text).unwrap();
        let cell = Circuit::parse(CELL).unwrap();
        let data = data(&cell, &CELL_TRUTH);
        let guess = Guess::new(&circuit, &data, &free(&circuit));
        let mut starts = guess.gram_grid();
        starts.extend(guess.relaxation_times());
        starts.extend(guess.geometry());
        let random = guess.random(7, 0);
        assert_eq!(random.len(), 7, "{text}");
        assert_ne!(random, guess.random(7, 1), "{text}: another batch, other starts");
        starts.extend(random);
        for start in &starts {
            assert_eq!(start.len(), circuit.parameters().len());
            assert!(
                start.iter().all(|value| value.is_finite() && *value > 0.0),
                "{text}: {start:?}"
            );
        }
        assert_eq!(guess.random(7, 0), starts[starts.len() - 7..], "{text}");
    }
}

#[test]
fn what_is_held_is_held_in_every_start() {
    let circuit = Circuit::parse("R0-p(R1,CPE1)-p(R2,CPE2)-Wo1").unwrap();
    let truth = [5.0, 20.0, 1e-6, 0.9, 40.0, 1e-3, 0.85, 50.0, 3.0];
    let data = data(&circuit, &truth);
    let mut limits = free(&circuit);
    let held = [(0, 6.0), (3, 0.75), (4, 30.0), (8, 5.0)];
    for (index, value) in held {
        limits[index].lower = value;
        limits[index].upper = value;
    }
    let guess = Guess::new(&circuit, &data, &limits);
    let mut starts = all_starts(&guess);
    let mut refiner = guess.refiner().unwrap();
    starts.push(refiner.refine(&starts[0], 60).1);
    for start in starts {
        for (index, value) in held {
            let name = &circuit.parameters()[index].name;
            assert!(
                (start[index] / value - 1.0).abs() < 1e-9,
                "{name}: {}",
                start[index]
            );
        }
    }
}
