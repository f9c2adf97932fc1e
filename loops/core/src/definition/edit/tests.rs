//! Every template, sample and made-up file, changed in every key of its timing: bytes outside of these keys stay.

use chrono::NaiveTime;
use proptest::prelude::*;

use super::super::form::Form;
use super::*;
use crate::timing::{After, Battery, CatchUpHow, Overlap, Trigger};

const REST: &str = "steps:\n  - discover: {run: open_issues, write_to: state/triage.md}\n\
                    guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\n";

fn edited(text: &str, change: impl Fn(&mut Timing)) -> Result<String, EditError> {
    let mut timing = read(text).definition.expect("a valid loop").timing;
    change(&mut timing);
    retime(text, &timing)
}

fn cron(expression: &str) -> Trigger {
    Trigger::Cron(expression.to_owned())
}

/// Checks one edit of the lines above the steps.
fn check(before: &str, after: &str, change: impl Fn(&mut Timing)) {
    let of = |head: &str| format!("name: x\n{head}{REST}");
    assert_eq!(edited(&of(before), change), Ok(of(after)));
}

#[test]
fn a_scalar_keeps_its_quotes_and_its_comment() {
    let later = |timing: &mut Timing| timing.triggers = vec![cron("0 9 * * MON-FRI")];
    for (before, after) in [
        ("trigger: cron(\"0 9 * * *\")  # at nine\n", "trigger: cron(\"0 9 * * MON-FRI\")  # at nine\n"),
        ("trigger:   'cron(\"0 9 * * *\")'\n", "trigger:   'cron(\"0 9 * * MON-FRI\")'\n"),
        ("\"trigger\": \"cron(\\\"0 9 * * *\\\")\"\n", "\"trigger\": \"cron(\\\"0 9 * * MON-FRI\\\")\"\n"),
        ("trigger:\n  - cron(\"0 9 * * *\")  # a\n", "trigger:\n  - cron(\"0 9 * * MON-FRI\")  # a\n"),
        ("trigger: ['cron(\"0 9 * * *\")']\n", "trigger: ['cron(\"0 9 * * MON-FRI\")']\n"),
        ("trigger: >-\n  cron(\"0 9 * * *\")\n# c\n", "trigger: >-\n  cron(\"0 9 * * MON-FRI\")\n# c\n"),
    ] {
        check(before, after, later);
    }
}

#[test]
fn keys_come_and_go_on_lines_of_their_own() {
    let head = "trigger: cron(\"0 9 * * *\")  # at nine\ntimezone: Europe/Berlin  # the exchange's\nwake: true\n";
    check(head, "trigger: cron(\"0 9 * * *\")  # at nine\n# the exchange's\nwake: true\n", |t| t.zone = None);
    check(head, &head.replace("Berlin", "Paris"), |t| t.zone = Some(chrono_tz::Europe::Paris));
    check(head, &head.replace("wake: true", "wake: false"), |t| t.wake = false);
    check(head, &format!("{head}battery: wait\n"), |t| t.battery = Battery::Wait);
    let quiet = QuietHours { from: NaiveTime::MIN, to: NaiveTime::from_hms_opt(7, 5, 0).expect("a time") };
    let both = format!("{head}catch_up: {{how: once, within: 2h}}\nquiet_hours: \"00:00-07:05\"\n");
    check(head, &both, |t| {
        t.catch_up.within_s = 7200;
        t.quiet_hours = Some(quiet);
    });
    check(&both, &format!("{head}catch_up: {{how: skip, within: 2h}}\n"), |t| {
        t.catch_up.how = CatchUpHow::Skip;
        t.quiet_hours = None;
    });
    let block = "trigger: manual\ncatch_up:\n  how: once # one\n";
    check(block, "trigger: manual\ncatch_up:\n  how: once # one\n  within: 3d\n", |t| t.catch_up.within_s = 259_200);
}

#[test]
fn lists_of_triggers_change_by_items() {
    let list = "trigger:\n  # early\n  - cron(\"0 9 * * *\")  # nine\n  - after(deps)\n  # end\n";
    let after = || Trigger::After { name: "deps".to_owned(), outcome: After::Finished };
    let more =
        "trigger:\n  # early\n  - cron(\"0 9 * * *\")  # nine\n  - cron(\"5 9 * * *\")\n  - after(deps)\n  # end\n";
    check(list, more, |t| t.triggers.insert(1, cron("5 9 * * *")));
    check(more, list, |t| drop(t.triggers.remove(1)));
    check(list, "trigger:\n  # early\n  # nine\n  - after(deps)\n  # end\n", |t| drop(t.triggers.remove(0)));
    check("trigger: cron(\"0 9 * * *\")  # n\n", "trigger:\n  - cron(\"0 9 * * *\")\n  - after(deps)  # n\n", |t| {
        t.triggers.push(after());
    });
    check("trigger: [manual, after(deps)]\n", "trigger: [manual, 'cron(\"0 9,17 * * *\")', after(deps)]\n", |t| {
        t.triggers.insert(1, cron("0 9,17 * * *"));
    });
}

#[test]
fn json_and_windows_stay_what_they_are() {
    let json = "{\"name\": \"x\", \"trigger\": \"cron(\\\"0 9 * * *\\\")\", \"wake\": \"true\", \
                \"steps\": [{\"discover\": {\"run\": \"open_issues\", \"write_to\": \"state/triage.md\"}}], \
                \"guardrails\": {\"max_iterations\": 3, \"budget\": \"$5/run\", \"halt_on\": \"no_progress(2)\"}}";
    let changed = edited(json, |t| t.overlap = Overlap::Queue).expect("it can be changed");
    assert_eq!(changed, json.replace("\"true\", ", "\"true\", overlap: queue(1), "));
    let windows = format!("\u{feff}name: x\ntrigger: manual\n{REST}").replace('\n', "\r\n");
    let changed = edited(&windows, |t| t.battery = Battery::Skip).expect("it can be changed");
    assert_eq!(changed, windows.replace("manual\r\n", "manual\r\nbattery: skip\r\n"));
}

#[test]
fn what_can_not_be_changed_so_is_refused() {
    assert_eq!(retime("name: x\n", &Timing::manual()), Err(EditError::Invalid));
    let odd = format!("name: x\ntrigger: [ # first\n  manual, # second\n  after(deps)]\n{REST}");
    assert_eq!(edited(&odd, |t| drop(t.triggers.remove(1))), Err(EditError::Shape("trigger")));
    let twice = format!("name: x\ntrigger: manual\n{REST}");
    assert_eq!(edited(&twice, |t| t.triggers.push(Trigger::Manual)), Err(EditError::Unlike), "no valid loop any more");
}

/// The files that edits are tried on: what ships, the samples that are valid, and some odd ones.
#[expect(clippy::disallowed_methods, reason = "tests read samples")]
fn texts() -> Vec<String> {
    let root = format!("{}/..", env!("CARGO_MANIFEST_DIR"));
    let files = ["templates", "../tests/samples/bad", "../tests/samples/good"].map(|folder| format!("{root}/{folder}"));
    let mut texts: Vec<String> = Vec::new();
    for folder in files {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = if entry.path().is_dir() { entry.path().join("loop.yaml") } else { entry.path() };
            texts.extend(std::fs::read_to_string(path).ok());
        }
    }
    texts.retain(|text| read(text).definition.is_some());
    for head in [
        "trigger: manual\n",
        "# a\ntrigger:   # b\n  - manual   # c\n  # d\n  - every(15m)\n\n# e\nwake:   'true' # f\n",
        "trigger: [manual, 'cron(\"0 9 * * *\")']  # g\ncatch_up: {within: 6h}   # h\nzone: UTC\n",
        "catch_up:\n    how: all(3)\n    # i\n    within: 90m\nquiet_hours: \"22:00-07:00\"\ntrigger: after(deps) # j\n",
    ] {
        texts.push(format!("name: x\n{head}{REST}"));
        texts.push(format!("name: x\n{REST}{head}").replace('\n', "\r\n"));
    }
    texts
}

fn timings() -> impl Strategy<Value = Timing> {
    let triggers = prop::sample::subsequence(
        vec![
            cron("0 9 * * MON-FRI"),
            cron("*/15 9-17 * * MON#1"),
            cron("0 9,17 * * *"),
            Trigger::Every(900),
            Trigger::File("in/*, [a].csv".to_owned()),
            Trigger::After { name: "deps".to_owned(), outcome: After::Ended },
            Trigger::Manual,
        ],
        1..5,
    );
    let zone = prop::sample::select(vec![None, Some(chrono_tz::Europe::Berlin), Some(chrono_tz::UTC)]);
    let how = prop::sample::select(vec![CatchUpHow::Skip, CatchUpHow::Once, CatchUpHow::All(7)]);
    let overlap = prop::sample::select(vec![Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious]);
    let quiet = prop::option::of((0..12_u32, 12..24_u32));
    let battery = prop::sample::select(vec![Battery::Run, Battery::Skip, Battery::Wait]);
    let rest = (any::<bool>(), how, 1..100_u64, overlap, 0..60_u64, quiet, battery);
    (triggers, zone, rest).prop_map(|(triggers, zone, (wake, how, minutes, overlap, jitter, quiet, battery))| {
        let at = |hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap_or(NaiveTime::MIN);
        Timing {
            triggers,
            zone,
            wake,
            catch_up: CatchUp { how, within_s: minutes * 60 },
            overlap,
            jitter_s: jitter * 60,
            quiet_hours: quiet.map(|(from, to)| QuietHours { from: at(from), to: at(to) }),
            battery,
        }
    })
}

/// The lines of a text that belong to no key of its timing, in order.
fn others(text: &str) -> Vec<String> {
    let mut faults = Faults::new(text);
    let root = yaml::tree(text, &mut faults).expect("a tree");
    let Value::Map(entries) = &root.value else { panic!("no mapping") };
    let patches = Patches::of(text);
    let mut rest = text.to_owned();
    for entry in entries.iter().rev().filter(|entry| ORDER.contains(&entry.key.as_str())) {
        rest.replace_range(entry.key_at.start..patches.end_of(&entry.value), "");
    }
    rest.split('\n').map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn comments(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with('#') || line.contains(" #")).count()
}

/// Whether an editor kept all but the timing, and wrote the timing that was asked for.
fn holds(
    editor: impl Fn(&str, &Timing) -> Result<String, EditError>,
    text: &str,
    wanted: &Timing,
) -> Result<(), String> {
    let changed = match editor(text, wanted) {
        Ok(changed) => changed,
        Err(EditError::Shape(_)) if text.contains('#') => return Ok(()),
        Err(error) => return Err(format!("{error}: {wanted:?}")),
    };
    let timing = read(&changed).definition.map(|definition| definition.timing);
    if timing.as_ref() != Some(wanted) {
        return Err(format!("says {timing:?}"));
    }
    let (mut before, mut after) = (others(text), others(&changed));
    // A comment that stood behind a key that is gone, or in a list, may stand in a line of its own.
    before.sort_unstable();
    after.sort_unstable();
    match (before == after || comments(text) > 0) && comments(text) <= comments(&changed) {
        true => Ok(()),
        false => Err(format!("{before:?} is {after:?}")),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]
    #[test]
    fn any_edit_of_any_file_changes_only_its_keys(text in prop::sample::select(texts()), wanted in timings()) {
        prop_assert_eq!(holds(retime, &text, &wanted), Ok(()), "{}", text);
    }

    #[test]
    fn a_form_says_what_it_was_made_of(timing in timings()) {
        prop_assert_eq!(Form::of(&timing).timing(&timing), Ok(timing.clone()));
    }
}

#[test]
fn an_editor_that_writes_the_file_anew_fails_the_same_test() {
    let anew = |text: &str, wanted: &Timing| {
        let changed = retime(text, wanted)?;
        let value: serde_json::Value = serde_saphyr::from_str(&changed).map_err(|_| EditError::Invalid)?;
        serde_json::to_string_pretty(&value).map_err(|_| EditError::Invalid)
    };
    let wanted = Timing { battery: Battery::Wait, ..read(&texts()[0]).definition.expect("a loop").timing };
    let failed = texts().iter().filter(|text| holds(anew, text, &wanted).is_err()).count();
    assert_eq!(failed, texts().len(), "each of them is noticed");
}
