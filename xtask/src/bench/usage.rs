//! What processes use: their memory and processor time, as Linux tells them.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process, and those that it starts from now on, have so many files open.
pub fn allow_files(most: u64) -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= most) {
        return Ok(());
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(most));
    setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }).map_err(|error| {
        anyhow::anyhow!(
            "{most} files must be open at once, and the system does not allow it ({error}): raise `ulimit -Hn {most}`"
        )
    })
}

/// The memory of a process that is not swapped out, bytes.
pub fn memory(pid: u32) -> Result<u64> {
    resident(pid, "VmRSS:")
}

/// How much of that is of files: the program and its libraries, which Linux reads again when it needs the room.
pub fn program(pid: u32) -> Result<u64> {
    resident(pid, "RssFile:")
}

fn resident(pid: u32, which: &str) -> Result<u64> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(which));
    let line = line.with_context(|| format!("a process without {which}"))?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Processes that are measured together.
#[derive(Clone, Copy)]
pub enum Processes {
    One(u32),
    /// A process and its children, those that have ended too: PostgreSQL.
    Family(u32),
}

impl Processes {
    /// The processor time that they have had, seconds.
    pub fn processor(self) -> Result<f64> {
        let ticks = match self {
            Self::One(pid) => Stat::read(pid)?.own,
            Self::Family(pid) => {
                let parent = Stat::read(pid)?;
                parent.own + parent.ended_children + children(pid)?.iter().map(|child| child.own).sum::<u64>()
            }
        };
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }
}

fn children(parent: u32) -> Result<Vec<Stat>> {
    let mut children = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended by now.
        let Ok(stat) = Stat::read(pid) else { continue };
        if stat.parent == parent {
            children.push(stat);
        }
    }
    Ok(children)
}

/// What `/proc/PID/stat` tells, see proc_pid_stat(5); times in clock ticks.
struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

impl Stat {
    fn read(pid: u32) -> Result<Self> {
        Self::parse(&read(pid, "stat")?)
    }

    fn parse(text: &str) -> Result<Self> {
        // The name, in brackets, may contain anything.
        let (_, rest) = text.rsplit_once(')').context("a process without a name")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        ensure!(fields.len() > 14, "a process without times");
        Ok(Self {
            parent: fields[1].parse()?,
            own: fields[11].parse::<u64>()? + fields[12].parse::<u64>()?,
            ended_children: fields[13].parse::<u64>()? + fields[14].parse::<u64>()?,
        })
    }
}

fn read(pid: u32, file: &str) -> Result<String> {
    match fs::read_to_string(format!("/proc/{pid}/{file}")) {
        Ok(text) => Ok(text),
        Err(error) => bail!("what process {pid} uses is read from /proc, as Linux has it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = Stat::parse("42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 100 20 5 6 20 0 1 0 99 1000 25").unwrap();
        assert_eq!((stat.parent, stat.own, stat.ended_children), (7, 120, 11));
        assert!(Stat::parse("42 (a) S 7").is_err());
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let pid = std::process::id();
        assert!(memory(pid).unwrap() > 100_000);
        assert!((100_000..memory(pid).unwrap()).contains(&program(pid).unwrap()));
        // Other tests use up time in this process, so what was asked first is the least.
        let one = Processes::One(pid).processor().unwrap();
        assert!(Processes::Family(pid).processor().unwrap() >= one);
    }
}
