-- Sentences that agents say again and again, spoken once: greetings, bridges over a wait, apologies. A replica that starts
-- finds them here, so that no caller waits for a voice to make them. Nothing of a caller is in them.
create table public.spoken_phrases (
    tenant_id uuid not null references platform.tenants (id),
    -- SHA-256 of everything that changes how it sounds: voice, settings, language, format, text.
    key bytea not null check (octet_length(key) = 32),
    audio bytea not null check (octet_length(audio) between 1 and 4194304),
    -- When each character sounds.
    alignment jsonb not null,
    spoken_at timestamptz not null,
    -- Within a day; what nobody has used for long is removed.
    used_at timestamptz not null,
    primary key (tenant_id, key)
);
-- Sound is compressed already, as far as it goes.
alter table public.spoken_phrases alter column audio set storage external;

alter table public.spoken_phrases enable row level security;
alter table public.spoken_phrases force row level security;
create policy tenant on public.spoken_phrases to seiketsu_app
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))
    with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
grant select, insert, update, delete on public.spoken_phrases to seiketsu_app;
