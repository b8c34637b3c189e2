select avg("current_timestamp") as mean_position_seconds
from {{ source('bronze', 'media_events') }}
where event_type = 'stop'
