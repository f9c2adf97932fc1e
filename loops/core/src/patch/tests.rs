//! Patches as they are read, and their words that differ.

use super::*;

fn file(path: &str, lines: &[&str]) -> FilePatch {
    let (mut old, mut new) = (0, 0);
    let line = |text: &&str| {
        let (sign, text) = text.split_at(1);
        let sign = match sign {
            "+" => Sign::Added,
            "-" => Sign::Removed,
            "@" => Sign::Hunk,
            _ => Sign::Same,
        };
        old += u32::from(matches!(sign, Sign::Removed | Sign::Same));
        new += u32::from(matches!(sign, Sign::Added | Sign::Same));
        let number = |on: bool, n: u32| if on { n } else { 0 };
        let (had, has) = (matches!(sign, Sign::Removed | Sign::Same), matches!(sign, Sign::Added | Sign::Same));
        PatchLine { sign, old: number(had, old), new: number(has, new), text: text.to_owned(), pair: None }
    };
    let mut file = FilePatch {
        path: path.to_owned(),
        old_path: None,
        kind: ChangeKind::Modified,
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        binary: None,
        content: String::new(),
        lines: lines.iter().map(line).collect(),
    };
    file.pair();
    file
}

/// A row as text: words that differ in brackets, hidden characters in angles.
fn shown(row: &Row) -> String {
    let piece = |piece: &Piece| match piece.kind {
        PieceKind::Plain => piece.text.clone(),
        PieceKind::Differs => format!("[{}]", piece.text),
        PieceKind::Hidden => format!("<{}>", piece.text),
    };
    row.pieces.iter().map(piece).collect()
}

fn shown_all(lines: &[&str]) -> Vec<String> {
    let patch = Patch { files: vec![file("src/a.rs", lines)] };
    patch.page(0, 100).iter().map(shown).collect()
}

#[test]
fn words_that_differ_are_marked() {
    let rows = shown_all(&["@-85 +85", "-    let now = Local::now();", "+    let now = clock.today();", " }"]);
    assert_eq!(rows[1..], ["    let now = [Local::now]();", "    let now = [clock.today]();", "}"]);
    let rows = shown_all(&["-a = 1", "-b = 2", "+a = 1 + 1", "+b = 3", "+c = 4"]);
    assert_eq!(rows, ["a = 1", "b = [2]", "a = 1[ + 1]", "b = [3]", "c = 4"]);
}

#[test]
fn lines_with_nothing_in_common_are_not_marked() {
    assert_eq!(shown_all(&["-return total;", "+if x { go() }"]), ["return total;", "if x { go() }"]);
}

#[test]
fn what_is_not_seen_is_named() {
    let rows = shown_all(&["+if a /*\u{202e} } \u{2066}*/ {", "+\ttab\r", "+\u{1b}[31mred"]);
    assert_eq!(rows, ["if a /*<U+202E> } <U+2066>*/ {", "\ttab<U+000D>", "<U+001B>[31mred"]);
}

#[test]
fn long_lines_are_cut_and_told() {
    let long = format!("+{}", "ä".repeat(1000));
    let patch = Patch { files: vec![file("src/a.rs", &[&long])] };
    assert_eq!(patch.page(0, 1)[0].cut, 600);
    let whole = patch.whole(0).expect("a line");
    assert_eq!((whole.cut, shown(&whole).chars().count()), (0, 1000));
    assert_eq!(patch.whole(1), None);
}

#[test]
fn pages_go_through_all_files() {
    let patch = Patch { files: vec![file("a", &["+1", "+2", "+3"]), file("b", &[]), file("c", &["+4", "+5"])] };
    let texts = |from, count| patch.page(from, count).iter().map(shown).collect::<Vec<_>>();
    assert_eq!(patch.len(), 5);
    assert_eq!(texts(0, 5), ["1", "2", "3", "4", "5"]);
    assert_eq!(texts(2, 2), ["3", "4"]);
    assert_eq!(texts(4, usize::MAX), ["5"]);
    assert_eq!(texts(5, 10), Vec::<String>::new());
    assert_eq!(patch.find("4"), [3]);
}

#[test]
fn find_looks_at_every_line_but_no_header() {
    let lines: Vec<String> = (0..10_000).map(|n| format!("+let n{n} = NEEDLE;")).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.insert(0, "@fn needle()");
    let patch = Patch { files: vec![file("src/a.rs", &lines)] };
    assert_eq!(patch.find("needle").len(), 10_000);
    assert_eq!(patch.find("N9999 ="), [10_000]);
    assert_eq!(patch.find(""), Vec::<usize>::new());
}

#[test]
fn what_can_do_harm_comes_first() {
    let mut renamed = file("src/new.rs", &[]);
    (renamed.kind, renamed.old_path) = (ChangeKind::Renamed, Some("src/old.rs".to_owned()));
    let mut executable = file("run.sh", &[]);
    executable.new_mode = 0o100_755;
    let mut patch = Patch {
        files: vec![
            file("Cargo.lock", &["+x"]),
            file("README.md", &["+x"]),
            file("src/a.rs", &["+x"]),
            file("tests/a.rs", &["+x"]),
            renamed,
            file("src/blank.rs", &["-a  b", "+a b"]),
            file("src/blank.py", &["-  b", "+b"]),
            file(".github/workflows/ci.yml", &["+x"]),
            executable,
        ],
    };
    let places = sort(&mut patch);
    let told = |(file, place): (&FilePatch, &Sorted)| {
        let folded = if place.folded { " folded" } else { "" };
        format!("{:?} {}{folded}: {}", place.class, file.path, place.why.as_deref().unwrap_or("-"))
    };
    let told: Vec<String> = patch.files.iter().zip(&places).map(told).collect();
    assert_eq!(
        told,
        [
            "Protected .github/workflows/ci.yml: continuous integration",
            "Protected run.sh: its mode changes",
            "Behaviour src/a.rs: -",
            "Behaviour src/blank.py: -",
            "Tests tests/a.rs: -",
            "Mechanical README.md: text",
            "Mechanical Cargo.lock folded: lock file",
            "Mechanical src/blank.rs folded: only white space",
            "Mechanical src/new.rs folded: renamed from src/old.rs",
        ]
    );
}

#[test]
fn lines_that_only_moved_are_folded_and_one_more_line_is_not() {
    let body = ["a();", "b();", "c();", "d();", "e();"];
    let with = |sign: &str, more: &[&str]| -> Vec<String> {
        body.iter().chain(more).map(|line| format!("{sign}{line}")).collect()
    };
    let place = |more: &[&str]| {
        let (gone, came) = (with("-", &[]), with("+", more));
        let mut patch = Patch {
            files: vec![
                file("src/from.rs", &gone.iter().map(String::as_str).collect::<Vec<_>>()),
                file("src/to.rs", &came.iter().map(String::as_str).collect::<Vec<_>>()),
            ],
        };
        let places = sort(&mut patch);
        let at = patch.files.iter().position(|file| file.path == "src/to.rs").expect("a file");
        places[at].clone()
    };
    assert!(place(&[]).folded);
    assert!(!place(&["evil();"]).folded);
    // One that is there twice was there once.
    assert!(!place(&["a();"]).folded);
}

#[test]
fn a_name_alone_hides_no_new_file() {
    let mut new = file("dist/x.min.js", &["+x"]);
    new.kind = ChangeKind::Added;
    let mut patch = Patch { files: vec![new, file("dist/y.min.js", &["+x"])] };
    let places = sort(&mut patch);
    let folded: Vec<bool> = places.iter().map(|place| place.folded).collect();
    assert_eq!(folded, [false, true]);
}

#[test]
fn sixty_lines_of_new_logic_take_eight_minutes() {
    let minutes = |path: &str, lines: usize| {
        let mut patch = Patch { files: vec![file(path, &vec!["+x"; lines])] };
        let places = sort(&mut patch);
        minutes_to_read(&patch, &places)
    };
    assert_eq!(minutes("src/a.rs", 60), 8);
    assert_eq!(minutes("src/a.rs", 1), 1);
    assert_eq!(minutes("tests/a.rs", 60), 4);
    assert_eq!(minutes("Cargo.lock", 6000), 1);
}
