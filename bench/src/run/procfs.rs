//! What /proc says of processes: CPU time, memory, cores. See proc(5).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Context;

/// One tick of utime and stime: USER_HZ, which is 100 on every platform that Linux shows to user space, but for alpha and ia64.
const TICK: Duration = Duration::from_millis(10);

/// What one line of /proc/PID/stat is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// utime and stime, of all threads, those that have ended too.
    ticks: u32,
}

/// The CPU time that a process and its living descendants have used.
///
/// # Errors
///
/// When the process is gone.
pub(super) fn cpu_time(root: u32) -> anyhow::Result<Duration> {
    let stats = stats()?;
    stats.get(&root).with_context(|| format!("process {root} is gone"))?;
    let tree = tree(&stats, root);
    let ticks = tree.iter().filter_map(|process| stats.get(process)).map(|stat| stat.ticks);
    Ok(TICK * ticks.sum::<u32>())
}

/// The CPU time that this very process has used.
///
/// # Errors
///
/// When /proc is not what it should be.
pub(crate) fn own_cpu_time() -> anyhow::Result<Duration> {
    let line = fs::read_to_string("/proc/self/stat")?;
    let stat = parse_stat(&line).with_context(|| format!("cannot understand {line:?}"))?;
    Ok(TICK * stat.ticks)
}

/// Every process there is.
fn stats() -> anyhow::Result<BTreeMap<u32, Stat>> {
    let mut stats = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // A process may end while the folder is read.
        if let Ok(line) = fs::read_to_string(entry.path().join("stat")) {
            stats.insert(id, parse_stat(&line).with_context(|| format!("cannot understand {line:?}"))?);
        }
    }
    Ok(stats)
}

/// Memory in use by one process (VmRSS), in KiB.
///
/// # Errors
///
/// When the process is gone.
pub(super) fn rss_kib(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    field(&status, "VmRSS").and_then(first_number).context("no VmRSS in /proc/PID/status")
}

/// The most memory that a process had in use since it began, or since [`forget_peak`] (VmHWM), in KiB.
///
/// # Errors
///
/// When the process is gone.
pub(super) fn peak_kib(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    field(&status, "VmHWM").and_then(first_number).context("no VmHWM in /proc/PID/status")
}

/// Begins the peak of a process anew.
///
/// # Errors
///
/// When the process is gone, or not this user's.
pub(super) fn forget_peak(process: u32) -> anyhow::Result<()> {
    let file = format!("/proc/{process}/clear_refs");
    fs::write(&file, "5").with_context(|| format!("cannot write {file}"))
}

/// User and system time of one process, of all its threads.
///
/// # Errors
///
/// When the process is gone.
pub(super) fn user_and_system(process: u32) -> anyhow::Result<(Duration, Duration)> {
    let line = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let times = times(&line).with_context(|| format!("cannot understand {line:?}"))?;
    Ok((TICK * times.0, TICK * times.1))
}

/// The memory of a process and its living descendants, shared pages by their part (Pss), in KiB.
///
/// # Errors
///
/// When the process is gone, or not this user's.
pub(super) fn pss_kib(root: u32) -> anyhow::Result<u64> {
    let stats = stats()?;
    let tree = tree(&stats, root);
    let of = |process: &u32| -> anyhow::Result<u64> {
        let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
        field(&rollup, "Pss").and_then(first_number).context("no Pss in /proc/PID/smaps_rollup")
    };
    tree.iter().map(of).sum()
}

/// The cores that this process may use.
///
/// # Errors
///
/// When /proc is not what it should be.
pub(super) fn cores() -> anyhow::Result<Vec<u32>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let list = field(&status, "Cpus_allowed_list").context("no Cpus_allowed_list in /proc/self/status")?;
    let ranges = list.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Ok(first.parse()?..=last.parse()?)
    });
    let ranges = ranges.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(ranges.into_iter().flatten().collect())
}

/// How many files this process may let itself open.
///
/// # Errors
///
/// When /proc is not what it should be.
pub(super) fn most_files() -> anyhow::Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let hard =
        line.and_then(|line| line.split_ascii_whitespace().nth(1)).context("no limit of open files")?;
    Ok(hard.parse().unwrap_or(u64::MAX))
}

/// What runs here: the processor, the number of its cores, and the version of Linux.
///
/// # Errors
///
/// When /proc is not what it should be.
pub(crate) fn machine() -> anyhow::Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let mut models = processors.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = models.next().map_or("a processor without a name", |(_, model)| model);
    let linux = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!("{model}, {} cores, Linux {}", models.count() + 1, linux.trim()))
}

/// Parent (4), utime (14) and stime (15); the name (2) is in parentheses and may hold any byte.
fn parse_stat(line: &str) -> Option<Stat> {
    let (_, after_name) = line.rsplit_once(')')?;
    let parent = after_name.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let (user, system) = times(line)?;
    Some(Stat { parent, ticks: user + system })
}

/// utime (14) and stime (15).
fn times(line: &str) -> Option<(u32, u32)> {
    let (_, after_name) = line.rsplit_once(')')?;
    let mut times = after_name.split_ascii_whitespace().skip(11);
    Some((times.next()?.parse().ok()?, times.next()?.parse().ok()?))
}

/// A process, its living children, and theirs.
fn tree(stats: &BTreeMap<u32, Stat>, root: u32) -> Vec<u32> {
    let children = stats.iter().filter(|(_, stat)| stat.parent == root);
    [root].into_iter().chain(children.flat_map(|(id, _)| tree(stats, *id))).collect()
}

/// The rest of the line `name:`.
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}

fn first_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_the_name_whatever_the_name_is() {
        let line =
            "4242 (a) b) R 17) S 17 4242 4242 0 -1 4194560 900 10 0 0 731 269 5 6 20 0 3 0 88 1000 300";
        assert_eq!(parse_stat(line), Some(Stat { parent: 17, ticks: 1000 }));
        assert_eq!(parse_stat("4242 (mesh) S 17 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn a_tree_is_a_process_with_its_children_and_theirs_and_nobody_else() {
        let stats = [(10, 1, 5), (11, 10, 7), (12, 11, 100), (20, 1, 1000)];
        let stats = stats.into_iter().map(|(id, parent, ticks)| (id, Stat { parent, ticks })).collect();
        assert_eq!(tree(&stats, 10), [10, 11, 12]);
        assert_eq!(tree(&stats, 12), [12]);
    }

    #[test]
    fn fields_of_a_status_are_found_by_their_whole_name() {
        let status = "VmRSSX:\t1 kB\nVmRSS:\t   9876 kB\nCpus_allowed_list:\t2-3,5\n";
        assert_eq!(field(status, "VmRSS").and_then(first_number), Some(9876));
        assert_eq!(field(status, "Cpus_allowed_list").and_then(first_number), Some(2));
        assert_eq!(field(status, "Cpus"), None);
    }

    #[test]
    fn a_living_process_has_memory_a_core_and_a_cpu_time() {
        let own = std::process::id();
        assert!(rss_kib(own).unwrap() > 0);
        assert!(pss_kib(own).unwrap() > 0);
        assert!(!cores().unwrap().is_empty() && most_files().unwrap() > 0);
        machine().unwrap();
        cpu_time(own).unwrap();
        assert!(cpu_time(u32::MAX).is_err());
    }
}
