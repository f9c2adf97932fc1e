//! The system calls that nothing in a box may make. What is not named here is allowed; the namespaces are the first wall, this is the second.

use std::collections::BTreeMap;

use anyhow::Context;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    sock_filter,
};

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filters in the kernel's binary form, to be loaded one after the other; the strictest answer counts.
///
/// # Errors
/// If this machine's architecture is not known to the compiler.
pub(super) fn filters() -> anyhow::Result<Vec<Vec<u8>>> {
    let parts = [
        (refused()?, libc::EPERM),
        // glibc then falls back to clone, whose flags can be looked at.
        (Rules::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS),
        (foreign_sockets()?, libc::EAFNOSUPPORT),
    ];
    parts.into_iter().map(|(rules, errno)| Ok(bytes(&compiled(rules, errno)?))).collect()
}

/// Calls that are refused whatever their arguments.
const REFUSED: &[i64] = &[
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_open_tree,
    SYS_OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    // Keys, which namespaces do not separate.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Large or rarely needed parts of the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    // Files without a path.
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The machine.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
];

/// Calls of x86-64 alone.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[i64] = &[libc::SYS_kexec_file_load, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[i64] = &[];

/// Calls that change a file's mode, and which argument the mode is.
#[cfg(target_arch = "x86_64")]
const CHMODS: &[(i64, u8)] =
    &[(libc::SYS_chmod, 1), (libc::SYS_fchmod, 1), (libc::SYS_fchmodat, 2), (SYS_FCHMODAT2, 2)];
#[cfg(not(target_arch = "x86_64"))]
const CHMODS: &[(i64, u8)] = &[(libc::SYS_fchmod, 1), (libc::SYS_fchmodat, 2), (SYS_FCHMODAT2, 2)];

/// The same number on every architecture; not in `libc` for all of them.
const SYS_FCHMODAT2: i64 = 452;
const SYS_OPEN_TREE_ATTR: i64 = 467;
/// The newest call that was looked at when this list was written (`file_setattr`). What a later kernel adds is not there
/// inside, as on an older kernel: programs ask and fall back.
const NEWEST: u32 = 469;
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;

fn refused() -> anyhow::Result<Rules> {
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_HERE).map(|call| (*call, Vec::new())).collect();
    let new_user = u64::from(libc::CLONE_NEWUSER.unsigned_abs());
    rules.insert(libc::SYS_clone, vec![all_of(vec![has_bits(0, new_user)?])?]);
    let terminal = [TIOCSTI, TIOCLINUX].map(|request| all_of(vec![condition(1, SeccompCmpOp::Eq, request)?]));
    rules.insert(libc::SYS_ioctl, terminal.into_iter().collect::<anyhow::Result<_>>()?);
    for (call, mode) in CHMODS {
        let bits = [0o4000, 0o2000].map(|bit| all_of(vec![has_bits(*mode, bit)?]));
        rules.insert(*call, bits.into_iter().collect::<anyhow::Result<_>>()?);
    }
    Ok(rules)
}

/// Sockets of other families than Unix, IPv4, IPv6 and netlink: AF_VSOCK, for one, is not cut by the network namespace.
fn foreign_sockets() -> anyhow::Result<Rules> {
    let known = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
    let unlike = known.map(|family| condition(0, SeccompCmpOp::Ne, u64::from(family.unsigned_abs())));
    let foreign = all_of(unlike.into_iter().collect::<anyhow::Result<_>>()?)?;
    Ok(Rules::from([(libc::SYS_socket, vec![foreign.clone()]), (libc::SYS_socketpair, vec![foreign])]))
}

fn has_bits(argument: u8, bits: u64) -> anyhow::Result<SeccompCondition> {
    condition(argument, SeccompCmpOp::MaskedEq(bits), bits)
}

/// All arguments looked at here are 32 bits wide for the kernel; what stands above them must not hide a match.
fn condition(argument: u8, is: SeccompCmpOp, value: u64) -> anyhow::Result<SeccompCondition> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, is, value).context("a condition of the filter")
}

fn all_of(conditions: Vec<SeccompCondition>) -> anyhow::Result<SeccompRule> {
    SeccompRule::new(conditions).context("a rule of the filter")
}

fn compiled(rules: Rules, errno: i32) -> anyhow::Result<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into().context("system call filters for this architecture")?;
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).context("making a filter")?;
    let program = BpfProgram::try_from(filter).context("compiling a filter")?;
    Ok(guarded(program))
}

const LOAD_WORD: u16 = 0x20;
const JUMP_IF_MORE: u16 = 0x25;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const KILL_PROCESS: u32 = 0x8000_0000;
const REFUSE_WITH: u32 = 0x0005_0000;
const X32_BIT: u32 = 0x4000_0000;

/// Puts before `program` that there are no calls newer than [`NEWEST`]; and on x86-64 that calls by their x32 numbers are fatal:
/// they have the same architecture and other numbers.
fn guarded(program: BpfProgram) -> BpfProgram {
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    let mut whole = vec![step(LOAD_WORD, 0, 0, 0)];
    if std::env::consts::ARCH == "x86_64" {
        whole.extend([step(JUMP_IF_AT_LEAST, 0, 1, X32_BIT), step(RETURN, 0, 0, KILL_PROCESS)]);
    }
    let unknown = REFUSE_WITH | libc::ENOSYS.unsigned_abs();
    whole.extend([step(JUMP_IF_MORE, 0, 1, NEWEST), step(RETURN, 0, 0, unknown)]);
    whole.extend(program);
    whole
}

fn bytes(program: &BpfProgram) -> Vec<u8> {
    let one = |i: &sock_filter| {
        let mut bytes = [0; 8];
        bytes[..2].copy_from_slice(&i.code.to_ne_bytes());
        bytes[2] = i.jt;
        bytes[3] = i.jf;
        bytes[4..].copy_from_slice(&i.k.to_ne_bytes());
        bytes
    };
    program.iter().flat_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: u32 = 0x7fff_0000;

    /// What a program answers to a call without arguments, by the kernel's rules for the few steps that the compiler uses.
    fn answer(program: &[sock_filter], call: u32, arch: u32) -> u32 {
        let data = |at: u32| [call, arch].get(at as usize / 4).copied().unwrap_or(0);
        let (mut at, mut a) = (0, 0);
        loop {
            let step = &program[at];
            at += 1;
            let holds = match step.code {
                LOAD_WORD => {
                    a = data(step.k);
                    continue;
                }
                RETURN => return step.k,
                // A jump whatever there is.
                0x05 => {
                    at += step.k as usize;
                    continue;
                }
                // And, with a constant.
                0x54 => {
                    a &= step.k;
                    continue;
                }
                0x15 => a == step.k,
                JUMP_IF_MORE => a > step.k,
                JUMP_IF_AT_LEAST => a >= step.k,
                other => panic!("a step of another kind: {other:#x}"),
            };
            at += usize::from(if holds { step.jt } else { step.jf });
        }
    }

    /// The architecture as the kernel names it, taken from the program: the first comparison behind a load of it.
    fn arch(program: &[sock_filter]) -> u32 {
        let load = program.iter().position(|s| s.code == LOAD_WORD && s.k == 4).expect("it looks at the architecture");
        program[load + 1].k
    }

    #[test]
    fn calls_that_nobody_has_looked_at_are_not_there() {
        let program = compiled(refused().expect("rules"), libc::EPERM).expect("a filter");
        let ask = |call: i64| answer(&program, u32::try_from(call).expect("a number"), arch(&program));
        let (refused, absent) = (REFUSE_WITH | 1, REFUSE_WITH | libc::ENOSYS.unsigned_abs());
        for call in [SYS_OPEN_TREE_ATTR, libc::SYS_open_tree, libc::SYS_mount] {
            assert_eq!(ask(call), refused, "{call}");
        }
        for call in [470, 471, 512, 600, 100_000] {
            assert_eq!(ask(call), absent, "{call}");
        }
        for call in [libc::SYS_read, libc::SYS_openat, i64::from(NEWEST)] {
            assert_eq!(ask(call), ALLOWED, "the control: {call}");
        }
        let guard = if std::env::consts::ARCH == "x86_64" { 5 } else { 3 };
        let bare = &program[guard..];
        assert_eq!(answer(bare, 470, arch(bare)), ALLOWED, "the control: without the guard it gets through");
    }

    #[test]
    fn three_filters_within_the_kernels_bounds() {
        let all = filters().expect("filters");
        assert_eq!(all.len(), 3);
        for filter in all {
            assert_eq!(filter.len() % 8, 0);
            assert!(filter.len() / 8 < 4096, "the kernel takes at most 4096 steps");
        }
    }
}
