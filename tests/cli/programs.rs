//! `enchufe serve exec`: a program for each client, of which nothing stays behind.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    thread,
    time::{Duration, Instant},
};

use crate::harness::{Ended, Running, run, run_command, signal};

const TCP: &str = "tcp://127.0.0.1:0";
const WS: &str = "ws://127.0.0.1:0";

/// Longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

fn serve(address: &str, flags: &[&str], program: &[&str]) -> Running {
    Running::start(&[&["serve", "exec", address], flags, &["--"], program].concat())
}

fn serve_script(address: &str, flags: &[&str], script: &str) -> Running {
    serve(address, flags, &["sh", "-c", script])
}

fn open(address: &str) -> TcpStream {
    let endpoint = address.split_once("://").expect("a scheme").1;
    TcpStream::connect(endpoint).expect("it listens")
}

fn rest_of(mut stream: &TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text until the end");
    text
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a process runs; one that nobody has waited for yet does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Ignores whoever asks it to end, and has children that have left its group, its session and it.
const STUBBORN: &str = "\
trap '' TERM HUP
setsid sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 1000; done' &
(sh -c 'trap \"\" TERM HUP; echo $$; while :; do sleep 1000; done' &)
sh -c 'echo $$; exec sleep 1000' &
echo $$
while :; do sleep 1000; done";

/// The processes of [`STUBBORN`], as a client reads them.
fn processes(client: &Running) -> Vec<String> {
    let pids: Vec<String> = (0..4).map(|_| client.line()).collect();
    assert!(pids.iter().all(|pid| runs(pid)), "{pids:?}");
    pids
}

fn all_end(pids: &[String]) {
    eventually("they end", || !pids.iter().any(|pid| runs(pid)));
}

#[test]
fn a_client_speaks_with_a_program_of_its_own_and_half_closes_carry_over() {
    for address in [TCP, "unix"] {
        let folder = tempfile::tempdir().expect("a folder");
        let unix = format!("unix:{}", folder.path().join("socket").display());
        let address = if address == "unix" { &unix } else { address };
        let server = serve_script(address, &[], "echo $ENCHUFE_CONNECTION; cat; echo end");
        let at = server.address();
        for number in 1..3 {
            let said = run(&["connect", &at], b"hola\nadi\xc3\xb3s\n");
            assert_eq!(said.success(), format!("{number}\nhola\nadiós\nend\n"), "{address}");
        }
        assert_eq!(server.stop().code, Some(0));
    }
}

#[test]
fn a_program_that_prints_no_more_may_still_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heard");
    let script = format!("exec >&-; cat > '{}'", file.display());
    let server = serve_script(TCP, &[], &script);
    let client = open(&server.address());
    assert_eq!(rest_of(&client), "", "its output has ended");
    (&client).write_all(b"hola\n").expect("it still reads");
    client.shutdown(Shutdown::Write).expect("half closed");
    eventually("it was heard", || fs::read(&file).is_ok_and(|heard| heard == b"hola\n"));
}

#[test]
fn a_stream_passes_whole_however_slowly_it_is_read() {
    let server = serve(TCP, &[], &["cat"]);
    let sent: Vec<u8> = (0..3_000_000_u32).flat_map(|n| n.to_le_bytes()).collect();
    let client = open(&server.address());
    let feeder = {
        let (mut client, sent) = (client.try_clone().expect("a handle"), sent.clone());
        thread::spawn(move || {
            client.write_all(&sent).expect("it reads");
            client.shutdown(Shutdown::Write).expect("half closed");
        })
    };
    let mut received = Vec::new();
    let mut piece = [0; 100_000];
    loop {
        let count = (&client).read(&mut piece).expect("it is open");
        if count == 0 {
            break;
        }
        received.extend_from_slice(&piece[..count]);
        thread::yield_now();
    }
    feeder.join().expect("all was sent");
    assert!(received == sent, "{} of {} bytes, or others", received.len(), sent.len());
}

#[test]
fn messages_are_lines_for_the_program_or_whatever_is_asked_for() {
    let server = serve(WS, &[], &["sed", "-u", "s/^/> /"]);
    let said = run(&["connect", &server.address(), "--count", "2"], b"Ana\nE\xc3\xb1e\n");
    assert_eq!(said.success(), "> Ana\n> Eñe\n");
    let server = serve("udp://127.0.0.1:0", &[], &["sed", "-u", "s/^/> /"]);
    assert_eq!(run(&["connect", &server.address(), "--count", "1"], b"Ana").success(), "> Ana\n");
    for framing in ["nul", "length"] {
        let server = serve(WS, &["--framing", framing], &["cat"]);
        let flags = ["connect", &server.address(), "--framing", "nul", "--count", "3"];
        let said = run(&flags, b"a\nb\0\0c\r\n\0");
        assert_eq!(said.success(), "a\nb\0\0c\r\n\0", "{framing}");
    }
    let server = serve(WS, &["--framing", "raw"], &["head", "-c", "4"]);
    let address = server.address();
    let said = run(&["connect", &address, "--framing", "raw"], b"ab");
    assert_eq!(said.code, Some(5), "two bytes are not four, and get no reply: {said:?}");
    let said = run(&["connect", &address, "--framing", "raw"], b"abcd");
    assert_eq!(said.success(), "abcd");
}

#[test]
fn a_websocket_client_is_told_how_its_program_has_ended_and_so_is_who_serves() {
    for (script, code, words) in [
        ("echo x", 0, None),
        ("echo x; exit 3", 4, Some("exit 3")),
        ("echo x; kill -9 $$", 4, Some("signal 9")),
    ] {
        let server = serve_script(WS, &[], script);
        let client = run(&["connect", &server.address(), "--keep-open"], b"");
        assert_eq!((client.code, client.text()), (Some(code), "x\n"), "{client:?}");
        let said = server.stop().stderr;
        if let Some(words) = words {
            assert!(client.stderr.contains("1011") && client.stderr.contains(words), "{client:?}");
            assert!(said.contains(&format!("the program has ended with {words}")), "{said}");
        }
    }
}

#[test]
fn complaints_are_said_with_the_client_they_are_about_and_drive_no_terminal() {
    let server = serve_script(TCP, &[], "printf 'one\\n\\033[2Jtwo' >&2");
    let client = open(&server.address());
    let port = client.local_addr().expect("an address").port();
    assert_eq!(rest_of(&client), "");
    assert_eq!(server.notice(), format!("('127.0.0.1', {port}): one"));
    assert_eq!(server.notice(), format!("('127.0.0.1', {port}): \\x1b[2Jtwo"));
}

#[test]
fn the_environment_tells_of_the_client_and_not_of_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().to_str().expect("text").to_owned();
    let script = "echo \"$REMOTE_ADDR|$PATH_INFO|$QUERY_STRING|$HTTP_ORIGIN|$HTTP_X_A|$HTTP_B|$MINE|$(pwd -P)\"";
    let mut command = crate::harness::enchufe(&["serve", "exec", WS, "--env", "MINE=a=b"]);
    command.args(["--dir", &dir, "--allow-origin", "http://a.example"]);
    command.args(["--", "sh", "-c", script]).env("HTTP_B", "the server's").env("PATH_INFO", "too");
    let server = Running::start_command(command);
    let at = format!("{}/a%20b?c=d", server.address());
    let flags = ["--origin", "http://a.example", "--header", "X-A: 1"];
    let told = run(&[&["connect", &at, "--keep-open"], &flags[..]].concat(), b"");
    let dir = fs::canonicalize(&dir).expect("it is there");
    let expected = format!("127.0.0.1|/a b|c=d|http://a.example|1||a=b|{}\n", dir.display());
    assert_eq!(told.success(), expected);
}

#[test]
fn a_terminal_is_what_the_program_sees_when_it_is_asked_for() {
    let script = "test -t 0 && test -t 1 && test -t 2 && tty > /dev/tty && cat";
    let server = serve_script(TCP, &["--pty"], script);
    let said = run(&["connect", &server.address()], b"hola\n");
    let (tty, echo) = said.success().split_once('\n').expect("two lines");
    assert!(tty.starts_with("/dev/pts/"), "{tty}");
    assert_eq!(echo, "hola\n", "neither echoed nor changed");
    let server = serve_script(TCP, &[], "test -t 0 || echo none");
    assert_eq!(run(&["connect", &server.address()], b"").success(), "none\n");
}

#[test]
fn nothing_of_a_program_outlives_its_client_whatever_it_does() {
    for flags in [&[][..], &["--pty"]] {
        let server = serve_script(WS, flags, STUBBORN);
        let address = server.address();
        let client = Running::start(&["connect", &address, "--keep-open"]);
        let pids = processes(&client);
        signal(client.id(), "KILL");
        all_end(&pids);
        // The server goes on.
        let again = Running::start(&["connect", &address, "--keep-open"]);
        let pids = processes(&again);
        assert_eq!(server.stop().code, Some(0));
        all_end(&pids);
    }
}

#[test]
fn nothing_of_a_program_outlives_a_server_that_is_killed() {
    let server = serve_script(WS, &[], STUBBORN);
    let client = Running::start(&["connect", &server.address(), "--keep-open"]);
    let pids = processes(&client);
    signal(server.id(), "KILL");
    all_end(&pids);
    assert_eq!(client.end().code, Some(4), "the server went without a word");
}

#[test]
fn a_server_for_one_client_ends_with_it_and_leaves_nothing_of_its_program_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("unix:{}", folder.path().join("socket").display());
    // Over TCP whoever says nothing is not known to have gone before it is spoken to.
    let talks = STUBBORN.replace("do sleep 1000; done", "do echo x; sleep 0.1; done");
    for (address, script) in [(WS, STUBBORN), (&unix, STUBBORN), (TCP, &talks)] {
        let server = serve_script(address, &["--once"], script);
        let client = Running::start(&["connect", &server.address(), "--keep-open"]);
        let pids: Vec<String> =
            std::iter::repeat_with(|| client.line()).filter(|line| line != "x").take(4).collect();
        assert!(pids.iter().all(|pid| runs(pid)), "{pids:?}");
        signal(client.id(), "KILL");
        assert_eq!(server.end().code, Some(0), "{address}");
        assert!(!pids.iter().any(|pid| runs(pid)), "{address}: gone before the server is");
    }
    // The program ends, and what it has started would keep its output open.
    let holds = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; exit";
    for address in [WS, &unix, TCP] {
        for flags in [&["--once"][..], &["--once", "--pty"]] {
            let server = serve_script(address, flags, holds);
            let client = run(&["connect", &server.address(), "--keep-open"], b"");
            let pids: Vec<&str> = client.success().lines().collect();
            assert_eq!(pids.len(), 2, "{client:?}");
            assert_eq!(server.end().code, Some(0), "{address}");
            assert!(!pids.iter().any(|pid| runs(pid)), "{address}: gone before the server is");
        }
    }
}

#[test]
fn what_a_program_that_ends_has_started_ends_with_it() {
    let server = serve_script(TCP, &[], "sleep 1000 & echo $!");
    let pid = rest_of(&open(&server.address()));
    eventually("it ends", || !runs(pid.trim_end()));
}

#[test]
fn a_client_of_a_unix_socket_that_has_gone_is_noticed_though_nothing_is_sent() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let unix = format!("unix:{}", path.display());
    let server = serve_script(&unix, &[], "echo $$; exec sleep 1000");
    server.address();
    let mut client = std::os::unix::net::UnixStream::connect(&path).expect("it listens");
    let mut pid = [0; 32];
    let count = client.read(&mut pid).expect("a line");
    let pid = String::from_utf8_lossy(&pid[..count]).trim_end().to_owned();
    // Closed on one side it may still wait for what comes.
    client.shutdown(Shutdown::Write).expect("half closed");
    assert!(runs(&pid));
    drop(client);
    eventually("it ends", || !runs(&pid));
}

#[test]
fn what_was_sent_before_the_client_left_is_dealt_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heard");
    let script = format!("while read -r line; do echo \"$line\" >> '{}'; done", file.display());
    let server = serve_script(WS, &[], &script);
    let lines: String = (0..50).map(|number| format!("{number}\n")).collect();
    let client = run(&["connect", &server.address(), "--wait", "0"], lines.as_bytes());
    // No reply was to be had.
    assert!(matches!(client.code, Some(0 | 5)), "{client:?}");
    eventually("all of it was heard", || fs::read_to_string(&file).is_ok_and(|text| text == lines));
}

#[test]
fn a_program_that_is_not_there_is_an_error_before_anybody_can_connect() {
    let (missing, file) = ("no-such-program", "/etc/passwd");
    let (find, permit) = ("a name on the PATH", "a file that this user may run (chmod +x)");
    for (arguments, said, hint) in [
        (&[missing][..], "cannot run 'no-such-program': there is no such program", find),
        (&[file], "cannot run '/etc/passwd': ", permit),
        (&["/etc"], "cannot run '/etc': ", permit),
    ] {
        for command in [&["serve", "exec", TCP, "--"][..], &["feed", "--exec", "--"]] {
            let ended = run(&[command, arguments].concat(), b"");
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains(said), "{ended:?}");
            assert!(ended.stderr.contains(hint), "{ended:?}");
            assert!(!ended.stderr.contains("listening"), "{ended:?}");
        }
    }
    let ended = run(&["connect", "exec:/etc/passwd"], b"");
    assert!(ended.code == Some(2) && ended.stderr.contains(permit), "{ended:?}");
    let ended = run(&["serve", "exec", TCP, "--dir", "/no/folder", "--", "cat"], b"");
    assert!(ended.code == Some(2) && ended.stderr.contains("--dir names"), "{ended:?}");
    let ended = run(&["--lang=es", "serve", "exec", TCP, "--", file], b"");
    assert!(ended.stderr.contains("permiso denegado\nsugerencia: da un programa"), "{ended:?}");
    let ended = run(&["serve", "exec", TCP], b"");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("serve exec ADDRESS -- PROGRAM"), "{ended:?}");
}

#[test]
fn other_machines_run_programs_only_when_they_are_let() {
    for address in ["tcp://0.0.0.0:0", "udp://:0", "ws://*:0", "tcp://example.org:80"] {
        let ended = run(&["serve", "exec", address, "--", "cat"], b"");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("--allow-remote-exec"), "{ended:?}");
    }
    let server = serve("tcp://0.0.0.0:0", &["--allow-remote-exec"], &["cat"]);
    let address = server.address().replace("0.0.0.0", "127.0.0.1");
    assert_eq!(run(&["connect", &address], b"x").success(), "x");
    let misplaced = run(&["serve", "echo", TCP, "--allow-remote-exec"], b"");
    assert_eq!(misplaced.code, Some(2), "{misplaced:?}");
}

#[test]
fn no_page_of_another_origin_runs_a_program() {
    let server = serve(WS, &[], &["cat"]);
    let foreign = ["connect", &server.address(), "--origin", "http://evil.example"];
    assert_eq!(run(&foreign, b"x").code, Some(3));
    // Nor by a request to a port that speaks no HTTP.
    let request = "POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n";
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("heard");
    let script = format!("cat >> '{}'", file.display());
    let server = serve_script(TCP, &[], &script);
    let page = open(&server.address());
    (&page).write_all(format!("{request}touch evil\n").as_bytes()).expect("it is open");
    let mut answer = Vec::new();
    // It may be reset, since not all of what was sent is read.
    let _ = (&page).read_to_end(&mut answer);
    let said = server.stop().stderr;
    assert!(said.contains("--allow-http"), "{said}");
    assert_eq!(fs::read_to_string(&file).unwrap_or_default(), "", "nothing was passed on");
    let server = serve(TCP, &["--allow-http"], &["head", "-1"]);
    let allowed = run(&["connect", &server.address()], request.as_bytes());
    assert_eq!(allowed.success(), "POST / HTTP/1.1\r\n");
}

#[test]
fn no_more_programs_run_than_are_allowed() {
    let server = serve(WS, &["--max-connections", "1"], &["cat"]);
    let address = server.address();
    let mut first = Running::start(&["connect", &address, "--keep-open"]);
    first.write(b"x\n");
    assert_eq!(first.line(), "x");
    let second = run(&["connect", &address, "--keep-open"], b"");
    assert_eq!(second.code, Some(4));
    assert!(second.stderr.contains("1013"), "{second:?}");
}

#[test]
fn programs_that_have_ended_leave_no_descriptors_behind() {
    let server = serve_script(TCP, &[], "cat; echo complaint >&2");
    let address = server.address();
    let descriptors =
        || fs::read_dir(format!("/proc/{}/fd", server.id())).expect("it runs").count();
    assert_eq!(run(&["connect", &address], b"x").success(), "x");
    let before = descriptors();
    for _ in 0..20 {
        let client = open(&address);
        client.shutdown(Shutdown::Write).expect("half closed");
        assert_eq!(rest_of(&client), "");
    }
    eventually("they are closed", || descriptors() <= before);
    let children = || {
        let output = std::process::Command::new("ps")
            .args(["-o", "pid=", "--ppid", &server.id().to_string()])
            .output();
        output.is_ok_and(|output| output.stdout.is_empty())
    };
    eventually("no keeper is left", children);
}

#[test]
fn descriptors_that_run_out_are_said_and_come_back() {
    let program = crate::harness::enchufe(&[]).get_program().to_owned();
    let mut command = std::process::Command::new("sh");
    let script = "ulimit -n 40; exec \"$0\" serve exec ws://127.0.0.1:0 -- cat";
    command.arg("-c").arg(script).arg(program).env("LC_ALL", "C");
    let server = Running::start_command(command);
    let address = server.address();
    let crowd: Vec<Running> =
        (0..8).map(|_| Running::start(&["connect", &address, "--keep-open"])).collect();
    loop {
        if server.notice().contains("cannot run 'cat'") {
            break;
        }
    }
    drop(crowd);
    let served = || {
        let reply = run(&["connect", &address, "--count", "1"], b"x\n");
        matches!(reply, Ended { code: Some(0), .. } if reply.text() == "x\n")
    };
    eventually("it serves again", served);
}

#[test]
fn a_feed_of_a_program_leaves_nothing_of_it_when_it_is_killed() {
    let mut command =
        crate::harness::enchufe(&["feed", "--listen", "http://127.0.0.1:0", "--exec"]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pid");
    let script =
        format!("trap '' TERM; echo $$ > '{}'; while :; do sleep 1000; done", file.display());
    command.args(["--", "sh", "-c", &script]);
    let feed = Running::start_command(command);
    eventually("it runs", || fs::read_to_string(&file).is_ok_and(|pid| pid.ends_with('\n')));
    let pid = fs::read_to_string(&file).expect("it is there");
    assert!(runs(pid.trim_end()));
    signal(feed.id(), "KILL");
    eventually("it ends", || !runs(pid.trim_end()));
}

#[test]
fn a_program_is_an_address_to_connect_to() {
    let said = run(&["connect", "exec:sed 's/a b/c/'"], b"a b\n");
    assert_eq!(said.success(), "c\n");
    let failed = run(&["connect", "exec:sh -c 'echo x; exit 3'"], b"");
    assert_eq!((failed.code, failed.text()), (Some(4), "x\n"), "{failed:?}");
    assert!(failed.stderr.contains("exit 3"), "{failed:?}");
    let missing = run(&["connect", "exec:no-such-program"], b"");
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.stderr.contains("there is no such program"), "{missing:?}");
    let client = Running::start(&["connect", "exec:sh -c 'sleep 1000 & echo $!; wait'"]);
    let pid = client.line();
    assert!(runs(&pid));
    signal(client.id(), "KILL");
    eventually("it ends", || !runs(&pid));
}

#[test]
fn nobody_listens_on_a_program_or_a_file() {
    for address in ["exec:cat", "file:/tmp/x"] {
        let ended = run(&["serve", "echo", address], b"");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(&format!("nobody can listen on {address}")), "{ended:?}");
    }
}

#[test]
fn a_file_is_an_address_to_read_and_to_append_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    fs::write(&path, "one\n").expect("room");
    let address = format!("file:{}", path.display());
    assert_eq!(run(&["connect", &address], b"").success(), "one\n");
    let appended = run(&["connect", &address], b"two\n");
    assert_eq!(appended.success(), "one\n", "what is sent is not read again");
    assert_eq!(fs::read(&path).expect("it is there"), b"one\ntwo\n");
    let missing = run(&["connect", &format!("{address}-not")], b"");
    assert_eq!(missing.code, Some(2), "{missing:?}");
    assert!(missing.stderr.contains("cannot open file:"), "{missing:?}");
}

#[test]
fn a_file_that_is_followed_may_grow_be_cut_short_and_be_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log");
    fs::write(&path, "one\n").expect("room");
    let client = Running::start(&["connect", "--follow", &format!("file:{}", path.display())]);
    assert_eq!(client.line(), "one");
    let append = |text: &str| {
        let mut file = fs::OpenOptions::new().append(true).open(&path).expect("it is there");
        file.write_all(text.as_bytes()).expect("room");
    };
    append("two\n");
    assert_eq!(client.line(), "two");
    fs::rename(&path, folder.path().join("log.1")).expect("renamed");
    let mut late =
        fs::OpenOptions::new().append(true).open(folder.path().join("log.1")).expect("it");
    late.write_all(b"late\n").expect("room");
    fs::write(&path, "three\n").expect("room");
    assert_eq!([client.line(), client.line()], ["late", "three"]);
    fs::write(&path, "4\n").expect("room");
    assert_eq!(client.line(), "4");
    let warning = format!("warning: '{}' was cut short: ", path.display());
    let said = client.notice();
    assert!(said.starts_with(&warning), "{said}");
}

#[test]
fn discard_takes_everything_and_answers_nothing() {
    for address in [TCP, "ws://127.0.0.1:0", "udp://127.0.0.1:0"] {
        let server = Running::start(&["serve", "discard", address]);
        let at = server.address();
        let client = run(&["connect", &at, "--wait", "0.2"], &b"0123456789abcde\n".repeat(2_000));
        // Where the peer does not close, no reply came in time.
        assert!(matches!(client.code, Some(0 | 5)) && client.stdout.is_empty(), "{client:?}");
        assert!(server.line().starts_with("Connected by "));
        assert_eq!(server.stop().code, Some(0));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let unix = format!("unix:{}", folder.path().join("socket").display());
    let server = Running::start(&["serve", "discard", &unix]);
    assert_eq!(run(&["connect", &server.address()], b"x").success(), "");
}

#[test]
fn a_clock_that_counts_to_one_is_the_daytime_of_old() {
    for address in [TCP, "udp://127.0.0.1:0", "ws://127.0.0.1:0"] {
        let server = Running::start(&["serve", "clock", address, "--count", "1"]);
        let told = run(&["connect", &server.address(), "--wait", "2"], b"what time is it?\n");
        let told = told.success().trim_end();
        assert_eq!(told.len(), "2020-08-19T17:18:12.116856Z".len(), "{address}: {told}");
    }
    let misplaced = run(&["serve", "echo", TCP, "--count", "1"], b"");
    assert_eq!(misplaced.code, Some(2), "{misplaced:?}");
}

#[test]
fn the_keeper_is_for_nobody_else_to_run() {
    let mut command = crate::harness::enchufe(&["__keep", "sh"]);
    command.env("LC_ALL", "C");
    assert_eq!(run_command(command, b"echo x\n").code, Some(1));
}
