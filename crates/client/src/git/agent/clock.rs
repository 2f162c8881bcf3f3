//! The agent's clock. It goes on while the machine sleeps and whatever somebody sets the machine's clock to, so that ten
//! minutes are ten minutes; and it notices that the machine slept.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// How much longer than it was awake a machine may have been there without having slept: the clocks are not read at once.
const SLIGHT: Duration = Duration::from_secs(1);

/// What the clocks of the machine show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// The time, as it is set.
    pub(super) wall: Timestamp,
    /// How long it has been there, asleep or not.
    pub(super) there: Duration,
    /// How long it has been awake.
    pub(super) awake: Duration,
}

/// A clock that was read before.
pub(super) struct Clock {
    read: Box<dyn Fn() -> Reading + Send + Sync>,
    first: Reading,
    last: Mutex<Reading>,
}

impl Clock {
    /// The machine's.
    pub(super) fn of_machine() -> Self {
        Self::new(Reading::of_machine)
    }

    pub(super) fn new(read: impl Fn() -> Reading + Send + Sync + 'static) -> Self {
        let first = read();
        Self { read: Box::new(read), first, last: Mutex::new(first) }
    }

    /// The time. A clock that is set back does not turn it back.
    pub(super) fn now(&self) -> Timestamp {
        let now = (self.read)();
        let passed = now.there.saturating_sub(self.first.there);
        let counted = SignedDuration::try_from(passed).map(|passed| self.first.wall + passed);
        counted.map_or(now.wall, |counted| counted.max(now.wall))
    }

    /// Whether the machine slept since this was asked last.
    pub(super) fn has_slept(&self) -> bool {
        let now = (self.read)();
        let before = std::mem::replace(&mut *self.last(), now);
        let there = now.there.saturating_sub(before.there);
        let awake = now.awake.saturating_sub(before.awake);
        there.saturating_sub(awake) > SLIGHT
    }

    fn last(&self) -> MutexGuard<'_, Reading> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::of_machine()
    }
}

impl Reading {
    fn of_machine() -> Self {
        Self { wall: Timestamp::now(), there: there(), awake: awake() }
    }
}

/// `Instant` stands still while the machine sleeps.
fn awake() -> Duration {
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    BEGINNING.get_or_init(Instant::now).elapsed()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn there() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(time).unwrap_or_default()
}

/// Where nothing else counts sleep, the clock that is set does. Setting it ahead counts as sleep, too.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn there() -> Duration {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    /// A machine whose clocks a test turns.
    #[derive(Clone)]
    pub(in super::super) struct Machine(Arc<Mutex<Reading>>);

    impl Machine {
        pub(in super::super) fn new() -> Self {
            let (there, awake) = (Duration::from_secs(1000), Duration::from_secs(900));
            Self(Arc::new(Mutex::new(Reading { wall: Timestamp::now(), there, awake })))
        }

        pub(in super::super) fn clock(&self) -> Clock {
            let machine = self.clone();
            Clock::new(move || *machine.0.lock().unwrap())
        }

        pub(in super::super) fn wakes_for(&self, time: Duration) {
            self.sleeps_for(time);
            self.0.lock().unwrap().awake += time;
        }

        pub(in super::super) fn sleeps_for(&self, time: Duration) {
            let mut reading = self.0.lock().unwrap();
            reading.wall += time;
            reading.there += time;
        }

        pub(in super::super) fn is_set_back_by(&self, time: Duration) {
            self.0.lock().unwrap().wall -= time;
        }
    }

    #[test]
    fn time_goes_on_while_the_machine_sleeps_and_is_not_turned_back() {
        let machine = Machine::new();
        let clock = machine.clock();
        let first = clock.now();
        machine.wakes_for(Duration::from_secs(60));
        machine.sleeps_for(Duration::from_secs(600));
        assert_eq!(clock.now(), first + Duration::from_secs(660));
        machine.is_set_back_by(Duration::from_secs(3600));
        assert_eq!(clock.now(), first + Duration::from_secs(660));
    }

    #[test]
    fn that_the_machine_slept_is_told_once() {
        let machine = Machine::new();
        let clock = machine.clock();
        machine.wakes_for(Duration::from_secs(3600));
        assert!(!clock.has_slept());
        machine.sleeps_for(Duration::from_secs(2));
        assert!(clock.has_slept());
        assert!(!clock.has_slept());
        machine.is_set_back_by(Duration::from_secs(3600));
        assert!(!clock.has_slept());
    }

    #[test]
    fn this_machine_is_awake() {
        let clock = Clock::of_machine();
        std::thread::sleep(Duration::from_millis(10));
        assert!(!clock.has_slept());
        assert!(clock.now() - Timestamp::now() < SignedDuration::from_secs(2));
    }
}
