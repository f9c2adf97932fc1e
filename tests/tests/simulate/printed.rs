//! What the verb prints: times on the loop's own clock, and the steps of each run below its start.

use loopwright_tests::stage::Stage;

fn printed(stage: &Stage, words: &[&str]) -> String {
    let answer = stage.plain(&[&["simulate"], words].concat()).exits(0);
    answer.out
}

#[test]
fn a_loop_is_told_on_its_own_clock_wherever_the_computer_is() {
    let stage = Stage::empty();
    let days = ["--from", "2026-12-01", "--days", "2", "--zone"];
    for zone in ["UTC", "Asia/Tokyo", "Europe/Berlin"] {
        let text = printed(&stage, &[&["trading-day"], &days[..], &[zone]].concat());
        for wanted in ["Tue 2026-12-01 08:25", "for 2026-12-01 08:25 (cron)", "Tue 2026-12-01 15:30"] {
            assert!(text.contains(wanted), "{zone}, {wanted}:\n{text}");
        }
        assert_eq!(text.contains("The times above are those of Europe/Berlin."), zone != "Europe/Berlin", "{text}");
    }
    // Beside a loop that goes by the computer's clock each line says whose it is.
    let text = printed(&stage, &[&["trading-day", "tidy"], &days[..], &["UTC"]].concat());
    assert!(text.contains("Tue 2026-12-01 08:25 Europe/Berlin"), "{text}");
}

#[test]
fn the_steps_of_a_run_stand_below_its_start() {
    let stage = Stage::empty();
    let asked = ["trading-day", "--zone", "UTC", "--from", "2026-12-01", "--days"];
    let text = printed(&stage, &[&asked[..], &["2"]].concat());
    let steps = ["open_day", "login", "monitor", "engine", "square_off", "report", "notify"];
    for step in steps {
        assert!(text.lines().any(|line| line.starts_with("    ") && line.contains(step)), "{step}:\n{text}");
    }
    let ended = "15:30:00  ✓ monitor: ended after 7 h 3 min: it was 15:30.";
    for wanted in ["08:26:00  ✓ open_day: ok, 1 min.", ended, "15:30:00  ✓ notify: ok"] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }
    let long = printed(&stage, &[&asked[..], &["5"]].concat());
    assert!(!long.contains("square_off"), "{long}");
    let asked_for = printed(&stage, &[&asked[..], &["5", "--journal"]].concat());

    assert!(asked_for.contains("square_off"), "{asked_for}");
}
