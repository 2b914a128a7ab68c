//! Asking each node by itself, and comparing what they say: readiness, catching up, and one state root at one height.

use std::time::Duration;

use eyre::WrapErr as _;
use sigeli_proto::v1::{self, ledger_client::LedgerClient};
use sigeli_verifier::{
    block::Header,
    certificate::CommitCertificate,
    decode::Decode as _,
    ids::{BlockId, Height, StateRoot},
};
use tonic::transport::{Channel, Endpoint};

use crate::{cluster::Cluster, poll};

/// How long a single question may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long four fresh nodes may take to answer and find each other.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a node may take to reach a height that others have.
pub(crate) const CATCH_UP_LIMIT: Duration = Duration::from_secs(120);

/// One node, asked by itself.
#[derive(Debug, Clone)]
pub(crate) struct Observer {
    /// The node's name.
    pub(crate) name: &'static str,
    client: LedgerClient<Channel>,
}

/// A header that a quorum has signed, as one node has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Final {
    /// Its id.
    pub(crate) id: BlockId,
    /// The state root after it.
    pub(crate) state_root: StateRoot,
}

impl Observer {
    /// One for each node, in order of authority. Connects when first asked.
    ///
    /// # Errors
    /// When an address is none.
    pub(crate) fn all(cluster: &Cluster) -> eyre::Result<Vec<Self>> {
        let observer = |node: &crate::cluster::Node| {
            let endpoint = Endpoint::from_shared(node.grpc())?.connect_timeout(ANSWER_LIMIT).timeout(ANSWER_LIMIT);
            Ok(Self { name: node.name, client: LedgerClient::new(endpoint.connect_lazy()) })
        };
        cluster.nodes().iter().map(observer).collect()
    }

    /// How the node is; `None` when it does not answer.
    pub(crate) async fn status(&self) -> Option<v1::NodeStatus> {
        let answer = self.client.clone().get_node_status(v1::GetNodeStatusRequest {}).await;
        answer.ok().map(tonic::Response::into_inner)
    }

    /// The header of a height, after checking that it is that height's and that a quorum has signed it.
    ///
    /// # Errors
    /// When the node does not answer, or what it answers is not proved.
    pub(crate) async fn final_header(&self, height: Height, cluster: &Cluster) -> eyre::Result<Final> {
        let request = v1::GetHeaderRequest { at: Some(v1::get_header_request::At::Height(height.get())) };
        let answer = self.client.clone().get_header(request).await;
        let answer = answer.wrap_err_with(|| format!("{} has no header of height {height}", self.name))?.into_inner();
        let header = Header::from_bytes(&answer.header)?;
        let certificate = CommitCertificate::from_bytes(&answer.certificate)?;
        let (genesis, id) = (cluster.genesis(), header.id());
        eyre::ensure!(header.height == height, "{} answers with the header of another height", self.name);
        certificate
            .verify(&genesis.genesis_hash(), height, id, genesis.validator_set())
            .wrap_err_with(|| format!("{}'s certificate of height {height}", self.name))?;
        Ok(Final { id, state_root: header.state_root })
    }
}

/// Waits until every node answers, is of this ledger, and is connected to all others.
///
/// # Errors
/// When a node ends by itself or the deadline passes.
pub(crate) async fn wait_ready(cluster: &mut Cluster, observers: &[Observer]) -> eyre::Result<()> {
    let genesis = cluster.genesis().genesis_hash();
    poll::until("all nodes answering and connected to each other", READY_LIMIT, async || {
        cluster.check_running()?;
        for observer in observers {
            let Some(status) = observer.status().await else { return Ok(None) };
            eyre::ensure!(status.genesis_hash == genesis.as_bytes(), "{} is of another ledger", observer.name);
            if usize::try_from(status.peers)? + 1 < observers.len() {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// The greatest height of those nodes that answer.
///
/// # Errors
/// When none does.
pub(crate) async fn tip(observers: &[Observer]) -> eyre::Result<Height> {
    let mut tip = None;
    for observer in observers {
        tip = tip.max(observer.status().await.map(|status| status.height));
    }
    tip.map(Height::new).ok_or_else(|| eyre::eyre!("no node answers"))
}

/// Waits until a node has a height.
///
/// # Errors
/// When a node ends by itself or the deadline passes.
pub(crate) async fn wait_height(cluster: &mut Cluster, observer: &Observer, height: Height) -> eyre::Result<()> {
    let what = format!("{} at height {height}", observer.name);
    poll::until(&what, CATCH_UP_LIMIT, async || {
        cluster.check_running()?;
        Ok(observer.status().await.filter(|status| status.height >= height.get()).map(|_| ()))
    })
    .await
}

/// What all nodes agree on.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// The height that was compared.
    pub(crate) height: Height,
    /// Each node's state root there, in order of authority; all the same.
    pub(crate) state_roots: Vec<StateRoot>,
}

/// Waits until every node has the greatest height that any has now, and compares what they have there.
///
/// # Errors
/// When they differ (a fork), or one does not get there.
pub(crate) async fn agreement(cluster: &mut Cluster, observers: &[Observer]) -> eyre::Result<Agreement> {
    let height = tip(observers).await?;
    let mut found = Vec::new();
    for observer in observers {
        wait_height(cluster, observer, height).await?;
        found.push(observer.final_header(height, cluster).await?);
    }
    check_same(height, observers, &found)?;
    Ok(Agreement { height, state_roots: found.iter().map(|header| header.state_root).collect() })
}

fn check_same(height: Height, observers: &[Observer], found: &[Final]) -> eyre::Result<()> {
    if found.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(());
    }
    let line =
        |(observer, header): (&Observer, &Final)| format!("\n  {} {} {}", observer.name, header.id, header.state_root);
    let lines: String = observers.iter().zip(found).map(line).collect();
    eyre::bail!("FORK at height {height}: the nodes have different headers or state roots:{lines}")
}
