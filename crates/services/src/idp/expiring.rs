//! A map whose entries live for a while, and which has only so many.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;

/// A bounded map of values with an end.
pub(super) struct Expiring<K, V> {
    entries: HashMap<K, Entry<V>>,
    capacity: usize,
}

struct Entry<V> {
    value: V,
    until: Timestamp,
}

/// There is no room for another entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Full;

impl<K: Clone + Eq + Hash, V> Expiring<K, V> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), capacity }
    }

    /// Puts `value` in until `until`. What has expired makes room.
    pub(super) fn insert(
        &mut self,
        now: Timestamp,
        key: K,
        value: V,
        until: Timestamp,
    ) -> Result<(), Full> {
        if self.entries.len() >= self.capacity {
            self.entries.retain(|_, entry| entry.until > now);
        }
        if self.entries.len() >= self.capacity {
            return Err(Full);
        }
        self.entries.insert(key, Entry { value, until });
        Ok(())
    }

    /// As [`Self::insert`], but the entry that would end first makes room.
    pub(super) fn insert_over_oldest(&mut self, now: Timestamp, key: K, value: V, until: Timestamp)
    where
        V: Clone,
    {
        if self.insert(now, key.clone(), value.clone(), until).is_err() {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.until);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.entries.remove(&oldest);
            }
            self.entries.insert(key, Entry { value, until });
        }
    }

    /// The value, if it has not expired.
    pub(super) fn get_mut(&mut self, now: Timestamp, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|entry| entry.until > now).map(|entry| &mut entry.value)
    }

    /// Takes the value out, if it has not expired.
    pub(super) fn remove(&mut self, now: Timestamp, key: &K) -> Option<V> {
        self.entries.remove(key).filter(|entry| entry.until > now).map(|entry| entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_entry_is_there_until_its_end() {
        let mut map = Expiring::new(2);
        map.insert(at(0), "a", 1, at(10)).unwrap();
        assert_eq!(map.get_mut(at(9), &"a"), Some(&mut 1));
        assert_eq!(map.get_mut(at(10), &"a"), None);
        assert_eq!(map.remove(at(10), &"a"), None);
    }

    #[test]
    fn a_full_map_takes_nothing_until_something_expires() {
        let mut map = Expiring::new(1);
        map.insert(at(0), "a", 1, at(10)).unwrap();
        assert_eq!(map.insert(at(9), "b", 2, at(20)), Err(Full));
        map.insert(at(10), "b", 2, at(20)).unwrap();
        assert_eq!(map.entries.len(), 1);
    }

    #[test]
    fn the_oldest_makes_room_where_that_is_asked_for() {
        let mut map = Expiring::new(2);
        map.insert_over_oldest(at(0), "a", 1, at(10));
        map.insert_over_oldest(at(0), "b", 2, at(5));
        map.insert_over_oldest(at(0), "c", 3, at(20));
        assert_eq!(
            [map.get_mut(at(1), &"a").copied(), map.get_mut(at(1), &"b").copied()],
            [Some(1), None]
        );
    }
}
