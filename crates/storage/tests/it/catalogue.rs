use seiketsu_storage::catalogue;
use seiketsu_testkit::TestDb;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::collections::BTreeSet;

const CATALOGUE: &str = include_str!("../../src/catalogue.sql");

/// A rule and statements that break it.
const MUTATIONS: &[(&str, &str)] = &[
    ("role_missing", "alter role seiketsu_app rename to somebody"),
    ("role_attributes", "alter role seiketsu_app bypassrls"),
    ("role_attributes", "alter role seiketsu_app superuser"),
    ("role_attributes", "alter role seiketsu_system createrole"),
    ("role_attributes", "alter role seiketsu_owner login"),
    ("role_membership", "grant seiketsu_owner to seiketsu_app"),
    ("role_membership", "grant pg_read_all_data to seiketsu_system"),
    ("role_owns", "alter table public.leads owner to seiketsu_app"),
    ("role_owns", "create schema theirs authorization seiketsu_system"),
    ("table_owner", "alter table public.leads owner to postgres"),
    ("rls_disabled", "alter table public.turns disable row level security"),
    ("rls_disabled", "create table public.forgotten (tenant_id uuid primary key)"),
    ("rls_disabled", "create schema other; grant usage on schema other to seiketsu_app; create table other.t (x int);
                      grant select on other.t to seiketsu_app"),
    ("rls_not_forced", "alter table public.messages no force row level security"),
    ("policy_missing", "drop policy tenant on public.viewings"),
    ("policy_without_check", "drop policy tenant on public.leads;
        create policy tenant on public.leads to seiketsu_app
        using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))"),
    ("policy_without_using", "create policy more on public.leads for insert to seiketsu_app with check (true);
        drop policy tenant on public.calls; create policy tenant on public.calls to seiketsu_app
        with check (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))"),
    // Always true.
    ("policy_expression", "create policy open on public.leads for select to seiketsu_app using (true)"),
    ("policy_expression", "create policy open on public.leads for select to public using (true)"),
    ("policy_expression", "create policy open on public.leads for insert to seiketsu_app with check (true)"),
    // Not hoisted: computed for each row.
    ("policy_expression", "alter policy tenant on public.turns
        using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)"),
    // The cast outside the sub-select.
    ("policy_expression", "alter policy tenant on public.turns
        using (tenant_id = (select nullif(current_setting('app.tenant_id', true), ''))::uuid)"),
    // Fails on a pooled connection whose last transaction left the setting empty.
    ("policy_expression", "alter policy tenant on public.turns
        using (tenant_id = (select current_setting('app.tenant_id', true)::uuid))"),
    ("policy_for_system", "create policy peephole on public.messages for select to seiketsu_system using (true)"),
    ("policy_for_system", "drop policy recovery on public.calls;
        create policy recovery on public.calls for update to seiketsu_system using (true)"),
    ("tenant_id_missing", "create table public.shared (id uuid primary key)"),
    ("tenant_id_missing", "create table public.shared (tenant_id text primary key)"),
    ("tenant_id_nullable", "create table public.loose (tenant_id uuid); create index on public.loose (tenant_id)"),
    ("index_missing", "create table public.slow (tenant_id uuid not null)"),
    ("index_missing", "create table public.slow (tenant_id uuid not null, x int);
                       create index on public.slow (tenant_id) where x > 0"),
    ("key_without_tenant", "create unique index oracle on public.members (email)"),
    ("key_without_tenant", "create unique index oracle on public.members (email, tenant_id)"),
    ("key_without_tenant", "create unique index oracle on public.members (lower(email))"),
    ("key_without_tenant", "alter table public.viewings add constraint oracle exclude using gist
        (tstzrange(starts_at, ends_at) with &&)"),
    ("foreign_key_without_tenant", "alter table public.listings add constraint alone unique (id);
        alter table public.viewings add constraint alone foreign key (listing_id) references public.listings (id)"),
    ("foreign_key_without_tenant", "alter table public.listings add constraint crossed_key unique (tenant_id, id, created_at);
        alter table public.listings add constraint crossed foreign key (id) references platform.tenants (id)"),
    ("view_of_definer", "create view public.all_leads as select * from public.leads"),
    ("view_of_definer", "create view public.all_leads with (security_invoker = false) as select * from public.leads"),
    ("materialised_view", "create materialized view public.all_leads as select * from public.leads"),
    ("foreign_table", "create foreign data wrapper nothing; create server nowhere foreign data wrapper nothing;
                       create foreign table public.far (tenant_id uuid not null) server nowhere"),
    ("sequence", "create sequence public.counter; grant usage, select on sequence public.counter to seiketsu_app"),
    ("definer_function", "create function public.peek() returns bigint language sql security definer
                          as 'select count(*) from public.leads'"),
    ("definer_trigger", "create function platform.peek() returns trigger language plpgsql security definer
                         as 'begin return new; end'; revoke all on function platform.peek() from public;
                         create trigger peek before insert on public.leads for each row execute function platform.peek()"),
    ("excessive_grant", "grant truncate on public.leads to seiketsu_app"),
    ("excessive_grant", "grant references on public.leads to seiketsu_app"),
    ("excessive_grant", "grant trigger on public.leads to seiketsu_app"),
    ("granted_to_public", "grant select on public.leads to public"),
    ("schema_granted_to_public", "grant usage on schema public to public"),
    ("platform_reachable", "grant select on platform.tenants to seiketsu_app"),
    ("platform_reachable", "grant select (slug) on platform.tenants to seiketsu_app"),
    ("platform_reachable", "grant usage on schema platform to seiketsu_app"),
    ("schema_writable", "grant create on schema public to seiketsu_app"),
    ("schema_writable", "grant create on schema platform to seiketsu_system"),
    ("system_window", "grant select on public.leads to seiketsu_system"),
    ("system_window", "grant select (name) on public.leads to seiketsu_system"),
    ("system_window", "grant select (caller_number) on public.calls to seiketsu_system"),
    ("system_window", "grant update (ended_at) on public.calls to seiketsu_system"),
    ("system_window", "grant delete on public.calls to seiketsu_system"),
    ("system_window", "grant select (recipient) on public.outbox to seiketsu_system"),
    // A column that the one window has and the other has not.
    ("system_window", "grant select (id) on public.outbox to seiketsu_system"),
    ("system_window", "grant update (due_at) on public.outbox to seiketsu_system"),
    ("default_tenant", "alter role seiketsu_app set app.tenant_id = '01935f2a-1111-7222-8333-444455556666'"),
    ("default_privileges", "alter default privileges for role seiketsu_owner grant select on tables to seiketsu_app"),
];

#[tokio::test]
async fn a_migrated_database_has_no_defect() {
    let database = TestDb::new().await;
    assert_eq!(catalogue::defects(&database.endpoint()).await.unwrap(), []);
}

#[tokio::test]
async fn every_broken_wall_is_reported() {
    let database = TestDb::new().await;
    let mut connection = PgConnection::connect(&database.endpoint().expose_url()).await.unwrap();
    for (rule, statements) in MUTATIONS {
        // Rolled back, so that roles, which all databases of the cluster share, stay as they are for everybody else.
        connection.execute("begin").await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(*statements))).await.unwrap();
        let found: Vec<(String, String)> =
            sqlx::query_as(CATALOGUE).fetch_all(&mut connection).await.unwrap();
        connection.execute("rollback").await.unwrap();
        assert!(
            found.iter().any(|(found, _)| found == rule),
            "{statements} was reported as {found:?}, not as {rule}"
        );
    }
}

#[test]
fn every_rule_of_the_catalogue_has_a_mutation_that_breaks_it() {
    let rules: BTreeSet<&str> = CATALOGUE
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("select '")?.split_once('\''))
        .map(|(rule, _)| rule)
        // The expected policy is text as well.
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .collect();
    let broken: BTreeSet<&str> = MUTATIONS.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules, broken);
}
