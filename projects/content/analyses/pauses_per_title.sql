select title, count(distinct event_id) as pauses
from {{ source('bronze', 'media_events') }}
where event_type = 'pause'
group by title
order by pauses desc, title
