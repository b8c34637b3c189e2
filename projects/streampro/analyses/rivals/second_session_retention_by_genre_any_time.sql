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

videos as (
    select video_id, genre
    from {{ source('bronze', 'videos') }}
    qualify row_number() over (
        partition by video_id
        order by ingestion_date desc, _ingested_at desc, _topic desc, _offset desc
    ) = 1
),

starts as (
    select user_id, session_id, min(timestamp) as started_at
    from first_sessions
    inner join events using (user_id, session_id)
    where event_name = 'session_start'
    group by user_id, session_id
),

returned as (
    select distinct starts.user_id
    from starts
    inner join events on
        events.user_id = starts.user_id
        and events.session_id <> starts.session_id
        and events.event_name = 'session_start'
        and events.timestamp > starts.started_at
),

watched as (
    select events.user_id, videos.genre
    from first_sessions
    inner join events using (user_id, session_id)
    inner join videos using (video_id)
    where events.event_name = 'watch_time' and videos.genre is not null
    group by events.user_id, videos.genre
    having sum(events.value) >= 30
)

select
    watched.genre,
    count(returned.user_id) as returned,
    count(*) as users,
    100.0 * count(returned.user_id) / count(*) as percent
from watched
left join returned using (user_id)
group by watched.genre
order by percent desc, users desc, genre
