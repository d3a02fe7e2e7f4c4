//! Files that are followed while they are written, renamed, replaced and cut short.

use std::{
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use enchufe::{
    limits,
    source::{AnySource, FileStart, Origin, Spec, Surroundings},
};

use crate::{next, open, several};

async fn from_the_beginning(path: &Path) -> AnySource {
    let origin = Origin::File { path: path.to_owned(), start: FileStart::Beginning };
    Spec::new(origin).open(&Surroundings::default()).await.expect("it opens")
}

fn run(program: &str, arguments: &[&Path]) {
    let status = Command::new(program).args(arguments).status().expect(program);
    assert!(status.success(), "{program} {arguments:?}");
}

fn append(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("a file to write to")
}

/// How a log is given a new file, whose name is yielded, while its writer goes on.
type Rotate = fn(&Path, u64) -> PathBuf;

/// The generations that a log has.
const GENERATIONS: u64 = 8;

/// Writes numbered lines without a stop, and has the log rotated as soon as the reader has had a line
/// of the file that has the name. It goes on with the old file for a while, as writers do who are
/// told later. Yields the last number.
fn write(path: PathBuf, seen: Arc<AtomicU64>, rotate: Rotate) -> JoinHandle<u64> {
    thread::spawn(move || {
        let mut file = append(&path);
        let mut number = 0;
        let mut line = |file: &mut File| {
            number += 1;
            file.write_all(format!("{number}\n").as_bytes()).expect("room");
            if number % 64 == 0 {
                // A pace that a reader can keep up with.
                thread::sleep(Duration::from_millis(1));
            }
            number
        };
        for generation in 1..=GENERATIONS {
            let first = line(&mut file);
            while seen.load(Ordering::Relaxed) < first {
                line(&mut file);
            }
            let next = rotate(&path, generation);
            for _ in 0..1_000 {
                line(&mut file);
            }
            file = append(&next);
        }
        line(&mut file)
    })
}

/// Follows the log until the writer has said its last, and accounts for every number.
async fn reconcile(path: &Path, rotate: Rotate) {
    let mut source = from_the_beginning(path).await;
    let seen = Arc::new(AtomicU64::new(0));
    let writer = write(path.to_owned(), Arc::clone(&seen), rotate);
    let mut number = 0;
    loop {
        if writer.is_finished() {
            break;
        }
        number += 1;
        assert_eq!(next(&mut source).await, number.to_string());
        seen.store(number, Ordering::Relaxed);
    }
    let last = writer.join().expect("the writer does not panic");
    for number in number + 1..=last {
        assert_eq!(next(&mut source).await, number.to_string());
    }
    assert!(last > 1_000 * GENERATIONS, "it was written to all the time: {last}");
}

#[tokio::test]
async fn a_file_that_is_renamed_and_made_anew_loses_no_line_of_a_writer_that_never_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    reconcile(&folder.path().join("log"), |path, generation| {
        run("mv", &[path, &path.with_extension(generation.to_string())]);
        // Made before its writer knows, as logrotate's `create` does.
        drop(append(path));
        path.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_symbolic_link_that_is_switched_loses_no_line_of_a_writer_that_never_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, first) = (folder.path().join("log"), folder.path().join("log.first"));
    drop(append(&first));
    std::os::unix::fs::symlink(&first, &path).expect("a link");
    reconcile(&path, |path, generation| {
        let (new, link) = (path.with_extension(generation.to_string()), path.with_extension("new"));
        drop(append(&new));
        std::os::unix::fs::symlink(&new, &link).expect("a link");
        run("mv", &[Path::new("-T"), &link, path]);
        path.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_deleted_and_made_anew_is_read_to_its_end_first() {
    let folder = tempfile::tempdir().expect("a folder");
    reconcile(&folder.path().join("log"), |path, _| {
        run("rm", &[path]);
        path.to_owned()
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut source = from_the_beginning(&path).await;
    let mut file = append(&path);
    for generation in 1..=3 {
        // Whatever was written was read, so that nothing is missing.
        let lines: Vec<String> = (0..100).map(|line| format!("{generation}-{line}")).collect();
        file.write_all((lines.join("\n") + "\n").as_bytes()).expect("room");
        assert_eq!(several(&mut source, 100).await, lines);
        run("truncate", &[Path::new("-s0"), &path]);
    }
}

#[tokio::test]
async fn a_file_that_is_cut_short_and_has_grown_since_is_known_by_what_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut source = from_the_beginning(&path).await;
    for (generation, count) in [("a", 10), ("b", 20), ("c", 40)] {
        let lines: Vec<String> = (0..count).map(|line| format!("{generation}-{line}")).collect();
        // It is made empty and written at once: nobody sees that it was shorter.
        fs::write(&path, lines.join("\n") + "\n").expect("room");
        assert_eq!(several(&mut source, count).await, lines);
    }
}

#[tokio::test]
async fn it_begins_where_it_is_told_and_with_a_whole_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, "uno\ndos\ntr").expect("room");
    let mut at_the_end = open(&format!("file:{}", path.display())).await;
    let mut at_the_beginning = from_the_beginning(&path).await;
    append(&path).write_all(b"es\ncuatro\n").expect("room");
    assert_eq!(several(&mut at_the_end, 2).await, ["tres", "cuatro"]);
    assert_eq!(several(&mut at_the_beginning, 4).await, ["uno", "dos", "tres", "cuatro"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_waited_for_and_read_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut source = open(&format!("file:{}", path.display())).await;
    fs::write(&path, "uno\n").expect("room");
    assert_eq!(next(&mut source).await, "uno");
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = Spec::new(Origin::parse(&format!("file:{}", folder.path().display())).expect("one"));
    let error = spec.open(&Surroundings::default()).await.err().expect("a folder has no lines");
    let named = format!("cannot follow '{}': ", folder.path().display());
    assert!(error.to_string().starts_with(&named), "{error}");
}

#[tokio::test]
async fn so_many_files_that_lost_the_name_are_read_on_and_the_oldest_is_let_go_with_its_last_line()
{
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    let mut source = from_the_beginning(&path).await;
    fs::write(&path, "first\nwithout an end").expect("room");
    assert_eq!(next(&mut source).await, "first");
    for generation in 1..=limits::FILES_LEFT_MAX + 1 {
        run("mv", &[&path, &path.with_extension(generation.to_string())]);
        fs::write(&path, format!("{generation}\n")).expect("room");
        if generation > limits::FILES_LEFT_MAX {
            assert_eq!(next(&mut source).await, "without an end", "one too many is let go");
        }
        assert_eq!(next(&mut source).await, generation.to_string());
    }
}

#[tokio::test]
async fn a_named_pipe_is_followed_from_writer_to_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pipe");
    run("mkfifo", &[&path]);
    let mut source = open(&format!("file:{}", path.display())).await;
    for line in ["uno", "dos"] {
        // Opened both ways it waits for nobody.
        let mut pipe = OpenOptions::new().read(true).write(true).open(&path).expect("a pipe");
        pipe.write_all(format!("{line}\n").as_bytes()).expect("room");
        assert_eq!(next(&mut source).await, line);
    }
}
