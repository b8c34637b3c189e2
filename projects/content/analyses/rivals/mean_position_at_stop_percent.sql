with stops as (
    select "current_timestamp" as position_seconds, duration_seconds
    from {{ source('bronze', 'media_events') }}
    where event_type = 'stop' and "current_timestamp" is not null and duration_seconds > 0
    qualify row_number() over (partition by event_id order by _topic, _topic_partition, _offset) = 1
)

select avg(100.0 * position_seconds / duration_seconds) as mean_position_percent
from stops
