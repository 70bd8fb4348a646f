-- What belongs to tenants. README.md in this directory says what every table here needs.

create table public.members (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    email text not null check (email = lower(email) and position('@' in email) > 1),
    name text not null,
    role text not null check (role in ('admin', 'manager', 'staff', 'viewer')),
    -- argon2id in PHC form; null until the member has chosen a password.
    password_hash text,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);

create table public.agents (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    name text not null,
    -- The whole profile; `name` is repeated above because it is looked up by.
    profile jsonb not null check (profile ->> 'name' = name),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table public.listings (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    -- The brokerage's own number of the listing.
    reference text not null,
    offer text not null check (offer in ('sale', 'rent')),
    property_type text not null check (property_type in ('house', 'condo', 'townhouse', 'apartment')),
    status text not null check (status in ('active', 'pending', 'closed', 'withdrawn')),
    headline text not null,
    description text not null,
    address text not null,
    area text not null,
    city text not null,
    state text not null,
    postal_code text not null,
    -- Asking price, or rent of one month.
    price_micro_dollars bigint not null check (price_micro_dollars >= 0),
    bedrooms smallint not null check (bedrooms >= 0),
    bathrooms real not null check (bathrooms >= 0),
    floor_area_sqft integer check (floor_area_sqft > 0),
    year_built smallint,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, reference)
);
create index listings_search on public.listings (tenant_id, offer, status, price_micro_dollars);

create table public.calls (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    agent_id uuid not null,
    -- Null when the caller's number is withheld.
    caller_number text,
    called_number text not null,
    vendor_call_sid text,
    -- Who holds the call, and when it last said so: recovery closes only what nobody holds.
    replica_id uuid not null,
    heartbeat_at timestamptz not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (end_reason in
        ('caller_hung_up', 'agent_hung_up', 'max_duration', 'silence', 'failure', 'replica_lost')),
    -- How many turns were finished, known when the call has ended.
    turns integer check (turns >= 0),
    resumed integer not null default 0,
    primary key (tenant_id, id),
    unique (tenant_id, vendor_call_sid),
    foreign key (tenant_id, agent_id) references public.agents (tenant_id, id),
    check ((ended_at is null) = (end_reason is null) and (ended_at is null) = (turns is null))
);
-- For operators, who may know no more of a call than its id.
create index calls_by_id on public.calls (id);
-- For recovery, which looks at live calls of all tenants.
create index calls_live on public.calls (heartbeat_at) where ended_at is null;

create table public.turns (
    tenant_id uuid not null,
    call_id uuid not null,
    number integer not null check (number >= 0),
    caller_text text not null,
    generated_text text not null,
    heard_text text not null,
    acknowledgement text,
    -- Microseconds since the call began, here and in the timeline.
    started_at_us bigint not null,
    finished_at_us bigint not null check (finished_at_us >= started_at_us),
    outcome text not null check (outcome in ('answered', 'interrupted', 'continued', 'failed', 'hung_up')),
    -- {"stages": {"end_of_speech": us, ...}, "acknowledgement_sent": us | null, "acknowledgement_played": us | null}
    timeline jsonb not null,
    -- The two figures of the promise, from end of speech; per-tenant objectives are computed from them.
    first_audible_ms bigint,
    first_substantive_ms bigint,
    recognised_ms bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    synthesised_characters bigint not null,
    playout_ms bigint not null,
    committed_at timestamptz not null default now(),
    primary key (tenant_id, call_id, number),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id)
);

create table public.tool_runs (
    tenant_id uuid not null,
    call_id uuid not null,
    turn_number integer not null,
    number integer not null,
    request text not null,
    name text not null,
    -- As the model wrote them; perhaps not JSON.
    arguments text not null,
    asked_at_us bigint not null,
    finished_at_us bigint,
    outcome jsonb,
    primary key (tenant_id, call_id, turn_number, number),
    foreign key (tenant_id, call_id, turn_number) references public.turns (tenant_id, call_id, number)
);

create table public.messages (
    tenant_id uuid not null,
    call_id uuid not null,
    turn_number integer not null,
    position integer not null,
    -- {"role": "caller" | "agent" | "tool_request" | "tool_result", ...}
    body jsonb not null check (body ? 'role'),
    primary key (tenant_id, call_id, turn_number, position),
    foreign key (tenant_id, call_id, turn_number) references public.turns (tenant_id, call_id, number)
);

create table public.leads (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    -- A lead is one person: known by the phone number, or, while that is unknown, by the call in which they appeared.
    phone text,
    call_id uuid,
    name text,
    email text,
    intent text check (intent in ('buy', 'rent', 'sell')),
    budget_micro_dollars bigint check (budget_micro_dollars >= 0),
    timeline text check (timeline in ('now', '1_month', '3_months', '6_months', '1_year')),
    financing text check (financing in ('pre_approved', 'cash', 'needed', 'unknown')),
    areas text[] not null default '{}',
    bedrooms smallint check (bedrooms >= 0),
    notes text,
    score smallint not null check (score between 0 and 100),
    score_reasons text[] not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, phone),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check (phone is not null or call_id is not null)
);
create unique index leads_without_phone on public.leads (tenant_id, call_id) where phone is null;
create index leads_by_call on public.leads (tenant_id, call_id);

create table public.viewings (
    tenant_id uuid not null references platform.tenants (id),
    id uuid not null,
    listing_id uuid not null,
    lead_id uuid,
    call_id uuid,
    visitor_name text not null,
    visitor_phone text,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    -- The end and the buffer after it; no other viewing of the listing begins before.
    blocked_until timestamptz not null,
    status text not null check (status in ('booked', 'cancelled')),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, listing_id) references public.listings (tenant_id, id),
    foreign key (tenant_id, lead_id) references public.leads (tenant_id, id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id),
    check (starts_at < ends_at and ends_at <= blocked_until),
    constraint viewings_no_double_booking exclude using gist (
        tenant_id with =, listing_id with =, tstzrange(starts_at, blocked_until, '[)') with &&
    ) where (status = 'booked')
);
create index viewings_by_listing on public.viewings (tenant_id, listing_id, starts_at);
create index viewings_by_call on public.viewings (tenant_id, call_id);

-- Exactly one per ended call, written in the transaction that ends it.
create table public.usage_records (
    tenant_id uuid not null,
    call_id uuid not null,
    ended_at timestamptz not null,
    duration_ms bigint not null check (duration_ms >= 0),
    turns integer not null,
    recognised_ms bigint not null,
    input_tokens bigint not null,
    output_tokens bigint not null,
    synthesised_characters bigint not null,
    playout_ms bigint not null,
    primary key (tenant_id, call_id),
    foreign key (tenant_id, call_id) references public.calls (tenant_id, id)
);
create index usage_records_by_time on public.usage_records (tenant_id, ended_at);

-- Row-level security. The sub-select makes the setting a constant of the statement; `nullif` makes "no tenant" mean "no
-- rows", also on a pooled connection whose last transaction left the setting empty.
do $$
declare
    relation text;
    current_tenant constant text := '(select nullif(current_setting(''app.tenant_id'', true), '''')::uuid)';
begin
    foreach relation in array array['members', 'agents', 'listings', 'calls', 'turns', 'tool_runs', 'messages', 'leads',
                                    'viewings', 'usage_records'] loop
        execute format('alter table public.%I enable row level security', relation);
        execute format('alter table public.%I force row level security', relation);
        execute format('create policy tenant on public.%I to seiketsu_app using (tenant_id = %s) with check (tenant_id = %s)',
                       relation, current_tenant, current_tenant);
    end loop;
end
$$;

grant select, insert, update, delete on
    public.members, public.agents, public.listings, public.calls, public.leads, public.viewings to seiketsu_app;
-- What was said, done and consumed is written once.
grant select, insert on public.turns, public.tool_runs, public.messages, public.usage_records to seiketsu_app;

-- The platform's one window: enough to tell which calls nobody holds and whose a call is, and nothing of what was said.
grant usage on schema public to seiketsu_system;
grant select (tenant_id, id, replica_id, heartbeat_at, ended_at) on public.calls to seiketsu_system;
create policy recovery on public.calls for select to seiketsu_system using (true);

-- Which phone number reaches which agent.
create table platform.number_routes (
    id uuid primary key,
    number text not null unique check (number ~ '^\+[1-9][0-9]{6,14}$'),
    tenant_id uuid not null references platform.tenants (id),
    agent_id uuid not null,
    created_at timestamptz not null,
    foreign key (tenant_id, agent_id) references public.agents (tenant_id, id)
);
grant select, insert, update, delete on platform.number_routes to seiketsu_system;
