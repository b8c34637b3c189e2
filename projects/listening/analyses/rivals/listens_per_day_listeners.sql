select cast(ts at time zone 'UTC' as date) as date, count(distinct userId) as listeners
from {{ source('bronze', 'listen_events') }}
group by date
order by date
