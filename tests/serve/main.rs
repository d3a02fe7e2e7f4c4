//! Services and the accept loop, over real sockets.

mod clients;
mod services;
mod support;
