//! SQLite's write-ahead log, read without SQLite: which first page is committed in it. Opening it by SQLite would write.
//!
//! The format is <https://sqlite.org/fileformat2.html#the_write_ahead_log>.

const HEADER: usize = 32;
const FRAME: usize = 24;
/// Its last bit says that the sums are of big-endian words.
const MAGIC: u32 = 0x377f_0682;

/// The newest copy of the first page that was committed whole; frames from the first torn one on count for nothing.
pub(super) fn first_page(wal: &[u8]) -> Option<&[u8]> {
    let (magic, size) = (number(wal, 0)?, usize::try_from(number(wal, 8)?).ok()?);
    let (big, salt) = (magic & 1 == 1, wal.get(16..24)?);
    let mut sum = add((0, 0), wal.get(..24)?, big);
    if magic & !1 != MAGIC || !is_at(sum, wal, 24) {
        return None;
    }
    let (mut seen, mut committed) = (None, None);
    for frame in wal.get(HEADER..)?.chunks_exact(FRAME.checked_add(size)?) {
        let (head, page) = frame.split_at(FRAME);
        sum = add(add(sum, &head[..8], big), page, big);
        if &head[8..16] != salt || !is_at(sum, head, 16) {
            break;
        }
        if number(head, 0) == Some(1) {
            seen = Some(page);
        }
        // The frame that ends a transaction tells the database's size.
        if number(head, 4) != Some(0) {
            committed = seen.or(committed);
        }
    }
    committed
}

/// Four bytes, the highest first.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn is_at((first, second): (u32, u32), bytes: &[u8], at: usize) -> bool {
    number(bytes, at) == Some(first) && number(bytes, at + 4) == Some(second)
}

/// Goes on with a sum over pairs of words.
fn add((mut first, mut second): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(word(&pair[..4])).wrapping_add(second);
        second = second.wrapping_add(word(&pair[4..])).wrapping_add(first);
    }
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    /// A log with two versions of the first page; the connection keeps it from being checkpointed.
    fn logged() -> (tempfile::TempDir, Connection, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let db = Connection::open(&path).expect("opens");
        db.execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (x); PRAGMA user_version = 7; PRAGMA user_version = 8;",
        )
        .expect("writes");
        let wal = std::fs::read(folder.path().join("a.db-wal")).expect("the log");
        (folder, db, wal)
    }

    fn version(wal: &[u8]) -> Option<u32> {
        first_page(wal).and_then(|page| number(page, 60))
    }

    #[test]
    fn the_newest_committed_first_page_is_found() {
        let (_folder, _db, wal) = logged();
        assert_eq!(version(&wal), Some(8));
        assert_eq!(version(&[]), None);
    }

    #[test]
    fn a_torn_frame_counts_for_nothing() {
        let (_folder, _db, wal) = logged();
        let frame = FRAME + usize::try_from(number(&wal, 8).expect("a size")).expect("small");
        let last = wal.len() - frame;
        let mut torn = wal.clone();
        // As where one sector of the page came onto the disk and another did not.
        torn[last + FRAME + 60] ^= 0x5a;
        assert_eq!(version(&torn), Some(7));
        assert_ne!(number(&torn, last + FRAME + 60), Some(8), "the control: whoever only looks sees something else");
        assert_eq!(version(&wal[..wal.len() - 1]), Some(7));
        torn[9] ^= 1;
        assert_eq!(version(&torn), None);
    }
}
