//! Three brokerages, a clock that stands still, and calls on them.

use jiff::Timestamp;
use seiketsu_brokerage::{
    BrokerageDesk,
    demo::{self, Installed},
};
use seiketsu_domain::{AgentProfile, CallId, Clock, IdSource, Pii, ReplicaId, TenantScope, ToolOutcome};
use seiketsu_session::{Arrival, CallDesk, Desk, OpenCall};
use seiketsu_storage::{
    Db, DbOptions, agents,
    calls::{self, NewCall},
    cluster::{Cluster, ClusterOptions},
    setup,
};
use seiketsu_testkit::{FakeClock, TestDb};
use serde_json::Value;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

pub(crate) const AUSTIN: usize = 0;
pub(crate) const PORTLAND: usize = 1;
pub(crate) const MIAMI: usize = 2;

pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) ids: IdSource,
    pub(crate) writers: TaskTracker,
    desk: BrokerageDesk,
    pub(crate) brokerages: Vec<Installed>,
    pub(crate) replica: ReplicaId,
    /// Deleted with the world; `None` on a cluster of the test's own.
    _database: Option<TestDb>,
}

impl World {
    /// 10:15 on a Tuesday in Austin.
    pub(crate) async fn new() -> Self {
        Self::starting("2026-11-24T16:15:00Z").await
    }

    pub(crate) async fn starting(now: &str) -> Self {
        let database = TestDb::new().await;
        Self::on(database.db().clone(), now, Some(database)).await
    }

    /// A world whose server may be taken away.
    pub(crate) async fn on_a_cluster_of_its_own() -> (Self, Cluster) {
        let cluster = Cluster::start(ClusterOptions::disposable()).await.unwrap();
        setup::bootstrap(&cluster.admin(), "seiketsu").await.unwrap();
        setup::migrate(&cluster.endpoint("seiketsu")).await.unwrap();
        // One connection each: once it has been replaced, none that the outage broke is left in the pool.
        let options = DbOptions {
            tenant_connections: 1,
            system_connections: 1,
            ..DbOptions::new(cluster.endpoint("seiketsu").roles_log_in())
        };
        let db = Db::connect(&options).await.unwrap();
        (Self::on(db, "2026-11-24T16:15:00Z", None).await, cluster)
    }

    async fn on(db: Db, now: &str, database: Option<TestDb>) -> Self {
        let clock = FakeClock::at(now.parse().unwrap());
        let ids = seiketsu_testkit::ids(clock.clone(), 7);
        let brokerages = demo::install(&db, &ids).await.unwrap();
        let replica = ids.next();
        let writers = TaskTracker::new();
        let desk = BrokerageDesk::new(db.clone(), clock.clone(), ids.clone(), writers.clone());
        Self { db, clock, ids, writers, desk, brokerages, replica, _database: database }
    }

    pub(crate) fn scope(&self, brokerage: usize) -> TenantScope {
        self.brokerages[brokerage].tenant.scope
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A call to a brokerage's first agent.
    pub(crate) async fn line(&self, brokerage: usize, caller: Option<&str>) -> Line {
        let call = self.begin(brokerage, caller, self.replica).await;
        let agent = self.agent(brokerage).await;
        self.open(brokerage, call, caller, agent, Arrival::New).await
    }

    /// The record of a call that a replica holds.
    pub(crate) async fn begin(&self, brokerage: usize, caller: Option<&str>, replica: ReplicaId) -> CallId {
        let installed = &self.brokerages[brokerage];
        let new = NewCall {
            id: self.ids.next(),
            agent_id: installed.agents[0].id,
            from: caller.map(|number| Pii::new(number.parse().unwrap())),
            to: Some(installed.agents[0].number.clone()),
            vendor_call_sid: None,
            replica_id: replica,
            started_at: self.now(),
        };
        let mut tx = self.db.tenant(&installed.tenant.scope).await.unwrap();
        assert!(calls::begin(&mut tx, &new).await.unwrap());
        tx.commit().await.unwrap();
        new.id
    }

    /// The configuration of a brokerage's agent of a name.
    pub(crate) async fn agent_called(&self, brokerage: usize, name: &str) -> AgentProfile {
        let mut tx = self.db.tenant(&self.scope(brokerage)).await.unwrap();
        agents::by_name(&mut tx, name).await.unwrap().unwrap()
    }

    /// The same call after a cut.
    pub(crate) async fn back(&self, brokerage: usize, call: CallId, caller: Option<&str>) -> Line {
        let agent = self.agent(brokerage).await;
        self.open(brokerage, call, caller, agent, Arrival::Cut).await
    }

    pub(crate) async fn agent(&self, brokerage: usize) -> AgentProfile {
        let mut tx = self.db.tenant(&self.scope(brokerage)).await.unwrap();
        agents::get(&mut tx, self.brokerages[brokerage].agents[0].id).await.unwrap().unwrap()
    }

    pub(crate) async fn open(
        &self,
        brokerage: usize,
        call_id: CallId,
        caller: Option<&str>,
        agent: AgentProfile,
        arrival: Arrival,
    ) -> Line {
        let scope = self.scope(brokerage);
        let caller = caller.map(|number| Pii::new(number.parse().unwrap()));
        let desk = self.desk.open(OpenCall { scope, call_id, agent, caller, arrival }).await.unwrap();
        Line { call_id, desk }
    }

    /// Everything that was spooled is written.
    pub(crate) async fn drained(&self) {
        self.writers.close();
        self.writers.wait().await;
    }
}

pub(crate) struct Line {
    pub(crate) call_id: CallId,
    pub(crate) desk: CallDesk,
}

impl Line {
    pub(crate) async fn run(&self, tool: &str, arguments: &Value) -> ToolOutcome {
        self.desk.tools.run(tool, &arguments.to_string()).await
    }

    pub(crate) async fn done(&self, tool: &str, arguments: &Value) -> Value {
        match self.run(tool, arguments).await {
            ToolOutcome::Done(value) => value,
            other @ (ToolOutcome::Refused(_) | ToolOutcome::Failed(_)) => {
                panic!("{tool} {arguments}: {other:?}")
            }
        }
    }

    pub(crate) async fn refused(&self, tool: &str, arguments: &Value) -> Value {
        match self.run(tool, arguments).await {
            ToolOutcome::Refused(value) => {
                assert!(value["error"].is_string() && value["hint"].is_string(), "{value}");
                value
            }
            other @ (ToolOutcome::Done(_) | ToolOutcome::Failed(_)) => {
                panic!("{tool} {arguments}: {other:?}")
            }
        }
    }

    /// The id of the home at an address, as the model would learn it.
    pub(crate) async fn home(&self, address: &str) -> String {
        let found = self.done("search_listings", &serde_json::json!({"area": address})).await;
        assert_eq!(found["listings"].as_array().unwrap().len(), 1, "{found}");
        found["listings"][0]["listing"].as_str().unwrap().to_owned()
    }
}
