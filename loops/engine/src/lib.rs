//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod checks;
pub mod sandbox;
