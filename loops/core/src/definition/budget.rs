//! `budget:`: what a run, a day and a month may cost at most. One amount, or a list of several.

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::values::{first_line, inside, phrase};
use super::yaml::{Node, Value};
use crate::ledger::{Ceiling, Period};
use crate::money::Micros;

const PERIODS: [Period; 3] = [Period::Run, Period::Day, Period::Month];

/// A ceiling and where it stands.
type Placed<'n> = (Ceiling, &'n Node);

/// The ceiling of a run, which every loop must have, and those of the loop's days and months; nothing at all is a ceiling only
/// where it finds nothing.
pub(super) fn of_loop(fields: &Fields<'_>, finds: bool, faults: &mut Faults<'_>) -> Option<(Micros, Vec<Ceiling>)> {
    let help = "add `budget: $5/run`: what one run may cost at most";
    let node = fields.required("budget", help, faults)?;
    if !finds
        && matches!(&node.value, Value::Scalar(text) if super::phrase::rate(text).is_ok_and(|(a, per)| a == Micros::ZERO && per.text == "run"))
    {
        return Some((Micros::ZERO, Vec::new()));
    }
    let ceilings = several(node, "budget: $5/run", faults)?;
    let (runs, wider): (Vec<Ceiling>, Vec<Ceiling>) = ceilings.into_iter().partition(|c| c.per == Period::Run);
    let Some(run) = runs.first() else {
        let wider: Vec<String> = wider.iter().map(Ceiling::to_string).collect();
        let help = format!("write `budget: [$5/run, {}]`", wider.join(", "));
        faults.error("missing-value", first_line(node, faults), "no ceiling for one run", help);
        return None;
    };
    Some((run.amount, wider))
}

/// The ceilings of all loops together: per day, per month, or both.
pub(super) fn of_fleet(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<Ceiling>> {
    let example = "budget: [$50/day, $500/month]";
    let ceilings = several(node, example, faults)?;
    if ceilings.iter().any(|c| c.per == Period::Run) {
        let message = "a ceiling for one run belongs into the loop's file";
        faults.error("wrong-value", first_line(node, faults), message, format!("write as in `{example}`"));
        return None;
    }
    Some(ceilings)
}

/// One ceiling or a list, in the order of their periods; each is given once, and none is above the next.
fn several(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<Vec<Ceiling>> {
    let Value::List(items) = &node.value else {
        return Some(vec![one(node, example, faults)?]);
    };
    if items.is_empty() {
        faults.error("missing-value", node.at.clone(), "the list has no amount", format!("write `{example}`"));
        return None;
    }
    let read: Vec<Option<Placed<'_>>> = items.iter().map(|item| Some((one(item, example, faults)?, item))).collect();
    let mut read: Vec<Placed<'_>> = read.into_iter().collect::<Option<_>>()?;
    let before = faults.errors();
    for (at, (ceiling, node)) in read.iter().enumerate() {
        if read[..at].iter().any(|(earlier, _)| earlier.per == ceiling.per) {
            let message = format!("a budget per {} is given twice", ceiling.per.word());
            faults.error("wrong-value", node.at.clone(), message, "keep one of the two");
        }
    }
    read.sort_by_key(|(ceiling, _)| ceiling.per);
    for pair in read.windows(2) {
        let ((narrow, _), (wide, node)) = (pair[0], pair[1]);
        if narrow.per < wide.per && wide.amount < narrow.amount {
            let message = format!("{wide} is less than {narrow}, which could never be used up");
            faults.error(
                "wrong-value",
                node.at.clone(),
                message,
                format!("write at least `{}/{}`", narrow.amount, wide.per.word()),
            );
        }
    }
    (faults.errors() == before).then(|| read.into_iter().map(|(ceiling, _)| ceiling).collect())
}

/// `$5/run`.
fn one(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<Ceiling> {
    let (amount, per) = phrase(node, example, faults, super::phrase::rate)?;
    let Some(period) = PERIODS.into_iter().find(|p| p.word() == per.text) else {
        let message = format!("a budget is per run, day or month, not per `{}`", per.text);
        let help = suggestion(&per.text, &PERIODS.map(Period::word));
        faults.error("wrong-value", inside(node, &per.at, faults), message, help);
        return None;
    };
    let most = most(period);
    if amount == Micros::ZERO || amount > most {
        let message = format!("{amount} is outside of what is allowed here");
        let help = format!("write more than $0 and at most {most}/{}", period.word());
        faults.error("out-of-range", node.at.clone(), message, help);
        return None;
    }
    Some(Ceiling { amount, per: period })
}

/// More than this is taken for a slip.
fn most(period: Period) -> Micros {
    let dollars = match period {
        Period::Run => 1_000,
        Period::Day => 10_000,
        Period::Month => 100_000,
    };
    Micros(dollars * 1_000_000)
}

#[cfg(test)]
mod tests {
    use crate::definition::read;

    fn reading(budget: &str) -> Result<String, Vec<String>> {
        let text = format!(
            "name: a\nrepo: /r\ntrigger: manual\nsteps:\n  - discover: {{run: scan_ci_failures, write_to: state/triage.md}}\n\
             guardrails: {{max_iterations: 3, budget: {budget}, halt_on: no_progress(2)}}\n"
        );
        let reading = read(&text);
        match reading.definition {
            Some(d) => Ok(std::iter::once(format!("{}/run", d.rails.budget))
                .chain(d.rails.ceilings.iter().map(ToString::to_string))
                .collect::<Vec<_>>()
                .join(" ")),
            None => Err(reading.diagnostics.into_iter().map(|d| d.message).collect()),
        }
    }

    #[test]
    fn one_amount_or_a_list_in_any_order() {
        assert_eq!(reading("$5/run"), Ok("$5/run".to_owned()));
        assert_eq!(reading("[$5/run]"), Ok("$5/run".to_owned()));
        assert_eq!(reading("[$500/month, $5/run, $20/day]"), Ok("$5/run $20/day $500/month".to_owned()));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (budget, told) in [
            ("$20/day", "no ceiling for one run"),
            ("[$20/day, $100/month]", "no ceiling for one run"),
            ("[]", "the list has no amount"),
            ("[$5/run, $3/day]", "$3/day is less than $5/run, which could never be used up"),
            ("[$5/run, $4/month]", "$4/month is less than $5/run, which could never be used up"),
            ("[$5/run, $6/run]", "a budget per run is given twice"),
            ("[$5/run, $20/week]", "a budget is per run, day or month, not per `week`"),
            ("[$5/run, $20000/day]", "$20000 is outside of what is allowed here"),
            ("[$5/run, [$20/day]]", "one value is expected here, not a list"),
        ] {
            assert_eq!(reading(budget), Err(vec![told.to_owned()]), "{budget}");
        }
    }
}
