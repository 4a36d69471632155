//! A point that is overloaded is measured again: in a larger range of current, or with less of a current that
//! is set.

use serde_json::Value;

use super::lab::{Lab, lines_of, of_kind};

/// The events of a session of one sweep, one point of which is overloaded.
fn overloaded(technique: &str, fault: &str) -> Vec<Value> {
    let lab = Lab::new();
    let plan = format!(
        "name = \"{technique}\"\n[[step]]\ntechnique = \"{technique}\"\nf_max_hz = 1e3\nf_min_hz = 1.0\n\
         points_per_decade = 4\namplitude_vrms = 0.010\n"
    );
    std::fs::write(lab.path("plan.toml"), plan).unwrap();
    let simulator = lab.simulator_with("es4_hr", "dummy_r_rc", 20, 71, &["--fault", fault]);
    lines_of(&lab.measure(&simulator.link, "dummy_r_rc", "plan.toml", "session.interphase"))
}

fn points_at(events: &[Value], frequency_hz: f64) -> Vec<&Value> {
    let is_there = |point: &&Value| {
        (point["frequency_hz"].as_f64().unwrap() / frequency_hz)
            .ln()
            .abs()
            < 1e-3
    };
    of_kind(events, "point").into_iter().filter(is_there).collect()
}

#[test]
fn where_the_current_is_set_the_point_is_measured_again_with_a_tenth_of_it_and_so_is_the_rest() {
    // A loop for each decade of frequency: 100 Hz is the first of the second.
    let events = overloaded("geis", "overload@2.1");
    let both = points_at(&events, 100.0);
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(
        (&both[0]["status"], &both[1]["status"]),
        (&"overload".into(), &"ok".into())
    );
    let amplitude = |point: &Value| point["amplitude_arms"].as_f64().unwrap();
    assert!(
        (amplitude(both[1]) / amplitude(both[0]) - 0.1).abs() < 1e-9,
        "{both:?}"
    );
    // The rest of the sweep, too: |Z| is larger than was believed.
    let points = of_kind(&events, "point");
    assert!(points.len() >= 14);
    let last = points.last().unwrap();
    assert!(amplitude(last) <= amplitude(both[1]), "{last}");
    let alarm = of_kind(&events, "alarm")[0];
    let text = alarm["text"].as_str().unwrap();
    assert!(
        text.contains("potential was overloaded") && text.contains("less current"),
        "{text}"
    );
    assert!(of_kind(&events, "sweep_ended")[0]["complete"] == true);
}

#[test]
fn where_the_potential_is_set_the_point_is_measured_again_in_a_larger_range_with_the_same_amplitude() {
    let events = overloaded("peis", "overload@1.5");
    let both = points_at(&events, 100.0);
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(both[0]["amplitude_vrms"], both[1]["amplitude_vrms"]);
    assert_ne!(both[0]["range"], both[1]["range"]);
}
