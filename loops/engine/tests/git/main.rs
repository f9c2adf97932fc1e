//! Git, workspaces and the local forge against real git, a real sandbox and real repositories.

mod attempts;
mod bases;
mod hostile;
mod support;
