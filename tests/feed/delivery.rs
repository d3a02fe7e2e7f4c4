//! Every number reaches every reader, or is inside a gap that the reader was told.

use std::process::{Command, Stdio};

use crate::Feed;
use crate::common::reader::{WIRES, Wire};

const COUNT: u64 = 100_000;

/// `seq COUNT | enchufe feed …`, from the moment that the readers are there.
fn count_into(feed: &mut Feed) {
    let pipe = Stdio::from(feed.program.take_stdin());
    let mut seq = Command::new("seq").arg(COUNT.to_string()).stdout(pipe).spawn().expect("seq(1)");
    assert!(seq.wait().expect("a status").success(), "all of it was read");
}

#[test]
fn prompt_readers_of_every_form_have_every_number_and_then_the_program_ends() {
    let mut feed = Feed::start(&["--history", "200000", "--exit-on-end=60s"]);
    let readers: Vec<_> = WIRES
        .iter()
        .flat_map(|&wire| ["since=now", "since=all"].map(|q| feed.reader(wire, q)))
        .collect();
    count_into(&mut feed);
    for (index, reader) in readers.into_iter().enumerate() {
        let account = reader.finish();
        assert_eq!(account.gaps, [], "reader {index} was not slow");
        account.reconcile(COUNT);
        assert_eq!(account.payloads.len(), 100_000);
        assert!(account.end.is_some(), "reader {index} was told of the end");
    }
    assert_eq!(feed.program.end().code, Some(0));
}

#[test]
fn with_a_short_history_a_slow_reader_is_told_what_it_missed() {
    let mut feed = Feed::start(&["--history", "1000"]);
    let slow =
        [Wire::V1, Wire::Events, Wire::NdJson].map(|wire| feed.patient_reader(wire, "since=all"));
    count_into(&mut feed);
    feed.says("the source has ended");
    for reader in slow {
        let account = reader.finish();
        assert!(!account.gaps.is_empty(), "more was printed than a socket holds");
        assert!(account.gaps.iter().all(|gap| gap.count == Some(gap.next - gap.after - 1)));
        account.reconcile(COUNT);
        assert!(account.end.is_some());
    }
    assert_eq!(feed.program.stop().code, Some(0));
}

#[test]
fn a_raw_reader_that_is_slow_is_told_by_a_close_and_resumes_behind_the_gap() {
    let mut feed = Feed::start(&["--history", "1000"]);
    let slow = feed.patient_reader(Wire::Raw, "since=all");
    count_into(&mut feed);
    feed.says("the source has ended");
    let first = slow.finish();
    let (code, position) = first.close.expect("it was closed");
    assert_eq!(code, 4002);
    let expected = (1..).map(|number: u64| number.to_string());
    assert!(expected.zip(&first.payloads).all(|(number, text)| number == *text));
    // In a form that tells of gaps, what comes after that position is accounted for.
    let rest = feed.reader(Wire::V1, &format!("since={position}")).finish();
    let after = rest.start.expect("it was told where it is");
    let had = u64::try_from(first.payloads.len()).expect("a count");
    assert!(after > had, "what is missing lies before it");
    let missing_to = rest.gaps.first().map_or(after, |gap| gap.next - 1);
    assert_eq!(rest.gaps.first().map_or(after, |gap| gap.after), after);
    assert_eq!(rest.offsets.first(), Some(&(missing_to + 1)));
    assert_eq!(rest.offsets.last(), Some(&COUNT));
    assert_eq!(feed.program.stop().code, Some(0));
}

#[test]
fn a_program_runs_once_whatever_the_number_of_viewers_and_all_learn_how_it_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let (runs, go) = (folder.path().join("runs"), folder.path().join("go"));
    let job = "echo run >>\"$1\"; until [ -e \"$2\" ]; do sleep 0.02; done; \
               echo uno; echo dos; exit 3";
    let paths = [&runs, &go].map(|path| path.to_str().expect("a path in text"));
    let feed = Feed::start(&["--exec", "--", "sh", "-c", job, "job", paths[0], paths[1]]);
    let readers: Vec<_> =
        WIRES.iter().flat_map(|&wire| [(); 3].map(|()| feed.reader(wire, "since=now"))).collect();
    std::fs::write(&go, "").expect("a file");
    for reader in readers {
        let account = reader.finish();
        assert_eq!(account.payloads, ["uno", "dos"]);
        let end = account.end.expect("it was told of the end");
        assert!(end == "exit 3" || account.close.is_some_and(|(code, _)| code == 4000), "{end}");
    }
    assert_eq!(std::fs::read_to_string(&runs).expect("the program ran"), "run\n");
    assert_eq!(feed.program.stop().code, Some(0));
}
