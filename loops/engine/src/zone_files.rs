//! The system's own data of a zone, compared with what this program knows of it: governments change clocks, and one of both
//! may be the older.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Duration, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;
use tz::TimeZone;

/// Where the system keeps them.
const FOLDER: &str = "/usr/share/zoneinfo";
/// How far ahead they are compared.
const AHEAD: Duration = Duration::days(730);
/// How closely: no change of a clock lasts shorter.
const STEP: Duration = Duration::hours(6);

/// The first difference of a zone in the coming two years, for people; none if both agree, or the system has no data of it.
pub(crate) fn difference(name: &str, now: DateTime<Utc>) -> Option<String> {
    difference_in(Path::new(FOLDER), name, now)
}

fn difference_in(folder: &Path, name: &str, now: DateTime<Utc>) -> Option<String> {
    let zone: Tz = name.parse().ok()?;
    let bytes = fs::read(folder.join(name)).ok()?;
    let system = match TimeZone::from_tz_data(&bytes) {
        Ok(system) => system,
        Err(error) => return Some(format!("the system's data can't be read: {error}")),
    };
    let ours = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc();
    let theirs = |at: DateTime<Utc>| system.find_local_time_type(at.timestamp()).ok().map(tz::LocalTimeType::ut_offset);
    let mut at = now;
    while at < now + AHEAD {
        if let Some(theirs) = theirs(at).filter(|theirs| *theirs != ours(at)) {
            let day = at.format("%Y-%m-%d");
            return Some(format!(
                "on {day} it is UTC{} here, and UTC{} by the system's data",
                shown(ours(at)),
                shown(theirs)
            ));
        }
        at += STEP;
    }
    None
}

/// `+01:00`
fn shown(offset: i32) -> String {
    let (sign, offset) = if offset < 0 { ('-', -offset) } else { ('+', offset) };
    format!("{sign}{:02}:{:02}", offset / 3600, offset % 3600 / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:30:00Z".parse().expect("a time")
    }

    /// Data of a zone with one rule and no history.
    fn data(rule: &str) -> Vec<u8> {
        let block = |body: &[u8], types: u8| {
            let mut bytes = b"TZif2".to_vec();
            bytes.extend([0; 15]);
            for count in [0, 0, 0, 0, types, 4] {
                bytes.extend([0, 0, 0, count]);
            }
            bytes.extend(body);
            bytes
        };
        let body = [&[0, 0, 14, 16, 0, 0][..], b"CET\0"].concat();
        let mut bytes = block(&body, 1);
        bytes.extend(block(&body, 1));
        bytes.extend(format!("\n{rule}\n").bytes());
        bytes
    }

    #[test]
    fn the_first_day_that_differs_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("Europe")).expect("a folder");
        let said = |rule: &str| {
            fs::write(folder.path().join("Europe/Berlin"), data(rule)).expect("written");
            difference_in(folder.path(), "Europe/Berlin", now())
        };
        assert_eq!(said("CET-1CEST,M3.5.0,M10.5.0/3"), None, "the control: both are the same");
        assert_eq!(
            said("CET-1").as_deref(),
            Some("on 2027-03-28 it is UTC+02:00 here, and UTC+01:00 by the system's data")
        );
        assert_eq!(
            said("CET-2").as_deref(),
            Some("on 2026-11-22 it is UTC+01:00 here, and UTC+02:00 by the system's data")
        );
        fs::write(folder.path().join("Europe/Berlin"), "nonsense").expect("written");
        let broken = difference_in(folder.path(), "Europe/Berlin", now());
        assert!(broken.is_some_and(|said| said.starts_with("the system's data can't be read")));
        assert_eq!(difference_in(folder.path(), "Europe/Paris", now()), None, "there is none");
        assert_eq!(difference_in(folder.path(), "Nowhere", now()), None);
        assert_eq!((shown(-12_600), shown(20_700)), ("-03:30".to_owned(), "+05:45".to_owned()));
    }
}
