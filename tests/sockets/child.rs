//! Runs one test of this binary again, in a process of its own, where it may spoil what a process
//! has one of: standard input, descriptors, privileges, a network.

use std::path::PathBuf;
use std::process::Command;

const RUN_BY_PARENT: &str = "ENCHUFE_TEST_CHILD";

/// Whether this process was made for the test. The tests that are run so return when it was not.
pub(crate) fn is_child() -> bool {
    std::env::var_os(RUN_BY_PARENT).is_some()
}

/// A command that runs the test `name` (with its module) in a process of its own, through the
/// programs of `wrapper`, if any.
pub(crate) fn command(name: &str, wrapper: &[&str]) -> Command {
    let mut words: Vec<PathBuf> = wrapper.iter().map(PathBuf::from).collect();
    words.push(std::env::current_exe().expect("this program"));
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(RUN_BY_PARENT, "1");
    command
}
