{# Events have no id: a repeat is equal in every field. #}
with events as (
    select distinct * exclude (ingestion_date, _topic, _topic_partition, _offset, _ingested_at)
    from {{ source('bronze', 'events') }}
    where session_id is not null
),

chosen as (
    select user_id, session_id
    from events
    where event_name in ('first_login', 'session_start')
    qualify row_number() over (
        partition by user_id
        order by event_name = 'first_login' desc, timestamp, session_id
    ) = 1
),

sessions as (
    select
        user_id,
        session_id,
        first(device_os order by timestamp, event_name, device_os, app_version) as device_os,
        first(app_version order by timestamp, event_name, device_os, app_version) as app_version,
        coalesce(sum(value) filter (where event_name = 'watch_time'), 0) < 10 as is_dropped
    from events
    inner join chosen using (user_id, session_id)
    group by user_id, session_id
),

by_client as (
    select
        device_os,
        app_version,
        count(*) as n,
        count(*) filter (where is_dropped) as dropped,
        count(*) filter (where is_dropped) / count(*) as p
    from sessions
    group by device_os, app_version
),

overall as (
    select 100.0 * sum(dropped) / sum(n) as overall_rate from by_client
)

select
    device_os,
    app_version,
    n as sessions,
    dropped,
    100.0 * dropped / n as rate,
    overall_rate,
    rate > overall_rate as abnormal
from by_client, overall
order by abnormal desc, rate desc, sessions desc, device_os, app_version
