//! Where there is no bubblewrap: nothing of a sandbox is built yet, and nothing runs without one.

/// The place of the sandbox, which refuses.
pub mod bubblewrap {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use anyhow::{Result, bail};
    use loopwright_core::gateway::HostPort;

    use super::view::MountRow;
    use crate::lease::Supervision;
    use crate::os::Kept;
    use crate::sandbox::stop::Stopper;
    use crate::sandbox::toolchain::HostEnvironment;
    use crate::sandbox::{BoxOutput, BoxSpec, Sandbox};
    use crate::workspace::Identity;

    /// Never made here yet.
    #[derive(Clone, Debug)]
    pub struct Bubblewrap;

    impl Bubblewrap {
        /// Finds the sandbox.
        ///
        /// # Errors
        /// Always: not built here yet.
        pub fn find(_host: &HostEnvironment) -> Result<Bubblewrap> {
            bail!("the sandbox for {} is not built yet, and nothing runs without one", std::env::consts::OS)
        }

        /// The same, for boxes of a run.
        pub fn supervised(self, _supervision: Arc<Supervision>) -> Bubblewrap {
            self
        }

        /// The same, for boxes that end with the time of their run.
        pub fn until(self, _deadline: Instant) -> Bubblewrap {
            self
        }

        /// The same, for boxes that have so long to end.
        pub fn with_patience(self, _by: Duration) -> Bubblewrap {
            self
        }

        /// The same, for a box that ends when it is asked to.
        pub fn stopped_by(self, _stopper: Arc<Stopper>) -> Bubblewrap {
            self
        }

        /// The same, for boxes that reach these hosts.
        pub fn reaching(self, _hosts: Vec<HostPort>) -> Bubblewrap {
            self
        }

        /// The same, for boxes that see what is open.
        pub fn binding(self, _open: Vec<(String, Arc<Kept>)>) -> Bubblewrap {
            self
        }

        /// The same with another last stage.
        pub fn opened_by(self, _stage: PathBuf) -> Bubblewrap {
            self
        }

        /// The same with the toolchain that the project names.
        pub fn with_the_projects_rust(self) -> Bubblewrap {
            self
        }

        /// What its boxes see: nothing.
        pub fn mounts_table(&self) -> Vec<MountRow> {
            Vec::new()
        }
    }

    impl Sandbox for Bubblewrap {
        fn run(&self, spec: &BoxSpec) -> Result<BoxOutput> {
            bail!("{} needs a sandbox, which is not built for {} yet", spec.label, std::env::consts::OS)
        }

        fn pin(&self, _folder: &Path, _identity: &Identity) {}

        fn unpin(&self, _folder: &Path) {}
    }
}

/// Which layers stand: none.
pub mod probe {
    use super::bubblewrap::Bubblewrap;
    use crate::sandbox::toolchain::HostEnvironment;

    /// One layer, as `doctor` shows it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Layer {
        /// Its name.
        pub name: &'static str,
        /// Whether it stands.
        pub state: LayerState,
    }

    /// Whether a layer stands.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum LayerState {
        /// It was tried and holds.
        On,
        /// This version of Loopwright does not have it.
        NotBuilt,
        /// It is missing on this machine: why, or the command that repairs it.
        Missing(String),
    }

    /// Tries every layer.
    pub fn probe(_host: &HostEnvironment) -> Vec<Layer> {
        let why = format!("the sandbox for {} is not built yet; runs are refused", std::env::consts::OS);
        vec![Layer { name: "sandbox", state: LayerState::Missing(why) }]
    }

    /// Tries every layer of a sandbox that was found already.
    pub fn probe_in(_sandbox: &Bubblewrap) -> Vec<Layer> {
        Vec::new()
    }

    /// Whether all layers that exist stand: nothing does.
    pub fn stands(_layers: &[Layer]) -> bool {
        false
    }
}

/// What a box sees: nothing.
pub mod view {
    use std::path::PathBuf;

    use crate::sandbox::Access;
    use crate::sandbox::toolchain::Toolchains;

    /// One row of what a box sees of the host.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct MountRow {
        /// Path on the host; none for what is made for the box alone.
        pub host: Option<PathBuf>,
        /// Path inside.
        pub inside: String,
        /// Whether it may be written.
        pub access: Access,
    }

    /// All rows of a box: none.
    pub fn rows(_toolchains: &Toolchains) -> Vec<MountRow> {
        Vec::new()
    }
}
