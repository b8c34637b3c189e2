select title, count(*) as pauses
from {{ source('bronze', 'media_events') }}
where event_type = 'pause'
group by title
order by pauses desc, title
