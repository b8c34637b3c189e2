select
    cast(timestamp at time zone 'UTC' as date) as date,
    title,
    count(distinct event_id) as plays
from {{ source('bronze', 'media_events') }}
where event_type = 'play'
group by all
order by date, plays desc, title
