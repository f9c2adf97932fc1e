//! What went through the way out of a box, and what its reader is told of it.

use std::collections::BTreeMap;

/// What went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes to hosts.
    pub up: u64,
    /// Bytes from hosts.
    pub down: u64,
    /// What was asked for and refused, and how often.
    pub refused: BTreeMap<String, u32>,
}

impl Traffic {
    /// What the reader of the run should know, for the step `name`: topic and text.
    pub fn notes(&self, name: &str) -> Vec<(String, String)> {
        let refused = self.refused.iter().map(|(what, times)| {
            let often = if *times == 1 { String::new() } else { format!(", {times} times") };
            ("network-refused".to_owned(), format!("{name} asked for {what}, and was refused{often}"))
        });
        let any = self.up > 0 || self.down > 0;
        let moved =
            any.then(|| ("network".to_owned(), format!("{name} sent {} and received {} bytes", self.up, self.down)));
        moved.into_iter().chain(refused).collect()
    }
}
