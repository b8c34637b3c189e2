{# A missing content_type is not an ad. #}
select
    cast(timestamp at time zone 'UTC' as date) as date,
    title,
    count(distinct event_id) as plays
from {{ source('bronze', 'media_events') }}
where event_type = 'play' and content_type is distinct from 'ad'
group by all
order by date, plays desc, title
