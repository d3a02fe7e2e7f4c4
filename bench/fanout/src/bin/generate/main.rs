//! The load generator: many viewers of one feed, whose messages it writes to the server's standard
//! input.
//!
//! Every viewer must get every message, in order and once. One JSON object on standard output says
//! what came of it. The server's CPU time is read while nothing is under way, before and after, so
//! that no delivery is counted by half.

mod crowd;
mod options;
mod ping;
#[path = "../../../../echo/src/bin/generate/process.rs"]
mod process;
mod viewer;

use std::{
    io::Read,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crowd::{Crowd, Outcome};
use hdrhistogram::Histogram;
use options::Options;
use process::Usage;

fn main() {
    if let Err(error) = run() {
        eprintln!("generate: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let mut crowd = Crowd::connect(&options)?;
    if options.hold {
        println!("ready");
        std::io::stdin().read_to_end(&mut Vec::new()).map_err(|error| error.to_string())?;
        return Ok(());
    }
    if options.stuck > 0 {
        crowd.fill()?;
    }
    crowd.run(&options, Duration::from_secs_f64(options.warmup_seconds))?;
    let before = options.pid.map(Usage::read).transpose()?;
    let (outcome, pings) = measured(&mut crowd, &options)?;
    let after = options.pid.map(Usage::read).transpose()?;

    let mut fields = report(&outcome);
    if let Some(pings) = pings {
        fields.extend(quantiles("ping", &pings));
    }
    if let (Some(before), Some(after)) = (before, after) {
        let spent = after.since(&before);
        let per_delivery = |ns: u64| ns as f64 / 1_000.0 / outcome.deliveries.max(1) as f64;
        fields.extend([
            format!("\"cpu_us_per_delivery\":{:.4}", per_delivery(spent.running_ns)),
            format!("\"user_us_per_delivery\":{:.4}", per_delivery(spent.user_ns)),
        ]);
    }
    println!("{{{}}}", fields.join(","));
    Ok(())
}

fn measured(
    crowd: &mut Crowd,
    options: &Options,
) -> Result<(Outcome, Option<Histogram<u64>>), String> {
    let duration = Duration::from_secs_f64(options.seconds);
    if !options.pings {
        return Ok((crowd.run(options, duration)?, None));
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let pinging = scope.spawn(|| ping::run(options.address, &stop));
        let outcome = crowd.run(options, duration);
        stop.store(true, Ordering::Relaxed);
        let pings = pinging.join().expect("it does not panic")?;
        Ok((outcome?, Some(pings)))
    })
}

fn report(outcome: &Outcome) -> Vec<String> {
    let seconds = outcome.elapsed.as_secs_f64();
    let mut fields = vec![
        format!("\"messages\":{}", outcome.messages),
        format!("\"deliveries\":{}", outcome.deliveries),
        format!("\"seconds\":{seconds:.6}"),
    ];
    fields.extend(quantiles("delivery", &outcome.latency));
    fields.extend(quantiles("last", &outcome.last));
    fields
}

fn quantiles(name: &str, waits: &Histogram<u64>) -> [String; 3] {
    let us = |ns: u64| ns as f64 / 1_000.0;
    [
        format!("\"{name}_p50_us\":{:.1}", us(waits.value_at_quantile(0.5))),
        format!("\"{name}_p99_us\":{:.1}", us(waits.value_at_quantile(0.99))),
        format!("\"{name}_max_us\":{:.1}", us(waits.max())),
    ]
}
