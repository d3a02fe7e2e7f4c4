//! The load generator: one thread, prebuilt masked frames, every byte of every reply compared.
//!
//! Each connection writes a batch of frames in one write and begins the next when all replies are
//! there. One JSON object on standard output says what came of it. The server's CPU time is read
//! while nothing is in flight, before and after, so that no message is counted by half.

mod batch;
mod connection;
mod load;
mod options;
mod process;

use std::time::Duration;

use load::Load;
use options::Options;

fn main() {
    if let Err(error) = run() {
        eprintln!("generate: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), String> {
    let options = Options::parse(std::env::args().skip(1))?;
    let mut load = Load::connect(&options)?;
    let warmup = load.run(Duration::from_secs_f64(options.warmup_seconds))?;
    let before = options.pid.map(process::Usage::read).transpose()?;
    let outcome = load.run(Duration::from_secs_f64(options.seconds))?;
    let after = options.pid.map(process::Usage::read).transpose()?;

    let seconds = outcome.elapsed.as_secs_f64();
    let at = |quantile| outcome.latency.value_at_quantile(quantile) as f64 / 1_000.0;
    let mut fields = vec![
        format!("\"messages\":{}", outcome.messages),
        format!("\"messages_with_warmup\":{}", outcome.messages + warmup.messages),
        format!("\"seconds\":{seconds:.6}"),
        format!("\"messages_per_second\":{:.0}", outcome.messages as f64 / seconds),
        format!("\"p50_us\":{:.1}", at(0.5)),
        format!("\"p99_us\":{:.1}", at(0.99)),
        format!("\"p999_us\":{:.1}", at(0.999)),
    ];
    if let (Some(before), Some(after)) = (before, after) {
        let spent = after.since(&before);
        let per_message = |ns: u64| ns as f64 / 1_000.0 / outcome.messages.max(1) as f64;
        fields.extend([
            format!("\"cpu_us_per_message\":{:.4}", per_message(spent.running_ns)),
            format!("\"user_us_per_message\":{:.4}", per_message(spent.user_ns)),
            format!("\"server_busy\":{:.3}", spent.running_ns as f64 / 1e9 / seconds),
        ]);
    }
    println!("{{{}}}", fields.join(","));
    Ok(())
}
