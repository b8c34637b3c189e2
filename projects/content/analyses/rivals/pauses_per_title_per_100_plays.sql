with counts as (
    select
        title,
        count(distinct event_id) filter (where event_type = 'pause') as pauses,
        count(distinct event_id) filter (where event_type = 'play') as plays
    from {{ source('bronze', 'media_events') }}
    group by title
)

select title, pauses, plays, 100.0 * pauses / nullif(plays, 0) as pauses_per_100_plays
from counts
where pauses > 0
order by pauses_per_100_plays desc nulls last, title
