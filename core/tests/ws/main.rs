//! The WebSocket core as whoever drives it sees it: by example, at its limits, and against two
//! oracles — a naive model and tungstenite — on generated and broken streams, cut anywhere.

mod compression;
mod decode;
mod deflate;
mod fragments;
mod generate;
mod handshake;
mod limits;
mod model;
mod naive_inflate;
mod negotiation;
mod properties;
mod run;
mod seeds;
mod targets;
mod tungstenite;
mod violations;
