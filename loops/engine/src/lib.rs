//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod checks;
pub mod forge;
pub mod git;
pub mod halt;
pub mod home;
pub mod lease;
pub mod os;
pub mod sandbox;
pub mod store;
pub mod workspace;
