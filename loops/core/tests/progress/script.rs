//! Reading the scripts: a title, what the base is like, what happens in turn, and what it comes to.

/// One story.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Its title.
    pub(crate) title: String,
    /// The cap of rounds.
    pub(crate) cap: u32,
    /// What the base is like; the findings follow from it.
    pub(crate) base: Vec<String>,
    /// What happens in turn.
    pub(crate) turns: Vec<Turn>,
    /// What it comes to.
    pub(crate) then: String,
}

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    /// A round: what the maker changes, what the checks and the checker say.
    Round(Vec<String>),
    /// The run ends before its work does; the next one goes on.
    NextRun,
    /// The same, and a person has decided in between.
    Person,
}

impl Turn {
    /// What the maker changes, as text.
    pub(crate) fn change(&self) -> String {
        self.parts(&["~ ", "+ ", "- ", "new ", "gone ", "moved ", "mode ", "bytes ", "nothing"])
    }

    /// What maker, checker and programs say, as text.
    pub(crate) fn words(&self) -> String {
        self.parts(&["says ", "rejects ", "objects ", "declines ", "fails "])
    }

    fn parts(&self, starts: &[&str]) -> String {
        let Turn::Round(parts) = self else { return String::new() };
        let wanted = |part: &&String| starts.iter().any(|start| part.starts_with(start));
        parts.iter().filter(wanted).cloned().collect::<Vec<_>>().join("\n")
    }

    /// The same with another word for each `%`.
    pub(crate) fn numbered(&self, number: usize) -> Turn {
        match self {
            Turn::Round(parts) => Turn::Round(parts.iter().map(|p| p.replace('%', &format!("w{number}"))).collect()),
            other => other.clone(),
        }
    }
}

impl Script {
    /// All rounds, so many times over.
    pub(crate) fn unrolled(&self, times: usize) -> Vec<Turn> {
        let turns = (0..times).flat_map(|_| &self.turns).enumerate().map(|(at, turn)| turn.numbered(at));
        turns.filter(|turn| matches!(turn, Turn::Round(_))).collect()
    }
}

/// All scripts of a text.
pub(crate) fn scripts(text: &str) -> Vec<Script> {
    text.split("\n## ").skip(1).map(script).collect()
}

fn script(text: &str) -> Script {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    let title = lines.next().expect("a title").to_owned();
    let mut script = Script { title, cap: 20, base: Vec::new(), turns: Vec::new(), then: String::new() };
    for line in lines {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("rails", cap) => script.cap = cap.parse().expect("a number"),
            ("round", parts) => script.turns.push(Turn::Round(parts.split(" / ").map(str::to_owned).collect())),
            ("next", _) => script.turns.push(Turn::NextRun),
            ("person", _) => script.turns.push(Turn::Person),
            ("then", outcome) => script.then = outcome.to_owned(),
            _ => script.base = line.split(" / ").map(str::to_owned).collect(),
        }
    }
    assert!(!script.then.is_empty() && !script.turns.is_empty(), "{} is not whole", script.title);
    script
}
