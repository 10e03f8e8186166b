//! Runs the host's side of the collection in a thread of its own, so that nothing that hangs can hang the collector.
//!
//! Any question to a host in trouble may never be answered: a dead file server, a process whose memory is locked.
//! The worker thread asks; this side only waits for what it sends. A job that stays silent for too long is given up
//! together with its thread (which the kernel ends when the program exits), and a new worker goes on with the next job.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::bundle::Entry;
use crate::summary::{LogNote, Skip};

/// Batches in flight. Small: memory is bounded by this many processes' worth of data.
const IN_FLIGHT: usize = 4;

/// What a job hands over.
#[derive(Debug, Default)]
pub(crate) struct Batch<F> {
    pub(crate) entries: Vec<Entry>,
    pub(crate) skips: Vec<Skip>,
    pub(crate) logs: Vec<LogNote>,
    /// Host files that do not exist, which is normal.
    pub(crate) missing: Vec<String>,
    /// What later steps need to know.
    pub(crate) facts: Vec<F>,
}

impl<F> Batch<F> {
    pub(crate) fn new() -> Self {
        Self { entries: vec![], skips: vec![], logs: vec![], missing: vec![], facts: vec![] }
    }
}

/// How a run of jobs ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Every job was done or given up.
    AllDone,
    /// The deadline came first.
    Deadline,
}

enum Message<F> {
    Part(Batch<F>),
    Done(Batch<F>),
}

/// The worker's side: where batches go.
pub(crate) struct Sink<F> {
    sender: SyncSender<Message<F>>,
}

impl<F> Sink<F> {
    /// Hands over a part of a long job. Also a sign of life. `false`: nobody waits for it any more.
    pub(crate) fn part(&self, batch: Batch<F>) -> bool {
        self.sender.send(Message::Part(batch)).is_ok()
    }
}

/// The two sides of a run: what the worker does, and what becomes of it.
pub(crate) trait Work {
    type Job: Clone + Send + 'static;
    type Fact: Send + 'static;
    type Error;

    /// A worker; called again after one was given up. It runs in a thread of its own.
    fn worker(&mut self) -> impl FnMut(Self::Job, &Sink<Self::Fact>) -> Batch<Self::Fact> + Send + 'static;

    /// Takes what a job handed over.
    fn receive(&mut self, batch: Batch<Self::Fact>) -> Result<(), Self::Error>;

    /// A job was silent for too long. What to do instead of it, if anything.
    fn gave_up(&mut self, job: Self::Job) -> Option<Self::Job>;

    /// How long this job may be silent.
    fn patience(&self, job: &Self::Job) -> Duration;
}

/// Runs the jobs in order until all are done or the deadline is reached.
pub(crate) fn run<W: Work>(
    work: &mut W,
    jobs: impl IntoIterator<Item = W::Job>,
    deadline: Instant,
) -> Result<Ended, W::Error> {
    let mut jobs: VecDeque<W::Job> = jobs.into_iter().collect();
    while !jobs.is_empty() {
        let Some(receiver) = start_worker(work, jobs.clone()) else {
            // No thread to be had: the host is out of them. Nothing can be asked safely.
            return Ok(Ended::Deadline);
        };
        match receive_all(work, &mut jobs, &receiver, deadline)? {
            Some(ended) => return Ok(ended),
            None => {
                if let Some(stuck) = jobs.pop_front()
                    && let Some(instead) = work.gave_up(stuck)
                {
                    jobs.push_front(instead);
                }
            }
        }
    }
    Ok(Ended::AllDone)
}

fn start_worker<W: Work>(work: &mut W, jobs: VecDeque<W::Job>) -> Option<Receiver<Message<W::Fact>>> {
    let (sender, receiver) = sync_channel(IN_FLIGHT);
    let mut worker = work.worker();
    let sink = Sink { sender };
    let body = move || {
        for job in jobs {
            let batch = worker(job, &sink);
            if sink.sender.send(Message::Done(batch)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("ask-host".into()).spawn(body).ok()?;
    Some(receiver)
}

/// Takes batches until the jobs are done (`Some`) or the first of them is silent for too long (`None`).
fn receive_all<W: Work>(
    work: &mut W,
    jobs: &mut VecDeque<W::Job>,
    receiver: &Receiver<Message<W::Fact>>,
    deadline: Instant,
) -> Result<Option<Ended>, W::Error> {
    while let Some(job) = jobs.front() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Some(Ended::Deadline));
        }
        match receiver.recv_timeout(work.patience(job).min(left)) {
            Ok(Message::Part(batch)) => work.receive(batch)?,
            Ok(Message::Done(batch)) => {
                jobs.pop_front();
                work.receive(batch)?;
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => return Ok(Some(Ended::Deadline)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
    Ok(Some(Ended::AllDone))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Jobs are numbers; 3 never answers, and 30 is done instead of it.
    struct Numbers {
        done: Vec<u32>,
        workers: u32,
    }

    impl Work for Numbers {
        type Job = u32;
        type Fact = u32;
        type Error = ();

        fn worker(&mut self) -> impl FnMut(u32, &Sink<u32>) -> Batch<u32> + Send + 'static {
            self.workers += 1;
            |job, _| {
                if job == 3 {
                    loop {
                        thread::park();
                    }
                }
                Batch { facts: vec![job], ..Batch::new() }
            }
        }

        fn receive(&mut self, batch: Batch<u32>) -> Result<(), ()> {
            self.done.extend(batch.facts);
            Ok(())
        }

        fn gave_up(&mut self, job: u32) -> Option<u32> {
            (job == 3).then_some(30)
        }

        fn patience(&self, _: &u32) -> Duration {
            Duration::from_millis(200)
        }
    }

    #[test]
    fn a_job_that_hangs_is_replaced_and_the_rest_goes_on() {
        let mut numbers = Numbers { done: vec![], workers: 0 };
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(run(&mut numbers, [1, 2, 3, 4, 5], deadline), Ok(Ended::AllDone));
        assert_eq!(numbers.done, [1, 2, 30, 4, 5]);
        assert_eq!(numbers.workers, 2);
    }

    #[test]
    fn the_deadline_ends_everything() {
        let mut numbers = Numbers { done: vec![], workers: 0 };
        assert_eq!(run(&mut numbers, [3, 1], Instant::now()), Ok(Ended::Deadline));
        assert_eq!(numbers.done, [] as [u32; 0]);
    }
}
