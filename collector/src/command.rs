//! Outside commands: found in fixed places, with a deadline, and ended by their own process id.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::sys;

/// Where programs are looked for. Not `$PATH`: the collector runs as root in whatever environment it is started from.
const PLACES: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// How long a command may take to end after it has closed its output.
const CLOSING: Duration = Duration::from_secs(1);

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    ByItself,
    /// By itself, with this exit code that is not 0.
    Failed(i32),
    /// The reader had enough.
    Enough,
    TimedOut,
}

/// The program's path, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    PLACES.iter().map(|place| PathBuf::from(place).join(program)).find(|path| path.is_file())
}

/// Runs a command and hands its output to `take` piece by piece, until it ends, `take` returns `false`, or the time
/// is over. Its standard input is empty, its messages are thrown away.
pub(crate) fn run(
    command: &mut Command,
    time: Duration,
    mut take: impl FnMut(&[u8]) -> bool,
) -> io::Result<Ended> {
    let until = Instant::now() + time;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env_clear().env("LC_ALL", "C").env("PATH", PLACES.join(":"));
    sys::die_with_parent(command);
    let mut child = command.spawn()?;
    let Some(mut output) = child.stdout.take() else {
        end(&mut child);
        return Err(io::Error::from_raw_os_error(libc::EPIPE));
    };
    let (sender, receiver) = sync_channel::<Vec<u8>>(2);
    // A read cannot be given a time limit, so another thread does it. It ends when the command does.
    thread::Builder::new().name("command-output".into()).spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(length) = output.read(&mut buffer) {
            if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    })?;
    let ended = loop {
        match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(piece) if take(&piece) => {}
            Ok(_) => break Ended::Enough,
            Err(RecvTimeoutError::Timeout) => break Ended::TimedOut,
            Err(RecvTimeoutError::Disconnected) => break Ended::ByItself,
        }
    };
    drop(receiver);
    if ended == Ended::ByItself {
        // It has closed its output, and so is about to end; not for long, as it may also have done only that.
        let patience = until.min(Instant::now() + CLOSING);
        while Instant::now() < patience {
            if let Some(status) = child.try_wait()? {
                return Ok(status.code().filter(|code| *code != 0).map_or(ended, Ended::Failed));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
    end(&mut child);
    Ok(ended)
}

/// Ends the command by its own id and collects it; harmless when it has ended already.
fn end(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_command_that_never_ends_is_ended() {
        let mut text = Vec::new();
        let time = Duration::from_millis(300);
        let ended = run(&mut shell("echo some; exec sleep 1000"), time, |piece| {
            text.extend_from_slice(piece);
            true
        });
        assert_eq!(ended.unwrap(), Ended::TimedOut);
        assert_eq!(text, b"some\n");
    }

    #[test]
    fn endless_output_stops_when_there_is_enough() {
        let mut length = 0;
        let ended = run(&mut shell("exec yes"), Duration::from_secs(60), |piece| {
            length += piece.len();
            length < 100_000
        });
        assert_eq!(ended.unwrap(), Ended::Enough);
    }
}
