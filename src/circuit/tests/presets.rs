//! Circuits of cells as they are on the bench, with impedances computed independently. The tolerance is that of five
//! printed digits.

use super::*;

#[test]
fn preset_of_a_blocking_llzo_pellet() {
    let parameters = [
        2e-7,
        5.0,
        250.0,
        1.096621e-10,
        0.97,
        60.0,
        1.595564e-7,
        0.88,
        5e-6,
        0.92,
    ];
    let vectors = [
        (1e6, 252.77, -31.268),
        (1e5, 280.14, -28.109),
        (1e4, 312.88, -16.614),
        (1e3, 322.77, -64.835),
        (100.0, 381.77, -528.94),
        (10.0, 870.61, -4398.1),
        (1.0, 4936.4, -36582.0),
        (0.1, 38754.0, -3.0428e5),
        (0.01, 3.2004e5, -2.5308e6),
    ];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)-CPE3", &parameters, &vectors, 5e-5);
}

#[test]
fn preset_of_a_growing_lithium_llzo_cell() {
    let parameters = [
        2e-7,
        2.0,
        400.0,
        6.853878e-11,
        0.97,
        27.0,
        1.614742e-7,
        0.88,
        550.0,
        5.556753e-6,
        0.85,
        5.0,
        20.0,
    ];
    let vectors = [
        (1e6, 397.94, -46.678),
        (1e5, 421.94, -16.225),
        (1e4, 432.35, -16.766),
        (1e3, 469.21, -92.017),
        (100.0, 772.43, -208.47),
        (10.0, 961.05, -52.225),
        (1.0, 977.34, -8.057),
        (0.1, 979.71, -2.1061),
        (0.01, 983.13, -1.8247),
    ];
    assert_impedance(
        "L0-R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)-Ws1",
        &parameters,
        &vectors,
        3e-5,
    );
}

#[test]
fn preset_of_a_lithium_argyrodite_cell() {
    let parameters = [3e-7, 20.0, 46.0, 2.481480e-6, 0.85, 44.0, 4.691476e-5, 0.80];
    let vectors = [
        (1e6, 20.189, 1.1631),
        (1e5, 21.667, -4.6375),
        (1e4, 38.415, -20.219),
        (1e3, 72.617, -20.276),
        (100.0, 101.9, -12.296),
        (10.0, 109.08, -2.4559),
        (1.0, 109.87, -0.39805),
        (0.1, 109.98, -0.062948),
        (0.01, 110.0, -0.0099244),
    ];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)", &parameters, &vectors, 5e-5);
}

#[test]
fn preset_of_an_nmc_argyrodite_cell() {
    let parameters = [
        36.0, 38.4, 1.0e-5, 0.515, 204.5, 1.576e-5, 0.666, 733.0, 7.3e-4, 0.40, 0.12, 1.0,
    ];
    let vectors = [
        (1e6, 56.042, -11.269),
        (1e5, 75.053, -17.291),
        (1e4, 107.47, -40.342),
        (1e3, 202.57, -81.985),
        (100.0, 330.36, -81.521),
        (10.0, 452.20, -98.926),
        (1.0, 622.02, -121.96),
        (0.1, 798.64, -113.58),
        (0.01, 914.82, -190.57),
    ];
    assert_impedance(
        "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)-CPE4",
        &parameters,
        &vectors,
        3e-5,
    );
}

#[test]
#[allow(
    clippy::approx_constant,
    reason = "a printed impedance that happens to lie near pi/2"
)]
fn preset_of_an_18650_cell() {
    let parameters = [2.5e-7, 0.022, 0.006, 0.6, 0.75, 0.012, 2.5, 0.80, 0.02, 400.0];
    let vectors = [
        (1e6, 0.022006, 1.5708),
        (1e5, 0.022033, 0.15700),
        (1e4, 0.022201, 0.015284),
        (1e3, 0.023390, -0.00027784),
        (100.0, 0.027571, -0.003387),
        (10.0, 0.034763, -0.0047877),
        (1.0, 0.039621, -0.0017158),
        (0.1, 0.040805, -0.001139),
        (0.01, 0.042808, -0.0028674),
    ];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)-Wo1", &parameters, &vectors, 5e-5);
}

#[test]
fn preset_of_a_dummy_cell() {
    let parameters = [100.0, 1000.0, 1e-6];
    let vectors = [
        (1e6, 100.00, -0.15915),
        (1e5, 100.00, -1.5915),
        (1e4, 100.25, -15.911),
        (1e3, 124.70, -155.22),
        (100.0, 816.96, -450.48),
        (10.0, 1096.1, -62.585),
        (1.0, 1100.0, -6.2829),
        (0.1, 1100.0, -0.62832),
        (0.01, 1100.0, -0.062832),
    ];
    assert_impedance("R0-p(R1,C1)", &parameters, &vectors, 5e-5);
}

#[test]
fn preset_of_a_polymer_cell() {
    // Q = C^n R^(n-1), the CPE whose through-thickness capacitance is C.
    let q = |c: f64, r: f64, n: f64| c.powf(n) * r.powf(n - 1.0);
    let parameters = [
        2e-7,
        10.0,
        60.0,
        q(5e-9, 60.0, 0.9),
        0.9,
        180.0,
        q(1e-6, 180.0, 0.8),
        0.8,
        30.0,
        50.0,
    ];
    let vectors = [(1e3, 153.25, -65.393), (0.01, 264.90, -12.278)];
    assert_impedance("L0-R0-p(R1,CPE1)-p(R2,CPE2)-Ws1", &parameters, &vectors, 5e-5);
}
