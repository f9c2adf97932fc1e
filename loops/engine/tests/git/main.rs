//! Git, workspaces and the local forge against real git, a real sandbox and real repositories.

#[cfg(test)]
mod attempts;
#[cfg(test)]
mod bases;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod landing;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vanished;
