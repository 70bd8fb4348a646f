//! Why the platform goes around the tenants' walls.

use crate::names::named;

named! {
    /// The closed list of reasons to open a [`SystemTx`](crate::SystemTx), which is also the audit list.
    ///
    /// Functions that change what tenants or operators can do, or that return rows of several tenants, write an audit row
    /// with the reason in their own transaction. The bookkeeping of a single call and of a replica (routing, binding,
    /// media tokens, heartbeats) leaves rows of its own instead.
    "reason" Reason {
        /// A webhook arrived: which tenant and agent does the number reach, and which call does it belong to?
        RouteCall = "route_call",
        /// A media socket presents its token.
        AdmitMedia = "admit_media",
        /// This replica is alive.
        Heartbeat = "heartbeat",
        /// Calls of a replica that died are looked for.
        RecoverCalls = "recover_calls",
        /// Which tenants have mail to be sent?
        SendMail = "send_mail",
        /// A tenant's program or an operator presents a key.
        AuthenticateKey = "authenticate_key",
        /// A member signs in or out, or presents what they were given when they signed in.
        AuthenticateMember = "authenticate_member",
        /// A member is given a password.
        ManageMembers = "manage_members",
        /// Keys of tenants are made, listed or revoked.
        ManageApiKeys = "manage_api_keys",
        /// An operator looks at tenants.
        OperatorRead = "operator_read",
        /// Tenants, their numbers and their demo data are set up.
        ManageTenants = "manage_tenants",
        /// Operator keys are made or revoked.
        ManageOperatorKeys = "manage_operator_keys",
        /// A recording begins or is listened to: the tenant's key is needed.
        RecordingKeys = "recording_keys",
        /// Recordings that are past their retention are deleted.
        SweepRecordings = "sweep_recordings",
    }
}
