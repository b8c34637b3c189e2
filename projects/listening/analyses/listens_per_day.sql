with listens as (
    select distinct userId, sessionId, itemInSession, ts
    from {{ source('bronze', 'listen_events') }}
)

select cast(ts at time zone 'UTC' as date) as date, count(*) as listens
from listens
group by date
order by date
