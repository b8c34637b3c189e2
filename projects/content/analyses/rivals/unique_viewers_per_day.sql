select
    cast(timestamp at time zone 'UTC' as date) as date,
    count(distinct user_id) as unique_viewers
from {{ source('bronze', 'media_events') }}
group by date
order by date
