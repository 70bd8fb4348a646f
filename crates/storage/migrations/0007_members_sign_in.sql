-- Members of tenants at the console: who is signed in, and until when. A row is the SHA-256 of a cookie, never the cookie.

create table platform.member_sessions (
    sha256 bytea primary key check (length(sha256) = 32),
    tenant_id uuid not null references platform.tenants (id),
    member_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    foreign key (tenant_id, member_id) references public.members (tenant_id, id) on delete cascade
);
create index member_sessions_member on platform.member_sessions (tenant_id, member_id);
create index member_sessions_expires_at on platform.member_sessions (expires_at);
grant select, insert, delete on platform.member_sessions to seiketsu_system;

-- What the lists of the API are asked by.
create index calls_agent on public.calls (tenant_id, agent_id, id);
create index calls_live_of_tenant on public.calls (tenant_id, id) where ended_at is null;
