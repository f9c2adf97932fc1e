//! What a loop file can say of its starts and of its steps without findings: printed and read again, it is the same.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

mod printed;

use chrono::{DateTime, NaiveTime};
use chrono_tz::TZ_VARIANTS;
use loopwright_core::definition::{Chore, Command, Definition, Finally, Grants, Retry, RunStep, Until, read};
use loopwright_core::timing::{After, Battery, CatchUp, CatchUpHow, Overlap, QuietHours, Timing, Trigger};
use printed::printed;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

fn time() -> impl Strategy<Value = NaiveTime> {
    (0_u32..1440).prop_map(|m| NaiveTime::from_hms_opt(m / 60, m % 60, 0).expect("a time"))
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let cron =
        ["0 9 * * MON-FRI", "@daily", "*/15 9-17 1 * *", "0 9 L,15W * *", "0 9 * * MON#1,FRIL", "5 0,12 ? JAN-MAR ?"];
    let files = ["*.csv", "in/**/[a-z]?.txt", "~/drop/a b's/*", "/srv/x", "üñ/“x”/*"];
    let after = select(vec![After::Finished, After::Failed, After::Ended]);
    prop_oneof![
        select(cron.to_vec()).prop_map(|text| Trigger::Cron(text.to_owned())),
        (60_u64..=604_800).prop_map(Trigger::Every),
        (0_i64..40_000_000)
            .prop_map(|minute| { Trigger::At(DateTime::from_timestamp(minute * 60, 0).expect("a time").naive_utc()) }),
        ("[a-z0-9][a-z0-9-]{0,20}", after).prop_map(|(name, outcome)| Trigger::After { name, outcome }),
        select(files.to_vec()).prop_map(|glob| Trigger::File(glob.to_owned())),
        Just(Trigger::Manual),
    ]
}

fn timing() -> impl Strategy<Value = Timing> {
    let how = prop_oneof![Just(CatchUpHow::Skip), Just(CatchUpHow::Once), (1_u32..=50).prop_map(CatchUpHow::All)];
    let quiet = (time(), time()).prop_filter("a span", |(from, to)| from != to);
    let quiet = quiet.prop_map(|(from, to)| QuietHours { from, to });
    let overlap = select(vec![Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious]);
    let battery = select(vec![Battery::Run, Battery::Skip, Battery::Wait]);
    let rest = (any::<bool>(), how, 60_u64..=604_800, overlap, 0_u64..=3600, of(quiet), battery);
    (vec(trigger(), 1..=10), of(select(TZ_VARIANTS.to_vec())), rest).prop_map(|(mut triggers, zone, rest)| {
        let mut seen = Vec::new();
        triggers.retain(|trigger| {
            !seen.contains(trigger) && {
                seen.push(trigger.clone());
                true
            }
        });
        let (wake, how, within_s, overlap, jitter_s, quiet_hours, battery) = rest;
        Timing { triggers, zone, wake, catch_up: CatchUp { how, within_s }, overlap, jitter_s, quiet_hours, battery }
    })
}

fn command() -> impl Strategy<Value = Command> {
    let word = "\\PC{0,12}";
    prop_oneof![
        ("[./a-z]{1,9}", vec(word, 0..3)).prop_map(|(program, more)| Command::Argv([vec![program], more].concat())),
        "[!-~] ?\\PC{0,20}".prop_map(Command::Shell),
    ]
}

fn grants() -> impl Strategy<Value = Grants> {
    let texts = |pattern: &str| string_regex(pattern).expect("a pattern");
    let hosts = "[a-z]{1,5}\\.[a-z][a-z0-9]{1,5}:[1-9][0-9]{0,3}|(localhost|127\\.0\\.0\\.1):[1-9][0-9]{0,3}";
    let hosts = btree_set(texts(hosts), 0..4);
    let paths =
        |root: &str| btree_set(texts(&format!("{root}/[a-z]{{1,8}}(/[A-Za-z0-9 ü_-]{{0,6}}[a-z]){{0,2}}")), 0..3);
    (hosts, paths("~"), paths("/srv")).prop_map(|(network, read, write)| Grants {
        network: network.into_iter().collect(),
        read: read.into_iter().collect(),
        write: write.into_iter().collect(),
    })
}

/// A step by itself; its name and what it waits for are given where it stands.
fn step() -> impl Strategy<Value = RunStep> {
    let until = of(prop_oneof![time().prop_map(Until::Time), "[a-z]{1,8}(/[a-z]{1,8})?".prop_map(Until::File)]);
    let retry = of((1_u32..=10, 1_u64..=3600));
    (command(), any::<bool>(), until, retry, of(1_u64..=86_400), grants()).prop_map(
        |(command, service, until, retry, max_s, grants)| RunStep {
            name: String::new(),
            command,
            service,
            until,
            retry: retry.map_or(Retry::default(), |(times, every_s)| Retry { times, every_s }),
            max_s,
            idempotent: false,
            grants,
        },
    )
}

/// Steps and waits; every second one that can waits for the end of the first service.
fn chores() -> impl Strategy<Value = Vec<Chore>> {
    let wait = time().prop_map(|time| Chore::Wait(Until::Time(time)));
    let one = prop_oneof![3 => step().prop_map(|step| Chore::Run(Box::new(step))), 1 => wait];
    vec(one, 0..6).prop_map(|mut chores| {
        let mut service = None;
        for (i, chore) in chores.iter_mut().enumerate() {
            match (chore, &service) {
                (Chore::Wait(until), Some(name)) if i % 2 == 0 => *until = Until::Exit(String::clone(name)),
                (Chore::Wait(_), _) => {}
                (Chore::Run(step), known) => {
                    step.name = format!("{}{i}", ["a-", "b_", "9"][i % 3]);
                    if let Some(name) = known.as_ref().filter(|_| i % 2 == 0) {
                        step.until = Some(Until::Exit(String::clone(name)));
                    }
                    service = service.or_else(|| step.service.then(|| step.name.clone()));
                }
            }
        }
        chores
    })
}

fn finally() -> impl Strategy<Value = Finally> {
    (vec((step(), any::<bool>()), 0..3), 1_u64..=600).prop_map(|(steps, max_s)| {
        let steps: Vec<RunStep> = steps
            .into_iter()
            .enumerate()
            .map(|(i, (step, idempotent))| RunStep {
                name: format!("last-{i}"),
                service: false,
                until: None,
                retry: Retry::default(),
                idempotent,
                ..step
            })
            .collect();
        if steps.is_empty() { Finally::default() } else { Finally { steps, max_s } }
    })
}

/// The definition of a file without much in it.
fn plain() -> Definition {
    read("name: own-name\ntrigger: manual\nsteps:\n  - run: x\n").definition.expect("a definition")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_the_same(timing in timing(), chores in chores(), finally in finally()) {
        let meant = Definition { timing, chores, finally, ..plain() };
        let text = printed(&meant);
        let reading = read(&text);
        let Some(read) = reading.definition else { panic!("{:#?}\n{text}", reading.diagnostics) };
        prop_assert_eq!(&read.timing, &meant.timing, "{}", text);
        prop_assert_eq!(&read.chores, &meant.chores, "{}", text);
        prop_assert_eq!(&read.finally, &meant.finally, "{}", text);
    }
}
