//! A checkout for several checks, each of which finds it as it was made.
//!
//! Checks run code of the attempt. What that code changes in the tree must not be what the next check looks at: a test could
//! tidy up the sources before the lint reads them. So the tree is sealed when it is made; before another check uses it, it is
//! compared, and where anything differs it is made anew. A check that leaves the tree alone costs one look at it.

use anyhow::{Context as _, Result};
use loopwright_core::check::CheckReport;

use super::{Work, scan};
use crate::checks::{DetectedCheck as Check, Seal};
use crate::workspace::{Origin, Workspace};

/// The checkout.
pub struct Checkout<'w> {
    work: &'w Work,
    origin: Origin,
    /// None only when making it anew failed.
    workspace: Option<Workspace>,
    seal: Option<Seal>,
    used: bool,
}

impl<'w> Checkout<'w> {
    /// Takes a fresh workspace for this many checks.
    ///
    /// # Errors
    /// The sandbox refuses; the workspace is gone then.
    pub fn new(work: &'w Work, workspace: Workspace, origin: Origin, checks: usize) -> Result<Checkout<'w>> {
        let mut checkout = Checkout { work, origin, workspace: Some(workspace), seal: None, used: false };
        // Nothing comes after the only check.
        if checks > 1 {
            match checkout.look() {
                Ok(seal) => checkout.seal = seal,
                Err(error) => return checkout.discard().and(Err(error)),
            }
        }
        Ok(checkout)
    }

    /// Runs one check; answers with its report and its output.
    ///
    /// # Errors
    /// The sandbox refuses, or HALT came.
    pub fn run(&mut self, check: &Check) -> Result<(CheckReport, Vec<u8>)> {
        if self.used && !self.is_fresh()? {
            self.renew()?;
        }
        self.used = true;
        let _turn = self.work.cores.turn();
        scan::run(self.work, check, self.workspace()?)
    }

    /// Removes it.
    ///
    /// # Errors
    /// It can't be removed.
    pub fn discard(mut self) -> Result<()> {
        self.workspace.take().map_or(Ok(()), |workspace| self.work.workspaces()?.discard(workspace))
    }

    fn workspace(&self) -> Result<&Workspace> {
        self.workspace.as_ref().context("the checkout could not be made anew")
    }

    fn look(&self) -> Result<Option<Seal>> {
        Seal::of(&self.workspace()?.path, &self.work.prepared, &self.work.sandbox)
    }

    fn is_fresh(&self) -> Result<bool> {
        let Some(seal) = &self.seal else { return Ok(false) };
        Ok(self.look()?.as_ref() == Some(seal))
    }

    fn renew(&mut self) -> Result<()> {
        let old = self.workspace.take().context("the checkout could not be made anew")?;
        let (name, commit) = (old.name.clone(), old.commit);
        let workspaces = self.work.workspaces()?;
        workspaces.discard(old)?;
        self.workspace = Some(workspaces.create(&name, commit, self.origin)?);
        self.seal = self.look()?;
        Ok(())
    }
}
