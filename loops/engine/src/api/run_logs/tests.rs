//! Pages of a log.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;

fn written(text: &[u8]) -> (tempfile::TempDir, File) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, text).expect("written");
    let file = File::open(path).expect("opened");
    (folder, file)
}

#[test]
fn pages_are_whole_lines_and_lead_through_the_whole_file() {
    let text: String = (0..20_000).map(|n| format!("line {n} ü\n")).collect();
    let (_folder, mut log) = written(text.as_bytes());
    let (mut from, mut forward) = (0, String::new());
    while from < text.len() as u64 {
        let page = page(&mut log, LogPlace::From(from)).expect("a page");
        assert!(page.text.len() as u64 <= PAGE && page.text.ends_with('\n'));
        forward += &page.text;
        from = page.to;
    }
    assert_eq!(forward, text);
    let mut last = page(&mut log, LogPlace::End).expect("the end");
    let mut backward = last.text.clone();
    while last.from > 0 {
        last = page(&mut log, LogPlace::Before(last.from)).expect("a page");
        assert!(last.text.starts_with("line"), "{}", &last.text[..20]);
        backward = last.text.clone() + &backward;
    }
    assert_eq!(backward, text);
}

#[test]
fn what_grows_is_read_on_and_what_was_begun_anew_from_its_end() {
    let (_folder, mut log) = written("one\ntwo ü".as_bytes());
    let all = page(&mut log, LogPlace::From(0)).expect("a page");
    assert_eq!((all.text.as_str(), all.to, all.size), ("one\ntwo ü", 10, 10));
    let rest = page(&mut log, LogPlace::From(4)).expect("the rest");
    assert_eq!(rest.text, "two ü");
    let anew = page(&mut log, LogPlace::From(999)).expect("its end");
    assert_eq!((anew.from, anew.text.as_str()), (0, "one\ntwo ü"));
    let (_folder, mut cut) = written(&"ü".as_bytes()[..1]);
    assert_eq!(page(&mut cut, LogPlace::From(0)).expect("a page").to, 0, "half a character waits for its other half");
    let (_folder, mut wrong) = written(b"\xff\xfe plain");
    assert_eq!(page(&mut wrong, LogPlace::From(0)).expect("a page").text, "\u{fffd}\u{fffd} plain");
}

#[test]
fn a_line_longer_than_a_page_is_read_in_parts() {
    let text = "x".repeat(200_000);
    let (_folder, mut log) = written(text.as_bytes());
    let (mut from, mut seen) = (0, 0);
    while from < text.len() as u64 {
        let page = page(&mut log, LogPlace::From(from)).expect("a page");
        (from, seen) = (page.to, seen + page.text.len());
    }
    assert_eq!(seen, text.len());
    let end = page(&mut log, LogPlace::End).expect("the end");
    assert_eq!(end.to - end.from, PAGE);
}

#[test]
fn every_place_of_a_text_is_found_across_spans() {
    let mut text = vec![b'.'; SPAN - 2];
    text.extend(b"NeedLe and needle");
    text.extend(vec![b'.'; SPAN]);
    text.extend(b"needleneedle");
    let (_folder, mut log) = written(&text);
    let at = |n: usize| n as u64;
    let found = matches(&mut log, b"needle").expect("searched");
    let last = at(text.len());
    assert_eq!(found, [at(SPAN - 2), at(SPAN + 9), last - 12, last - 6]);
    assert_eq!(matches(&mut log, b"").expect("searched"), [0u64; 0]);
    assert_eq!(matches(&mut log, b"nowhere").expect("searched"), [0u64; 0]);
}

#[test]
fn a_link_on_the_way_leads_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let (dir, other) = (folder.path().join("run"), folder.path().join("other"));
    fs::create_dir_all(dir.join("raw")).expect("a folder");
    fs::create_dir_all(&other).expect("a folder");
    fs::write(other.join("secret"), "secret").expect("written");
    fs::write(dir.join("raw/log"), "plain").expect("written");
    symlink(&other, dir.join("raw/away")).expect("a link");
    symlink(other.join("secret"), dir.join("raw/secret")).expect("a link");
    for name in ["raw/away/secret", "raw/secret", "raw/../../other/secret", "raw"] {
        assert!(beneath(&dir, &dir.join(name)).is_err(), "{name}");
    }
    assert!(beneath(&dir, &dir.join("raw/log")).is_ok(), "the control");
    assert!(runs::logs_in(&dir).iter().all(|(name, _)| !name.contains("secret")));
}

#[test]
fn a_character_that_is_cut_off_waits_for_its_rest() {
    let text = "ab€😀".as_bytes();
    let whole: Vec<usize> = (0..=text.len()).map(|end| whole_characters(&text[..end])).collect();
    assert_eq!(whole, [0, 1, 2, 2, 2, 5, 5, 5, 5, 9]);
    assert_eq!(whole_characters(b"a\x80\x80\x80\x80"), 5, "no character at all is shown as it is");
}
