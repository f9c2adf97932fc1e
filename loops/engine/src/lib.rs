//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod git;
pub mod home;
pub mod host;
pub mod sandbox;
pub mod store;
pub mod workspace;
