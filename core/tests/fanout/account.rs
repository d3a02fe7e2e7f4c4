//! What a viewer made of its bytes, and whether that is all it should have.

use enchufe_core::{Form, Position, SlowPolicy, ws};
use serde_json::Value;

use crate::model::{CHANNELS, Channel, Viewer, at, name};

/// How one viewer stands.
pub(crate) struct Account {
    /// For each channel that it reads.
    readings: [Option<Reading>; CHANNELS],
    closed: Option<(u16, String)>,
}

#[derive(Clone, Copy)]
struct Reading {
    through: u64,
    ended: bool,
}

/// Reads what a viewer was sent. Panics when it was sent anything out of order, twice, or not at
/// all without a word, or was told of a gap where nothing is missing.
pub(crate) fn of(viewer: &mut Viewer, channels: &[Channel]) -> Account {
    let mut account = Account { readings: [None; CHANNELS], closed: None };
    if viewer.form == Form::Raw {
        let (channel, start) = viewer.raw;
        account.readings[channel] = Some(Reading { through: start, ended: false });
    }
    let mut decoder = ws::Decoder::new(ws::Role::Client, ws::Limits::default());
    let mut received = std::mem::take(&mut viewer.received);
    let mut input = received.as_mut_slice();
    while !input.is_empty() {
        let ws::Decoded { consumed, event, .. } = decoder.decode(input).expect("whole frames");
        match event {
            Some(ws::Event::Message(message)) => {
                assert_eq!(account.closed, None, "a message after the close");
                let text = std::str::from_utf8(message.payload).expect("text");
                match viewer.form {
                    Form::Raw => account.note_raw(viewer, text),
                    Form::V1 => account.note_event(
                        viewer,
                        channels,
                        &serde_json::from_str(text).expect("JSON"),
                    ),
                }
            }
            Some(ws::Event::Close(reason)) => {
                let reason = reason.expect("the server says why");
                account.closed = Some((reason.code.number(), reason.reason));
            }
            Some(_) => panic!("neither a message nor a close"),
            None => {}
        }
        input = &mut input[consumed..];
    }
    assert!(decoder.is_idle(), "half a frame");
    account
}

impl Account {
    fn note_raw(&mut self, viewer: &Viewer, text: &str) {
        let (channel, _) = viewer.raw;
        let reading = self.readings[channel].as_mut().expect("it reads one channel");
        let offset: u64 = text.parse().expect("a number");
        if viewer.chosen.contains(&(channel, SlowPolicy::Latest)) {
            assert!(offset > reading.through, "{offset} again");
        } else {
            assert_eq!(offset, reading.through + 1, "out of order");
        }
        reading.through = offset;
    }

    fn note_event(&mut self, viewer: &Viewer, channels: &[Channel], event: &Value) {
        let (kind, body) = event.as_object().and_then(|o| o.iter().next()).expect("one key");
        let named = (0..CHANNELS).find(|channel| name(*channel).as_str() == body["channel"]);
        let channel = named.unwrap_or_else(|| panic!("{event} is of no channel"));
        if kind == "subscribed" {
            let through = offset(body, "position");
            let before = self.readings[channel].replace(Reading { through, ended: false });
            assert!(before.is_none(), "{event} twice");
            return;
        }
        let slot = &mut self.readings[channel];
        if kind == "unsubscribed" {
            // It may have been taken back before it had begun.
            *slot = None;
            return;
        }
        let reading = slot.as_mut().unwrap_or_else(|| panic!("{event} without a subscription"));
        assert!(!reading.ended, "{event} after the end");
        match kind.as_str() {
            "message" => {
                assert_eq!(offset(body, "position"), reading.through + 1, "out of order");
                reading.through += 1;
                assert_eq!(text(body, "data"), reading.through.to_string());
            }
            "gap" => {
                assert_eq!(offset(body, "after"), reading.through, "a gap from elsewhere");
                let next = offset(body, "next");
                assert!(next > reading.through + 1, "an empty gap");
                if let Some(missing) = body["missing"].as_u64() {
                    assert_eq!(missing, next - reading.through - 1);
                }
                if text(body, "reason") == "conflated" {
                    let asked = viewer.chosen.contains(&(channel, SlowPolicy::Latest));
                    assert!(asked, "{event} unasked");
                } else {
                    assert!(next <= channels[channel].before_oldest() + 1, "{event} is still here");
                }
                reading.through = next - 1;
            }
            "position" => assert_eq!(offset(body, "position"), reading.through),
            "end" => {
                assert_eq!(offset(body, "position"), reading.through);
                reading.ended = true;
            }
            other => panic!("{other} was not asked for"),
        }
    }

    /// Compares it with what was published.
    pub(crate) fn reconcile(&self, viewer: &Viewer, channels: &[Channel]) {
        let Some((code, reason)) = &self.closed else {
            for (reading, channel) in self.readings.iter().zip(channels) {
                if let Some(reading) = reading {
                    assert_eq!(reading.through, channel.head(), "a reader was left behind");
                    assert_eq!(reading.ended, channel.ended);
                }
            }
            return;
        };
        if *code == 4001 {
            let asked = viewer.chosen.iter().any(|(_, slow)| *slow == SlowPolicy::Cut);
            assert!(asked, "nobody asked for that");
        }
        if viewer.form == Form::V1 {
            assert_eq!(*code, 4001);
            return;
        }
        let (channel, _) = viewer.raw;
        let through = self.readings[channel].expect("it reads one channel").through;
        let resume: Position = reason.parse().expect("a position");
        match code {
            4000 => {
                assert!(channels[channel].ended);
                assert_eq!((resume, through), (at(through), channels[channel].head()));
            }
            4001 => assert_eq!(resume, at(through)),
            4002 => {
                assert!(resume.offset > through, "no gap at all");
                assert!(resume.offset <= channels[channel].before_oldest(), "it is still here");
            }
            other => panic!("closed with {other}"),
        }
    }
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_else(|| panic!("{event} has no {key}"))
}

fn offset(event: &Value, key: &str) -> u64 {
    text(event, key).parse::<Position>().expect("a position").offset
}
