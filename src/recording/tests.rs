//! What is written is read again, and what is not ours is said to be so.

use std::io::BufReader;

use proptest::prelude::*;

use super::*;
use crate::limits::{RECORDED_BYTES_MAX, RECORDING_LINE_BYTES_MAX};

fn header() -> Header {
    Header {
        started: "2026-01-02T03:04:05.678901Z".parse().expect("a time"),
        from: "tcp://127.0.0.1:7000".into(),
        to: "ws://localhost:8765".into(),
    }
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, &header()).expect("memory");
    entries.iter().for_each(|entry| writer.write(entry).expect("memory"));
    out
}

fn read(bytes: &[u8]) -> Result<Vec<Entry>, ReadError> {
    Reader::new(BufReader::with_capacity(7, bytes))?.collect()
}

fn payload(kind: Kind, payload: &[u8]) -> Entry {
    let payload = Bytes::copy_from_slice(payload);
    let what = What::Payload { direction: Direction::Forth, kind, payload };
    Entry { at: Duration::from_micros(1_002_003), connection: 1, what }
}

#[test]
fn the_lines_are_those_of_the_documentation() {
    let entry = |micros, what| Entry { at: Duration::from_micros(micros), connection: 1, what };
    let of = |direction, kind, payload| What::Payload { direction, kind, payload };
    let out = written(&[
        entry(215, What::Open { peer: "('127.0.0.1', 54321)".into() }),
        entry(1_822, of(Direction::Forth, Kind::Bytes, "Ana\n".into())),
        entry(2_144, of(Direction::Back, Kind::Text, "Hola Ana!".into())),
        entry(2_200, of(Direction::Back, Kind::Binary, Bytes::from_static(b"\xff\x00"))),
        entry(2_310, What::End { direction: Direction::Forth }),
        entry(
            1_002_401,
            What::Close {
                direction: Some(Direction::Back),
                code: Some(1000),
                reason: String::new(),
                error: None,
            },
        ),
    ]);
    let expected = r#"{"enchufe":"recording","version":1,"started":"2026-01-02T03:04:05.678901Z","from":"tcp://127.0.0.1:7000","to":"ws://localhost:8765"}
{"t":0.000215,"conn":1,"event":"open","peer":"('127.0.0.1', 54321)"}
{"t":0.001822,"conn":1,"dir":">","kind":"bytes","text":"Ana\n"}
{"t":0.002144,"conn":1,"dir":"<","kind":"text","text":"Hola Ana!"}
{"t":0.0022,"conn":1,"dir":"<","kind":"binary","base64":"/wA="}
{"t":0.00231,"conn":1,"dir":">","event":"end"}
{"t":1.002401,"conn":1,"dir":"<","event":"close","code":1000}
"#;
    assert_eq!(String::from_utf8(out).expect("text"), expected);
}

#[test]
fn a_time_is_written_with_six_decimals_at_most() {
    let times = (0..10_000_u64).map(|step| 36_000_000_300 + step * 12_345_678_901);
    for micros in times.chain([300_000, 1_300_001, 16_777_216_300_215]) {
        let entry = Entry { at: Duration::from_micros(micros), ..payload(Kind::Text, b"x") };
        let out = String::from_utf8(written(&[entry])).expect("text");
        let line = out.lines().nth(1).expect("a line");
        let time = line.strip_prefix("{\"t\":").and_then(|rest| rest.split(',').next());
        let time = time.expect("the time comes first");
        let (whole, part) = time.split_once('.').expect("a decimal point");
        assert!(part.len() <= 6, "{time}");
        assert_eq!(format!("{whole}{part:0<6}").parse(), Ok(micros), "{time}");
    }
}

#[test]
fn a_recording_that_was_cut_short_is_good_up_to_there() {
    let whole = written(&[payload(Kind::Text, b"first"), payload(Kind::Bytes, b"second")]);
    let second = whole.len() - 20;
    let mut reader = Reader::new(&whole[..second]).expect("a recording");
    assert_eq!(reader.header(), &header());
    assert_eq!(reader.next().expect("one").expect("whole"), payload(Kind::Text, b"first"));
    let error = reader.next().expect("a word about it").expect_err("half a line");
    assert!(matches!(error, ReadError::CutShort { line: 3 }), "{error:?}");
    assert!(reader.next().is_none());
    // Only the line break is missing.
    assert_eq!(read(&whole[..whole.len() - 1]).expect("whole").len(), 2);
}

#[test]
fn what_is_no_recording_is_said_to_be_none() {
    let long = vec![b'x'; RECORDING_LINE_BYTES_MAX + 2];
    for other in [&b""[..], b"\n", b"{}\n", b"\x7fELF\xff", b"[1]\n", b"{\"enchufe\":1}", &long] {
        assert!(matches!(read(other), Err(ReadError::NotARecording)));
    }
    let later = String::from_utf8(written(&[])).expect("text").replace(":1,", ":2,");
    assert!(matches!(read(later.as_bytes()), Err(ReadError::Version { version: 2 })));
}

#[test]
fn a_line_that_is_none_is_named_with_what_is_wrong() {
    for (line, said) in [
        ("x", "expected value, column 1"),
        ("{\"t\":0,\"conn\":1}", "neither a \"kind\" nor an \"event\""),
        ("{\"conn\":1,\"event\":\"open\"}", "no time"),
        ("{\"t\":-1,\"conn\":1,\"event\":\"open\"}", "is no time"),
        ("{\"t\":1e300,\"conn\":1,\"event\":\"open\"}", "is no time"),
        ("{\"t\":0,\"event\":\"open\"}", "no connection"),
        ("{\"t\":0,\"conn\":1,\"event\":\"end\"}", "no direction"),
        ("{\"t\":0,\"conn\":1,\"event\":\"rest\"}", "unknown variant `rest`"),
        ("{\"t\":0,\"conn\":1,\"dir\":\">\",\"kind\":\"text\"}", "neither \"text\""),
        ("{\"t\":0,\"conn\":1,\"dir\":\">\",\"kind\":\"bytes\",\"base64\":\"?\"}", "no Base64"),
        ("{\"t\":0,\"conn\":1,\"dir\":\">\",\"kind\":\"text\",\"base64\":\"/w==\"}", "no UTF-8"),
    ] {
        let bytes = [&written(&[])[..], line.as_bytes(), b"\n"].concat();
        let error = read(&bytes).expect_err(line).to_string();
        assert!(error.starts_with("line 2 is not") && error.contains(said), "{error}");
    }
}

#[test]
fn a_line_of_any_length_makes_no_more_room_than_the_bound() {
    let mut bytes = written(&[]);
    bytes.extend(std::iter::repeat_n(b'x', RECORDING_LINE_BYTES_MAX + 1));
    let error = read(&bytes).expect_err("too long");
    assert!(matches!(error, ReadError::TooLong { line: 2, .. }), "{error:?}");
}

#[test]
fn the_longest_payload_that_is_recorded_can_be_read_again() {
    // Each of these bytes is six in JSON: no other takes more.
    let worst = payload(Kind::Text, &vec![1; RECORDED_BYTES_MAX]);
    assert_eq!(read(&written(std::slice::from_ref(&worst))).expect("within the bound"), [worst]);
}

#[test]
fn a_file_is_for_its_owner_alone_and_replaced_only_by_force() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("talk");
    std::fs::write(&path, "precious").expect("a file");
    let error = Writer::create(&path, false, &header()).expect_err("it is there");
    assert!(matches!(error, CreateError::Exists { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).expect("untouched"), b"precious");
    drop(Writer::create(&path, true, &header()).expect("replaced"));
    assert_eq!(Reader::open(&path).expect("a recording").header(), &header());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, symlink};
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        let link = folder.path().join("link");
        symlink(&path, &link).expect("a link");
        let error = Writer::create(&link, true, &header()).expect_err("never through a link");
        assert!(matches!(error, CreateError::NotAFile { .. }), "{error:?}");
    }
    let error = Writer::create(folder.path(), true, &header()).expect_err("a folder");
    assert!(matches!(error, CreateError::NotAFile { .. }), "{error:?}");
}

fn entries() -> impl Strategy<Value = Entry> {
    let direction = prop_oneof![Just(Direction::Forth), Just(Direction::Back)];
    let payload = (direction.clone(), prop::collection::vec(any::<u8>(), 0..40), any::<bool>());
    let payload = payload.prop_map(|(direction, bytes, is_chunk)| {
        let kind = match std::str::from_utf8(&bytes) {
            _ if is_chunk => Kind::Bytes,
            Ok(_) => Kind::Text,
            Err(_) => Kind::Binary,
        };
        What::Payload { direction, kind, payload: bytes.into() }
    });
    let close = (
        prop::option::of(direction.clone()),
        prop::option::of(any::<u16>()),
        any::<String>(),
        prop::option::of(any::<String>()),
    );
    let close = close.prop_map(|(direction, code, reason, error)| What::Close {
        direction,
        code,
        reason,
        error,
    });
    let what = prop_oneof![
        payload,
        any::<String>().prop_map(|peer| What::Open { peer }),
        direction.prop_map(|direction| What::End { direction }),
        close,
    ];
    // A century: further on a fraction of a second has no room left for microseconds.
    (0..3_000_000_000_000_000_u64, any::<u64>(), what).prop_map(|(micros, connection, what)| {
        Entry { at: Duration::from_micros(micros), connection, what }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(entries in prop::collection::vec(entries(), 0..5)) {
        prop_assert_eq!(read(&written(&entries)).expect("a recording"), entries);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = read(&bytes);
        let _ = read(&[&written(&[])[..], &bytes].concat());
    }
}
