//! The steps of a collection, in the order of the bundle.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use crate::bundle::output::Output;
use crate::bundle::writer::Writer;
use crate::bundle::{Entries, Entry};
use crate::context::{Context, Fact};
use crate::namespaces::Pinned;
use crate::process::{Known, ProcessJob, ProcessReader};
use crate::progress::Progress;
use crate::summary::{Skip, Summary};
use crate::watchdog::{self, Batch, Ended, Sink, Work};
use crate::{devices, host_facts, logs, namespaces, runtimes, systemd};

/// How long a process may stay silent before it is asked less; the first ones are given more time than later ones.
const PROCESS_PATIENCE: [Duration; 2] = [Duration::from_secs(3), Duration::from_millis(500)];
const STEP_PATIENCE: Duration = Duration::from_secs(10);
const LOG_PATIENCE: Duration = Duration::from_secs(40);
/// Processes are handed over together, until there are this many …
const GROUP_PROCESSES: usize = 128;
/// … or this many bytes of them.
const BATCH_BYTES: usize = 1 << 20;
/// How deep namespaces without a process are followed into each other.
const NAMESPACE_ROUNDS: usize = 4;
/// Kept back of the time limit for ending the bundle.
const RESERVE: Duration = Duration::from_secs(1);

/// One thing to ask the host.
#[derive(Clone, Debug)]
enum Step {
    HostFacts,
    Process(ProcessJob),
    Namespace(Pinned),
    Devices,
    Runtimes(Arc<Vec<Fact>>),
    Systemd(Vec<String>),
    Logs,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) complete: bool,
    pub(crate) summary: Summary,
    /// Distinct mount tables in the bundle.
    pub(crate) tables: usize,
}

/// Asks the host everything and writes the bundle.
///
/// # Errors
/// When the bundle cannot be written. What cannot be read is no error but an entry in the summary.
pub(crate) fn collect(
    context: &Arc<Context>,
    writer: &mut Writer<Output>,
    host: &str,
    progress: &mut Progress,
) -> io::Result<Outcome> {
    let begun = Instant::now();
    let seconds = context.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let options: Vec<String> = context.options.given.iter().map(|option| writer.note(option)).collect();
    let label = host_facts::security_label(context).map(|label| writer.note(&label));
    let manifest = host_facts::manifest(context, host, seconds, label.as_deref(), &options);
    writer.add(Entry::plain("manifest.json", format!("{manifest:#}\n")))?;

    let mut collection = Collection::new(context, writer, progress);
    let complete = collection.all_steps()? == Ended::AllDone;
    let mut summary = collection.summary;
    summary.redact(|text| writer.note(text));
    progress.clear();
    let took = begun.elapsed().as_millis();
    let json = summary.to_json(writer.tables(), writer.secrets(), took, complete);
    writer.add(Entry::plain("summary.json", format!("{json:#}\n")))?;
    Ok(Outcome { complete, summary, tables: writer.tables() })
}

/// A collection under way.
struct Collection<'a> {
    context: &'a Arc<Context>,
    writer: &'a mut Writer<Output>,
    progress: &'a mut Progress,
    summary: Summary,
    facts: Vec<Fact>,
    given_up: usize,
    /// What all readers of processes know.
    known: Arc<Known>,
    /// Buffers to be used again.
    spare: Arc<Mutex<Vec<Entries>>>,
}

impl<'a> Collection<'a> {
    fn new(context: &'a Arc<Context>, writer: &'a mut Writer<Output>, progress: &'a mut Progress) -> Self {
        let (summary, facts) = (Summary::default(), Vec::new());
        let known = Arc::default();
        Self { context, writer, progress, summary, facts, given_up: 0, known, spare: Arc::default() }
    }

    fn all_steps(&mut self) -> io::Result<Ended> {
        let pids = self.context.proc.dir.listable(b"")?.numbers()?;
        let process = |pid: &u32| Step::Process(ProcessJob { pid: *pid, gentle: false });
        // The first process before the others: what they are compared with must be known to all of them.
        let (first, others) = pids.split_at(pids.len().min(1));
        let first = vec![vec![Step::HostFacts], first.iter().map(process).collect()];
        let others = others.chunks(GROUP_PROCESSES).map(|pids| pids.iter().map(process).collect());
        let begun = self.run(first, vec![])?;
        // The logs beside the processes: journalctl takes its time, and has its own limit.
        if begun == Ended::Deadline || self.run(others.collect(), vec![Step::Logs])? == Ended::Deadline {
            return Ok(Ended::Deadline);
        }
        if self.namespaces()? == Ended::Deadline {
            return Ok(Ended::Deadline);
        }
        let rest = vec![
            vec![Step::Devices],
            vec![Step::Runtimes(Arc::new(self.facts.clone()))],
            vec![Step::Systemd(systemd::units(&self.facts))],
        ];
        self.run(rest, vec![])
    }

    /// Namespaces that no process shows whole, in rounds: one may be bound only inside another.
    fn namespaces(&mut self) -> io::Result<Ended> {
        let mut entered = Vec::new();
        for _ in 0..NAMESPACE_ROUNDS {
            let pinned = namespaces::not_shown(&self.facts, &entered);
            if !self.context.proc.live || pinned.is_empty() {
                break;
            }
            entered.extend(pinned.iter().cloned());
            if self.run(pinned.into_iter().map(|pinned| vec![Step::Namespace(pinned)]).collect(), vec![])?
                == Ended::Deadline
            {
                return Ok(Ended::Deadline);
            }
        }
        Ok(Ended::AllDone)
    }

    fn run(&mut self, steps: Vec<Vec<Step>>, beside: Vec<Step>) -> io::Result<Ended> {
        let deadline = self.context.deadline.checked_sub(RESERVE).unwrap_or(self.context.deadline);
        let ended = watchdog::run(self, steps, beside, deadline)?;
        if ended == Ended::Deadline {
            let seconds = self.context.options.timeout.as_secs();
            let why =
                format!("the time limit of {seconds} s ended the collection; give it more with --timeout");
            self.summary.skip(Skip::because("collection", b"everything after this", "timeout", why));
        }
        Ok(ended)
    }
}

impl Work for Collection<'_> {
    type Job = Step;
    type Fact = Fact;
    type Error = io::Error;

    fn worker(&mut self) -> impl FnMut(Step, &Sink<Fact>, &mut Batch<Fact>) -> bool + Send + 'static {
        let context = Arc::clone(self.context);
        let spare = Arc::clone(&self.spare);
        let mut processes = ProcessReader::new(Arc::clone(&context), Arc::clone(&self.known));
        move |step, sink, batch| {
            match step {
                Step::HostFacts => *batch = host_facts::read(&context),
                Step::Process(job) => {
                    if batch.jobs == 0
                        && let Some(entries) = spare.lock().ok().and_then(|mut spare| spare.pop())
                    {
                        batch.entries = entries;
                    }
                    processes.read(&job, batch);
                    return batch.entries.size() >= BATCH_BYTES;
                }
                Step::Namespace(pinned) => *batch = namespaces::read(&context, &pinned),
                Step::Devices => *batch = devices::read(&context),
                Step::Runtimes(facts) => *batch = runtimes::read(&context, &facts),
                Step::Systemd(units) => *batch = systemd::read(&context, &units),
                Step::Logs => *batch = logs::read(&context, |batch| sink.part(batch)),
            }
            true
        }
    }

    fn receive(&mut self, mut batch: Batch<Fact>) -> io::Result<()> {
        batch.entries.sort();
        self.writer.add_all(&batch.entries)?;
        batch.entries.clear();
        if let Ok(mut spare) = self.spare.lock() {
            spare.push(batch.entries);
        }
        batch.skips.into_iter().for_each(|skip| self.summary.skip(skip));
        batch.logs.into_iter().for_each(|log| self.summary.log(log));
        batch.missing.into_iter().for_each(|path| self.summary.missing(path));
        for fact in batch.facts {
            match fact {
                Fact::Process { namespace, .. } => {
                    self.summary.processes += 1;
                    self.summary.mount_namespaces.extend(namespace);
                }
                Fact::NamespaceRead { inode } => {
                    self.summary.mount_namespaces.insert(inode);
                }
                _ => {}
            }
            self.facts.push(fact);
        }
        let (processes, tables) = (self.summary.processes, self.writer.tables());
        self.progress.show(|| format!("{processes} processes, {tables} mount tables"));
        Ok(())
    }

    fn gave_up(&mut self, step: Step) -> Option<Step> {
        self.given_up += 1;
        let (kind, path) = match &step {
            Step::Process(job) => ("proc/PID", format!("proc/{}", job.pid)),
            Step::Namespace(pinned) => {
                ("ns/mnt-INODE/mountinfo", format!("ns/mnt-{}/mountinfo", pinned.inode))
            }
            Step::HostFacts => ("proc", "proc/version".to_owned()),
            Step::Devices => ("sys/block", "sys/block".to_owned()),
            Step::Runtimes(_) => ("runtime", "runtime/containers.json".to_owned()),
            Step::Systemd(_) => ("systemd", "systemd".to_owned()),
            Step::Logs => ("logs", "logs".to_owned()),
        };
        let instead = match step {
            Step::Process(job) if !job.gentle => Some(Step::Process(ProcessJob { gentle: true, ..job })),
            _ => None,
        };
        let why = match instead {
            Some(_) => "did not answer; asked again without its memory and without looking behind its links",
            None => "did not answer and was left out",
        };
        self.summary.skip(Skip::because(kind, path.as_bytes(), "timeout", why));
        instead
    }

    fn patience(&self, step: &Step) -> Duration {
        match step {
            Step::Process(_) => PROCESS_PATIENCE[usize::from(self.given_up > 2)],
            Step::Logs => LOG_PATIENCE,
            _ => STEP_PATIENCE,
        }
    }
}
