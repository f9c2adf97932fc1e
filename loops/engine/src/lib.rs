//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod halt;
pub mod launch;
pub mod lease;
pub mod os;
pub mod sandbox;
