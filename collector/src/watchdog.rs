//! Runs the host's side of the collection in a thread of its own, so that nothing that hangs can hang the collector.
//!
//! Any question to a host in trouble may never be answered: a dead file server, a process whose memory is locked.
//! The worker thread asks; this side only waits for what it sends. A job that stays silent for too long is given up
//! together with its thread (which the kernel ends when the program exits), and a new worker goes on with the next job.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::bundle::Entries;
use crate::summary::{LogNote, Skip};

/// Batches of a lane in flight. Small: memory is bounded by this many batches' worth of data.
const IN_FLIGHT: usize = 3;
/// The same beside the lanes, where a batch is a whole log of some MiB.
const IN_FLIGHT_BESIDE: usize = 1;
/// Threads that ask at the same time. Two: reading is the kernel's work, which two processors share well, and a host
/// in trouble has other things to do with the rest.
const LANES: usize = 2;

/// What one or more jobs hand over.
#[derive(Debug, Default)]
pub(crate) struct Batch<F> {
    /// How many jobs are in it, from the first to the last whole; kept by this module.
    pub(crate) jobs: usize,
    pub(crate) entries: Entries,
    pub(crate) skips: Vec<Skip>,
    pub(crate) logs: Vec<LogNote>,
    /// Host files that do not exist, which is normal.
    pub(crate) missing: Vec<String>,
    /// What later steps need to know.
    pub(crate) facts: Vec<F>,
}

impl<F> Batch<F> {
    pub(crate) fn new() -> Self {
        Self {
            jobs: 0,
            entries: Entries::default(),
            skips: vec![],
            logs: vec![],
            missing: vec![],
            facts: vec![],
        }
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

/// The worker's side: where batches go.
pub(crate) struct Sink<F> {
    sender: SyncSender<Batch<F>>,
}

impl<F> Sink<F> {
    /// Hands over a part of a long job. Also a sign of life. `false`: nobody waits for it any more.
    pub(crate) fn part(&self, batch: Batch<F>) -> bool {
        self.sender.send(batch).is_ok()
    }
}

/// The two sides of a run: what the worker does, and what becomes of it.
pub(crate) trait Work {
    type Job: Clone + Send + 'static;
    type Fact: Send + 'static;
    type Error;

    /// A worker; called again after one was given up. It runs in a thread of its own, adds to the batch, and says
    /// whether the batch is to be handed over now. Jobs of a batch that never was are done again.
    #[allow(clippy::type_complexity, reason = "a name for it would hide what a worker is given")]
    fn worker(
        &mut self,
    ) -> impl FnMut(Self::Job, &Sink<Self::Fact>, &mut Batch<Self::Fact>) -> bool + Send + 'static;

    /// Takes what a job handed over.
    fn receive(&mut self, batch: Batch<Self::Fact>) -> Result<(), Self::Error>;

    /// A job was silent for too long. What to do instead of it, if anything.
    fn gave_up(&mut self, job: Self::Job) -> Option<Self::Job>;

    /// How long this job may be silent.
    fn patience(&self, job: &Self::Job) -> Duration;
}

/// One of the threads that ask, and what it has still to ask. Groups go to the lanes in turn.
struct Lane<J, F> {
    in_flight: usize,
    groups: VecDeque<VecDeque<J>>,
    worker: Option<Worker<F>>,
}

/// A worker under way.
struct Worker<F> {
    receiver: Receiver<Batch<F>>,
    /// How many of its jobs it has begun.
    begun: Arc<AtomicUsize>,
    /// How many of them it has handed over.
    received: usize,
}

/// Runs groups of jobs, several at a time, until all are done or the deadline is reached. What they hand over is
/// received in the order of the jobs, and no batch holds jobs of two groups. Those of `beside` are begun first and
/// received last: they mostly wait for others.
pub(crate) fn run<W: Work>(
    work: &mut W,
    groups: impl IntoIterator<Item = Vec<W::Job>>,
    beside: Vec<W::Job>,
    deadline: Instant,
) -> Result<Ended, W::Error> {
    let mut waiting =
        Lane { in_flight: IN_FLIGHT_BESIDE, groups: VecDeque::from([VecDeque::from(beside)]), worker: None };
    waiting.start(work);
    let mut lanes: [Lane<W::Job, W::Fact>; LANES] =
        std::array::from_fn(|_| Lane { in_flight: IN_FLIGHT, groups: VecDeque::new(), worker: None });
    let mut count = 0;
    for group in groups {
        lanes[count % LANES].groups.push_back(group.into());
        count += 1;
    }
    for lane in &mut lanes {
        lane.start(work);
    }
    for number in 0..count {
        if lanes[number % LANES].receive_group(work, deadline)? == Ended::Deadline {
            return Ok(Ended::Deadline);
        }
    }
    waiting.receive_group(work, deadline)
}

impl<J: Clone + Send + 'static, F: Send + 'static> Lane<J, F> {
    fn start<W: Work<Job = J, Fact = F>>(&mut self, work: &mut W) {
        if self.groups.iter().all(VecDeque::is_empty) {
            return;
        }
        let (sender, receiver) = sync_channel(self.in_flight);
        let begun = Arc::new(AtomicUsize::new(0));
        let (groups, counter) = (self.groups.clone(), Arc::clone(&begun));
        let (act, sink) = (work.worker(), Sink { sender });
        let thread = thread::Builder::new().name("ask-host".into());
        let started = thread.spawn(move || do_groups(groups, act, &sink, &counter)).is_ok();
        self.worker = started.then_some(Worker { receiver, begun, received: 0 });
    }

    /// Takes batches until the first group is done. A job that is silent for too long is given up.
    fn receive_group<W: Work<Job = J, Fact = F>>(
        &mut self,
        work: &mut W,
        deadline: Instant,
    ) -> Result<Ended, W::Error> {
        while let Some(jobs) = self.groups.front_mut()
            && !jobs.is_empty()
        {
            let left = deadline.saturating_duration_since(Instant::now());
            // Without a worker the host is out of threads: nothing can be asked safely.
            let (Some(worker), false) = (&mut self.worker, left.is_zero()) else {
                return Ok(Ended::Deadline);
            };
            let at = worker.current().min(jobs.len() - 1);
            match worker.receiver.recv_timeout(work.patience(&jobs[at]).min(left)) {
                Ok(batch) => {
                    jobs.drain(..batch.jobs.min(jobs.len()));
                    worker.received += batch.jobs;
                    work.receive(batch)?;
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => return Ok(Ended::Deadline),
                // It goes on with other jobs of the same batch.
                Err(RecvTimeoutError::Timeout) if worker.current() != at => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    if let Some(stuck) = jobs.remove(at)
                        && let Some(instead) = work.gave_up(stuck)
                    {
                        jobs.insert(at, instead);
                    }
                    self.start(work);
                }
            }
        }
        self.groups.pop_front();
        Ok(Ended::AllDone)
    }
}

/// The worker's thread.
fn do_groups<J, F>(
    groups: VecDeque<VecDeque<J>>,
    mut act: impl FnMut(J, &Sink<F>, &mut Batch<F>) -> bool,
    sink: &Sink<F>,
    begun: &AtomicUsize,
) {
    for group in groups {
        let mut batch = Batch::new();
        let last = group.len();
        for (at, job) in group.into_iter().enumerate() {
            begun.fetch_add(1, Ordering::Relaxed);
            let full = act(job, sink, &mut batch);
            batch.jobs += 1;
            if (full || at + 1 == last) && !sink.part(std::mem::replace(&mut batch, Batch::new())) {
                return;
            }
        }
    }
}

impl<F> Worker<F> {
    /// Where in its first group the job is that it is at.
    fn current(&self) -> usize {
        self.begun.load(Ordering::Relaxed).saturating_sub(self.received + 1)
    }
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

        fn worker(&mut self) -> impl FnMut(u32, &Sink<u32>, &mut Batch<u32>) -> bool + Send + 'static {
            self.workers += 1;
            |job, _, batch| {
                if job == 3 {
                    loop {
                        thread::park();
                    }
                }
                batch.facts.push(job);
                // 1 is handed over alone; 2 waits for more when 3 hangs, and is done again.
                job == 1
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
        assert_eq!(
            run(&mut numbers, [vec![1, 2, 3, 4], vec![], vec![5, 6], vec![7]], vec![8], deadline),
            Ok(Ended::AllDone)
        );
        assert_eq!(numbers.done, [1, 2, 30, 4, 5, 6, 7, 8]);
        assert_eq!(numbers.workers, 4, "one for each lane, and one after that was given up");
    }

    #[test]
    fn the_deadline_ends_everything() {
        let mut numbers = Numbers { done: vec![], workers: 0 };
        assert_eq!(run(&mut numbers, [vec![3, 1]], vec![], Instant::now()), Ok(Ended::Deadline));
        assert_eq!(numbers.done, [] as [u32; 0]);
    }
}
