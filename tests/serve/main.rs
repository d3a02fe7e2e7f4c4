//! Services and the accept loop, over real sockets.

mod broadcast;
mod clients;
mod services;
mod support;
