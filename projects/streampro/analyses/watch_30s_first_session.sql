{# Events have no id: a repeat is equal in every field. #}
with events as (
    select distinct * exclude (ingestion_date, _topic, _topic_partition, _offset, _ingested_at)
    from {{ source('bronze', 'events') }}
    where session_id is not null
),

first_sessions as (
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
        coalesce(sum(value) filter (where event_name = 'watch_time'), 0) as watch_seconds
    from first_sessions
    inner join events using (user_id, session_id)
    group by user_id, session_id
)

select 100.0 * count(*) filter (where watch_seconds >= 30) / nullif(count(*), 0) as percent
from sessions
