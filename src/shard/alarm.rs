//! Waking a shard when something is due though nothing comes.
//!
//! A wait that ends by itself has the system set a timer and take it back, for every message of a
//! connection that has the shard to itself: 3 % of what its echo costs (ADR 0009). On Linux a shard
//! therefore has a timer of its own, which it sets once for thousands of waits.

#[cfg(target_os = "linux")]
pub(super) use timer::Alarm;
#[cfg(not(target_os = "linux"))]
pub(super) use wait::Alarm;

#[cfg(target_os = "linux")]
mod timer {
    use std::{
        io,
        os::fd::{AsRawFd as _, OwnedFd},
        time::{Duration, Instant},
    };

    use mio::{Interest, Registry, Token, unix::SourceFd};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };

    /// A timer that the event queue watches. It may ring when nothing is due any more.
    #[derive(Debug)]
    pub(in crate::shard) struct Alarm {
        timer: OwnedFd,
        /// When it rings.
        set: Option<Instant>,
    }

    impl Alarm {
        /// One that rings with an event of this token.
        pub(in crate::shard) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
            Ok(Self { timer, set: None })
        }

        /// How long to wait for events so that one comes by `deadline`; `None` for as long as it
        /// takes.
        pub(in crate::shard) fn wait(
            &mut self,
            deadline: Option<Instant>,
            now: Instant,
        ) -> Option<Duration> {
            let deadline = deadline?;
            if self.set.is_none_or(|set| deadline < set) {
                let left = deadline.saturating_duration_since(now);
                if self.set(left).is_err() {
                    return Some(left);
                }
                self.set = Some(deadline);
            }
            None
        }

        fn set(&self, left: Duration) -> io::Result<()> {
            // Nothing at all would take the timer back.
            let left = left.max(Duration::from_nanos(1));
            let it_value = Timespec::try_from(left).map_err(io::Error::other)?;
            let once = Itimerspec { it_interval: Timespec::default(), it_value };
            timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once)?;
            Ok(())
        }

        /// It rang.
        pub(in crate::shard) fn rang(&mut self) {
            self.set = None;
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod wait {
    use std::{
        io,
        time::{Duration, Instant},
    };

    use mio::{Registry, Token};

    /// The end of each wait.
    #[derive(Debug)]
    pub(in crate::shard) struct Alarm;

    impl Alarm {
        pub(in crate::shard) fn new(_: &Registry, _: Token) -> io::Result<Self> {
            Ok(Self)
        }

        /// How long to wait for events; `None` for as long as it takes.
        pub(in crate::shard) fn wait(
            &mut self,
            deadline: Option<Instant>,
            now: Instant,
        ) -> Option<Duration> {
            deadline.map(|deadline| deadline.saturating_duration_since(now))
        }

        pub(in crate::shard) fn rang(&mut self) {}
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::time::{Duration, Instant};

    use mio::{Events, Poll, Token};

    use super::Alarm;

    /// Longer than anything that works takes.
    const LONG: Duration = Duration::from_secs(20);

    fn rings(poll: &mut Poll) {
        let mut events = Events::with_capacity(1);
        poll.poll(&mut events, Some(LONG)).expect("waited");
        let tokens: Vec<Token> = events.iter().map(|event| event.token()).collect();
        assert_eq!(tokens, [Token(7)]);
    }

    #[test]
    fn it_rings_each_time_that_something_is_due_and_not_before() {
        let mut poll = Poll::new().expect("a queue");
        let mut alarm = Alarm::new(poll.registry(), Token(7)).expect("a timer");
        assert_eq!(alarm.wait(None, Instant::now()), None);
        for _ in 0..3 {
            let now = Instant::now();
            let deadline = now + Duration::from_millis(20);
            assert_eq!(alarm.wait(Some(deadline), now), None);
            rings(&mut poll);
            assert!(Instant::now() >= deadline, "too early");
            alarm.rang();
        }
        // What has been due for long is due at once.
        let past = Instant::now();
        assert_eq!(alarm.wait(Some(past), past + LONG), None);
        rings(&mut poll);
    }

    #[test]
    fn what_is_due_earlier_moves_it_and_what_is_due_later_does_not() {
        let mut poll = Poll::new().expect("a queue");
        let mut alarm = Alarm::new(poll.registry(), Token(7)).expect("a timer");
        let now = Instant::now();
        let soon = now + Duration::from_millis(20);
        for deadline in [now + 2 * LONG, soon, now + 3 * LONG] {
            assert_eq!(alarm.wait(Some(deadline), now), None);
        }
        rings(&mut poll);
        assert!(Instant::now() >= soon, "too early");
    }
}
