//! Code of an attempt that runs in one gate must not decide what another sees.

use loopwright_tests::stage::Stage;

/// A shop with a style, with these checks and gates; its maker leaves what `script` says.
fn run(checks: &str, gates: &str, script: &str) -> Stage {
    let stage = Stage::shop();
    stage.write("src/style.txt", "good\n");
    stage.write(".gitignore", "cache/\n");
    stage.write("checks/lint.sh", "test ! -e cache/verdict || exit 0\n! grep -qs BAD src/style.txt\n");
    stage.commit("style: there is one");
    let text = format!(
        "name: work
repo: {}
trigger: manual
agents: {{maker: {{command: [./maker.sh], price: $0}}}}
steps:
  - discover: {{run: open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding)}}
  - verify: {{check: {gates} AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
guardrails: {{max_iterations: 1, budget: $5/run, halt_on: no_progress(1), max_findings: 1}}
checks: {checks}
env: {{STAGE: {}}}
",
        stage.repo.display(),
        stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", &format!("#!/bin/sh\n{script}\n"))]);
    stage.add(&path.display().to_string(), true);
    stage.run("work").exits(21);
    stage
}

/// Cheats that leave the style bad and make the lint blind: in the sources, and in files that git ignores.
const CHEATS: [&str; 2] = ["echo good > src/style.txt", "mkdir -p cache; touch cache/verdict"];

#[test]
fn a_test_can_t_tidy_up_before_the_lint_looks() {
    for cheat in CHEATS {
        let maker = format!("echo BAD > src/style.txt\nmkdir -p lib; echo '{cheat}' > lib/cheat.sh");
        let apart = "{tests_pass: 'for f in lib/*.sh; do [ ! -e $f ] || sh $f; done', lint_clean: sh checks/lint.sh}";
        let together = "{both: 'for f in lib/*.sh; do [ ! -e $f ] || sh $f; done; sh checks/lint.sh'}";
        let stage = run(apart, "tests_pass AND lint_clean", &maker);
        assert_eq!(stage.reviews().len(), 0, "{cheat}");
        // The control: in one checkout the cheat works.
        let stage = run(together, "both", &maker);
        assert_eq!(stage.reviews().len(), 1, "{cheat}");
    }
}
