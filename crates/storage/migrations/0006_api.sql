-- The API as a way to reach an agent: keys of tenants, and calls that nobody dialled.

-- Keys with which a tenant's own programs use the API: the visible prefix and the SHA-256 of the whole, never the key.
create table platform.api_keys (
    sha256 bytea primary key check (length(sha256) = 32),
    tenant_id uuid not null references platform.tenants (id),
    prefix text not null,
    name text not null check (length(name) between 1 and 100),
    created_at timestamptz not null,
    revoked_at timestamptz
);
create index api_keys_tenant on platform.api_keys (tenant_id, created_at);
grant select, insert, update on platform.api_keys to seiketsu_system;

-- Null where no number was dialled: the call came through the API. Only this release makes such calls.
alter table public.calls alter column called_number drop not null;
