//! The tables of a recording and their columns, in the order in which values are written, hashed and read.

use rusqlite::types::ValueRef;

/// The format that has the added columns and tables.
const ADDED_IN: i64 = 2;

/// One table: its name, and its columns with their SQL types.
#[derive(Debug)]
pub(super) struct Table {
    /// Name in SQL.
    pub name: &'static str,
    /// The columns that every row of this sort begins with.
    head: &'static [(&'static str, &'static str)],
    /// The columns of its own.
    columns: &'static [(&'static str, &'static str)],
    /// Columns that format 2 added; null in what was written before.
    added: &'static [(&'static str, &'static str)],
    /// What stands behind the columns in `create table`.
    tail: &'static str,
    /// The first format that has the table.
    since: i64,
}

/// What every event has: its number over all tables, and its two times.
const EVENT_HEAD: &[(&str, &str)] = &[
    ("seq", "integer primary key"),
    ("utc_ns", "integer not null"),
    ("elapsed_ns", "integer not null"),
];

/// What every part of a fit has: the fit it belongs to, and its place there.
const PART_HEAD: &[(&str, &str)] = &[("fit_seq", "integer not null"), ("position", "integer not null")];

/// As many columns as the widest table has.
pub(super) const MAX_COLUMNS: usize = 24;

impl Table {
    const fn of_events(name: &'static str, columns: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            name,
            head: EVENT_HEAD,
            columns,
            added: &[],
            tail: "",
            since: 1,
        }
    }

    /// The same with columns that format 2 added.
    const fn with_added(mut self, added: &'static [(&'static str, &'static str)]) -> Self {
        self.added = added;
        self
    }

    const fn of_parts(name: &'static str, columns: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            name,
            head: PART_HEAD,
            columns,
            added: &[],
            tail: ", primary key (fit_seq, position)) without rowid",
            since: 1,
        }
    }

    /// The same for a table that format 2 added.
    const fn since_2(mut self) -> Self {
        self.since = ADDED_IN;
        self
    }

    /// Whether a file of that format has the table.
    pub fn is_in(&self, format: i64) -> bool {
        self.since <= format
    }

    /// What makes the table of a file of format 1 that of format 2; empty where nothing changed.
    pub fn upgrade_sql(&self) -> String {
        if !self.is_in(1) {
            return self.create_sql();
        }
        self.added
            .iter()
            .map(|(name, sql_type)| format!("alter table {} add column {name} {sql_type};\n", self.name))
            .collect()
    }

    /// All columns in order.
    fn all_columns(&self) -> impl Iterator<Item = &(&'static str, &'static str)> {
        self.head.iter().chain(self.columns).chain(self.added)
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.head.len() + self.columns.len() + self.added.len()
    }

    /// Number of columns of a row that was written before columns were added.
    pub fn width_before(&self) -> usize {
        self.width() - self.added.len()
    }

    /// The values of a row that are hashed: those of added columns count only where one of them is there, so that
    /// rows of earlier formats keep their hash.
    pub fn hashed<'v, 'r>(&self, values: &'v [ValueRef<'r>]) -> &'v [ValueRef<'r>] {
        let (before, added) = values.split_at(values.len().saturating_sub(self.added.len()));
        if added.iter().all(|value| *value == ValueRef::Null) {
            before
        } else {
            values
        }
    }

    /// Name of the column at a place in the order of values.
    pub fn column(&self, index: usize) -> &'static str {
        self.all_columns().nth(index).map_or("?", |column| column.0)
    }

    fn column_names(&self) -> String {
        let names: Vec<&str> = self.all_columns().map(|column| column.0).collect();
        names.join(", ")
    }

    /// `create table ...`.
    pub fn create_sql(&self) -> String {
        self.create_sql_of(ADDED_IN)
    }

    /// The same for a file of that format.
    pub fn create_sql_of(&self, format: i64) -> String {
        let width = if format < ADDED_IN {
            self.width_before()
        } else {
            self.width()
        };
        let columns: Vec<String> = self
            .all_columns()
            .take(width)
            .map(|(name, sql_type)| format!("{name} {sql_type}"))
            .collect();
        let tail = if self.tail.is_empty() { ")" } else { self.tail };
        format!("create table {} ({}{tail};\n", self.name, columns.join(", "))
    }

    /// `insert into ...` with one parameter a column.
    pub fn insert_sql(&self) -> String {
        let marks = vec!["?"; self.width()].join(", ");
        format!(
            "insert into {} ({}) values ({marks})",
            self.name,
            self.column_names()
        )
    }

    /// `select ...` of the rows whose number is over the first parameter and not over the second, in order, in a
    /// file of that format.
    pub fn select_sql(&self, format: i64) -> String {
        let number = self.column(0);
        let order = if self.head.len() == PART_HEAD.len() {
            "fit_seq, position"
        } else {
            "seq"
        };
        format!(
            "{} where {number} > ?1 and {number} <= ?2 order by {order}",
            self.select_all_sql(format)
        )
    }

    /// `select ... from ...` with all columns, in a file of that format.
    pub fn select_all_sql(&self, format: i64) -> String {
        let missing = if format < ADDED_IN { self.added } else { &[] };
        let present = self.width() - missing.len();
        let mut columns: Vec<String> = self
            .all_columns()
            .take(present)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        columns.extend(missing.iter().map(|(name, _)| format!("null as {name}")));
        format!("select {} from {}", columns.join(", "), self.name)
    }
}

/// The beginning and the end of the session.
pub(super) static SESSION: Table = Table::of_events(
    "session",
    &[
        ("what", "text not null"),
        ("program", "text"),
        ("version", "text"),
        ("cell", "text"),
        ("chemistry", "text"),
        ("plan", "text"),
        ("instrument", "text"),
        ("instrument_label", "text"),
        ("circuit", "text"),
        ("track", "text"),
        ("sweeps_planned", "integer"),
        ("point_overhead_s", "real"),
        ("point_periods", "real"),
        ("simulated", "integer"),
        ("time_scale", "real"),
        ("source", "text"),
        ("reason", "text"),
    ],
);

/// States of the serial link.
pub(super) static LINK: Table = Table::of_events(
    "link",
    &[
        ("state", "text not null"),
        ("port", "text not null"),
        ("reason", "text not null"),
    ],
);

/// Who the instrument said it is.
pub(super) static IDENTITY: Table = Table::of_events(
    "identity",
    &[
        ("instrument", "text not null"),
        ("firmware", "text not null"),
        ("serial", "text not null"),
    ],
);

/// What the user or the plan asked for.
pub(super) static COMMAND: Table = Table::of_events(
    "command",
    &[
        ("command", "text not null"),
        ("origin", "text not null"),
        ("text", "text not null"),
    ],
);

/// Steps of the plan.
pub(super) static PLAN_STEP: Table = Table::of_events(
    "plan_step",
    &[
        ("step", "integer not null"),
        ("steps", "integer not null"),
        ("name", "text not null"),
        ("text", "text not null"),
        ("until_s", "real"),
    ],
);

/// Bytes on the line, both ways.
pub(super) static WIRE: Table = Table::of_events(
    "wire",
    &[("direction", "text not null"), ("bytes", "blob not null")],
);

/// Beginnings and ends of sweeps.
pub(super) static SWEEP: Table = Table::of_events(
    "sweep",
    &[
        ("what", "text not null"),
        ("sweep", "integer not null"),
        ("technique", "text"),
        ("n_points", "integer"),
        ("f_max_hz", "real"),
        ("f_min_hz", "real"),
        ("bias_v", "real"),
        ("amplitude_vrms", "real"),
        ("range", "text"),
        ("complete", "integer"),
        ("reason", "text"),
    ],
);

/// Points of impedance; null in an impedance is NaN.
pub(super) static POINT: Table = Table::of_events(
    "point",
    &[
        ("sweep", "integer not null"),
        ("idx", "integer not null"),
        ("frequency_hz", "real"),
        ("z_real_ohm", "real"),
        ("z_imag_ohm", "real"),
        ("status", "text not null"),
        ("status_bits", "integer"),
        ("range", "text"),
        ("noise", "integer"),
        ("potential_v", "real"),
        ("current_a", "real"),
        ("amplitude_vrms", "real"),
        ("amplitude_arms", "real"),
        ("std_error_ohm", "real"),
        ("t_start_s", "real"),
    ],
);

/// Readings of potential and current.
pub(super) static SAMPLE: Table = Table::of_events(
    "sample",
    &[
        ("technique", "text not null"),
        ("device_t_s", "real"),
        ("potential_v", "real"),
        ("current_a", "real"),
        ("charge_c", "real"),
        ("temperature_k", "real"),
        ("pressure_mpa", "real"),
    ],
);

/// Judgements of sweeps; reasons and the indices of doubtful points are JSON arrays.
pub(super) static VALIDITY: Table = Table::of_events(
    "validity",
    &[
        ("sweep", "integer not null"),
        ("method", "text not null"),
        ("verdict", "text not null"),
        ("max_residual_percent", "real"),
        ("mu", "real"),
        ("m", "integer"),
        ("noise_percent", "real"),
        ("noise_source", "text not null"),
    ],
)
.with_added(&[
    ("final", "integer"),
    ("reasons", "text"),
    ("form", "text"),
    ("series_capacitance", "integer"),
    ("inductance", "integer"),
    ("n_used", "integer"),
    ("doubtful", "text"),
    ("drift_percent", "real"),
    ("drift_std_error_percent", "real"),
]);

/// Fits; the correlation is a blob of little-endian f64, row after row, with the lengths of the rows beside it.
pub(super) static FIT: Table = Table::of_events(
    "fit",
    &[
        ("sweep", "integer not null"),
        ("final", "integer not null"),
        ("engine", "text not null"),
        ("circuit", "text not null"),
        ("weight", "text not null"),
        ("converged", "integer not null"),
        ("n_points", "integer not null"),
        ("n_used", "integer not null"),
        ("left_out", "integer not null"),
        ("chi_squared", "real"),
        ("reduced_chi_squared", "real"),
        ("noise_percent", "real"),
        ("aicc", "real"),
        ("bic", "real"),
        ("runs_p", "real"),
        ("starts", "integer not null"),
        ("evaluations", "integer not null"),
        ("elapsed_us", "real"),
        ("guess_us", "real"),
        ("correlation_row_lengths", "text not null"),
        ("correlation", "blob not null"),
    ],
);

/// Parameters of fits.
pub(super) static FIT_PARAMETER: Table = Table::of_parts(
    "fit_parameter",
    &[
        ("name", "text not null"),
        ("unit", "text not null"),
        ("value", "real"),
        ("std_error", "real"),
        ("lower", "real"),
        ("upper", "real"),
        ("fixed", "integer not null"),
        ("at_bound", "integer not null"),
        ("determined", "integer not null"),
        ("arc_id", "integer"),
    ],
);

/// Sums of parameters of fits.
pub(super) static FIT_SUM: Table = Table::of_parts(
    "fit_sum",
    &[
        ("name", "text not null"),
        ("value", "real"),
        ("std_error", "real"),
        ("determined", "integer not null"),
    ],
);

/// Alarms raised and acknowledged.
pub(super) static ALARM: Table = Table::of_events(
    "alarm",
    &[
        ("what", "text not null"),
        ("name", "text not null"),
        ("severity", "text"),
        ("value", "real"),
        ("limit_value", "real"),
        ("sweep", "integer"),
        ("text", "text"),
        ("origin", "text"),
    ],
);

/// Gaps, clock jumps and resumptions.
pub(super) static INTERRUPTION: Table = Table::of_events(
    "interruption",
    &[
        ("what", "text not null"),
        ("from_utc_ns", "integer not null"),
        ("to_utc_ns", "integer not null"),
        ("reason", "text not null"),
    ],
);

/// Values of the cell that were found wrong later.
pub(super) static AMENDMENT: Table = Table::of_events(
    "amendment",
    &[
        ("key", "text not null"),
        ("old", "text"),
        ("new", "text not null"),
    ],
)
.since_2();

/// Remarks.
pub(super) static NOTE: Table = Table::of_events("note", &[("text", "text not null")]);

/// The tables whose rows are events. One number runs over all of them.
pub(super) static EVENT_TABLES: [&Table; 15] = [
    &SESSION,
    &LINK,
    &IDENTITY,
    &COMMAND,
    &PLAN_STEP,
    &WIRE,
    &SWEEP,
    &POINT,
    &SAMPLE,
    &VALIDITY,
    &FIT,
    &ALARM,
    &INTERRUPTION,
    &AMENDMENT,
    &NOTE,
];

/// The tables whose rows are parts of fits.
pub(super) static PART_TABLES: [&Table; 2] = [&FIT_PARAMETER, &FIT_SUM];

/// All tables that events are stored in.
pub(super) fn all_tables() -> impl Iterator<Item = &'static Table> {
    EVENT_TABLES.into_iter().chain(PART_TABLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_is_wider_than_the_space_for_a_row() {
        assert!(all_tables().all(|table| table.width() <= MAX_COLUMNS));
    }
}
