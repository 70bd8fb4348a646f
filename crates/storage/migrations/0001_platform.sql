-- What belongs to the platform and not to one tenant. For seiketsu_system alone; seiketsu_app may not even look inside.

create table platform.tenants (
    id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z0-9](-?[a-z0-9]+)*$' and length(slug) between 2 and 50),
    name text not null check (length(name) between 1 and 200),
    -- IANA name; viewings are offered in it.
    time_zone text not null,
    -- Where the tenant's data lives. `pool` is the shared schema; a large or regulated tenant can be moved elsewhere.
    placement text not null default 'pool' check (placement in ('pool', 'schema', 'database', 'cluster')),
    status text not null default 'active' check (status in ('active', 'suspended', 'closed')),
    created_at timestamptz not null
);

-- Which tenant and call a telephone company's id of a call stands for. Claimed before the call record is begun, so that
-- a webhook delivered twice finds the same call.
create table platform.vendor_calls (
    vendor_call_sid text primary key check (length(vendor_call_sid) between 1 and 100),
    tenant_id uuid not null references platform.tenants (id),
    call_id uuid not null unique,
    bound_at timestamptz not null
);

-- Tokens of media sockets that were used. A row is needed until the token would have expired anyway.
create table platform.media_tokens (
    id uuid primary key,
    expires_at timestamptz not null
);
create index media_tokens_expires_at on platform.media_tokens (expires_at);

-- Keys of operators: the visible prefix and the SHA-256 of the whole, never the key.
create table platform.operator_keys (
    sha256 bytea primary key check (length(sha256) = 32),
    prefix text not null,
    name text not null,
    created_at timestamptz not null,
    revoked_at timestamptz
);

-- Running copies of the server, each saying every few seconds that it is alive.
create table platform.replicas (
    id uuid primary key,
    started_at timestamptz not null,
    heartbeat_at timestamptz not null
);

-- Who went around the tenants' walls, and why. Written in the transaction that does it; append-only by its grants.
create table platform.system_access_audit (
    id bigint generated always as identity primary key,
    reason text not null,
    at timestamptz not null default now(),
    -- Row-level detail where there is one, for example the tenant that was created. Ids only, no personal data.
    detail jsonb not null default '{}'
);

grant select, insert, update on platform.tenants to seiketsu_system;
grant select, insert, delete on platform.vendor_calls to seiketsu_system;
grant select, insert, delete on platform.media_tokens to seiketsu_system;
grant select, insert, update on platform.operator_keys to seiketsu_system;
grant select, insert, update, delete on platform.replicas to seiketsu_system;
grant select, insert on platform.system_access_audit to seiketsu_system;
