//! Instruments on serial links: what they say, how they are driven.

pub mod method_script;
