//! The real program, driven as its users drive it: arguments, pipes, signals and a terminal.

mod bench;
mod broadcast;
mod config;
mod connect;
mod exit_codes;
mod feeds;
mod follow;
mod harness;
mod help;
#[path = "../common/http.rs"]
#[allow(dead_code, unreachable_pub, reason = "other tests use the rest")]
mod http;
mod live;
mod logs;
mod presence;
mod programs;
mod publish;
#[path = "../common/recorded.rs"]
mod recorded;
mod reload;
mod resolve;
mod run;
mod screen;
mod serve;
mod sockets;
mod sources;
mod terminal;
mod tls;
mod tools;
mod top;
