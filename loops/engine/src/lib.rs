//! Acts: everything that touches the machine. Shells call `api`.

pub mod agent;
pub mod api;
pub mod checks;
pub mod clock;
pub mod cores;
pub mod ending;
pub mod fail;
mod finally;
pub mod forge;
#[cfg(target_os = "linux")]
pub mod gateway;
pub mod git;
pub mod halt;
pub mod home;
pub mod launch;
pub mod lease;
pub mod login_item;
pub mod loop_folder;
pub mod notify;
pub mod os;
pub mod resolve;
pub mod runner;
pub mod sandbox;
pub mod secrets;
pub mod serve_unit;
pub mod settings;
pub mod steps;
pub mod store;
mod sweep;
pub mod traffic;
pub mod wake;
pub mod workspace;
mod zone_files;
