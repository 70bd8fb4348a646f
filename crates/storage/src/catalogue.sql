-- One row per way in which a role could reach past the tenants' walls. No rows: the walls stand.
with
roles as (
    select oid, rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolcanlogin
    from pg_roles where rolname in ('seiketsu_app', 'seiketsu_system', 'seiketsu_owner')
),
app as (select * from roles where rolname = 'seiketsu_app'),
system as (select * from roles where rolname = 'seiketsu_system'),
-- Everything that is not PostgreSQL's own.
relations as (
    select c.oid, c.relname, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity, c.reloptions, n.nspname,
           n.nspname || '.' || c.relname as name,
           exists (select from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
                       as privilege
                   where has_table_privilege(app.oid, c.oid, privilege))
               or has_any_column_privilege(app.oid, c.oid, 'select, insert, update, references') as app_reaches,
           exists (select from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
                       as privilege
                   where has_table_privilege(system.oid, c.oid, privilege)) as system_holds_whole,
           has_any_column_privilege(system.oid, c.oid, 'select, insert, update, references') as system_reaches
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join app cross join system
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and n.nspname not like 'pg\_temp%'
      and n.nspname not like 'pg\_toast\_temp%'
),
-- Tables of tenants: whatever lies in `public`, and whatever the app role can reach elsewhere.
tables as (
    select * from relations
    where relkind in ('r', 'p') and (nspname = 'public' or (app_reaches and nspname <> 'platform'))
),
tenant_columns as (
    select t.oid, a.attnum, a.attnotnull, a.atttypid = 'uuid'::regtype as is_uuid
    from tables t join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id' and not a.attisdropped
),
policies as (
    select t.name || ' policy ' || p.polname as name, p.polcmd, p.polrelid, p.polroles,
           p.polroles && array[0::oid, app.oid] as for_app,
           -- The printed alias of the sub-select differs between versions of PostgreSQL.
           regexp_replace(pg_get_expr(p.polqual, p.polrelid), ' AS "?nullif"?', '') as using_text,
           regexp_replace(pg_get_expr(p.polwithcheck, p.polrelid), ' AS "?nullif"?', '') as check_text,
           p.polqual is not null as has_using, p.polwithcheck is not null as has_check
    from pg_policy p join tables t on t.oid = p.polrelid cross join app
),
expected as (
    select '(tenant_id = ( SELECT (NULLIF(current_setting(''app.tenant_id''::text, true), ''''::text))::uuid))' as text
)

select 'role_missing' as rule, wanted as object
from unnest(array['seiketsu_app', 'seiketsu_system', 'seiketsu_owner']) as wanted
where wanted not in (select rolname from roles)

union all
select 'role_attributes', rolname from roles
where rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
   or (rolname = 'seiketsu_owner' and rolcanlogin)

union all
select 'role_membership', member.rolname || ' in ' || pg_get_userbyid(m.roleid)
from pg_auth_members m join roles member on member.oid = m.member
where member.rolname in ('seiketsu_app', 'seiketsu_system')

union all
select 'role_owns', r.rolname || ' owns ' || owned.what
from roles r
join (select relowner as owner, oid::regclass::text as what from pg_class
      union all select proowner, oid::regprocedure::text from pg_proc
      union all select nspowner, 'schema ' || nspname from pg_namespace
      union all select datdba, 'database ' || datname from pg_database) owned on owned.owner = r.oid
where r.rolname in ('seiketsu_app', 'seiketsu_system')

union all
select 'table_owner', name from tables where relowner <> (select oid from roles where rolname = 'seiketsu_owner')

union all
select 'rls_disabled', name from tables where not relrowsecurity
union all
select 'rls_not_forced', name from tables where not relforcerowsecurity

union all
select 'policy_missing', t.name from tables t
where not exists (select from policies p where p.polrelid = t.oid and p.for_app)

union all
select 'policy_without_check', name from policies where for_app and polcmd in ('*', 'a', 'w') and not has_check
union all
select 'policy_without_using', name from policies where for_app and polcmd in ('*', 'r', 'w', 'd') and not has_using

union all
-- Word for word: always true, not hoisted into a sub-select, cast outside of it, or without nullif all differ.
select 'policy_expression', p.name
from policies p cross join expected e
where p.for_app and ((p.has_using and p.using_text <> e.text) or (p.has_check and p.check_text <> e.text))

union all
select 'policy_for_system', p.name from policies p cross join system s
where not p.for_app
  and not (p.polroles = array[s.oid] and p.polcmd = 'r'
           and p.polrelid in ('public.calls'::regclass, 'public.outbox'::regclass))

union all
select 'tenant_id_missing', t.name from tables t where not exists (select from tenant_columns c where c.oid = t.oid and c.is_uuid)
union all
select 'tenant_id_nullable', t.name from tables t join tenant_columns c on c.oid = t.oid where not c.attnotnull

union all
select 'index_missing', t.name from tables t
where not exists (select from pg_index i join tenant_columns c on c.oid = i.indrelid
                  where i.indrelid = t.oid and i.indisvalid and i.indpred is null and i.indkey[0] = c.attnum)

union all
-- Unique and exclusion constraints answer for all tenants at once unless they begin with the tenant.
select 'key_without_tenant', i.indexrelid::regclass::text
from pg_index i join tables t on t.oid = i.indrelid
left join tenant_columns c on c.oid = t.oid
where (i.indisunique or i.indisexclusion) and i.indkey[0] is distinct from c.attnum

union all
-- The check of a foreign key sees every row: both sides must carry the tenant.
select 'foreign_key_without_tenant', t.name || ' ' || f.conname
from pg_constraint f join tables t on t.oid = f.conrelid
left join tenant_columns c on c.oid = t.oid
left join tenant_columns r on r.oid = f.confrelid
where f.contype = 'f'
  and not (f.confrelid = to_regclass('platform.tenants') and f.conkey = array[c.attnum])
  and not exists (select from generate_subscripts(f.conkey, 1) as at
                  where f.conkey[at] = c.attnum and f.confkey[at] = r.attnum)

union all
select 'view_of_definer', name from relations
where relkind = 'v' and (app_reaches or nspname = 'public')
  and not coalesce('security_invoker=true' = any (reloptions) or 'security_invoker=on' = any (reloptions), false)
union all
select 'materialised_view', name from relations where relkind = 'm' and (app_reaches or nspname = 'public')
union all
select 'foreign_table', name from relations where relkind = 'f' and (app_reaches or nspname = 'public')
union all
select 'sequence', name from relations where relkind = 'S' and app_reaches

union all
select 'definer_function', p.oid::regprocedure::text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join app
where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema') and has_function_privilege(app.oid, p.oid, 'execute')
union all
-- A trigger's function runs without anybody asking whether it may be called.
select 'definer_trigger', t.name || ' ' || g.tgname
from pg_trigger g join tables t on t.oid = g.tgrelid join pg_proc p on p.oid = g.tgfoid
where p.prosecdef and not g.tgisinternal

union all
select 'excessive_grant', r.name || ' ' || privilege
from relations r cross join app cross join unnest(array['truncate', 'references', 'trigger']) as privilege
where r.relkind <> 'S' and has_table_privilege(app.oid, r.oid, privilege)
union all
select 'granted_to_public', r.name
from relations r join pg_class c on c.oid = r.oid cross join lateral aclexplode(c.relacl) acl where acl.grantee = 0
union all
select 'schema_granted_to_public', n.nspname
from pg_namespace n cross join lateral aclexplode(n.nspacl) acl
where acl.grantee = 0 and n.nspname not in ('pg_catalog', 'information_schema')

union all
select 'platform_reachable', r.name from relations r where r.nspname = 'platform' and r.app_reaches
union all
select 'platform_reachable', 'schema ' || n.nspname
from pg_namespace n cross join app
where n.nspname = 'platform' and (has_schema_privilege(app.oid, n.oid, 'usage') or has_schema_privilege(app.oid, n.oid, 'create'))
union all
select 'schema_writable', r.rolname || ' in ' || n.nspname
from pg_namespace n cross join roles r
where r.rolname in ('seiketsu_app', 'seiketsu_system') and n.nspname not like 'pg\_%'
  and has_schema_privilege(r.oid, n.oid, 'create')

union all
-- The platform's two windows, to be read: who holds which call, and which tenants have mail to send.
select 'system_window', r.name from relations r
where r.nspname = 'public'
  and (r.system_holds_whole
       or (r.system_reaches and r.oid not in ('public.calls'::regclass, 'public.outbox'::regclass)))
union all
select 'system_window', r.name || '.' || a.attname
from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped cross join system s
where r.oid in ('public.calls'::regclass, 'public.outbox'::regclass)
  and (has_column_privilege(s.oid, r.oid, a.attnum, 'insert, update, references')
       or (has_column_privilege(s.oid, r.oid, a.attnum, 'select')
           and not a.attname = any (
               case when r.oid = 'public.outbox'::regclass then array['tenant_id', 'due_at']
                    else array['tenant_id', 'id', 'replica_id', 'heartbeat_at', 'handed_over_at', 'ended_at'] end::name[])))

union all
select 'default_tenant', coalesce(pg_get_userbyid(nullif(s.setrole, 0)), 'every role')
from pg_db_role_setting s cross join unnest(s.setconfig) as setting where setting like 'app.tenant\_id=%'
union all
select 'default_privileges', coalesce(n.nspname, 'every schema')
from pg_default_acl d left join pg_namespace n on n.oid = d.defaclnamespace cross join lateral aclexplode(d.defaclacl) acl
where d.defaclobjtype in ('r', 'S', 'n')
  and acl.grantee in (select 0::oid union all select oid from roles where rolname in ('seiketsu_app', 'seiketsu_system'))

order by 1, 2
