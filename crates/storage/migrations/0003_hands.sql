-- What agents can do besides listings, leads and viewings: take messages, put callers through, promise calls back, send
-- mail, move and cancel viewings. And what a tenant chooses about all that.

-- At most one row per tenant; without it the defaults hold.
create table public.settings (
    tenant_id uuid primary key references platform.tenants (id),
    records_calls boolean not null default false,
    recording_retention_days integer not null default 30 check (recording_retention_days between 1 and 3650),
    -- Sender of summaries; null: the platform's own address.
    summary_from_email text check (position('@' in summary_from_email) > 1),
    updated_at timestamptz not null
);

-- Whom callers may be put through to. No other number is ever dialled for a tenant.
create table public.transfer_targets (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    -- A person or a desk, as callers ask for it.
    name text not null check (length(name) between 1 and 80),
    number text not null check (number ~ '^\+[1-9][0-9]{6,14}$'),
    -- [{"days": ["monday", ...], "opens": "09:00", "closes": "18:00"}] in the tenant's own time; null: always.
    hours jsonb check (jsonb_typeof(hours) = 'array'),
    -- Who is asked first.
    position integer not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table public.transfers (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    call_id uuid not null,
    -- Copied from the target: the list may change, what happened does not.
    to_name text not null,
    to_number text not null check (to_number ~ '^\+[1-9][0-9]{6,14}$'),
    summary text not null,
    state text not null check (state in ('arranged', 'dialling', 'answered', 'not_answered', 'abandoned')),
    arranged_at timestamptz not null,
    dialled_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check ((state = 'answered') = (answered_at is not null)),
    check (ended_at is not null or state in ('arranged', 'dialling', 'answered'))
);
create unique index transfers_open on public.transfers (tenant_id, call_id) where state in ('arranged', 'dialling');
create index transfers_by_call on public.transfers (tenant_id, call_id);

-- What callers asked to be told to somebody. (`messages` is the transcript.)
create table public.voice_messages (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    call_id uuid not null,
    -- Whom it is for; null: whoever reads it first.
    for_name text,
    body text not null,
    caller_name text,
    caller_phone text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id)
);
create index voice_messages_by_call on public.voice_messages (tenant_id, call_id);

create table public.callbacks (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    call_id uuid not null,
    phone text not null,
    about text,
    -- An exact time is a span of no length.
    due_from timestamptz not null,
    due_until timestamptz not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    -- A caller who names another time has changed their mind.
    unique (tenant_id, call_id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check (due_from <= due_until)
);

-- Mail to be sent: written in the transaction of the change that it tells of, sent by whichever replica claims it.
create table public.outbox (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    call_id uuid not null,
    sender text,
    recipient text not null check (position('@' in recipient) > 1),
    subject text not null,
    body text not null,
    state text not null check (state in ('queued', 'sent', 'dead')),
    attempts integer not null default 0 check (attempts >= 0),
    -- When it may be tried (again); while somebody tries, when their claim ends; null once it is sent or given up.
    due_at timestamptz,
    -- Why the last attempt failed, without anything of the mail in it.
    last_error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check ((state = 'queued') = (due_at is not null) and (state = 'sent') = (sent_at is not null))
);
create index outbox_by_call on public.outbox (tenant_id, call_id);
create index outbox_due on public.outbox (due_at) where due_at is not null;

-- A call that was handed over is held by the telephone company until `handed_over_at` is null again or it ends.
alter table public.calls
    add column handed_over_at timestamptz,
    drop constraint calls_end_reason_check,
    add constraint calls_end_reason_check check (end_reason in
        ('caller_hung_up', 'agent_hung_up', 'max_duration', 'silence', 'transferred', 'failure', 'replica_lost'));

alter table public.viewings
    -- The viewing that this one took the place of.
    add column rescheduled_from uuid,
    add column cancelled_at timestamptz,
    add column cancel_reason text,
    add foreign key (tenant_id, rescheduled_from) references public.viewings (tenant_id, id);
create index viewings_by_phone on public.viewings (tenant_id, visitor_phone, starts_at);

do $$
declare
    relation text;
    current_tenant constant text := '(select nullif(current_setting(''app.tenant_id'', true), '''')::uuid)';
begin
    foreach relation in array array['settings', 'transfer_targets', 'transfers', 'voice_messages', 'callbacks', 'outbox'] loop
        execute format('alter table public.%I enable row level security', relation);
        execute format('alter table public.%I force row level security', relation);
        execute format('create policy tenant on public.%I to seiketsu_app using (tenant_id = %s) with check (tenant_id = %s)',
                       relation, current_tenant, current_tenant);
    end loop;
end
$$;

grant select, insert, update, delete on
    public.settings, public.transfer_targets, public.voice_messages, public.callbacks to seiketsu_app;
-- What was arranged and sent is not forgotten.
grant select, insert, update on public.transfers, public.outbox to seiketsu_app;

-- The platform's windows: which calls were handed over, and which tenants have mail to send.
grant select (handed_over_at) on public.calls to seiketsu_system;
grant select (tenant_id, due_at) on public.outbox to seiketsu_system;
create policy dispatch on public.outbox for select to seiketsu_system using (true);

-- A turn that waited for the database may be committed after its call was closed. Its usage is added to the record, which
-- may grow and never shrink.
create function public.usage_only_grows() returns trigger language plpgsql as $$
begin
    if new.ended_at < old.ended_at or new.duration_ms < old.duration_ms or new.turns < old.turns
       or new.recognised_ms < old.recognised_ms or new.input_tokens < old.input_tokens
       or new.output_tokens < old.output_tokens or new.synthesised_characters < old.synthesised_characters
       or new.playout_ms < old.playout_ms then
        raise check_violation using message = 'usage only grows', constraint = 'usage_only_grows';
    end if;
    return new;
end
$$;
revoke all on function public.usage_only_grows() from public;
create trigger usage_only_grows before update on public.usage_records
    for each row execute function public.usage_only_grows();
grant update (ended_at, duration_ms, turns, recognised_ms, input_tokens, output_tokens, synthesised_characters, playout_ms)
    on public.usage_records to seiketsu_app;
