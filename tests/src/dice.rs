//! Random numbers of random suites: a seed that is printed makes them all over again (SplitMix64).

/// A source of numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Numbers that follow from the seed `LOOPWRIGHT_SEED`, or from the clock; the seed is printed.
    pub fn seeded(suite: &str) -> Dice {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let told = std::env::var("LOOPWRIGHT_SEED").ok().and_then(|seed| seed.parse().ok());
        #[expect(clippy::cast_possible_truncation, reason = "any number is a seed")]
        let seed = told.unwrap_or(now.as_nanos() as u64);
        crate::tell(&format!("{suite}: LOOPWRIGHT_SEED={seed}"));
        Dice(seed)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end.max(1)).unwrap_or(1)).unwrap_or_default()
    }
}
