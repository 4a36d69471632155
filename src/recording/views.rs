//! What a person can ask a recording for, with any program that reads SQLite.

/// UTC with milliseconds as text, of a column of nanoseconds. Whole seconds are split off as integers, because
/// nanoseconds since 1970 are more than a float holds.
macro_rules! utc {
    ($column:literal) => {
        concat!(
            "strftime('%Y-%m-%dT%H:%M:%S', ",
            $column,
            " / 1000000000, 'unixepoch') || printf('.%03dZ', ",
            $column,
            " / 1000000 % 1000)"
        )
    };
}

/// The views, as one batch of SQL.
pub(super) const VIEWS: &str = concat!(
    // Points: `select * from spectrum where sweep = 3`.
    "create view spectrum as select sweep, idx, frequency_hz, z_real_ohm, z_imag_ohm, status, status_bits, ",
    "range, noise, potential_v, current_a, amplitude_vrms, amplitude_arms, std_error_ohm, t_start_s, ",
    utc!("utc_ns"),
    " as utc, elapsed_ns * 1e-9 as elapsed_s, seq from point;\n",
    // Sweeps, one row each.
    "create view sweeps as select s.sweep, s.technique, ",
    utc!("s.utc_ns"),
    " as started_utc, s.elapsed_ns * 1e-9 as started_s, e.elapsed_ns * 1e-9 as ended_s, s.n_points as planned, ",
    "(select count(*) from point p where p.sweep = s.sweep) as measured, e.complete, e.reason, s.f_max_hz, ",
    "s.f_min_hz, s.bias_v, s.amplitude_vrms, s.range, s.seq from sweep s left join sweep e on ",
    "e.sweep = s.sweep and e.what = 'ended' where s.what = 'started';\n",
    // Parameters and sums of the final fits over the sweeps.
    "create view history as select f.sweep, ",
    utc!("f.utc_ns"),
    " as utc, f.elapsed_ns * 1e-9 as elapsed_s, p.name, p.value, p.std_error, p.determined, p.unit, p.arc_id, ",
    "f.seq from fit f join fit_parameter p on p.fit_seq = f.seq where f.final = 1 union all select f.sweep, ",
    utc!("f.utc_ns"),
    ", f.elapsed_ns * 1e-9, t.name, t.value, t.std_error, t.determined, null, null, f.seq from fit f ",
    "join fit_sum t on t.fit_seq = f.seq where f.final = 1;\n",
    // Fits, one row each.
    "create view fits as select sweep, final, ",
    utc!("utc_ns"),
    " as utc, elapsed_ns * 1e-9 as elapsed_s, circuit, converged, n_used, left_out, chi_squared, ",
    "reduced_chi_squared, noise_percent, aicc, bic, runs_p, engine, seq from fit;\n",
    // Readings of potential and current.
    "create view samples as select ",
    utc!("utc_ns"),
    " as utc, elapsed_ns * 1e-9 as elapsed_s, technique, potential_v, current_a, charge_c, ",
    "round(temperature_k - 273.15, 6) as temperature_c, pressure_mpa, device_t_s, seq from sample;\n",
    // Alarms, one row each time one was raised, and when somebody has seen it.
    "create view alarms as select a.name, a.severity, ",
    utc!("a.utc_ns"),
    " as utc, a.elapsed_ns * 1e-9 as elapsed_s, a.value, a.limit_value, a.sweep, a.text, ",
    "(select e.elapsed_ns * 1e-9 from alarm e where e.name = a.name and e.what = 'acknowledged' and e.seq > a.seq ",
    "order by e.seq limit 1) as acknowledged_s, a.seq from alarm a where a.what = 'raised';\n",
    // Bytes on the line as text, as far as they are text.
    "create view wire_text as select seq, ",
    utc!("utc_ns"),
    " as utc, elapsed_ns * 1e-9 as elapsed_s, direction, length(bytes) as n_bytes, ",
    "replace(replace(cast(bytes as text), char(13), '\\r'), char(10), '\\n') as text from wire;\n",
    // What happened, in words.
    "create view event_log as select seq, ",
    utc!("utc_ns"),
    " as utc, elapsed_ns * 1e-9 as elapsed_s, kind, text from (",
    "select seq, utc_ns, elapsed_ns, 'session ' || what as kind, ",
    "coalesce(reason, cell || ' on ' || instrument || ', plan ' || plan) as text from session ",
    "union all select seq, utc_ns, elapsed_ns, 'link', state || ' ' || port || ' ' || reason from link ",
    "union all select seq, utc_ns, elapsed_ns, 'identity', instrument || ' ' || firmware || ' ' || serial from identity ",
    "union all select seq, utc_ns, elapsed_ns, 'command', command || ' by ' || origin || ' ' || text from command ",
    "union all select seq, utc_ns, elapsed_ns, 'plan step', step || ' of ' || steps || ' ' || name || ' ' || text from plan_step ",
    "union all select seq, utc_ns, elapsed_ns, 'sweep ' || what, sweep || coalesce(' ' || reason, '') from sweep ",
    "union all select seq, utc_ns, elapsed_ns, 'validity', 'sweep ' || sweep || ' ' || method || ': ' || verdict ",
    "|| coalesce(', ' || json_extract(reasons, '$[0]'), '') from validity where coalesce(final, 1) = 1 ",
    "union all select seq, utc_ns, elapsed_ns, 'alarm ' || what, name || coalesce(' ' || text, ' by ' || origin) from alarm ",
    "union all select seq, utc_ns, elapsed_ns, what, reason from interruption ",
    "union all select seq, utc_ns, elapsed_ns, 'amend', key || ' ' || coalesce(old || ' is ', '') || new from amendment ",
    "union all select seq, utc_ns, elapsed_ns, 'note', text from note) order by seq;\n",
);
