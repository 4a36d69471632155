//! Files put together byte by byte, for tests. Widths are written down here a second time, so that a mistake in
//! the reader's own list shows.

use num_complex::Complex64;

/// One value of a point, as it is stored.
#[derive(Clone, Copy)]
pub(in crate::files) enum Cell {
    U8(u8),
    U16(u16),
    U32(u32),
    F32(f64),
    F64(f64),
    /// A flag that shares the byte of another.
    Shared,
}

/// The settings module.
#[derive(Clone)]
pub(in crate::files) struct Settings {
    pub place: usize,
    pub row_length: usize,
    /// First frequency and its unit, last frequency and its unit, amplitude / mV zero to peak.
    pub rows: Vec<(f32, u8, f32, u8, f32)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            place: 0x0572,
            row_length: 115,
            rows: vec![(1.0, 0, 0.5, 2, 14.142_136), (100.0, 1, 1.0, 3, 7.071_068)],
        }
    }
}

impl Settings {
    pub(in crate::files) fn content(&self, is_new: bool) -> Vec<u8> {
        let shift = if is_new { 3 } else { 0 };
        let row_length = self.row_length + shift;
        let mut content = vec![0; self.place + 4 + row_length * self.rows.len() + 40];
        content[0] = 0x1d;
        let mut put = |at: usize, bytes: &[u8]| content[at..at + bytes.len()].copy_from_slice(bytes);
        put(self.place, &(self.rows.len() as u16).to_le_bytes());
        put(self.place + 2, &52_u16.to_le_bytes());
        for (index, &(first, first_unit, last, last_unit, amplitude)) in self.rows.iter().enumerate() {
            let row = self.place + 4 + index * row_length + shift;
            put(row + 20, &first.to_le_bytes());
            put(row + 24, &[first_unit]);
            put(row + 25, &last.to_le_bytes());
            put(row + 29, &[last_unit]);
            put(row + 36, &amplitude.to_le_bytes());
        }
        content
    }
}

/// A file.
#[derive(Clone)]
pub(in crate::files) struct File {
    /// Version of the data module: 0, 2, 3, 10 or 11.
    pub version: u32,
    pub ids: Vec<u16>,
    pub records: Vec<Vec<Cell>>,
    /// The number of points that the file claims, where that is not the truth.
    pub claimed: Option<u32>,
    pub settings: Option<Settings>,
    pub loops: Vec<u32>,
}

/// Columns of potentiostatic impedance.
pub(in crate::files) const PEIS: [u16; 12] = [32, 37, 38, 36, 35, 4, 77, 76, 169, 24, 39, 131];

/// A resistor before a resistor beside a capacitor.
pub(in crate::files) fn impedance(frequency_hz: f64, r1_ohm: f64) -> Complex64 {
    let omega = std::f64::consts::TAU * frequency_hz;
    12.5 + r1_ohm / Complex64::new(1.0, omega * r1_ohm * 4e-6)
}

/// A point of [`PEIS`].
pub(in crate::files) fn peis_record(index: usize, frequency_hz: f64, cycle: f64, sequence: u16) -> Vec<Cell> {
    let z = impedance(frequency_hz, 30.0 + 10.0 * cycle);
    vec![
        Cell::F32(frequency_hz),
        Cell::F32(z.re),
        Cell::F32(-z.im),
        Cell::F32(z.norm()),
        Cell::F32(z.arg().to_degrees()),
        Cell::F64(0.5 * (index + 1) as f64),
        Cell::F32(3.25),
        Cell::F32(-0.125),
        Cell::F32(7.0),
        Cell::F64(cycle),
        Cell::U16(11),
        Cell::U16(sequence),
    ]
}

impl File {
    /// Sweeps of six points from 10 kHz down to 10 Hz, one a cycle.
    pub(in crate::files) fn peis(version: u32, cycles: usize) -> Self {
        let mut records = Vec::new();
        for cycle in 1..=cycles {
            for step in 0..6 {
                let frequency = 1e4 * 10_f64.powf(-0.6 * f64::from(step));
                records.push(peis_record(records.len(), frequency, cycle as f64, 0));
            }
        }
        Self {
            version,
            ids: PEIS.to_vec(),
            records,
            claimed: None,
            settings: Some(Settings::default()),
            loops: Vec::new(),
        }
    }

    fn data_content(&self) -> Vec<u8> {
        let mut content = self
            .claimed
            .unwrap_or(self.records.len() as u32)
            .to_le_bytes()
            .to_vec();
        let count = self.ids.len();
        match self.version {
            0 => {
                content.push(count as u8);
                content.extend(self.ids.iter().map(|&id| id as u8));
                content.resize(100, 0);
            }
            2 | 3 => {
                content.push(count as u8);
                content.extend(self.ids.iter().flat_map(|id| id.to_le_bytes()));
                content.resize(if self.version == 2 { 405 } else { 406 }, 0);
            }
            _ => {
                content.extend((count as u16).to_le_bytes());
                content.extend(self.ids.iter().flat_map(|id| id.to_le_bytes()));
                content.resize(1007, 0);
            }
        }
        for cell in self.records.iter().flatten() {
            match *cell {
                Cell::U8(value) => content.push(value),
                Cell::U16(value) => content.extend(value.to_le_bytes()),
                Cell::U32(value) => content.extend(value.to_le_bytes()),
                Cell::F32(value) => content.extend((value as f32).to_le_bytes()),
                Cell::F64(value) => content.extend(value.to_le_bytes()),
                Cell::Shared => {}
            }
        }
        content
    }

    /// A module with the header that goes with the version.
    fn module(&self, name: &str, long_name: &str, version: u32, content: &[u8]) -> Vec<u8> {
        let mut module = format!("MODULE{name:<10}{long_name:<25}").into_bytes();
        let length = content.len() as u32;
        if self.version >= 10 {
            module.extend(u32::MAX.to_le_bytes());
            module.extend(length.to_le_bytes());
            module.extend(0_u32.to_le_bytes());
            module.extend(version.to_le_bytes());
        } else {
            module.extend(length.to_le_bytes());
            module.extend(version.to_le_bytes());
        }
        module.extend(b"11/23/26");
        module.extend(content);
        module
    }

    /// The whole file.
    pub(in crate::files) fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"BIO-LOGIC MODULAR FILE\x1a".to_vec();
        bytes.resize(48, b' ');
        bytes.resize(52, 0);
        let other = if self.version >= 10 { 10 } else { 0 };
        if let Some(settings) = &self.settings {
            bytes.extend(self.module(
                "VMP Set",
                "VMP settings",
                other,
                &settings.content(self.version >= 10),
            ));
        }
        bytes.extend(self.module("VMP data", "VMP data", self.version, &self.data_content()));
        bytes.extend(self.module("VMP LOG", "VMP LOG", other, &[7; 20]));
        if !self.loops.is_empty() {
            let mut content = (self.loops.len() as u32).to_le_bytes().to_vec();
            content.extend(self.loops.iter().flat_map(|start| start.to_le_bytes()));
            bytes.extend(self.module("VMP loop", "VMP loop", other, &content));
        }
        bytes
    }
}
