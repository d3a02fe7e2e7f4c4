//! The real program, driven as its users drive it: arguments, pipes, signals and a terminal.

mod bench;
mod broadcast;
mod connect;
mod exit_codes;
mod harness;
mod help;
mod live;
mod programs;
#[path = "../common/recorded.rs"]
mod recorded;
mod resolve;
mod screen;
mod serve;
mod sockets;
mod terminal;
mod tls;
mod tools;
