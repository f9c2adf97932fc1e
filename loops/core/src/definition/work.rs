//! `- act:`, `- verify:` and `- ship:`: who changes, what "done" means, and what is done with it.

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::phrase::{self, Call, Word};
use super::steps::{Names, Step, plain, retry, twice};
use super::values::{inside, phrase as read_phrase, small, text};
use super::yaml::Node;
use super::{Act, Ship, ShipAction, Verify};

const FOR_EACH: &str = "for_each: finding in state/triage.md";

/// Who makes the change; `written` is the list of discover, if that could be read.
pub(super) fn act(step: &Step<'_>, written: Option<&str>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Act> {
    let keys = ["for_each", "spawn", "isolation", "parallel", "retry"];
    let fields = Fields::over(step.entries, "act", step.at.clone(), &keys, faults);
    let each = for_each(&fields, written, faults);
    let maker = spawn(&fields, faults);
    names.maker.clone_from(&maker);
    let isolation = super::read::isolation(fields.get("isolation"), faults);
    let parallel = fields.get("parallel").map_or(Some(1), |node| small(node, 1..=8, "parallel: 2", faults));
    let retry = retry(&fields, faults);
    each?;
    isolation?;
    Some(Act { maker: maker?, parallel: parallel?, retry: retry? })
}

fn for_each(fields: &Fields<'_>, written: Option<&str>, faults: &mut Faults<'_>) -> Option<()> {
    let node = fields.required("for_each", &format!("add `{FOR_EACH}`"), faults)?;
    let (what, path) = read_phrase(node, FOR_EACH, faults, phrase::each)?;
    if what.text != "finding" {
        let at = inside(node, &what.at, faults);
        faults.error(
            "wrong-value",
            at,
            format!("`{}` can't be gone through", what.text),
            format!("write `{FOR_EACH}`"),
        );
        return None;
    }
    // Without a readable `write_to` there is nothing to compare with, and that has been told.
    let written = written.map_or(path.text.clone(), |inner| format!("state/{inner}"));
    if path.text != written {
        let message = format!("`{}` is not what discover writes", path.text);
        let help = format!("write `for_each: finding in {written}`, the same as `write_to`");
        faults.error("wrong-value", inside(node, &path.at, faults), message, help);
        return None;
    }
    Some(())
}

fn spawn(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let example = "spawn: implementer(finding)";
    let node = fields.required("spawn", &format!("add `{example}`"), faults)?;
    let call = read_phrase(node, example, faults, phrase::call)?;
    let arguments: Vec<&str> = call.arguments.iter().flatten().map(|w| w.text.as_str()).collect();
    if arguments == ["finding"] {
        return Some(call.name.text);
    }
    let message = format!("`{}` is given the finding, in brackets", call.name.text);
    faults.error("phrase", node.at.clone(), message, format!("write `spawn: {}(finding)`", call.name.text));
    None
}

/// Gates and checker.
pub(super) fn verify(step: &Step<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Verify> {
    let fields = Fields::over(step.entries, "verify", step.at.clone(), &["agent", "check", "retry"], faults);
    let checker = fields.get("agent").map(|node| {
        let call = read_phrase(node, "agent: reviewer", faults, phrase::call)?;
        plain(node, &call, faults).then_some(call.name.text)
    });
    names.checker = checker.clone().flatten();
    names.checker_at = fields.get("agent").map_or(step.at.clone(), |node| node.at.clone());
    let check = check(&fields, names, faults);
    let retry = retry(&fields, faults);
    Some(Verify { checker: checker.map_or(Some(None), |c| c.map(Some))?, check: check?, retry: retry? })
}

fn check(fields: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<crate::gate::Expression> {
    let example = "check: tests_pass AND lint_clean AND diff_reasonable";
    let node = fields.required("check", &format!("add `{example}`"), faults)?;
    let (tree, words) = read_phrase(node, example, faults, phrase::gates)?;
    for Word { text, at } in words {
        names.gates.push((text, inside(node, &at, faults)));
    }
    Some(tree)
}

/// What is done with a verified change.
pub(super) fn ship(step: &Step<'_>, faults: &mut Faults<'_>) -> Option<Ship> {
    let fields = Fields::over(step.entries, "ship", step.at.clone(), &["if", "run", "retry"], faults);
    let condition = condition(&fields, faults);
    let actions = actions(&fields, faults);
    let retry = retry(&fields, faults);
    condition?;
    Some(Ship { actions: actions?, retry: retry? })
}

fn condition(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<()> {
    let help = "add `if: verified`: nothing else is shipped";
    let node = fields.required("if", help, faults)?;
    let condition = text(node, "if: verified", faults)?;
    if condition == "verified" {
        return Some(());
    }
    let message = format!("`{condition}` is no condition to ship under");
    faults.error("wrong-value", node.at.clone(), message, "write `if: verified`, the only one there is");
    None
}

fn actions(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Vec<ShipAction>> {
    let example = "run: open_pr + link_issue + notify_slack";
    let node = fields.required("run", &format!("add `{example}`"), faults)?;
    let calls = read_phrase(node, example, faults, phrase::sum)?;
    let before = faults.errors();
    twice(node, &calls, faults);
    let actions: Vec<ShipAction> = calls.iter().filter_map(|call| action(node, call, faults)).collect();
    if faults.errors() == before && actions.first() != Some(&ShipAction::OpenPr) {
        let at = inside(node, &calls[0].name.at, faults);
        let message = "`open_pr` comes first: the others need its pull request";
        faults.error("wrong-value", at, message, format!("write `{example}`"));
    }
    (faults.errors() == before).then_some(actions)
}

fn action(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<ShipAction> {
    let known = ["open_pr", "link_issue", "notify_slack"];
    let action = match call.name.text.as_str() {
        "open_pr" => ShipAction::OpenPr,
        "link_issue" => ShipAction::LinkIssue,
        "notify_slack" => ShipAction::NotifySlack,
        other => {
            let at = inside(node, &call.name.at, faults);
            faults.error("unknown-word", at, format!("`{other}` is nothing to ship with"), suggestion(other, &known));
            return None;
        }
    };
    plain(node, call, faults).then_some(action)
}
