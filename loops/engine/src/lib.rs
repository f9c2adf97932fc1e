//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod forge;
pub mod git;
pub mod sandbox;
pub mod workspace;
