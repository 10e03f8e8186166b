//! One job for each bundle over the cores, answers in the order of the bundles.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// So many answers may wait for an earlier one. More would only fill the memory.
const AHEAD: usize = 64;

/// How many jobs run at once where nobody says.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

struct Queue<A> {
    /// The next to start.
    next: usize,
    /// The next to give out.
    due: usize,
    answers: BTreeMap<usize, A>,
    /// Nobody wants more.
    over: bool,
}

/// Calls `job` for each item on `jobs` threads, and `take` for each answer, in order, on this thread; `take` returns
/// false where nobody wants more.
pub(crate) fn in_order<T: Sync, A: Send>(
    items: &[T],
    jobs: usize,
    job: &(impl Fn(&T) -> A + Sync),
    take: &mut impl FnMut(A) -> bool,
) {
    let queue = Mutex::new(Queue { next: 0, due: 0, answers: BTreeMap::new(), over: false });
    let changed = Condvar::new();
    // No thread panics with it: jobs run outside of it.
    let lock = || -> MutexGuard<'_, Queue<A>> { queue.lock().unwrap_or_else(PoisonError::into_inner) };
    let work = || {
        loop {
            let mut state = lock();
            while !state.over && state.next < items.len() && state.next >= state.due + AHEAD {
                state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let index = state.next;
            let Some(item) = items.get(index).filter(|_| !state.over) else { return };
            state.next += 1;
            drop(state);
            let answer = job(item);
            lock().answers.insert(index, answer);
            changed.notify_all();
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(work);
        }
        for due in 0..items.len() {
            let mut state = lock();
            let answer = loop {
                match state.answers.remove(&due) {
                    Some(answer) => break answer,
                    None => state = changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            state.due = due + 1;
            drop(state);
            changed.notify_all();
            if !take(answer) {
                lock().over = true;
                changed.notify_all();
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_order_and_each_once() {
        let items: Vec<usize> = (0..500).collect();
        let mut taken = Vec::new();
        // The first is the slowest: all the others wait for it, and the threads for them.
        let job = |n: &usize| (0..(500 - n) * 100).fold(*n, |sum, _| std::hint::black_box(sum));
        in_order(&items, 4, &job, &mut |answer| {
            taken.push(answer);
            true
        });
        assert_eq!(taken, items);
    }

    #[test]
    fn it_ends_when_nobody_wants_more() {
        let mut taken = 0;
        in_order(&[(); 10_000], 3, &|()| (), &mut |()| {
            taken += 1;
            taken < 10
        });
        assert_eq!(taken, 10);
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        in_order(&[] as &[u8], 4, &|n| *n, &mut |_| false);
    }
}
