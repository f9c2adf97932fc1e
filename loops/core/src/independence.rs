//! Whether maker and checker are independent, by what they are configured to be and by what they report to be.
//!
//! What a loop file may say at all is decided when it is read ([`crate::definition`]).

/// What is known of an agent's model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The model that the loop names; none = deterministic.
    pub configured: Option<String>,
    /// The model that it reported itself.
    pub reported: Option<String>,
    /// Whose model that is, if the loop says so.
    pub vendor: Option<String>,
}

/// How independent two agents are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Independence {
    /// Two vendors, or a maker without a model.
    Full,
    /// Allowed, but a person must know; why.
    Marked(String),
    /// The same model: its verdict counts for nothing; why.
    None(String),
}

/// Judges a maker and its checker.
pub fn judge(maker: &Identity, checker: &Identity) -> Independence {
    let model = |agent: &Identity| agent.reported.clone().or_else(|| agent.configured.clone());
    let (Some(made), Some(checked)) = (model(maker), model(checker)) else { return Independence::Full };
    if made == checked {
        return Independence::None(format!("maker and checker are the same model ({made})"));
    }
    for (role, agent) in [("maker", maker), ("checker", checker)] {
        if let (Some(configured), Some(reported)) = (&agent.configured, &agent.reported)
            && configured != reported
        {
            return Independence::Marked(format!("the {role} reports to be {reported}; the loop names {configured}"));
        }
    }
    match (&maker.vendor, &checker.vendor) {
        (Some(made), Some(checked)) if made != checked => Independence::Full,
        (Some(made), Some(_)) => Independence::Marked(format!("maker and checker are models of one vendor ({made})")),
        _ => Independence::Marked("the loop does not say whose models maker and checker are".to_owned()),
    }
}

/// What the agents on a machine can come to together, by whose they are; `any` works with models of several vendors.
pub fn of_vendors(vendors: &[&str]) -> (bool, &'static str) {
    let mut known: Vec<&str> = vendors.iter().copied().filter(|vendor| *vendor != "any").collect();
    known.sort_unstable();
    known.dedup();
    match (vendors.len(), known.len()) {
        (0, _) => (false, "No coding agent found. Loops with the built-in fixer work without one."),
        (_, 2..) => (true, "Independent: maker and checker can come from two vendors."),
        (1, 1) => (false, "One vendor: a checker of the same vendor is marked 'not independent' and opened in Review."),
        _ => (false, "Not known whose models these are: what they check is marked 'not independent'."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(configured: &str, reported: &str, vendor: &str) -> Identity {
        let some = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        Identity { configured: some(configured), reported: some(reported), vendor: some(vendor) }
    }

    fn why(maker: Identity, checker: Identity) -> &'static str {
        match judge(&maker, &checker) {
            Independence::Full => "full",
            Independence::Marked(_) => "marked",
            Independence::None(_) => "none",
        }
    }

    #[test]
    fn agents_of_two_vendors_can_be_independent() {
        assert!(of_vendors(&["Anthropic", "OpenAI"]).0 && of_vendors(&["any", "Google", "OpenAI"]).0);
        for few in [&[][..], &["Anthropic"], &["any", "any"], &["OpenAI", "OpenAI"], &["any", "Google"]] {
            assert!(!of_vendors(few).0, "{few:?}");
        }
        assert!(of_vendors(&[]).1.starts_with("No coding agent found"));
        assert!(of_vendors(&["Anthropic"]).1.starts_with("One vendor"));
    }

    #[test]
    fn two_vendors_are_independent_and_what_is_reported_counts() {
        assert_eq!(why(agent("a", "", "v1"), agent("b", "", "v2")), "full");
        assert_eq!(why(agent("a", "a", "v1"), agent("b", "b", "v2")), "full");
        assert_eq!(why(agent("a", "b", "v1"), agent("b", "", "v2")), "none");
        assert_eq!(why(agent("a", "", "v1"), agent("b", "a", "v2")), "none");
        assert_eq!(why(agent("a", "c", "v1"), agent("b", "", "v2")), "marked");
    }

    #[test]
    fn one_vendor_or_an_unknown_one_is_marked() {
        assert_eq!(why(agent("a", "", "v1"), agent("b", "", "v1")), "marked");
        assert_eq!(why(agent("a", "", "v1"), agent("b", "", "")), "marked");
    }

    #[test]
    fn a_maker_without_a_model_has_no_blind_spot_to_share() {
        assert_eq!(why(agent("", "", ""), agent("b", "", "v1")), "full");
        assert_eq!(why(agent("a", "", "v1"), agent("", "", "")), "full");
    }
}
