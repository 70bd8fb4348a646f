-- Recordings of calls: where each part is and how long it is kept. The sound itself is elsewhere, encrypted.

-- The key that wraps the data keys of a tenant's recordings, itself wrapped with the master key of the configuration.
-- Destroying it makes every recording of the tenant unreadable, wherever copies of them may be.
create table platform.tenant_keys (
    tenant_id uuid primary key references platform.tenants (id),
    wrapped bytea check (octet_length(wrapped) between 32 and 512),
    created_at timestamptz not null,
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null))
);
grant select, insert, update on platform.tenant_keys to seiketsu_system;

create table public.recordings (
    tenant_id uuid not null references platform.tenants (id),
    call_id uuid not null,
    -- 0, and one more each time the call was cut and came back.
    part integer not null check (part >= 0),
    format text not null check (format in ('mulaw8k', 'alaw8k', 'pcm16k', 'pcm24k')),
    state text not null check (state in ('recording', 'complete', 'incomplete', 'deleted')),
    started_at timestamptz not null,
    ended_at timestamptz,
    -- Sealed chunks, the bytes they take up, and how long they sound.
    chunks integer check (chunks >= 0),
    bytes bigint check (bytes >= 0),
    duration_ms bigint check (duration_ms >= 0),
    -- The chunks are at `location/00000000` and so on.
    location text not null,
    -- The data key, wrapped with the tenant's; gone once the recording is deleted.
    wrapped_key bytea check (octet_length(wrapped_key) between 32 and 512),
    retention_until timestamptz not null,
    deleted_at timestamptz,
    deletion_reason text check (deletion_reason in ('retention', 'withdrawn', 'requested')),
    -- When the chunks of a deleted recording were removed, and not only its key.
    purged_at timestamptz,
    primary key (tenant_id, call_id, part),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check ((state = 'deleted') = (deleted_at is not null)),
    check ((deleted_at is null) = (deletion_reason is null) and (deleted_at is null) = (wrapped_key is not null)),
    check (purged_at is null or deleted_at is not null),
    check (state not in ('complete', 'incomplete') or (ended_at is not null and chunks is not null
                                                       and bytes is not null and duration_ms is not null))
);
-- For the sweep: what is past its retention, what nobody writes any more, what is still to be removed.
create index recordings_retention on public.recordings (tenant_id, retention_until) where state <> 'deleted';
create index recordings_open on public.recordings (tenant_id, started_at) where state = 'recording';
create index recordings_unpurged on public.recordings (tenant_id, deleted_at) where state = 'deleted' and purged_at is null;

alter table public.recordings enable row level security;
alter table public.recordings force row level security;
create policy tenant on public.recordings to seiketsu_app
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
-- The row of a deleted recording stays: it says that there was one, and when and why it went.
grant select, insert, update on public.recordings to seiketsu_app;
