//! Four node processes: their homes, ports, lives and deaths. A process never outlives its [`Cluster`], unless the
//! devnet itself is killed without a chance to clean up.

use std::{
    fs::{self, File, OpenOptions},
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use eyre::WrapErr as _;
use serde::Deserialize;
use sigeli::{keys::SecretKey, values};
use sigeli_ledger::genesis::Genesis;
use sigeli_verifier::{encode::Encode as _, ids::TimeMs};
use tokio::process::{Child, Command};

use crate::{
    genesis::{self, FOUNDERS, FounderKeys},
    home::Home,
    report::NodeEntry,
};

/// How long a node may take to stop when asked to, before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Ports of one node, all on loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    /// TCP and UDP, for the other nodes.
    pub(crate) peers: u16,
    /// TCP, for clients.
    pub(crate) grpc: u16,
    /// TCP, for metrics.
    pub(crate) metrics: u16,
}

/// Ports of a node are consecutive when a base is given.
const PORTS_PER_NODE: u16 = 3;

/// Finds ports for the nodes: from `base` on, or any that are free. All are free at the same moment; another program
/// may take one before its node does, which the node then reports.
///
/// # Errors
/// When a port from `base` on is taken, or the system has none.
pub(crate) fn ports(base: Option<u16>) -> eyre::Result<[Ports; 4]> {
    // Held until all are found, so that none is given twice.
    let mut held: Vec<(TcpListener, Option<UdpSocket>)> = Vec::new();
    let mut take = |port: u16, with_udp: bool| -> eyre::Result<u16> {
        let found = hold(port, with_udp)?;
        let taken = found.0.local_addr()?.port();
        held.push(found);
        Ok(taken)
    };
    let mut all = [Ports { peers: 0, grpc: 0, metrics: 0 }; 4];
    for (number, ports) in (0_u16..).zip(&mut all) {
        let wanted = |offset: u16| match base {
            None => Ok(0),
            Some(base) => base
                .checked_add(number * PORTS_PER_NODE + offset)
                .ok_or_else(|| eyre::eyre!("--base-port {base} leaves no room for 12 ports below 65536")),
        };
        *ports =
            Ports { peers: take(wanted(0)?, true)?, grpc: take(wanted(1)?, false)?, metrics: take(wanted(2)?, false)? };
    }
    Ok(all)
}

/// Holds a port, 0 for any, on TCP and, if asked, on UDP under the same number.
fn hold(port: u16, with_udp: bool) -> eyre::Result<(TcpListener, Option<UdpSocket>)> {
    /// A number that TCP gives may be taken on UDP; then another is tried.
    const TRIES: usize = 100;
    let on_loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut tries = if port == 0 { TRIES } else { 1 };
    loop {
        let tcp = TcpListener::bind(on_loopback(port)).wrap_err_with(|| format!("port {port} cannot be used"))?;
        if !with_udp {
            return Ok((tcp, None));
        }
        tries -= 1;
        match UdpSocket::bind(on_loopback(tcp.local_addr()?.port())) {
            Ok(udp) => return Ok((tcp, Some(udp))),
            Err(error) if tries == 0 => return Err(error).wrap_err_with(|| format!("UDP port {port} cannot be used")),
            Err(_) => {}
        }
    }
}

/// One node: where it lives, and its process while it runs.
#[derive(Debug)]
pub(crate) struct Node {
    /// Its name.
    pub(crate) name: &'static str,
    home: PathBuf,
    ports: Ports,
    child: Option<Child>,
}

impl Node {
    /// The address of its gRPC service.
    pub(crate) fn grpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.grpc)
    }

    /// The address of its metrics page.
    pub(crate) fn metrics(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.ports.metrics)
    }

    /// Where its log is.
    pub(crate) fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    /// The last lines of its log.
    fn last_words(&self) -> String {
        const LINES: usize = 12;
        let log = fs::read(self.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

/// The four nodes, in order of authority.
#[derive(Debug)]
pub(crate) struct Cluster {
    program: PathBuf,
    genesis: Genesis,
    nodes: Vec<Node>,
}

/// What `sigeli-node init` prints.
#[derive(Debug, Deserialize)]
struct PublicKeys {
    validator_key: String,
    network_key: String,
}

impl Cluster {
    /// Makes four nodes with fresh keys and a genesis of their own, under `home`. None runs yet.
    ///
    /// # Errors
    /// When the node's program is missing or fails, a port is taken, or the system refuses.
    pub(crate) async fn create(home: &Home, base_port: Option<u16>, now: TimeMs) -> eyre::Result<Self> {
        let program = node_program()?;
        let ports = ports(base_port)?;
        let mut nodes = Vec::new();
        let mut keys = Vec::new();
        for (founder, ports) in FOUNDERS.iter().zip(ports) {
            let node = Node { name: founder.name, home: home.nodes().join(founder.name), ports, child: None };
            let public = init(&program, &node).await?;
            let authority = SecretKey::generate()?;
            authority.write(&home.keys().join(format!("{}.key", founder.name)))?;
            keys.push(FounderKeys {
                authority: authority.public(),
                validator: values::parse_public_key(&public.validator_key)?,
                network: values::parse_public_key(&public.network_key)?,
            });
            nodes.push(node);
        }
        let keys: [FounderKeys; 4] = keys.try_into().map_err(|_| eyre::eyre!("there are four founders"))?;
        let genesis = genesis::genesis(&keys, now)?;
        for node in &nodes {
            fs::write(node.home.join("genesis"), genesis.to_bytes())?;
            fs::write(node.home.join("config.toml"), config(node, &nodes, &keys))?;
        }
        Ok(Self { program, genesis, nodes })
    }

    /// The ledger's genesis.
    pub(crate) const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The nodes, in order of authority.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The addresses of the nodes' gRPC services.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::grpc).collect()
    }

    /// The nodes for the report.
    pub(crate) fn entries(&self) -> Vec<NodeEntry> {
        let entry = |node: &Node| NodeEntry {
            name: node.name,
            grpc: node.grpc(),
            pid: node.child.as_ref().and_then(Child::id),
        };
        self.nodes.iter().map(entry).collect()
    }

    /// Starts a node that does not run. Its output goes to its log.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn start(&mut self, position: usize) -> eyre::Result<()> {
        let node = &mut self.nodes[position];
        assert!(node.child.is_none(), "a node that runs is not started again");
        let log: File = OpenOptions::new().create(true).append(true).open(node.log())?;
        let child = Command::new(&self.program)
            .args(["start", "--home"])
            .arg(&node.home)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C at the terminal is for the devnet, which then stops the nodes one by one.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .wrap_err_with(|| format!("cannot start {}", self.program.display()))?;
        node.child = Some(child);
        Ok(())
    }

    /// Starts all nodes.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn start_all(&mut self) -> eyre::Result<()> {
        (0..self.nodes.len()).try_for_each(|position| self.start(position))
    }

    /// Kills a running node with SIGKILL (`kill -9`). It is gone on return.
    ///
    /// # Errors
    /// When it had ended before by itself, or the system refuses.
    pub(crate) async fn kill(&mut self, position: usize) -> eyre::Result<()> {
        self.check_running()?;
        let node = &mut self.nodes[position];
        let mut child = node.child.take().ok_or_else(|| eyre::eyre!("{} does not run", node.name))?;
        child.kill().await.wrap_err_with(|| format!("cannot kill {}", node.name))
    }

    /// Checks that every node that was started and not killed still runs.
    ///
    /// # Errors
    /// Which ended by itself, how, and its last words.
    pub(crate) fn check_running(&mut self) -> eyre::Result<()> {
        for node in &mut self.nodes {
            if let Some(status) = ended(node)? {
                eyre::bail!(
                    "{} ended by itself ({status}); the end of {}:\n{}",
                    node.name,
                    node.log().display(),
                    node.last_words()
                );
            }
        }
        Ok(())
    }

    /// Names the nodes that have ended by themselves since this was last asked, and forgets them.
    ///
    /// # Errors
    /// When the system refuses.
    pub(crate) fn take_ended(&mut self) -> eyre::Result<Vec<(&'static str, ExitStatus)>> {
        let mut all = Vec::new();
        for node in &mut self.nodes {
            if let Some(status) = ended(node)? {
                node.child = None;
                all.push((node.name, status));
            }
        }
        Ok(all)
    }

    /// Asks all running nodes to stop (SIGTERM), and kills those that do not within 20 seconds.
    ///
    /// # Errors
    /// Which nodes did not stop cleanly: their last words. All are gone then, too.
    pub(crate) async fn stop(&mut self) -> eyre::Result<()> {
        for node in &self.nodes {
            if let Some(pid) = node.child.as_ref().and_then(Child::id) {
                // The shell's own `kill`: a bare system need not have the program. The process cannot have been
                // replaced by another under this number, since it has not been waited for.
                let asked = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &pid.to_string()]).status().await;
                asked.wrap_err("cannot send a signal")?;
            }
        }
        let mut unclean = Vec::new();
        let deadline = tokio::time::Instant::now() + STOP_LIMIT;
        for node in &mut self.nodes {
            let Some(mut child) = node.child.take() else { continue };
            match tokio::time::timeout_at(deadline, child.wait()).await {
                Ok(status) => {
                    let status = status?;
                    if !status.success() {
                        unclean.push(format!("{} stopped with {status}:\n{}", node.name, node.last_words()));
                    }
                }
                Err(_) => {
                    child.kill().await?;
                    unclean.push(format!("{} did not stop when asked to:\n{}", node.name, node.last_words()));
                }
            }
        }
        eyre::ensure!(unclean.is_empty(), "{}", unclean.join("\n"));
        Ok(())
    }
}

/// The exit status of a node that was started and has ended.
fn ended(node: &mut Node) -> eyre::Result<Option<ExitStatus>> {
    match &mut node.child {
        Some(child) => Ok(child.try_wait()?),
        None => Ok(None),
    }
}

/// `sigeli-node`, beside this program.
fn node_program() -> eyre::Result<PathBuf> {
    let own = std::env::current_exe().wrap_err("cannot tell where this program is")?;
    let program = own.with_file_name("sigeli-node");
    eyre::ensure!(
        program.is_file(),
        "{} is missing: build all programs with `./x build` (cargo build --release --workspace)",
        program.display()
    );
    Ok(program)
}

async fn init(program: &Path, node: &Node) -> eyre::Result<PublicKeys> {
    let output = Command::new(program)
        .args(["init", "--name", node.name, "--home"])
        .arg(&node.home)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .wrap_err_with(|| format!("cannot run {}", program.display()))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    eyre::ensure!(output.status.success(), "sigeli-node init failed ({}): {complaint}", output.status);
    serde_json::from_slice(&output.stdout).wrap_err("sigeli-node init printed something else than its keys")
}

/// A node's `config.toml`.
fn config(node: &Node, nodes: &[Node], keys: &[FounderKeys; 4]) -> String {
    let addresses = |port: u16| format!("[\"/ip4/127.0.0.1/tcp/{port}\", \"/ip4/127.0.0.1/udp/{port}/quic-v1\"]");
    let mut text = format!("name = \"{}\"\n\n[network]\nlisten = {}\n", node.name, addresses(node.ports.peers));
    for (other, keys) in nodes.iter().zip(keys).filter(|(other, _)| other.name != node.name) {
        let key = hex::encode(keys.network.as_bytes());
        let addresses = addresses(other.ports.peers);
        text.push_str(&format!("\n# {}\n[[network.peers]]\nkey = \"{key}\"\naddresses = {addresses}\n", other.name));
    }
    let Ports { grpc, metrics, .. } = node.ports;
    text.push_str(&format!("\n[grpc]\nlisten = \"127.0.0.1:{grpc}\"\n\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbers(all: &[Ports; 4]) -> Vec<u16> {
        all.iter().flat_map(|ports| [ports.peers, ports.grpc, ports.metrics]).collect()
    }

    #[test]
    fn free_ports_are_twelve_different_ones_that_can_be_used() {
        let all = ports(None).unwrap();
        let found = numbers(&all);
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 12);
        for ports in all {
            TcpListener::bind(("127.0.0.1", ports.peers)).unwrap();
            UdpSocket::bind(("127.0.0.1", ports.peers)).unwrap();
        }
    }

    #[test]
    fn a_base_port_is_followed_and_a_taken_one_is_named() {
        // Twelve ports in a row that are free at this moment.
        let base = (20_000..60_000_u16).step_by(12).find(|base| ports(Some(*base)).is_ok()).unwrap();
        let taken = TcpListener::bind(("127.0.0.1", base + 4)).unwrap();
        let refused = ports(Some(base)).unwrap_err();
        assert!(refused.to_string().contains(&(base + 4).to_string()), "{refused}");
        drop(taken);
        assert_eq!(numbers(&ports(Some(base)).unwrap()), (base..base + 12).collect::<Vec<_>>());
        assert!(ports(Some(65_530)).is_err());
    }

    #[test]
    fn a_configuration_names_the_three_others_and_never_itself() {
        let key = |seed: u8| SecretKey::from_seed(&[seed; 32]).public();
        let keys =
            [1, 2, 3, 4].map(|n| FounderKeys { authority: key(n), validator: key(n + 10), network: key(n + 20) });
        let nodes: Vec<_> = FOUNDERS
            .iter()
            .zip(1_u16..)
            .map(|(founder, n)| Node {
                name: founder.name,
                home: PathBuf::from(founder.name),
                ports: Ports { peers: 100 * n, grpc: 100 * n + 1, metrics: 100 * n + 2 },
                child: None,
            })
            .collect();
        let text = config(&nodes[1], &nodes, &keys);
        assert!(text.starts_with("name = \"nceqe\"\n"));
        assert!(text.contains("listen = [\"/ip4/127.0.0.1/tcp/200\", \"/ip4/127.0.0.1/udp/200/quic-v1\"]"));
        assert!(text.contains("[grpc]\nlisten = \"127.0.0.1:201\"") && text.contains("listen = \"127.0.0.1:202\""));
        for (position, keys) in keys.iter().enumerate() {
            assert_eq!(text.contains(&keys.network.to_string()), position != 1);
            assert!(!text.contains(&keys.validator.to_string()));
        }
        assert_eq!(text.matches("[[network.peers]]").count(), 3);
    }
}
