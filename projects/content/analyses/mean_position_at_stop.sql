with stops as (
    select "current_timestamp" as position_seconds
    from {{ source('bronze', 'media_events') }}
    where event_type = 'stop' and "current_timestamp" is not null
    qualify row_number() over (partition by event_id order by _topic, _topic_partition, _offset) = 1
)

select avg(position_seconds) as mean_position_seconds
from stops
