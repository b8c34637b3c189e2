select cast(ts at time zone 'UTC' as date) as date, count(*) as listens
from {{ source('bronze', 'listen_events') }}
group by date
order by date
